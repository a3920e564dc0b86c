"""What README and docs say is so: their examples run, and their tables are complete."""

import json
import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
import yaml

from dispatcher.outcome import Error
from router import ids
from schemas.call import Call
from schemas.configuration import Document
from schemas.placeholders import PLACEHOLDERS
from streaming.settings import Settings, load
from streaming.topics import topics

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def rows(page):
    """The cells of every table row, without code marks."""
    lines = [line for line in page.read_text().splitlines() if line.startswith("| ")]
    return [[cell.strip().strip("`") for cell in line.strip("| ").split(" | ")] for line in lines]


def shown(default):
    if default is None or default == ():
        return "none"
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, tuple) else str(default)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_page_can_be_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text()
    assert not [page.name for page in DOCS.glob("*.md") if f"docs/{page.name}" not in readme]


def test_python_examples_run():
    ran = 0
    for page in PAGES:
        if page.name == "verifying-a-request.md":  # tests/dispatcher/test_verifying_docs.py
            continue
        for block in blocks(page, "python"):
            names = {}
            exec(compile(block, page.name, "exec"), names)
            assert names["NAMESPACE"] == ids.DISPATCH_NAMESPACE
            example = ("acme", "call-1", 0, "crm")
            assert names["dispatch_id"](*example) == ids.dispatch_id(*example)
            ran += 1
    assert ran == 1


def test_yaml_examples_can_be_applied():
    examples = [block for page in PAGES for block in blocks(page, "yaml")]
    examples.append((DOCS / "examples" / "quickstart.yaml").read_text())
    for example in examples:
        Document.model_validate_json(json.dumps(yaml.safe_load(example)))
    assert len(examples) == 6


def test_quick_start_of_the_readme_is_the_example_and_its_call_is_taken():
    readme = (ROOT / "README.md").read_text()
    document = re.search(r"<<'END'\n(.*?)^END", readme, re.DOTALL | re.MULTILINE)[1]
    assert document == (DOCS / "examples" / "quickstart.yaml").read_text()
    (curl,) = [block for block in blocks(ROOT / "README.md", "sh") if "curl" in block]
    words = shlex.split(curl)
    Call.model_validate_json(words[words.index("-d") + 1])


def test_example_calls_are_taken():
    for line in (DOCS / "examples" / "calls.ndjson").read_text().splitlines():
        Call.model_validate_json(line)


def test_settings_page_is_complete():
    fields = Settings.model_fields
    told = {row[0]: row[1] for row in rows(DOCS / "settings.md") if row[0].startswith("PCA_")}
    for name, field in fields.items():
        if name != "kafka":
            assert told.pop(f"PCA_{name.upper()}") == shown(field.default)
    assert told.keys() == {"PCA_KAFKA_BOOTSTRAP_SERVERS", "PCA_KAFKA_…", "PCA_CACHE_DIR"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_that_are_named_exist(page):
    known = {f"PCA_{name.upper()}" for name in Settings.model_fields} | {"PCA_CACHE_DIR"}
    named = set(re.findall(r"PCA_[A-Z_]*[A-Z]", page.read_text()))
    assert not {name for name in named - known if not name.startswith("PCA_KAFKA")}


def test_topics_page_is_complete():
    text = (DOCS / "topics-and-guarantees.md").read_text()
    kept = {row[0].partition("`")[0]: row[2] for row in rows(DOCS / "topics-and-guarantees.md")}
    for name, topic in topics(load()).all.items():
        if ".retry." not in name:
            days = "compacted" if topic.retention is None else f"{topic.retention / 86400:.0f} d"
            assert kept[name] == days
    assert "pca.retry.5s" in text


def test_every_class_of_error_and_reason_is_told():
    told = {row[0] for row in rows(DOCS / "errors-and-where-things-end.md")}
    assert not {error for error in get_args(Error) if error} - told
    sources = [ROOT / "schemas" / "codec.py", *sorted((ROOT / "router").glob("*.py"))]
    text = "".join(source.read_text() for source in sources)
    reasons = set(re.findall(r'Undecodable\(\s*"(\w+)"', text))
    assert len(reasons) >= 6
    assert not (reasons | {"unknown_account"}) - told


def test_reasons_of_the_router_are_told():
    text = (DOCS / "which-actions-run.md").read_text()
    source = (ROOT / "router" / "resolve.py").read_text()
    reasons = re.findall(r'return (?:True|False), "([^"]+)"', source)
    assert len(reasons) == 7
    assert not [reason for reason in reasons if reason not in text]


def test_every_placeholder_is_told():
    text = (DOCS / "what-a-request-holds.md").read_text()
    untold = {id_ for id_ in PLACEHOLDERS if f"`{id_}`" not in text}
    assert untold == {"rounded_intelligent_minutes", "rounded_enhanced_minutes"}
