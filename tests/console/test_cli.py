"""`pca apply`, `plan` and `export` against a console over HTTP."""

import asyncio
import json
import threading

import pytest
import uvicorn
import yaml
from typer.testing import CliRunner

from console.api import console_app
from console.cli import app
from console.database import Database
from schemas.sealing import Sealer, new_key
from streaming.settings import Settings

KEY = "the-admin-key"

CONFIGURATION = """\
accounts:
- id: acme
  name: Acme
  actions:
  - {id: crm, name: CRM, scope: all_calls, target_url: "https://u:secret@example.com/h"}
  numbers:
    +18005550100: {send: specific, action_id: crm}
    18005550101: {send: none, label: "Yellow pages"}
    +493012345678: {}
"""


@pytest.fixture(scope="module")
def console_url(tmp_path_factory):
    """A console that listens, with a loop of its own in a thread."""
    folder = tmp_path_factory.mktemp("cli")
    settings = Settings(data_dir=folder, admin_key=KEY, kafka={"bootstrap.servers": "127.0.0.1:1"})
    started: list = []
    ready = threading.Event()

    async def serve():
        database = Database(f"sqlite:///{folder}/console.db", Sealer([new_key()]))
        await database.migrate()
        config = uvicorn.Config(
            console_app(settings, database, ready=lambda: None), port=0, log_config=None
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  # uvicorn sets no event
            await asyncio.sleep(0.01)
        started.extend([server, server.servers[0].sockets[0].getsockname()[1]])
        ready.set()
        await serving
        await database.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield f"http://127.0.0.1:{started[1]}"
    started[0].should_exit = True
    thread.join(10)


@pytest.fixture
def pca(console_url, monkeypatch, tmp_path):
    """Run a command: `pca("plan", "-", given="…")`."""
    monkeypatch.setenv("PCA_CONSOLE_URL", console_url)
    monkeypatch.setenv("PCA_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)

    def run(*arguments, given=None):
        return CliRunner().invoke(app, arguments, input=given)

    return run


@pytest.fixture
def applied(pca):
    assert pca("apply", "-", given=CONFIGURATION).exit_code == 0


def test_plan_shows_what_would_be_created(pca):
    document = CONFIGURATION.replace("acme", "newco")
    result = pca("plan", "-", given=document)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "+ account newco",
        "+ action newco/crm",
        "+ number newco/+18005550100",
        "+ number newco/+18005550101",
        "+ number newco/+493012345678",
        "5 created, 0 updated, 0 deleted, 0 unchanged.",
    ]


def test_plan_shows_what_would_change(pca, applied):
    changed = CONFIGURATION.replace("specific, action_id: crm", "account_wide").replace(
        "    +493012345678: {}\n", ""
    )
    assert pca("plan", "-", given=changed).stdout.splitlines() == [
        "~ number acme/+18005550100: send: specific → account_wide; action_id: crm → nothing",
        "- number acme/+493012345678",
        "0 created, 1 updated, 1 deleted, 3 unchanged.",
    ]


def test_the_detailed_exit_code_tells_whether_there_is_anything_to_do(pca, applied):
    assert pca("plan", "--detailed-exitcode", "-", given=CONFIGURATION).exit_code == 0
    changed = CONFIGURATION.replace("name: Acme", "name: Other")
    assert pca("plan", "-", given=changed).exit_code == 0
    assert pca("plan", "--detailed-exitcode", "-", given=changed).exit_code == 2


def test_a_secret_is_not_shown_when_it_changes(pca, applied):
    result = pca("plan", "-", given=CONFIGURATION.replace("secret", "other"))
    assert (
        "~ action acme/crm: target_url: https://***@example.com/h → https://***@" in result.stdout
    )


def test_what_is_exported_plans_to_no_change(pca, applied):
    exported = pca("export", "--account", "acme").stdout
    assert "secret" not in exported
    result = pca("plan", "--detailed-exitcode", "-", given=exported)
    assert (result.exit_code, result.stdout) == (
        0, "0 created, 0 updated, 0 deleted, 5 unchanged.\n",
    )  # fmt: skip


def test_an_export_with_secrets_goes_into_a_file_of_ones_own(pca, applied, tmp_path):
    file = tmp_path / "backup.yaml"
    assert pca("export", "--secrets", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    acme = next(a for a in yaml.safe_load(file.read_text())["accounts"] if a["id"] == "acme")
    assert acme["actions"][0]["target_url"] == "https://u:secret@example.com/h"
    assert pca("plan", "--detailed-exitcode", str(file)).exit_code == 0


def test_a_file_may_be_json(pca, applied, tmp_path):
    file = tmp_path / "configuration.json"
    file.write_text(json.dumps({"accounts": [{"id": "json", "name": "J"}]}))
    assert "+ account json" in pca("plan", str(file)).stdout


def test_on_a_terminal_apply_asks_before_it_deletes(pca, applied, monkeypatch):
    file = "without.yaml"
    with open(file, "w") as out:  # noqa: PTH123
        out.write("accounts: [{id: acme, name: Acme}]")
    monkeypatch.setattr("console.commands.configuration.on_terminal", lambda: True)
    refused = pca("apply", file, given="n\n")
    assert refused.exit_code == 1
    assert "4 will be deleted. Go on?" in refused.stdout
    assert "5 unchanged" in pca("plan", "-", given=CONFIGURATION).stdout
    assert pca("apply", "--yes", file).exit_code == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("accounts: [{id: a, name: A, name: B}]", "line 1, column 29: 'name' stands here twice"),
        ('{"accounts": [], "accounts": []}', "'accounts' stands twice in one object"),
        ("accounts: [", "line "),
        ("accounts: [{id: 7, name: A}]", "accounts[0].id: Input should be a valid string; write it"
         " in quotes (given: 7)"),
        ("accounts: [{id: a, name: A, nombers: {}}]", "accounts[0].nombers: is not a field"),
        ("accounts: [{id: a, name: A, numbers: {+1800: {}}}]", "accounts[0].numbers.+1800: is no"
         " telephone number; write it as +18005550100"),
        ("accounts: [{id: a, name: 2026-01-01}, {id: a, name: B}]", "accounts[1].id: is the id of"
         " another one too; change one (given: a)"),
        ("[1, 2]", "the document: Input should be an object"),
        ("", "the document"),
        ("a: &a [*a]", "Circular"),
        ("a: !!set {b}", "set"),
        ("\x00", "is no YAML"),
    ],
)  # fmt: skip
def test_a_fault_is_one_sentence_with_file_path_and_reason(pca, given, sentence):
    result = pca("plan", "-", given=given)
    assert result.exit_code == 1
    assert result.stderr.startswith("pca: standard input: ")
    assert sentence in result.stderr


