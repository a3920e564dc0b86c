"""An endpoint that fails is left alone and found again; one that is gone is paused; one that hangs
holds up nobody else. The real line on a real broker."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from line import eventually

from schemas.configuration import Document, action_key, config_key
from streaming.partitions import partition_of

SECOND = 1_000_000


class Shop:
    """A customer's server: answers each path as it was told to last, and knows what came."""

    def __init__(self):
        self.answers = {}
        """Path → status and headers; 200 where nothing is said."""
        self.arrivals = []
        """(microseconds since 1970, path, sid, status) of each request."""
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                at, target = time.time_ns() // 1000, urlsplit(self.path)
                status, headers = shop.answers.get(target.path, (200, {}))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                (sid,) = parse_qs(target.query)["sid"]
                shop.arrivals.append((at, target.path, sid, status))

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sids(self, path="/crm", status=200):
        return {
            sid for _, asked, sid, answered in self.arrivals if (asked, answered) == (path, status)
        }


@pytest.fixture
def shop():
    with Shop() as one:
        yield one


def account(id_, url):
    action = {
        "id": "crm", "name": "CRM", "scope": "all_calls", "target_url": url,
        "parameters": [{"name": "sid", "placeholder": "sid"}],
    }  # fmt: skip
    return {"id": id_, "name": id_, "actions": [action]}


def states(line):
    """What was written of the endpoint, in order."""
    count = line.count(line.topics.endpoints)
    found = sorted(line.read(line.topics.endpoints, count), key=lambda m: m.offset())
    return [line.codec.decode(message.value(), "Endpoint") for message in found]


def last_state(line):
    known = states(line)
    return known[-1]["state"] if known else None


def send(line, *sids, to="acme"):
    line.send(*(line.call(to, sid=sid) for sid in sids), account=to)


def test_a_failing_endpoint_is_left_alone_also_by_the_next_owner_and_then_gets_everything(
    line, shop
):
    line.configure(account("acme", f"{shop.url}/crm"))
    line.start("router")
    (first,) = line.start("dispatcher")
    shop.answers["/crm"] = 503, {"Retry-After": "16"}
    before = {f"before-{n}" for n in range(5)}
    send(line, *before)
    eventually(lambda: last_state(line) == "open")
    (opened,) = states(line)
    probe_at = opened["probe_at"]
    assert opened["failures"] == 5
    assert probe_at - opened["since"] == 16 * SECOND
    send(line, "while-open")
    eventually(lambda: line.metric(first, "pca_dispatches_put_off_total", why="open"))
    first.kill()
    killed_at = time.time_ns() // 1000
    (second,) = line.start("dispatcher")
    in_time = time.time_ns() // 1000 < probe_at - SECOND
    shop.answers.clear()
    after = {f"after-{n}" for n in range(20)}
    send(line, *after)
    eventually(lambda: shop.sids() == before | after | {"while-open"}, timeout=40)
    early = [arrival for arrival in shop.arrivals if killed_at < arrival[0] < probe_at]
    assert early == []
    assert line.metric(second, "pca_dispatches_put_off_total", why="open") or not in_time
    assert shop.sids(status=503) == before
    eventually(lambda: last_state(line) == "closed")
    # The new owner knew before anything could fail for it.
    assert [state["state"] for state in states(line)] == ["open", "closed"]
    assert line.metric(second, "pca_endpoints", state="open") == 0.0
    assert line.count(line.topics.dead) == 0


def test_410_pauses_an_action_and_a_newer_version_of_it_is_tried_again(line, shop):
    document = account("acme", f"{shop.url}/crm")
    line.configure(document)
    (router,) = line.start("router")
    (dispatcher,) = line.start("dispatcher")
    shop.answers["/crm"] = 410, {}
    send(line, "gone")
    eventually(lambda: last_state(line) == "paused")
    send(line, "kept-1", "kept-2")
    dead = [line.codec.decode(m.value(), "Dispatch") for m in line.read(line.topics.dead, 3)]
    assert {(d["sid"], d["failure"]["error"], d["failure"]["status"]) for d in dead} == {
        ("gone", "status", 410), ("kept-1", "paused", None), ("kept-2", "paused", None),
    }  # fmt: skip
    assert line.metric(dispatcher, "pca_endpoints", state="paused") == 1.0
    assert line.count(line.topics.attempts) == 1  # nothing was tried while it was paused

    shop.answers.clear()
    known = line.metric(router, "pca_config_records_total")
    save(line, document, version=2)
    eventually(lambda: line.metric(router, "pca_config_records_total") > known)
    send(line, "mended-1", "mended-2", "mended-3")
    eventually(lambda: shop.sids() == {"mended-1", "mended-2", "mended-3"})
    eventually(lambda: last_state(line) == "closed")
    assert [state["state"] for state in states(line)] in (
        ["paused", "open", "closed"],
        ["paused", "closed"],  # resumed and closed in one turn of the event loop
    )


def save(line, document, version):
    """The account's action under a later version, as the console writes it."""
    (one,) = Document.model_validate_json(json.dumps({"accounts": [document]})).accounts
    value = line.codec.encode("Action", one.actions[0].to_avro("crm", version), line.topics.config)
    partition = partition_of(one.id, line.settings.calls_partitions)
    key = config_key(one.id, "action", "crm")
    line.write([(line.topics.config, key, value, partition)])


def neighbour(line, id_):
    """An account whose action lies in the same partition, so with the same dispatcher."""
    count = line.settings.dispatch_partitions
    home = partition_of(action_key(id_, "crm"), count)
    return next(
        other
        for other in map("zenith-{}".format, range(99))
        if partition_of(action_key(other, "crm"), count) == home
    )


def test_fifteen_hundred_dispatches_to_an_endpoint_that_hangs_hold_up_no_other(line, shop, slow):
    """They fill ten times over what this dispatcher takes in."""
    other = neighbour(line, "acme")
    line.configure(account("acme", slow), account(other, f"{shop.url}/crm"))
    line.start("router")
    line.start("dispatcher", dispatcher_in_flight=100, stop_deadline=1.0)
    send(line, "warm", to=other)
    eventually(lambda: shop.sids() == {"warm"})
    send(line, *(f"stuck-{n}" for n in range(1500)))
    eventually(lambda: line.count(line.topics.dispatch) >= 1501)
    began = time.monotonic()
    five = {f"prompt-{n}" for n in range(5)}
    send(line, *five, to=other)
    eventually(lambda: shop.sids() >= five)
    assert time.monotonic() - began < 2.0
