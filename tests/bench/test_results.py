import json

import pytest

from bench import (
    delivery,
    isolation_result,
    latency,
    machine,
    numbers,
    plots,
    render,
    results,
    routing,
    soak,
    transport,
)
from bench.isolation_result import SPOILT, WELL, Isolation
from bench.numbers import Runs, Start
from bench.pipeline import Latency
from bench.report import Claim, Result, Table, markdown
from bench.throughput import DeliveryCost


def run(cpu, per_second=20_000.0):
    return DeliveryCost(cpu, per_second, 8.0, 9.0, 60_000_000, 1000, 1000, 1000, 0)


RUNS = {
    "ours": [run(30.0), run(33.0), run(36.0)],
    "Go": [run(45.0), run(49.5), run(45.0)],
    "obvious": [run(120.0), run(120.0), run(120.0)],
}


def test_a_claim_is_of_the_median():
    assert Claim("p99", [9.0, 9.5, 30.0], 10.0).holds
    assert not Claim("times", [1.0, 1.2, 1.4], 1.3, at_least=True).holds


def test_what_was_not_measured_does_not_hold():
    assert "not measured" in (claim := Claim("p99", [], 10.0)).line()
    assert not claim.holds


def test_a_claim_tells_figure_bound_and_verdict():
    line = Claim("Ours in times of Go", [1.5, 1.4, 1.6], 1.3, at_least=True).line()
    assert line == "Ours in times of Go: 1.50 (1.40 to 1.60), to be at least 1.3: holds"


def test_deliveries_are_compared_round_by_round():
    claims = {claim.text: claim for claim in delivery.claims(RUNS, tls=False)}
    assert claims["Deliveries a CPU second, ours in times of Go"].values == [1.5, 1.5, 1.25]


def test_a_peer_that_was_left_out_makes_no_claim():
    assert not any("Parallel" in claim.text for claim in delivery.claims(RUNS, tls=False))


def test_over_tls_only_go_is_to_be_matched():
    (claim,) = delivery.claims(RUNS, tls=True)
    assert (claim.limit, "Go" in claim.text) == (1.0, True)


def test_routing_splits_a_call_from_its_actions():
    def routed(actions, cpu):
        return routing.RoutingCost(actions, cpu, 5.0, 1000.0, 1, 0)

    runs = {"ours": {each: [routed(each, 9.0 + 7 * each)] for each in (1, 5, 20)}}
    result = routing.result(runs, [])
    call, action = result.claims
    assert call.values == [pytest.approx(9.0)]
    assert action.values == [pytest.approx(7.0)]


def timed(rate, p99):
    return Latency(rate, p99 / 4, p99 / 2, p99, 2 * p99, 4000, 0, 0.2)


TIMED = {
    "ours": {200.0: [timed(200, 6.0)], 1000.0: [timed(1000, 20.0)]},
    "Go": {200.0: [timed(200, 5.0)], 1000.0: [timed(1000, 25.0)]},
}


def test_latency_is_held_against_its_limits_and_against_go():
    claims = latency.result(TIMED, 200.0, 1000.0, []).claims
    assert [claim.holds for claim in claims] == [True, True, True, True, True]
    assert claims[-2].values == [pytest.approx(1.2)]


def test_curves_are_medians_in_order_of_load():
    found = plots.curves(latency.result(TIMED, 200.0, 1000.0, []).data)
    assert found["Go"]["p99"] == [(200.0, 5.0), (1000.0, 25.0)]


def test_numbers_are_what_routers_have_grown_by():
    idle, full = [Start(1.0, 100)], [Start(20.0, 1_100), Start(70.0, 1_300)]
    runs = {0: Runs(idle, []), 10: Runs(full, [0.5, 0.7])}
    ready, memory, look_up = numbers.result(runs, []).claims
    assert (ready.values, memory.values) == ([20.0, 70.0], [100.0, 120.0])
    assert [ready.holds, memory.holds, look_up.holds] == [True, True, True]