def test_what_only_the_console_knows_is_said_with_its_path(pca):
    given = "accounts: [{id: a, name: A, pools: {p: {send: specific, action_id: x}}}]"
    result = pca("apply", "-", given=given)
    assert (result.exit_code, result.stderr) == (
        1,
        "pca: the console refused (Invalid)\n"
        "  accounts[0].pools.p.action_id: account a has no such action\n",
    )


def test_a_missing_file_is_one_sentence(pca):
    result = pca("plan", "nowhere.yaml")
    assert (result.exit_code, result.stderr) == (
        1,
        "pca: nowhere.yaml: No such file or directory\n",
    )


def test_a_console_that_is_away_is_one_sentence(pca, monkeypatch):
    monkeypatch.setenv("PCA_CONSOLE_URL", "http://127.0.0.1:1")
    result = pca("export")
    assert (result.exit_code, result.stderr) == (
        1, "pca: no console answers at http://127.0.0.1:1; start it, or set PCA_CONSOLE_URL\n",
    )  # fmt: skip


def test_a_wrong_key_is_one_sentence(pca, monkeypatch):
    monkeypatch.setenv("PCA_API_KEY", "wrong")
    result = pca("export")
    assert result.exit_code == 1
    assert "does not know the key; set PCA_API_KEY" in result.stderr


def test_without_a_key_nothing_is_asked(pca, monkeypatch):
    monkeypatch.delenv("PCA_API_KEY")
    result = pca("export")
    assert result.exit_code == 1
    assert "no key to sign in with: set PCA_API_KEY" in result.stderr


def test_the_key_of_the_data_folder_is_found(pca, monkeypatch, tmp_path):
    monkeypatch.delenv("PCA_API_KEY")
    monkeypatch.setenv("PCA_DATA_DIR", str(tmp_path))
    (tmp_path / "admin.key").write_text(KEY + "\n")
    assert pca("export").exit_code == 0


def test_a_wrong_setting_is_one_sentence(pca, monkeypatch):
    monkeypatch.setenv("PCA_CALLS_PARTITIONS", "many")
    result = pca("topics", "create")
    assert result.exit_code == 1
    assert "PCA_CALLS_PARTITIONS" in result.stderr


def test_a_new_signing_secret_is_printed_once_and_alone(pca, applied):
    made = pca("config", "rotate-secret", "acme", "crm")
    assert (made.exit_code, made.stdout.count("\n")) == (0, 1)
    assert made.stdout.startswith("whsec_")
    pair = pca("config", "rotate-secret", "--ed25519", "acme", "crm")
    assert pair.stdout.startswith("whpk_")
    document = yaml.safe_load(pca("export", "--account", "acme", "--secrets").stdout)
    new, other = document["accounts"][0]["actions"][0]["signing_secrets"]
    assert (new[:5], other) == ("whsk_", made.stdout.strip())
    assert made.stdout.strip() not in pca("export", "--account", "acme").stdout


def test_rotating_for_an_action_that_is_not_there_is_a_sentence(pca, applied):
    missing = pca("config", "rotate-secret", "acme", "no/such")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "404" in missing.stderr


@pytest.mark.parametrize(
    "fields",
    [
        "signing_secrets: [whsec_CANARY]",
        "signing_secrets: whsec_CANARY",
        "signing_secret: CANARY",
        "tls: {client_key: CANARY}",
        "tls: {ca: '-----BEGIN PRIVATE KEY-----CANARY'}",
        "headers: [{name: X-Api-Key, value: 'CANARY\u00e9'}]",
    ],
)
def test_a_refused_file_shows_no_secret(pca, fields):
    text = f"""
accounts:
  - id: acme
    name: A
    actions:
      - {{id: x, name: X, scope: all_calls, target_url: "https://u:CANARY@h.example/", {fields}}}
"""
    refused = pca("apply", "-", given=text)
    assert refused.exit_code == 1
    assert fields.partition(":")[0] in refused.output
    assert "CANARY" not in refused.output
