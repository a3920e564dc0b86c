"""Compiles what is hot where there is a C compiler; without one it stays plain Python."""

from mypyc.build import mypycify
from setuptools import Extension, setup

COMPILED = [
    "dispatcher/attempts.py",
    "dispatcher/delivery.py",
    "dispatcher/endpoints.py",
    "dispatcher/flight.py",
    "dispatcher/form.py",
    "dispatcher/headers.py",
    "dispatcher/lane.py",
    "dispatcher/lanes.py",
    "dispatcher/ledger.py",
    "dispatcher/masking.py",
    "dispatcher/outcome.py",
    "dispatcher/quick_form.py",
    "dispatcher/render.py",
    "dispatcher/request.py",
    "dispatcher/shared_headers.py",
    "dispatcher/stage.py",
    "dispatcher/traffic.py",
    "dispatcher/transport/answer.py",
    "dispatcher/transport/connection.py",
    "dispatcher/transport/deadlines.py",
    "dispatcher/transport/exchange.py",
    "dispatcher/transport/head.py",
    "dispatcher/transport/known_heads.py",
    "dispatcher/transport/native.py",
    "dispatcher/transport/origin.py",
    "dispatcher/transport/pool.py",
    "dispatcher/transport/reader.py",
    "dispatcher/utf8.py",
    "router/calls.py",
    "router/configuration.py",
    "router/dispatches.py",
    "router/entries.py",
    "router/ids.py",
    "router/numbers.py",
    "router/parts.py",
    "router/resolve.py",
    "router/stage.py",
    "schemas/binary.py",
    "schemas/codec.py",
    "schemas/dispatch.py",
    "schemas/formats.py",
    "schemas/layouts.py",
    "schemas/numbers.py",
    "schemas/placeholders.py",
    "schemas/sources.py",
    "schemas/spans.py",
    "streaming/batch_producer.py",
    "streaming/offsets.py",
    "streaming/partition_queue.py",
    "streaming/partitions.py",
    "streaming/producer.py",
    "streaming/reading.py",
    "streaming/record_batch.py",
    "streaming/timings.py",
]
"""What is done for each call or dispatch."""


def extensions() -> list[Extension]:
    """Optional ones: where they cannot be built, the installation goes on."""
    found: list[Extension] = mypycify(COMPILED, opt_level="2", group_name="schemas.hot")
    for extension in found:
        extension.optional = True
    return found


if __name__ == "__main__":
    setup(ext_modules=extensions())
