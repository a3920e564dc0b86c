"""What an action would send for a call, and sending it once: by the dispatcher's own functions.

Nothing here is written to Kafka.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import orjson

from console.store.entities import Settings, avro_record
from dispatcher.analytics import VALIDATE, compile_event
from dispatcher.attempts import shown_answer
from dispatcher.masking import shown, shown_url
from dispatcher.outcome import succeeded
from dispatcher.render import compile_action
from dispatcher.request import Request, Unsendable
from dispatcher.transport import Answer, TransportError
from dispatcher.transport.choice import transport
from router.configuration import conditions_of
from router.ids import dispatch_id
from schemas.call import Call
from schemas.codec import decode_body
from schemas.released import Record, current
from schemas.secret_fields import MASK
from streaming.settings import Settings as ProcessSettings

LONG_URL = 2000
"""Characters above which a preview warns (D33)."""
ALL_ENABLED: Settings = {
    "reverse_lookup_enabled": True, "sourcetrak_enabled": True, "leadflow_enabled": True,
}  # fmt: skip


@dataclass(slots=True)
class Trial:
    """A request for one call, and what came of it where it was sent."""

    request: Request | None = None
    """None when none can be made; then `error` says why."""
    answer: Answer | None = None
    duration_ms: float = 0.0
    error: str = ""
    """One of `outcome.Error`."""
    detail: str = ""
    warnings: list[str] = field(default_factory=list)

    def shown_request(self) -> dict[str, Any] | None:
        """The request as JSON, secrets masked."""
        if self.request is None:
            return None
        body = self.request.body
        return {
            "method": self.request.method,
            "url": shown_url(self.request.url),
            "headers": self.request.shown_headers,
            "body": None if body is None else body.decode("utf-8", "replace"),
        }

    def shown_answer(self) -> dict[str, Any]:
        """What the server said, secrets masked, as JSON."""
        answer = self.answer
        secrets = self.request.shared.secrets if self.request else []
        headers, body = shown_answer(answer, secrets)
        return {
            "status": answer.status if answer else None,
            "headers": headers,
            "body": body.decode("utf-8", "replace"),
            "duration_ms": self.duration_ms,
            "error": self.error,
            "detail": self.detail,
        }

    def validation_messages(self) -> list[Any] | None:
        """What Google Analytics finds wrong; None when the answer does not say."""
        try:
            messages = orjson.loads(self.answer.body)["validationMessages"] if self.answer else None
        except (ValueError, KeyError, TypeError):
            return None
        return messages if isinstance(messages, list) else None


def dispatch_for(
    settings: Settings, call: Call, features: Settings, *, action_id: str, label: str = ""
) -> Record:
    """The Dispatch record that the router would write for the call and an action's settings.

    `features`: what is enabled for the account; `label`: configured for the called number.
    """
    record = {
        "dispatch_id": dispatch_id(call.account_id, call.sid, call.revision, action_id),
        "account_id": call.account_id,
        "action_id": action_id,
        "sid": call.sid,
        "revision": call.revision,
        "config_version": 0,
        "action_version": 0,
        "routed_at": time.time_ns() // 1000,
        "phone_label": label,
        "call": call.to_avro(),
        "action": avro_record(call.account_id, ("action", action_id), settings, 0),
    }
    record |= {name: features[name] for name in ALL_ENABLED}
    # Through the codec and back: what is left out gets its default, as on the wire.
    schema = current("Dispatch")
    return decode_body(schema.encode(record), 0, schema)


def preview(dispatch: Record, google_analytics_url: str) -> Trial:
    """The request as it would be sent, with warnings."""
    trial = Trial()
    signing_secrets = dispatch["action"]["signing_secrets"]
    if MASK in signing_secrets:  # as they are read, and then previewed with another change
        known = [secret for secret in signing_secrets if secret != MASK]
        dispatch["action"]["signing_secrets"] = known
        trial.warnings.append(
            "The webhook-signature is not the one that will be sent: signing_secrets are masked."
        )
    _make(trial, dispatch, google_analytics_url, "/mp/collect")
    conditions = conditions_of(dispatch["action"]["conditions"])
    if conditions and (reason := conditions.unmet(dispatch["call"])):
        trial.warnings.append(f"The action does not run for this call: {reason}.")
    request = trial.request
    if request and request.method == "GET" and len(request.url) > LONG_URL:  # D33
        trial.warnings.append(
            f"The URL has {len(request.url):,} characters; some servers refuse more than"
            f" {LONG_URL:,}. Use POST, or fewer parameters."
        )
    return trial


async def send(dispatch: Record, settings: ProcessSettings) -> Trial:
    """Send it once, with the dispatcher's transport, guard and deadline; retry nothing.

    An event for Google Analytics goes where it is judged and not counted.
    """
    trial = Trial()
    _make(trial, dispatch, settings.google_analytics_url, VALIDATE)
    if trial.request is None:
        return trial
    sender = transport(settings)
    started = time.perf_counter()
    try:
        trial.answer = await sender.send(trial.request)
        if not succeeded(trial.answer.status):
            trial.error, trial.detail = "status", f"the server answered {trial.answer.status}"
    except TransportError as failed:
        trial.error, trial.detail = failed.error, shown(str(failed))
    finally:
        trial.duration_ms = round((time.perf_counter() - started) * 1000, 1)
        await sender.close()
    return trial


def _make(trial: Trial, dispatch: Record, google_analytics_url: str, path: str) -> None:
    action = dispatch["action"]
    try:
        if action["option"] == "google_analytics":
            event = compile_event(action, google_analytics_url, path)
            trial.request = event.request(dispatch, time.time_ns() // 1000)
        else:
            trial.request = compile_action(action).request(dispatch, time.time_ns() // 1000)
    except Unsendable as unsendable:
        trial.error, trial.detail = unsendable.error, shown(str(unsendable))
