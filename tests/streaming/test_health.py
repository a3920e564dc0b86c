"""The health server, asked over HTTP."""

import http.client

import pytest

from streaming.health import HealthServer, PortTaken


@pytest.fixture
def serve():
    """`serve(alive="why not")`: a server on a free port."""
    started = []

    def start(alive=None, ready=None, port=0):
        one = HealthServer("127.0.0.1", port, "PCA_X_PORT", lambda: alive, lambda: ready)
        started.append(one)
        return one

    yield start
    for one in started:
        one.close()


def ask(server, path):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_all_is_well(serve, path):
    assert ask(serve(), path) == (200, "ok\n")


def test_a_process_that_is_stuck_says_why(serve):
    assert ask(serve(alive="stuck"), "/healthz") == (503, "stuck\n")


def test_a_process_that_is_not_ready_is_alive(serve):
    one = serve(ready="loading")
    assert (ask(one, "/readyz"), ask(one, "/healthz")[0]) == ((503, "loading\n"), 200)


def test_metrics_are_prometheus_text(serve):
    status, text = ask(serve(), "/metrics")
    assert (status, "# TYPE pca_calls_routed_total counter" in text) == (200, True)


def test_other_paths_are_told_where_to_look(serve):
    assert ask(serve(), "/") == (404, "there are /metrics, /healthz and /readyz\n")


def test_a_port_that_is_taken_is_named_with_its_setting(serve):
    with pytest.raises(PortTaken, match=r"127\.0\.0\.1:\d+ .*PCA_X_PORT"):
        serve(port=serve().port)


def test_a_port_is_free_again_after_closing(serve):
    one = HealthServer("127.0.0.1", 0, "PCA_X_PORT", lambda: None, lambda: None)
    one.close()
    assert ask(serve(port=one.port), "/healthz")[0] == 200
