"""How TLS is spoken: contexts, one of each kind, and the layer between plain bytes and records."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path

from dispatcher.request import Tls
from dispatcher.transport import TransportError

_RECORD = 16_384


@lru_cache(maxsize=1024)
def context(tls: Tls) -> ssl.SSLContext:
    """The context for these settings, always the same one.

    Raises `TransportError` (`tls`) where a certificate or key among them cannot be read.
    """
    try:
        return _context(tls)
    except (ssl.SSLError, ValueError) as error:
        raise TransportError("tls", f"the action's certificates cannot be used: {error}") from None


def _context(tls: Tls) -> ssl.SSLContext:
    made = ssl.create_default_context(cadata=tls.ca or None)
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    if not tls.verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if tls.client_certificate:
        # OpenSSL takes them from files only. An empty password, or it would ask on the terminal.
        with tempfile.TemporaryDirectory(prefix="pca-") as folder:
            Path(folder).chmod(0o700)
            path = Path(folder, "client.pem")
            path.touch(0o600)
            path.write_text(tls.client_certificate + "\n" + tls.client_key)
            made.load_cert_chain(path, password="")
    return made


class Channel:
    """TLS over bytes that others carry. All methods but `outgoing` may raise `ssl.SSLError`."""

    __slots__ = ("_incoming", "_object", "_outgoing", "ended", "established")

    def __init__(self, tls: Tls, host: str, session: ssl.SSLSession | None) -> None:
        """`host`: sent as SNI and looked for in the certificate. `session`: to resume, if any."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context(tls).wrap_bio(
            self._incoming,
            self._outgoing,
            server_hostname=host.partition("%")[0],
        )
        if session is not None:
            # One of a context that has been made anew since cannot be resumed.
            with contextlib.suppress(ValueError):
                self._object.session = session
        self.established = False
        self.ended = False
        """The other side said that it sends no more."""

    def shake(self, data: bytes = b"") -> None:
        """Go on with the handshake; `established` says whether it is over."""
        if data:
            self._incoming.write(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.established = True

    def outgoing(self) -> bytes:
        """Records to be sent; often none."""
        return self._outgoing.read() if self._outgoing.pending else b""

    def encrypt(self, data: bytes | memoryview) -> bytes:
        """Records that hold these bytes."""
        self._object.write(data)
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> bytes:
        """The bytes that these records complete; often none. `data` is not empty."""
        self._incoming.write(data)
        plain = b""
        try:
            # Room for as much is made at once, and most answers are shorter than a record may be.
            plain = self._object.read(len(data))
            if not plain:
                self.ended = True
            while not self.ended and (self._incoming.pending or self._object.pending()):
                more = self._object.read(_RECORD)
                if more:
                    plain += more
                else:
                    self.ended = True
        except ssl.SSLWantReadError:
            pass
        return plain

    def closing(self) -> bytes:
        """The record that says goodbye."""
        with contextlib.suppress(ssl.SSLError):  # that we do not wait for the other side's
            self._object.unwrap()
        return self.outgoing()

    @property
    def session(self) -> ssl.SSLSession | None:
        """To resume with the same host and settings."""
        return self._object.session
