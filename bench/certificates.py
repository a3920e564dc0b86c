"""A certificate for the sink, in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.certificates import Issued


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a server, and the authority (PEM) that its clients are to trust."""

    certificate: Path
    key: Path
    authority: str


def issue(folder: Path, addresses: Sequence[str]) -> Certificate:
    """A certificate for all of the addresses, written to `folder`."""
    authority = Issued("An authority for measurements", None)
    sink = Issued("sink", authority, hosts=addresses)
    files = Certificate(folder / "sink.pem", folder / "sink.key", authority.pem)
    files.certificate.write_text(sink.pem)
    files.key.write_text(sink.key_pem)
    return files
