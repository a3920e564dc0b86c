"""`pca up`: a whole line from one command, looked after, and gone when it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from console.demo.receiver import Receiver
from console.supervisor import (
    Backoff,
    StageFailed,
    StageProcess,
    Supervisor,
    copies,
    environment_of,
)
from deploy.ports import free_port, is_free
from streaming.settings import load

PCA = Path(sys.executable).with_name("pca")
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PORTS = (
    "PCA_PRODUCER_PORT",
    "PCA_CONSOLE_PORT",
    "PCA_ROUTER_METRICS_PORT",
    "PCA_DISPATCHER_METRICS_PORT",
)


def until(claim, seconds=60.0):
    """Return what `claim` says once it is true."""
    deadline = time.monotonic() + seconds
    while not (known := claim()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return known


def lives(process):
    """Whether it runs; one that nobody has reaped yet does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Up:
    """A running `pca up`."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.out = folder / "up.out"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("PCA_")}
        self.environment |= dict.fromkeys(PORTS, "0")
        self.environment |= {"PCA_DATA_DIR": str(folder / "data"), **settings}
        if cache := os.environ.get("PCA_CACHE_DIR"):
            self.environment["PCA_CACHE_DIR"] = cache
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [PCA, "up"],
                cwd=folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def printed(self):
        return self.out.read_text()

    def url(self, stage):
        return re.search(rf"^{stage} +(http://[\d.:]+)", self.printed(), re.MULTILINE)[1]

    def stage(self, module):
        """The stage's process."""
        for child in psutil.Process(self.process.pid).children():
            if child.cmdline()[-1:] == [module]:
                return child
        return None

    def everything(self):
        """Every process of it, Kafka too, which is nobody's child."""
        mark = str(self.folder)
        own = psutil.Process(self.process.pid).children(recursive=True)
        return own + [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(mark in part for part in process.info["cmdline"] or ())
        ]

    def pca(self, *arguments, **settings):
        return subprocess.run(
            [PCA, *arguments],
            cwd=self.folder,
            env=self.environment | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(90)


@pytest.fixture(scope="module")
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def up(kafka_can_run, tmp_path_factory):
    up = Up(tmp_path_factory.mktemp("up"), PCA_DISPATCHER_ALLOW_NETWORKS="127.0.0.0/8")
    until(lambda: up.process.poll() is not None or "Ctrl-C" in up.printed(), 120)
    assert up.process.poll() is None, up.printed()
    yield up
    if up.process.poll() is None:
        up.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def configured(up, receiver):
    """One account whose action calls the receiver."""
    key = (up.folder / "data" / "admin.key").read_text().strip()
    client = httpx.Client(headers={"Authorization": f"Bearer {key}"}, trust_env=False)
    action = {
        "id": "crm",
        "name": "CRM",
        "scope": "all_calls",
        "target_url": receiver.url + "/crm",
        "parameters": [{"name": "sid", "placeholder": "sid"}],
    }
    document = {"accounts": [{"id": "acme", "name": "Acme", "actions": [action]}]}
    known = config_records(up)
    with client:
        client.post(up.url("console") + "/v1/apply", json=document).raise_for_status()
        until(lambda: config_records(up) >= known + 2)
        yield client


def config_records(up):
    """How many configuration records the router has taken in."""
    metrics = httpx.get(up.url("router") + "/metrics", trust_env=False).text
    return float(re.search(r"^pca_config_records_total (\S+)", metrics, re.MULTILINE)[1])


def make_call(up, client, sid):
    call = {
        "account_id": "acme",
        "sid": sid,
        "started_at": "2026-07-01T14:03:22Z",
        "call_type": "inbound",
    }
    assert client.post(up.url("gateway") + "/v1/calls", json=call).status_code == 202


def arrived(receiver, sid):
    return lambda: [one for one in receiver.arrivals if ("sid", sid) in one.query]


def test_up_shows_what_listens_where_and_what_to_type_next(up):
    printed = up.printed()
    for stage in ("gateway", "router", "dispatcher", "console"):
        assert httpx.get(up.url(stage) + "/readyz", trust_env=False).status_code == 200
        assert (up.folder / "data" / "logs" / f"{stage}.log").is_file()
    assert re.search(r"^Kafka +127\.0\.0\.1:\d+", printed, re.MULTILINE)
    assert "pca apply" in printed
    assert "pca emit" in printed
    key_file = up.folder / "data" / "admin.key"
    assert str(key_file) in printed
    assert key_file.read_text().strip() not in printed


def test_call_goes_through_the_whole_line(up, receiver, configured):
    make_call(up, configured, "through")
    (request,) = until(arrived(receiver, "through"))
    assert (request.method, request.path) == ("GET", "/crm")


def test_commands_that_it_says_to_type_next_work(up, receiver, tmp_path):
    """With the examples of docs/, for another account and to our receiver."""
    for example in ("quickstart.yaml", "calls.ndjson"):
        text = (EXAMPLES / example).read_text().replace("acme", "quick")
        text = text.replace("http://127.0.0.1:9000/", receiver.url + "/quick")
        (tmp_path / example).write_text(text)
    urls = {"PCA_CONSOLE_URL": up.url("console"), "PCA_PRODUCER_URL": up.url("gateway")}
    known = config_records(up)
    applied = up.pca("apply", tmp_path / "quickstart.yaml", **urls)
    assert "4 created" in applied.stdout, applied.stderr
    until(lambda: config_records(up) >= known + 4)
    emitted = up.pca("emit", tmp_path / "calls.ndjson", **urls)
    assert emitted.returncode == 0, emitted.stderr
    (request,) = until(lambda: [one for one in receiver.arrivals if one.path == "/quick"])
    asked = "client_id=1234&from=3125550123&minutes=1.1&label=Yellow+pages"
    assert request.raw_query == asked


def test_second_up_on_the_same_folder_says_so(up):
    second = up.pca("up")
    assert second.returncode == 1
    assert f"already runs on {up.folder / 'data'} (pid {up.process.pid})" in second.stderr


def test_port_in_use_is_refused_with_its_setting(up, tmp_path):
    taken = up.url("console").rpartition(":")[2]
    refused = up.pca("up", "--data", tmp_path / "other", PCA_PRODUCER_PORT=taken)
    assert refused.returncode == 1
    assert f"PCA_PRODUCER_PORT: port {taken} is in use" in refused.stderr


def test_one_port_for_two_stages_is_refused(up, tmp_path):
    port = str(free_port())
    two = {"PCA_PRODUCER_PORT": port, "PCA_CONSOLE_PORT": port}
    refused = up.pca("up", "--data", tmp_path / "other", **two)
    assert refused.returncode == 1
    assert "PCA_PRODUCER_PORT and PCA_CONSOLE_PORT are both" in refused.stderr


def test_killed_router_is_started_again_and_goes_on(up, receiver, configured):
    first = up.stage("router")
    first.kill()
    make_call(up, configured, "while-away")
    assert until(arrived(receiver, "while-away"), 90)
    assert up.stage("router").pid != first.pid
    until(lambda: "router is ready again" in up.printed())
    assert "router ended (killed by SIGKILL); starting again in 0.5 s" in up.printed()


def test_sigterm_stops_everything(kafka_can_run, tmp_path):
    up = Up(tmp_path)
    until(lambda: up.process.poll() is not None or "Ctrl-C" in up.printed(), 120)
    processes = up.everything()
    ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", up.printed())]
    assert len(processes) >= 5
    assert up.end(signal.SIGTERM) == 0, up.printed()
    assert not [process for process in processes if lives(process)]
    assert all(is_free(port) for port in ports)


def test_ctrl_c_while_starting_stops_everything(kafka_can_run, tmp_path):
    up = Up(tmp_path)
    until(lambda: "Stages: starting" in up.printed() or up.process.poll() is not None)
    processes = up.everything()
    assert up.end(signal.SIGINT) == 0, up.printed()
    assert not [process for process in processes if lives(process)]


# The supervisor itself, without Kafka: a console needs none to listen.


def console_environment(folder, **overrides):
    kafka = {"bootstrap.servers": f"127.0.0.1:{free_port()}"}
    return environment_of(load(data_dir=folder, kafka=kafka, admin_key="k", **overrides))


def test_settings_reach_a_child_as_they_are(monkeypatch, tmp_path):
    kafka = {"bootstrap.servers": "a:1,b:2", "security.protocol": "SSL"}
    given = load(
        data_dir=tmp_path,
        kafka=kafka,
        dispatcher_retry_schedule="1s,2m",
        dispatcher_allow_networks="127.0.0.0/8,::1/128",
        schema_registry_write=False,
    )
    for name in [name for name in os.environ if name.startswith("PCA_")]:
        monkeypatch.delenv(name)
    for name, value in environment_of(given).items():
        monkeypatch.setenv(name, value)
    assert load() == given


def test_backoff_grows_to_ten_seconds_and_is_reset_by_calm():
    backoff = Backoff()
    assert [backoff.after(1.0) for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    assert [backoff.after(30.0), backoff.after(1.0)] == [0.5, 1]


def test_copies_have_ports_of_their_own(tmp_path):
    stages = copies("router", 3, {}, tmp_path)
    assert [stage.name for stage in stages] == ["router-1", "router-2", "router-3"]
    assert len({stage.port for stage in stages}) == 3


def test_stage_that_cannot_start_shows_its_last_words(tmp_path):
    environment = console_environment(tmp_path) | {"PCA_LOG_LEVEL": "INFO", "PCA_BIND": "192.0.2.1"}
    stage = StageProcess("console", "console", environment, tmp_path / "console.log")
    stage.start()
    with pytest.raises(StageFailed, match=r"192\.0\.2\.1"):
        stage.await_ready(30)
    assert stage.pid is None
    assert stage.ending == "exit code 1"
    stage.stop()


def test_dead_stage_waits_for_its_delay(tmp_path):
    now, said = [100.0], []
    stage = StageProcess("console", "console", console_environment(tmp_path), tmp_path / "log")
    supervisor = Supervisor([stage], report=said.append, clock=lambda: now[0])
    with supervisor:
        stage.start()
        first = stage.pid
        stage.kill()
        supervisor.watch()
        supervisor.watch()
        assert not stage.alive
        now[0] += 0.5
        supervisor.watch()
        assert stage.pid not in (None, first)
    assert not stage.alive
    assert said == ["console ended (killed by SIGKILL); starting again in 0.5 s"]


def test_stage_does_not_outlive_its_starter(tmp_path):
    """However the starter ends."""
    script = (
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "from console.supervisor import StageProcess\n"
        "stage = StageProcess('console', 'console', json.loads(sys.argv[1]), Path(sys.argv[2]))\n"
        "stage.start()\n"
        "print(stage.pid, flush=True)\n"
        "time.sleep(100)\n"
    )
    environment = json.dumps(console_environment(tmp_path))
    command = [sys.executable, "-c", script, environment, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        stage = psutil.Process(int(starter.stdout.readline()))
        assert os.getsid(stage.pid) == stage.pid
        starter.kill()
    until(lambda: not lives(stage), 35)
