"""The console's HTTP API: the app with all its routes."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable

from fastapi import FastAPI, Request
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from starlette.responses import Response

from console.database import DATABASE_AWAY, Database
from console.routes import (
    accounts,
    actions,
    documents,
    groups,
    numbers,
    placeholders,
    signing_secrets,
    trials,
)
from streaming.http_api import Lifespan, application
from streaming.problems import Problem
from streaming.settings import Settings

log = logging.getLogger(__name__)

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
MAX_BODY_BYTES = 1024 * 1024

_DESCRIPTION = """
The configuration of Post Call Actions: which HTTP requests a finished phone call becomes.

A change is in force when routers have read it from Kafka, some milliseconds after the answer.
Errors are `application/problem+json` (RFC 9457).
"""


def max_body_bytes(path: str) -> int:
    """What a request to this path may hold."""
    return MAX_DOCUMENT_BYTES if path in ("/v1/apply", "/v1/plan") else MAX_BODY_BYTES


def console_app(
    settings: Settings,
    database: Database,
    *,
    ready: Callable[[], str | None],
    lifespan: Lifespan | None = None,
) -> FastAPI:
    """The app on a migrated database. Routes find the database in its state."""
    app = application(
        "Post Call Action console",
        _DESCRIPTION,
        admin_key=settings.required_admin_key(),
        ready=ready,
        max_body_bytes=max_body_bytes,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.database = database
    for router in (
        accounts.routes,
        actions.routes,
        signing_secrets.routes,
        numbers.routes,
        groups.pools,
        groups.ad_groups,
        placeholders.routes,
        documents.routes,
        trials.routes,
    ):
        app.include_router(router)
    for error in DATABASE_AWAY:
        app.add_exception_handler(error, _database_away)
    return app


_DISK_FULL = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})


async def _database_away(_: Request, error: Exception) -> Response:
    if isinstance(error, IntegrityError | ProgrammingError | DataError):
        raise error  # it answers, and we asked it nonsense
    log.warning("database unavailable", extra={"error": str(error).partition("\n")[0]})
    if getattr(getattr(error, "orig", None), "sqlite_errorcode", None) in _DISK_FULL:
        return Problem(
            507,
            "Disk full",
            "The console's data folder is full; nothing was changed. Make room, then try again.",
        ).response()
    return Problem(
        503,
        "Database unavailable",
        "The database does not answer; nothing was changed. Try again.",
        headers={"Retry-After": "1"},
    ).response()
