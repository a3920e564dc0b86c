"""The console as commands see it, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from console.commands.failure import Failure
from streaming.settings import Settings

TIMEOUT_SECONDS = 300.0
"""Applying a million numbers takes a while."""
CONNECT_SECONDS = 5.0


def key(settings: Settings) -> str:
    """What to sign in with: PCA_API_KEY, else the admin key. Raises `Failure`."""
    if known := settings.api_key or settings.admin_key:
        return known
    path = settings.data_dir / "admin.key"
    try:
        return path.read_text().strip()
    except OSError as error:
        raise Failure(
            f"no key to sign in with: set PCA_API_KEY, or PCA_DATA_DIR to the console's data folder"
            f" ({path}: {error.strerror})"
        ) from error


class Client:
    """One console. Every failure is a `Failure`."""

    def __init__(self, settings: Settings) -> None:
        self._url = settings.console_url
        try:
            self._http = httpx.Client(
                base_url=self._url,
                headers={"Authorization": f"Bearer {key(settings)}"},
                timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
                # A proxy of the environment has no business between a terminal and its console.
                trust_env=False,
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise Failure(f"PCA_CONSOLE_URL or PCA_API_KEY cannot be used: {error}") from error

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at a path."""
        return self._request("GET", path, params=parameters)

    def post(self, path: str, body: bytes | None = None, **headers: str) -> Any:
        """Send JSON; the JSON that comes back."""
        headers |= {"Content-Type": "application/json"}
        return self._request("POST", path, content=body, headers=headers)

    def _request(self, method: str, path: str, **how: Any) -> Any:
        try:
            answer = self._http.request(method, path, **how)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Failure(
                f"no console answers at {self._url}; start it, or set PCA_CONSOLE_URL"
            ) from error
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise Failure(f"the console at {self._url} broke off: {reason}") from error
        if answer.is_success:
            return _json(answer, self._url)
        raise Failure(_sentence(answer, self._url))


def _json(answer: httpx.Response, url: str) -> Any:
    try:
        return answer.json()
    except ValueError as error:
        raise Failure(f"what answers at {url} is no console") from error


def _sentence(answer: httpx.Response, url: str) -> str:
    if answer.status_code == 401:
        return (
            f"the console at {url} does not know the key; set PCA_API_KEY,"
            " or PCA_DATA_DIR to the console's data folder"
        )
    if answer.headers.get("content-type") != "application/problem+json":
        return f"what answers at {url} is no console (HTTP {answer.status_code})"
    problem = answer.json()
    lines = [f"{fault['path']}: {fault['reason']}" for fault in problem.get("errors", ())]
    return (
        "\n  ".join([f"the console refused ({problem['title']})", *lines])
        if lines
        else (f"the console answered {problem['status']}: {problem['detail']}")
    )
