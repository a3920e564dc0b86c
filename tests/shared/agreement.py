"""Where our transport and the reference may differ over a mutated answer, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from plain_reading import final_answer

from dispatcher.transport import Answer, TransportError

End = Answer | TransportError
_OTHER_VERSION = re.compile(rb"^\s*(HTTP/2\.0|RTSP/|ICE/)|\nHTTP/2\.0")
_CODING = re.compile(rb"transfer-encoding", re.IGNORECASE)
_EMPTY_CODING = re.compile(rb"\r?\ntransfer-encoding:[ \t]*\r?\n", re.IGNORECASE)
_LONG_REASON = re.compile(rb"(?<=HTTP/1\.[01] \d\d\d )[^\r\n]{32000,}")
_PLAINLY_CHUNKED = re.compile(rb"\r?\ntransfer-encoding: *chunked *\r?\n(?![ \t])", re.IGNORECASE)


@dataclass(frozen=True)
class Agreement:
    """Of two transports on a case."""

    what: str
    accepted: bool = True


def agreement(answer: bytes, native: End, reference: End) -> Agreement:
    """Same status and same start of the body, or both refuse; else a reason, or none."""
    if isinstance(native, TransportError) and isinstance(reference, TransportError):
        return Agreement("both refuse")
    if isinstance(native, Answer) and isinstance(reference, Answer):
        if shown(native) == shown(reference):
            return Agreement("both take the same")
        return Agreement("both take it, but not the same", accepted=False)
    if isinstance(native, Answer):
        return Agreement("only native takes it", accepted=False)
    if _OTHER_VERSION.search(answer) and native.error == "protocol":
        return Agreement("only the reference takes it, though it is neither HTTP/1.0 nor 1.1")
    plainly = _PLAINLY_CHUNKED.search(answer) and not _EMPTY_CODING.search(answer)
    if _CODING.search(answer) and not plainly:
        return Agreement(
            "only the reference takes it; its Transfer-Encoding is not plainly `chunked`, and where"
            " one may doubt how long a body is, ours does not take the end of the connection for"
            " the end of the body"
        )
    return Agreement("only the reference takes it", accepted=False)


def rewritten(answer: bytes) -> Iterator[tuple[str, bytes]]:
    """Why the reference may refuse what ours takes, each with the answer without that reason."""
    short = _LONG_REASON.sub(b"", answer)
    if short != answer:
        yield (
            "a reason of more than 32 KiB, which ours does not count where it comes at once",
            short,
        )
    for spaces in (False, True):
        found = final_answer(answer, spaces=spaces)
        if found:
            start, end = found
            if end is not None and end < len(answer):
                yield "bytes behind it, for which the reference throws it away", answer[:end]
            if start:
                yield "an odd interim answer before it, which ours throws away", answer[start:end]


def explained(reason: str, original: Answer, native: End, reference: End) -> Agreement | None:
    """Whether that was it: both were asked for the rewritten answer, and take just what ours made
    of the original one."""
    for end in (native, reference):
        if isinstance(end, TransportError) or shown(end) != shown(original):
            return None
    return Agreement(f"only native takes it; both do without {reason}")


def shown(answer: Answer) -> tuple[int, bytes]:
    """What is compared."""
    return answer.status, answer.body
