"""Settings: durations, names of variables in errors, librdkafka's properties, the admin key."""

import os
import shlex
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.sealing import HOW_TO_MAKE_A_KEY, is_key, new_key
from streaming.settings import SettingsError, load, seconds, unknown


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch):
    for name in list(os.environ):
        if name.startswith("PCA_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("250ms", 0.25), ("5s", 5.0), ("1m", 60.0), ("2h", 7200.0), ("7d", 604800.0), ("0s", 0.0)],
)
def test_a_duration_is_a_number_and_a_unit(written, meant):
    assert seconds(written) == pytest.approx(meant)


@pytest.mark.parametrize(
    "written", ["", "5", "s", "5 s", "-5s", "1.5s", "5S", "5s1m", "5w", "\u0665s"]
)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(ValueError, match="is no duration"):
        seconds(written)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PCA_PRODUCER_PORT", "eighty"),
        ("PCA_PRODUCER_PORT", "70000"),
        ("PCA_CALLS_PARTITIONS", "0"),
        ("PCA_COMMIT_INTERVAL", "0"),
        ("PCA_DISPATCHER_RETRY_SCHEDULE", "5s,soon"),
        ("PCA_DISPATCHER_ALLOW_NETWORKS", "10.0.0.0/99"),
        ("PCA_DISPATCHER_DEADLINE", "-1"),
        ("PCA_GOOGLE_ANALYTICS_URL", "www.google-analytics.com"),
        ("PCA_GOOGLE_ANALYTICS_URL", "https://g.example/?a=1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable):
        load()


def test_all_settings_that_cannot_be_used_are_named_at_once(monkeypatch):
    monkeypatch.setenv("PCA_PRODUCER_PORT", "x")
    monkeypatch.setenv("PCA_CONSOLE_PORT", "y")
    with pytest.raises(SettingsError, match=r"PCA_PRODUCER_PORT.*PCA_CONSOLE_PORT"):
        load()


@pytest.mark.parametrize("schedule", ["", " , ", "0s", "5s,0ms"])
def test_a_retry_schedule_has_a_delay_and_none_of_no_time(monkeypatch, schedule):
    monkeypatch.setenv("PCA_DISPATCHER_RETRY_SCHEDULE", schedule)
    with pytest.raises(SettingsError, match=r"PCA_DISPATCHER_RETRY_SCHEDULE.* delay"):
        load()


def test_a_retry_schedule_is_written_with_commas(monkeypatch):
    monkeypatch.setenv("PCA_DISPATCHER_RETRY_SCHEDULE", "1s, 2m ,3h")
    assert load().dispatcher_retry_schedule == ("1s", "2m", "3h")


def test_networks_are_written_with_commas(monkeypatch):
    monkeypatch.setenv("PCA_DISPATCHER_ALLOW_NETWORKS", "10.0.0.0/8,::1/128")
    assert [str(n) for n in load().dispatcher_allow_networks] == ["10.0.0.0/8", "::1/128"]


def test_variables_that_begin_with_kafka_go_to_librdkafka(monkeypatch):
    monkeypatch.setenv("PCA_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("PCA_KAFKA_SASL_PASSWORD", "Secret_With_Underscores")
    given = load().kafka
    told = (given["security.protocol"], given["sasl.password"])
    assert told == ("SASL_SSL", "Secret_With_Underscores")


def test_kafka_is_on_this_machine_unless_told(monkeypatch):
    assert load().bootstrap == "127.0.0.1:9092"
    monkeypatch.setenv("PCA_KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2")
    assert load().bootstrap == "a:1,b:2"


def test_the_admin_key_is_the_setting_where_it_is_set(tmp_path):
    assert load(admin_key="k", data_dir=tmp_path).required_admin_key() == "k"
    assert list(tmp_path.iterdir()) == []


def test_the_admin_key_is_generated_once(tmp_path):
    first = load(data_dir=tmp_path / "new").required_admin_key()
    assert len(first) >= 40
    assert load(data_dir=tmp_path / "new").required_admin_key() == first


def test_nobody_else_may_read_the_admin_key(tmp_path):
    load(data_dir=tmp_path).required_admin_key()
    assert stat.S_IMODE((tmp_path / "admin.key").stat().st_mode) == 0o600


def test_whoever_comes_at_the_same_time_gets_the_same_admin_key(tmp_path):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            for n in range(50):
                settings = load(data_dir=tmp_path / str(n))
                barrier = threading.Barrier(4)

                def key(settings=settings, barrier=barrier):
                    barrier.wait()
                    return settings.required_admin_key()

                keys = {future.result() for future in [threads.submit(key) for _ in range(4)]}
                assert (len(keys), keys - {""}) == (1, keys)
    finally:
        sys.setswitchinterval(interval)


def test_nothing_but_the_admin_key_is_left_in_the_folder(tmp_path):
    load(data_dir=tmp_path).required_admin_key()
    assert [path.name for path in tmp_path.iterdir()] == ["admin.key"]


def test_a_misspelt_setting_is_noticed(monkeypatch):
    monkeypatch.setenv("PCA_ROUTER_PORT", "1")
    monkeypatch.setenv("PCA_KAFKA_LINGER_MS", "1")
    monkeypatch.setenv("PCA_CACHE_DIR", "/tmp")
    assert "PCA_ROUTER_PORT" in unknown()
    assert not {"PCA_KAFKA_LINGER_MS", "PCA_CACHE_DIR"} & set(unknown())


def test_the_keys_of_secrets_are_the_setting_where_it_is_set(monkeypatch, tmp_path):
    first, second = new_key(), new_key()
    monkeypatch.setenv("PCA_SECRET_KEYS", f"{first}, {second}")
    assert load(data_dir=tmp_path).required_secret_keys() == (first, second)
    assert list(tmp_path.iterdir()) == []


def test_a_key_of_secrets_is_generated_once_and_for_the_owners_eyes(tmp_path):
    first = load(data_dir=tmp_path / "new").required_secret_keys()
    assert (len(first), is_key(first[0])) == (1, True)
    assert load(data_dir=tmp_path / "new").required_secret_keys() == first
    assert stat.S_IMODE((tmp_path / "new" / "secret.key").stat().st_mode) == 0o600


def test_further_keys_may_stand_in_the_file(tmp_path):
    first, second = new_key(), new_key()
    (tmp_path / "secret.key").write_text(f"{first}\n{second}\n")
    assert load(data_dir=tmp_path).required_secret_keys() == (first, second)


@pytest.mark.parametrize("broken", ["canary", "canary" * 8, "A" * 43, "A" * 43 + "=="])
def test_what_is_no_key_is_refused_with_how_to_make_one_and_not_repeated(
    monkeypatch, tmp_path, broken
):
    (tmp_path / "secret.key").write_text(broken)
    with pytest.raises(SettingsError, match=r"secret\.key .*Fernet\.generate_key") as of_file:
        load(data_dir=tmp_path).required_secret_keys()
    monkeypatch.setenv("PCA_SECRET_KEYS", f"{new_key()},{broken}")
    with pytest.raises(SettingsError, match=r"PCA_SECRET_KEYS.*number 2 .*generate_key") as of_env:
        load()
    for refused in (of_file, of_env):
        assert broken not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_the_command_that_the_message_names_makes_a_key():
    program = shlex.split(HOW_TO_MAKE_A_KEY)
    made = subprocess.run(
        [sys.executable, *program[1:]], capture_output=True, text=True, check=True
    )
    assert is_key(made.stdout.strip())


def test_an_empty_file_of_keys_is_refused(tmp_path):
    (tmp_path / "secret.key").touch()
    with pytest.raises(SettingsError, match=r"holds what is no Fernet key"):
        load(data_dir=tmp_path).required_secret_keys()


def test_a_folder_that_cannot_hold_the_key_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"PCA_SECRET_KEYS is not set, and .*file"):
        load(data_dir=tmp_path / "file").required_secret_keys()


@pytest.mark.parametrize("service", ["dispatcher", "console"])
def test_a_service_with_a_broken_key_ends_with_2_and_one_line(service, tmp_path):
    environment = {"PCA_SECRET_KEYS": "canary", "PCA_DATA_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", service], env=os.environ | environment, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "PCA_SECRET_KEYS" in ended.stderr
    assert "canary" not in ended.stderr
