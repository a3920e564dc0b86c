"""Every metric, declared once: what moves it, and what to do when it does."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

from streaming.timings import Timings

CALLS_ACCEPTED = Counter(
    "pca_calls_accepted", "Calls that the gateway acknowledged: the broker has them."
)
CALLS_REFUSED = Counter(
    "pca_calls_refused",
    "Requests to the gateway that were refused. `invalid`: the sender's JSON is wrong, tell them;"
    " `unavailable`: Kafka did not take the calls, look at the broker.",
    ["reason"],
)
CALLS_ROUTED = Counter("pca_calls_routed", "Calls that the router resolved, matched or not.")
CALLS_REKEYED = Counter(
    "pca_calls_rekeyed",
    "Calls found in the wrong partition and written to the right one: a foreign producer uses"
    " another key or partitioner; tell it to key by account id with murmur2.",
)
CALLS_UNROUTED = Counter(
    "pca_calls_unrouted",
    "Calls kept in pca.unrouted instead of routed. The record's headers tell the whole story.",
    ["reason"],
)
DISPATCHES_ROUTED = Counter(
    "pca_dispatches_routed", "Dispatches written by the router: one call for one action."
)
CONFIG_RECORDS = Counter(
    "pca_config_records", "Records read from the compacted topic beside the input."
)
CONFIG_UNREADABLE = Counter(
    "pca_config_unreadable",
    "Configuration records that could not be read, so the older one stays in force. Run"
    " `pca config republish`.",
)
CONFIG_PARTITIONS = Gauge(
    "pca_config_partitions",
    "Partitions of the compacted topic beside the input (router: configuration; dispatcher:"
    " endpoints), by state. `loading` should fall to zero within seconds.",
    ["state"],
)
ATTEMPTS = Counter(
    "pca_attempts",
    "Tries to deliver, by what came of them: `delivered`, `retry`, `dead`, `skipped` (nothing for"
    " Google Analytics to count), and the class of error.",
    ["outcome", "error"],
)
ATTEMPT_SECONDS = Timings(
    "pca_attempt_seconds",
    "How long one try took, customer's server included.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
)
IN_FLIGHT = Gauge("pca_requests_in_flight", "Requests under way in this dispatcher.")
PUT_OFF = Counter(
    "pca_dispatches_put_off",
    "Dispatches sent round by a retry topic without a try. `overflow`: their lane is slow and full;"
    " `open`: their endpoint fails and is left alone; `not_due`: they wait longer than their topic"
    " keeps them; `paused`: their action is paused, they are kept in pca.dead.",
    ["why"],
)
ENDPOINTS = Gauge(
    "pca_endpoints",
    "Endpoints that failed of late, by state. `open`: no tries for a while; `paused`: none until"
    " the action is saved again, tell its owner.",
    ["state"],
)
ENDPOINT_CHANGES = Counter(
    "pca_endpoint_changes", "What became of endpoints: opened, closed, warned, paused…", ["change"]
)
WAITING = Gauge("pca_dispatches_waiting", "Dispatches taken in and waiting for their turn.")
DELAYED = Gauge("pca_dispatches_delayed", "Retries taken in and waiting for their time.")
DISPATCHES_UNREADABLE = Counter(
    "pca_dispatches_unreadable",
    "Records on the dispatch and retry topics that could not be read; kept in pca.dead.",
)
RECORDS_IN = Counter("pca_records_consumed", "Records that this process took in.", ["topic"])
REPEATS_SKIPPED = Counter(
    "pca_repeats_skipped",
    "Records not done again because the commit metadata says an earlier owner completed them.",
)
COMMITS = Counter("pca_offset_commits", "Commits of consumed offsets.", ["result"])
PAUSED = Counter(
    "pca_intake_paused", "Times that intake paused because enough was in hand: it is the limit."
)
OUTBOX_WAITING = Gauge(
    "pca_outbox_waiting",
    "Saved configuration changes not yet in Kafka. Above zero for long: look at the broker.",
)
CONFIG_PUBLISHED = Counter(
    "pca_config_published", "Configuration changes that the console wrote to pca.config."
)
