"""The receiver of requests: the sink of the Go peer, a process that costs little.

It listens on one port of all loopback addresses, so any number of them are endpoints.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

from bench.arrivals import read_pairs
from bench.builds import go_peer
from bench.certificates import Certificate
from bench.children import Child
from bench.cpu import cpu_seconds
from deploy.ports import free_port


class Receiver:
    """A sink's process, from entering to leaving. Raises `Missing` where there is none to be had:
    without it nothing can be measured."""

    def __init__(
        self,
        *,
        certificate: Certificate | None = None,
        port: int | None = None,
        delay: float = 0.0,
        record: Path | None = None,
    ) -> None:
        """Answers after `delay` seconds, on a free port unless told one; over TLS on another where
        there is a certificate. `record` is where the times go at the end."""
        self.port = port or free_port()
        self.tls_port = 0 if certificate is None else free_port({self.port})
        self._certificate = certificate
        self._record = record
        command = [str(go_peer()), "sink", "-listen", f":{self.port}"]
        if certificate is not None:
            command += ["-tls-listen", f":{self.tls_port}"]
            command += ["-tls-cert", str(certificate.certificate)]
            command += ["-tls-key", str(certificate.key)]
        if delay:
            command += ["-delay", f"{delay * 1000:.0f}ms"]
        if record is not None:
            command += ["-record", str(record)]
        self._child = Child(command)

    @property
    def origin_port(self) -> int:
        """The port that endpoints have: that for TLS where there is a certificate."""
        return self.tls_port or self.port

    @property
    def authority(self) -> str:
        """What clients are to trust, PEM; empty for plain HTTP."""
        return "" if self._certificate is None else self._certificate.authority

    def __enter__(self) -> Self:
        self._child.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def count(self) -> int:
        """Requests so far."""
        return int(self._child.ask("count"))

    def cpu_seconds(self) -> float:
        """That it has used."""
        return cpu_seconds(self._child.pid)

    def stop(self) -> None:
        """Have it write down what came, and end. May be called again."""
        self._child.stop()

    def received(self) -> list[tuple[int, int]]:
        """Number and microseconds since 1970 of each request; after `stop`."""
        assert self._record is not None
        return read_pairs(self._record)
