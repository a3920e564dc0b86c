"""Signed and sealed: from the console's API to a server that verifies by the documented snippet."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from line import eventually

from schemas.sealing import new_key
from schemas.signing import public_key

PAGE = Path(__file__).parents[2] / "docs" / "verifying-a-request.md"
SHARED = "whsec_" + "CANARY00" * 4
PRIVATE = "whsk_" + "CANARY22" * 5 + "CAA="
CANARIES = ("canary", "CANARY", "Y2FuYXJ5")


@pytest.fixture(scope="module")
def snippets():
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE):
        exec(compile(block, PAGE.name, "exec"), names)
    return names


@pytest.fixture
def customer():
    """A server that keeps method, query, headers and body of what comes, and repeats them."""
    arrivals = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            arrivals.append((self.command, self.path.partition("?")[2], headers, body))
            said = str(headers).encode()
            self.send_response(200)
            self.send_header("X-Echo", headers.get("authorization", ""))
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = answer  # noqa: N815  # the library's names

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.arrivals = arrivals
        yield server
        server.shutdown()
        thread.join()


def saved(answer):
    assert answer.is_success, answer.text
    return answer.json()


def action(customer, **fields):
    return {
        "name": "CRM", "scope": "all_calls", "method": "POST",
        "target_url": f"http://canary-user:canary-pass@127.0.0.1:{customer.server_port}/h?a=1",
        "parameters": [{"name": "sid", "placeholder": "sid"}],
        "headers": [{"name": "X-Api-Key", "value": "canary-header"}],
        "signing_secrets": [SHARED, PRIVATE],
    } | fields  # fmt: skip


@pytest.fixture
def everything(line, tmp_path):
    """All that was written so far: every topic's bytes, the database, logs and metrics."""

    def read():
        named = [line.topics.config, line.topics.dispatch, line.topics.attempts]
        named += [name for name in line.topics.all if ".retry." in name]
        raw = b"".join(
            message.value() or b""
            for name in named
            for message in line.read(name, line.count(name))
        )
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        raw += b"".join(file.read_bytes() for file in files if file.suffix != ".key")
        return raw.decode("latin-1") + "".join(
            stage.metrics() for stage in line.stages if stage.alive
        )

    return read


def test_requests_are_verified_by_the_documented_snippet_and_no_secret_is_seen_anywhere(
    line, console, customer, snippets, everything
):
    saved(console.put("acme", json={"name": "Acme"}))
    saved(console.post("acme/actions", json=action(customer)))
    saved(console.post("acme/actions", json=action(customer, method="GET")))
    line.start("router")
    line.start("dispatcher")
    line.send(line.call(sid="é &1"))
    eventually(lambda: len(customer.arrivals) == 2)
    for method, query, headers, body in customer.arrivals:
        content = snippets["signed_content"](method, query, body)
        snippets["verify"](headers, content, SHARED)
        snippets["verify_with_public_key"](headers, content, public_key(PRIVATE))
        with pytest.raises(ValueError, match="no signature"):
            snippets["verify"](headers, content + b" ", SHARED)
        assert headers["x-api-key"] == "canary-header"
        assert headers["authorization"].startswith("Basic ")
        assert headers["webhook-attempt"] == "1"
        assert headers["webhook-id"].replace("-", "") in headers["traceparent"]
    assert {method for method, *_ in customer.arrivals} == {"GET", "POST"}
    eventually(lambda: line.count(line.topics.attempts) == 2)
    seen = everything()
    assert "sealed.gAAAA" in seen
    assert [canary for canary in CANARIES if canary in seen] == []


def test_a_rotated_secret_signs_beside_the_one_before_it(line, console, customer, snippets):
    saved(console.put("acme", json={"name": "Acme"}))
    made = saved(console.post("acme/actions", json=action(customer, signing_secrets=[SHARED])))
    rotation = f"acme/actions/{made['id']}/signing-secrets"
    new = saved(console.post(rotation, json={}, headers={"If-Match": str(made["version"])}))
    line.start("router")
    line.start("dispatcher")
    line.send(line.call())
    eventually(lambda: customer.arrivals)
    method, query, headers, body = customer.arrivals[0]
    for secret in (SHARED, new["secret"]):
        snippets["verify"](headers, snippets["signed_content"](method, query, body), secret)


def test_without_the_key_nothing_is_sent_and_with_it_the_retry_is(
    line, console, customer, snippets
):
    saved(console.put("acme", json={"name": "Acme"}))
    saved(console.post("acme/actions", json=action(customer)))
    line.start("router")
    (keyless,) = line.start("dispatcher", secret_keys=(new_key(),))
    line.send(line.call())
    (first,) = line.read(line.topics.attempts, 1)
    attempt = line.codec.decode(first.value(), "Attempt")
    assert (attempt["outcome"], attempt["error"]) == ("retry", "sealed")
    assert "PCA_SECRET_KEYS" in attempt["error_detail"]
    assert customer.arrivals == []
    assert keyless.stop()
    line.start("dispatcher")
    eventually(lambda: customer.arrivals)
    method, query, headers, body = customer.arrivals[0]
    snippets["verify"](headers, snippets["signed_content"](method, query, body), SHARED)
    assert int(headers["webhook-attempt"]) > 1
