"""Secrets of actions, sealed: as they lie in the console's database and on every topic.

A sealed secret is `sealed.` and a Fernet token in its place, also in a URL:
`https://sealed.gAAAAA…@example.com/`. What is not sealed is read as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from schemas.secret_fields import Unopened, with_secrets

HOW_TO_MAKE_A_KEY = (
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_PREFIX = "sealed."
_SEALED = re.compile(r"sealed\.(gAAAAA[A-Za-z0-9_-]+={0,2})")


def new_key() -> str:
    """A key nobody else has."""
    return Fernet.generate_key().decode()


def is_key(text: str) -> bool:
    """Whether it is a Fernet key: 32 bytes in URL-safe base64."""
    return _KEY.fullmatch(text) is not None


class Sealer:
    """Seals under the first of its keys, opens what any of them sealed."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Without keys it opens nothing, and must not seal. Raises ValueError for what is none."""
        self._keys = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, secret: str) -> str:
        """Another text each time. Whatever is given is sealed, also what looks sealed already: or
        whoever comes by somebody's sealed secret could have it opened for an action of his own."""
        assert self._keys is not None, "there is no key to seal with"
        return _PREFIX + self._keys.encrypt(secret.encode()).decode()

    def open(self, text: str) -> str:
        """The secret; an `Unopened` when none of the keys sealed it."""
        sealed = _SEALED.fullmatch(text)
        if not sealed:
            return text
        if self._keys is not None:
            try:
                return self._keys.decrypt(sealed[1]).decode()
            except InvalidToken:
                pass
        return Unopened(text)

    def sealed(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """The settings or record of an action with its secrets sealed; those that could not be
        opened stay as they were."""
        return with_secrets(
            action, lambda _, secret: secret if isinstance(secret, Unopened) else self.seal(secret)
        )

    def opened(self, action: Mapping[str, Any]) -> dict[str, Any]:
        """The same with its secrets in the clear; `unopened` says which are not."""
        return with_secrets(action, lambda _, text: self.open(text))


def unopened(action: Mapping[str, Any]) -> list[str]:
    """The paths of the secrets that no key opened."""
    paths: list[str] = []

    def note(path: str, secret: str) -> str:
        if isinstance(secret, Unopened):
            paths.append(path)
        return secret

    with_secrets(action, note)
    return paths
