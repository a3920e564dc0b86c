"""Where our transport and the reference may differ over a mutated answer, and why."""

from __future__ import annotations

from dataclasses import dataclass

from mutations import Case

from dispatcher.transport import Answer, TransportError

End = Answer | TransportError


@dataclass(frozen=True)
class Agreement:
    """Of two transports on a case."""

    what: str
    accepted: bool = True


def agreement(one: Case, native: End, reference: End) -> Agreement:
    """Same status and same start of the body, or both refuse; else a reason, or none."""
    if isinstance(native, TransportError) and isinstance(reference, TransportError):
        return Agreement("both refuse")
    if isinstance(native, Answer) and isinstance(reference, Answer):
        if (native.status, native.body) == (reference.status, reference.body):
            return Agreement("both take the same")
        return Agreement("both take it, but not the same", accepted=False)
    if isinstance(native, Answer):
        return Agreement("only native takes it", accepted=False)
    return Agreement("only the reference takes it", accepted=False)


def behind(whole: Answer, native: End, reference: End) -> Agreement | None:
    """What is accepted of an answer that only ours takes, once both were asked again without the
    bytes behind it; None where those do not explain it."""
    ends = [whole, native, reference]
    taken = {(end.status, end.body) for end in ends if isinstance(end, Answer)}
    if len(taken) == 1 and not any(isinstance(end, TransportError) for end in ends):
        return Agreement(
            "only native takes it; both do without the bytes behind the answer, for which the"
            " reference throws it away"
        )
    return None