def test_rendering_is_held_against_its_limits_but_not_signing():
    costs = {"12 parameters, GET": [6.0], "12 parameters, GET, Ed25519": [90.0],
             "12 parameters, urlencode": [24.0]}  # fmt: skip
    result = render.result(costs, [])
    assert [claim.values for claim in result.claims] == [[6.0]]
    assert result.tables[0].rows[0] == ["12 parameters, GET", "6.0", "0.25"]


def test_transports_are_compared_with_the_reference():
    figures = transport.Figures
    runs = {("http", "native"): figures([20.0], [5.0], [2.0]),
            ("http", "reference"): figures([100.0], [15.0], [6.0])}  # fmt: skip
    assert transport.result(runs, []).tables[0].rows[0] == [
        "http, native", "20.0", "5.00", "5.0", "2.0",
    ]  # fmt: skip


def test_a_soak_is_flat_where_memory_stays():
    def samples(growth):
        return [soak.Sample(10.0 * n, 100_000_000 + growth * n, 0.1 * n) for n in range(100)]

    runs = {"router": samples(0), "dispatcher": samples(1_000_000)}
    claims = soak.result(runs, timed(500, 9.0), []).claims
    assert [claim.holds for claim in claims] == [True, False, True]


def isolated(p99, received=100.0):
    return Isolation(1.0, p99, 2 * p99, 50.0, received, 1.0, 0, 0, 0.5, 1.0)


def test_bad_endpoints_are_held_against_their_absence():
    runs = {WELL: [isolated(5.0)], SPOILT: [isolated(7.0, 99.0)]}
    flat = [(float(second), 100) for second in range(600)]
    claims = isolation_result.result(runs, flat, []).claims
    assert [claim.values for claim in claims] == [[1.4], [0.99], [1.0]]
    assert [claim.holds for claim in claims] == [False, True, True]


def test_a_result_survives_its_file():
    result = delivery.result(RUNS, False, ["a note"])
    assert Result.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_markdown_has_tables_claims_and_notes():
    result = Result("x", "X", [Table("T", ["", "b"], [["a|c", "1"]])], [], ["a note"])
    assert list(markdown(result)) == [
        "## X", "", "**T**", "", "|  | b |", "| --- | ---: |", "| a\\|c | 1 |", "", "- a note", "",
    ]  # fmt: skip


def test_what_is_measured_again_replaces_only_itself(tmp_path):
    data = tmp_path / "results.json"
    results.keep(data, Result("routing", "old"))
    results.keep(data, Result("latency", "other"))
    results.keep(data, Result("routing", "new"))
    kept = json.loads(data.read_text())["results"]
    assert {name: plain["title"] for name, plain in kept.items()} == {
        "routing": "new",
        "latency": "other",
    }


def test_the_page_is_written_from_the_file_alone(tmp_path):
    data = tmp_path / "results.json"
    results.keep(data, delivery.result(RUNS, False, ["a note"]))
    text = results.write(data, tmp_path).read_text()
    assert "## What it must show" in text
    assert "| Go | 45.0 (45.0 to 49.5) |" in text
    assert "a note" in text


def test_versions_of_go_modules_are_read():
    direct, indirect = "x.org/a/v2 v2.3.1", "x.org/b v1.0.0 // indirect"
    text = f"module peers\n\nrequire (\n\t{direct}\n)\n\nrequire (\n\t{indirect}\n)\n"
    assert machine.go_modules(text) == [("x.org/a/v2", "v2.3.1")]


def test_versions_of_java_libraries_are_read():
    pom = """<project><properties><pc.version>0.5</pc.version></properties><dependencies>
    <dependency><groupId>g</groupId><artifactId>pc</artifactId><version>${pc.version}</version>
    </dependency></dependencies><build><plugins><plugin><artifactId>p</artifactId>
    <version>1</version></plugin></plugins></build></project>"""
    assert machine.libraries(pom) == [("pc", "0.5")]
