"""A Google Analytics 4 of our own on 127.0.0.1, which holds events to the Measurement Protocol.

As Google's, `/mp/collect` answers 204 whatever it is sent; `/debug/mp/collect` says what is wrong.
Written from Google's documentation, not from our code.
"""

from __future__ import annotations

import json
import re
import time

from aiohttp import web

HOURS_72 = 72 * 3600 * 1_000_000
RESERVED = ("_", "firebase_", "ga_", "google_", "gtag.")


def faults(query, raw: bytes, now: int) -> list[dict]:
    """Validation messages, as Google words their codes; `now` in microseconds."""
    found: list[dict] = []

    def fault(path, code, description):
        found.append({"fieldPath": path, "validationCode": code, "description": description})

    def check_name(path, name):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or len(name) > 40:
            fault(path, "NAME_INVALID", f"invalid name [{name}]")
        if name.startswith(RESERVED) or name in ("session_start", "first_visit", "error"):
            fault(path, "NAME_RESERVED", f"reserved name [{name}]")

    if not query.get("measurement_id", "").startswith("G-") or not query.get("api_secret"):
        fault("measurement_id", "VALUE_REQUIRED", "measurement_id and api_secret are required")
    if len(raw) >= 130_000:
        fault("", "VALUE_OUT_OF_BOUNDS", "the body is too large")
    body = json.loads(raw.decode("utf-8"))
    if unknown := body.keys() - {"client_id", "timestamp_micros", "events"}:
        fault(min(unknown), "VALUE_INVALID", "unknown field")
    if not isinstance(body.get("client_id"), str) or not body["client_id"]:
        fault("client_id", "VALUE_REQUIRED", "a client_id is required")
    elif body["client_id"].startswith("GA1."):
        fault("client_id", "VALUE_INVALID", "that is a cookie, not a client id")
    at = body.get("timestamp_micros")
    if type(at) is not int or not now - HOURS_72 <= at <= now + 60_000_000:
        fault("timestamp_micros", "VALUE_OUT_OF_BOUNDS", "not within 72 hours")
    if not 1 <= len(body["events"]) <= 25:
        fault("events", "EXCEEDED_MAX_ENTITIES", "1 to 25 events")
    for event in body["events"]:
        check_name("events", event["name"])
        if len(event["params"]) > 25:
            fault("events.params", "EXCEEDED_MAX_ENTITIES", "25 parameters at most")
        for name, value in event["params"].items():
            check_name(f"events.params.{name}", name)
            if type(value) not in (str, int, float):
                fault(f"events.params.{name}", "VALUE_INVALID", "neither text nor number")
            elif isinstance(value, str) and len(value) > 100:
                fault(f"events.params.{name}", "VALUE_OUT_OF_BOUNDS", "100 characters at most")
    return found


class Measurement:
    """The server: `url`, and what came."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        """Counted: sent to /mp/collect."""
        self.validated: list[dict] = []
        self.faults: list[dict] = []
        """Of what was counted."""
        self.queries: list[dict] = []
        self._say: list[dict] = []

    async def start(self) -> Measurement:
        app = web.Application()
        app.router.add_post("/mp/collect", self._collect)
        app.router.add_post("/debug/mp/collect", self._validate)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    def complain(self, message: dict) -> None:
        """Have the validation server say this besides."""
        self._say.append(message)

    async def _collect(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.queries.append(dict(request.query))
        self.faults += faults(request.query, raw, time.time_ns() // 1000)
        self.events.append(json.loads(raw))
        return web.Response(status=204)

    async def _validate(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.queries.append(dict(request.query))
        self.validated.append(json.loads(raw))
        messages = faults(request.query, raw, time.time_ns() // 1000) + self._say
        return web.json_response({"validationMessages": messages})

    async def stop(self) -> None:
        await self._runner.cleanup()
