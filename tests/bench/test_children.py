import sys

import pytest

from bench.children import Child

ECHO = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    print(line.upper(), end="", flush=True)
"""


def python(code):
    return Child([sys.executable, "-c", code])


def test_a_child_answers_until_its_input_ends():
    with python(ECHO) as child:
        assert child.ask("how many") == "HOW MANY"
        child.stop()
        child.stop()  # may be called again


def test_what_a_child_says_last_is_its_result():
    with python("print('ready'); print('42')") as child:
        assert child.result() == "42"


def test_a_child_that_fails_has_no_result():
    with (
        python("print('ready', flush=True); raise SystemExit(1)") as child,
        pytest.raises(RuntimeError, match="failed"),
    ):
        child.result()


def test_a_child_that_does_not_begin_is_told_of():
    with pytest.raises(RuntimeError, match="did not begin; it said 'no'"), python("print('no')"):
        pass


def test_a_child_does_not_outlive_what_it_was_for():
    patient = "import time; print('ready', flush=True); time.sleep(100)"
    with pytest.raises(ZeroDivisionError), python(patient) as child:
        raise ZeroDivisionError
    assert child.ends_within(0)
