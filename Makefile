# `make demo` and `make test` need nothing before them: setup runs when the lock changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test lint chaos bench clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml setup.py $(shell sed -n 's/^    "\(.*\.py\)",$$/\1/p' setup.py)
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is %s; say which to use with: make PYTHON=python3.12" % sys.version.split()[0])'
	[ "$$($(BIN)/python -V 2>&1)" = "$$($(PYTHON) -V 2>&1)" ] || rm -rf $(VENV) # made by another Python
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	rm -f */*.so */*/*.so # of modules that are compiled no more
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: setup
	$(BIN)/pca demo

test: setup
	$(BIN)/pytest -n 4 --dist loadfile --max-worker-restart 0 # a restarted worker waits for ever

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

chaos: setup
	$(BIN)/pytest -m chaos -s --timeout 1800

bench: setup
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) */*.so */*/*.so build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
