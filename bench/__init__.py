"""Measurements that anyone can repeat, each against a peer or a floor.

    make bench                                       # all, as `bench/RESULTS.md`: takes hours
    python -m bench --quick                          # a smoke run of all; its figures say nothing
    python -m bench --only delivery,routing          # some; the others keep their earlier figures
    python -m bench.delivery --rounds 3              # one alone, printed and not kept

Each part is a module with `measure`, which returns a `report.Result`: tables, claims, and the
figures behind them as plain data.

    delivery, latency, routing, scale, concurrency       our stages and their peers; what grows
    numbers, render, transport, http2, isolation, soak   single properties
    peers/                                           programs that do the same work in other ways

They stand on `testbed` (a Kafka of its own, cores divided), `subjects` (the processes measured),
`receiver` and `endpoints` (where requests go), `backlog`, `calls` and `load` (what is to be done).
Measuring needs the `bench` extra, a JDK with Maven, and Go.
"""
