"""What ended in `pca.dead` is sent again by `pca replay`: the real line on a real broker."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from line import eventually
from typer.testing import CliRunner

from console.cli import app
from console.supervisor import environment_of


@pytest.fixture
def shop():
    """A customer's server that answers `shop.status`; `shop.came` has status, attempt and
    webhook-id of each request, by path and query."""
    came = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.headers["webhook-attempt"], self.headers["webhook-id"]
            came.setdefault(self.path, []).append((server.status, *known))
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        server.came, server.status = came, 404
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def pca(line):
    def run(*options):
        result = CliRunner().invoke(app, options, env=environment_of(line.settings))
        assert result.exit_code == 0, result.output
        return result.stdout.splitlines()

    return run


def test_what_ended_with_404_is_delivered_by_a_replay_with_the_same_webhook_id(
    line, action, shop, pca
):
    url = f"http://127.0.0.1:{shop.server_port}/"
    for id_ in ("acme", "zenith"):
        one = action("crm", target_url=url + id_)
        line.configure({"id": id_, "name": id_, "actions": [one]})
    line.start("router")
    line.start("dispatcher")
    line.send(line.call(sid="a"), line.call(sid="b"))
    line.send(line.call("zenith", sid="c"), account="zenith")
    eventually(lambda: line.count(line.topics.dead) == 3)
    shop.status = 200
    said = pca("replay", "--account", "acme", "--error", "status", "--since", "2026-01-01T00:00Z")
    assert said[-1] == "Replayed 2."
    eventually(lambda: line.count(line.topics.attempts) == 5)
    for path in ("/acme?sid=a", "/acme?sid=b"):
        first, second = shop.came[path]
        assert (first[:2], second[:2]) == ((404, "1"), (200, "1"))
        assert first[2] == second[2]
    assert [status for status, *_ in shop.came["/zenith?sid=c"]] == [404]
    assert line.count(line.topics.dead) == 3


def test_what_is_replayed_while_its_action_is_paused_is_kept_once_more_as_paused(
    line, action, shop, pca
):
    shop.status = 410
    url = f"http://127.0.0.1:{shop.server_port}/"
    line.configure({"id": "acme", "name": "Acme", "actions": [action("crm", target_url=url)]})
    line.start("router")
    line.start("dispatcher")
    line.send(line.call(sid="a"))
    eventually(lambda: line.count(line.topics.endpoints))
    shop.status = 200
    assert pca("replay", "--all")[-1] == "Replayed 1."
    dead = [line.codec.decode(m.value(), "Dispatch") for m in line.read(line.topics.dead, 2)]
    assert sorted(one["failure"]["error"] for one in dead) == ["paused", "status"]
    assert len({one["dispatch_id"] for one in dead}) == 1
    assert len(shop.came["/?sid=a"]) == 1
