"""From a dispatch to its HTTP request: D20 to D33, as pure functions.

What an action always sends is worked out once, in `compile_action`; a dispatch only fills in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mypy_extensions import i64

from dispatcher import form, json_body, template
from dispatcher.call_fields import fields_of
from dispatcher.headers import USER_AGENT, content_type_of, fixed_headers, try_headers
from dispatcher.parameters import dynamic_parameters
from dispatcher.quick_form import QuickForm, quick_form
from dispatcher.request import (
    DEFAULT_TLS,
    Outline,
    OutlinedRequest,
    Request,
    Tls,
    TryHeaders,
    Unsendable,
)
from dispatcher.shared_headers import SharedHeaders
from dispatcher.signature import Sign, signer
from dispatcher.target import target
from dispatcher.utf8 import utf8
from schemas.blocks import CAKE, LEADFLOW, SOURCETRAK, Block
from schemas.layouts import Layout
from schemas.released import Record, current

__all__ = ["MAX_URL", "USER_AGENT", "CompiledAction", "Request", "Unsendable", "compile_action"]

MAX_URL = 8000
"""Characters; servers and proxies differ above it (D33)."""
_METHODS = ("GET", "POST", "PUT")
_BODIES = ("form", "json", "template")
WHOLE_CALL = current("CallCompleted").layout


@dataclass(frozen=True)
class CompiledAction:
    """An action ready to be filled in."""

    outline: Outline
    fill: Callable[[Record], bytes]
    """The query or the body for a Dispatch record."""
    quick: QuickForm | None
    """The same from the call's bytes, where that is possible."""
    sign: Sign | None
    """None for an action without signing secrets."""
    call: Layout
    """What is read of a call, for a record."""

    def request(self, dispatch: Record, now: int) -> Request:
        """The request for a try at a Dispatch record (its `action` is not looked at), begun at
        `now` (microseconds since 1970).

        Raises `Unsendable` with `url_too_long` or `unrenderable`.
        """
        try:
            filled = self.fill(dispatch)
        except Exception as error:  # a call unlike any we know: it must not stop the rest
            raise Unsendable("unrenderable", f"a value cannot be written: {error!r}") from error
        return self.filled(filled, utf8(dispatch["dispatch_id"]), dispatch["attempt"], now)

    def filled(self, filled: bytes, dispatch_id: bytes, attempt: i64, now: i64) -> Request:
        """The same with the query or the body that `fill` or `quick` made."""
        outline = self.outline
        tried = try_headers(dispatch_id, attempt, now)
        if outline.has_own_trace:
            tried.traceparent = b""
        if outline.method != "GET":
            if self.sign is not None:
                self._sign(tried, filled, self.sign)
            return OutlinedRequest(outline, b"", filled, tried)
        length = len(outline.start) + len(filled) if filled else len(outline.url)
        if length > MAX_URL:
            raise Unsendable(
                "url_too_long",
                f"the URL has {length:,} characters, {MAX_URL:,} may be sent; use POST, or fewer"
                " parameters",
            )
        request = OutlinedRequest(outline, filled, None, tried)
        if self.sign is not None:
            # It has no body: it is signed over its query, as it is sent.
            self._sign(tried, request.url.partition("?")[2].encode(), self.sign)
        return request

    def _sign(self, tried: TryHeaders, content: bytes, sign: Sign) -> None:
        signature = sign(tried.dispatch_id.decode(), tried.timestamp.decode(), content)
        tried.signature = signature.encode()


def compile_action(action: Record) -> CompiledAction:
    """Everything about an Action record that is the same for all its dispatches.

    Raises `Unsendable` for an action that this version cannot send.
    """
    option, method, body = action["option"], action["method"], action["body"]
    if option != "call_detail" or method not in _METHODS or body not in _BODIES:
        raise Unsendable(
            "unsupported",
            f"option {option!r} with method {method!r} and body {body!r} cannot be sent by this"
            " version; the dispatch is kept",
        )
    to = target(action["target_url"])
    headers = fixed_headers(action, to.authorization, _content_type(action))
    fill, call = _fill(action, headers)
    tls = DEFAULT_TLS if action["tls"] is None else Tls(**action["tls"])
    joint = to.joint if method == "GET" else ""
    return CompiledAction(
        Outline(method, to.url, joint, tls, SharedHeaders(headers)),
        fill,
        _quick(action),
        signer(action["signing_secrets"]),
        call,
    )


def _content_type(action: Record) -> str:
    """Empty for GET, which has no body."""
    if action["method"] == "GET":
        return ""
    if action["body"] == "template":
        return action["content_type"] or template.DEFAULT_CONTENT_TYPE
    return json_body.CONTENT_TYPE if action["body"] == "json" else form.CONTENT_TYPE


def _fill(action: Record, headers: dict[str, str]) -> tuple[Callable[[Record], bytes], Layout]:
    """What makes the query or the body, and what it needs of a call."""
    body = "form" if action["method"] == "GET" else action["body"]  # D23: all in the query
    if body == "template":
        made = template.compile_template(action["template"], content_type_of(headers))
        return made, WHOLE_CALL  # it may ask for anything
    compile_ = json_body.compile_json if body == "json" else form.compile_form
    parameters, blocks = dynamic_parameters(action), _blocks(action)
    # Blocks ask for much of it.
    call = WHOLE_CALL if blocks else WHOLE_CALL.only(fields_of(parameters))
    return compile_(parameters, blocks, action["omit_empty"]), call


def _quick(action: Record) -> QuickForm | None:
    """Forms without blocks, which are most, may be filled in from a call's bytes."""
    is_form = action["method"] == "GET" or action["body"] == "form"
    return quick_form(dynamic_parameters(action)) if is_form and not _blocks(action) else None


def _blocks(action: Record) -> list[Block]:
    """In the order of D20."""
    sourcetrak = [SOURCETRAK] if action["include_sourcetrak"] else []
    return sourcetrak + ([LEADFLOW, CAKE] if action["include_leadflow"] else [])
