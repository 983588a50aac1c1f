"""Tickets: signed proof that somebody logged in, or may open one console.

    PVE:<user>:<8 hex time>::<base64 RSA signature>       for two hours
    PVEVNC:<8 hex time>::<base64 RSA signature>           signed over user, path and port too; for forty seconds
    <8 hex time>:<base64 HMAC-SHA256 of "time:user">      against request forgery, beside a ticket

Checking needs public keys only. Signatures are RSASSA-PKCS1-v1_5 with SHA-256; no client looks at them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from corral.access.keys import Keys
from corral.access.names import is_userid
from corral.core.clock import Clock
from corral.core.errors import Unauthorized

LIFETIME: Final = 2 * 3600.0
GRACE: Final = 300.0
"""How far a ticket may be from the future: clocks of nodes differ."""

CONSOLE_BEFORE: Final = 20.0
CONSOLE_AFTER: Final = 40.0
PARTIAL: Final = "!tfa!"
"""What the user part of a ticket starts with while the second factor is still to come."""

MOST_CACHED: Final = 4096
_MOST_LENGTH: Final = 4096
_TICKET: Final = re.compile(r"PVE:([^:\s]+):([0-9A-F]{8})::([A-Za-z0-9+/]+={0,2})", re.ASCII)
_CONSOLE: Final = re.compile(r"(PVEVNC|PVETUNNEL):([0-9A-F]{8})::([A-Za-z0-9+/]+={0,2})", re.ASCII)
_CSRF: Final = re.compile(r"([0-9A-F]{8}):([A-Za-z0-9+/]+={0,2})", re.ASCII)


class Holder(NamedTuple):
    """Whose ticket it is, and until when it is good (Unix seconds)."""

    user: str
    expires: float


class Tickets:
    """Makes and checks tickets. A ticket that was found good is known again without its signature. Safe for threads."""

    def __init__(self, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._good: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._good_by: Sequence[rsa.RSAPublicKey] = ()
        self._lock = threading.Lock()

    # --- log-in ----------------------------------------------------------------------------------------------------

    def issue(self, user: str) -> str:
        """A ticket for a user. Needs the private key."""
        plain = f"PVE:{quote(user, safe=_PLAIN)}:{self._stamp()}"
        return f"{plain}::{self._sign(plain)}"

    def issue_partial(self, user: str, challenge: str) -> str:
        """A ticket that is worth nothing but the second call of a log-in. `challenge` is a JSON text."""
        return self.issue(f"{PARTIAL}{challenge}")

    def check(self, ticket: str) -> str:
        """The user of a full ticket; `Unauthorized` for every other text."""
        return self.holder(ticket).user

    def holder(self, ticket: str) -> Holder:
        """The user of a full ticket, and its end; `Unauthorized` for every other text."""
        user, issued = self._known(ticket) or self._verified(ticket)
        if not -GRACE < self._clock.now() - issued < LIFETIME:
            raise _refused()
        return Holder(user, issued + LIFETIME)

    def _known(self, ticket: str) -> tuple[str, int] | None:
        keys = self._keys.public()
        with self._lock:
            if keys is not self._good_by:
                self._good.clear()
                self._good_by = keys
            return self._good.get(ticket)

    def _verified(self, ticket: str) -> tuple[str, int]:
        match = _TICKET.fullmatch(ticket) if len(ticket) <= _MOST_LENGTH else None
        if match is None:
            raise _refused()
        keys = self._keys.public()
        if not _signed(f"PVE:{match[1]}:{match[2]}", match[3], keys):
            raise _refused()
        user = unquote(match[1])
        if user.startswith(PARTIAL) or not is_userid(user):
            raise _refused()
        found = (user, int(match[2], 16))
        with self._lock:
            if keys is self._good_by:
                self._good[ticket] = found
                if len(self._good) > MOST_CACHED:
                    self._good.popitem(last=False)
        return found

    # --- request forgery -------------------------------------------------------------------------------------------

    def issue_csrf(self, user: str) -> str:
        """The token that must come with every call of this user that is not a GET."""
        stamp = self._stamp()
        return f"{stamp}:{self._mac(stamp, user)}"

    def check_csrf(self, user: str, token: str) -> None:
        """`Unauthorized` unless the token is this user's and not older than a ticket may be."""
        match = _CSRF.fullmatch(token)
        if match is None or not hmac.compare_digest(match[2], self._mac(match[1], user)):
            raise Unauthorized("Permission denied - invalid csrf token")
        if not -GRACE < self._clock.now() - int(match[1], 16) < LIFETIME:
            raise Unauthorized("Permission denied - invalid csrf token")

    def _mac(self, stamp: str, user: str) -> str:
        digest = hmac.digest(self._keys.csrf(), f"{stamp}:{user}".encode(), "sha256")
        return base64.b64encode(digest).decode()

    # --- consoles --------------------------------------------------------------------------------------------------

    def issue_console(self, who: str, path: str, port: int | None = None, *, kind: str = "PVEVNC") -> str:
        """A ticket by which `who` (user or full token id) may open the console of `path`, on `port` if given."""
        stamp = self._stamp()
        return f"{kind}:{stamp}::{self._sign(_console_text(kind, stamp, who, path, port))}"

    def check_console(self, ticket: str, who: str, path: str, port: int | None = None, *, kind: str = "PVEVNC") -> None:
        """`Unauthorized` unless the ticket was made for exactly these, at most forty seconds ago."""
        match = _CONSOLE.fullmatch(ticket) if len(ticket) <= _MOST_LENGTH else None
        if match is None or match[1] != kind or ":" in who or ":" in path:
            raise Unauthorized(f"permission denied - invalid {kind} ticket")
        if not _signed(_console_text(kind, match[2], who, path, port), match[3], self._keys.public()):
            raise Unauthorized(f"permission denied - invalid {kind} ticket")
        if not -CONSOLE_BEFORE <= self._clock.now() - int(match[2], 16) <= CONSOLE_AFTER:
            raise Unauthorized(f"permission denied - expired {kind} ticket")

    # --- common ----------------------------------------------------------------------------------------------------

    def _stamp(self) -> str:
        return f"{int(self._clock.now()):08X}"

    def _sign(self, text: str) -> str:
        signature = self._keys.private().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode()


_PLAIN: Final = "@!#$&'()*+,/;=?[]~{}\""


def _console_text(kind: str, stamp: str, who: str, path: str, port: int | None) -> str:
    # Neither user nor path may hold a colon, so no two of these tuples make the same text.
    assert ":" not in who + path
    return f"{kind}:{stamp}:{who}:{path}" + ("" if port is None else f":{port}")


def _signed(text: str, signature: str, keys: Sequence[rsa.RSAPublicKey]) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    for key in keys:
        try:
            key.verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def _refused() -> Unauthorized:
    return Unauthorized("Authentication failed!")
