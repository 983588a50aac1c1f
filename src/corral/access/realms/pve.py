"""Realm `pve`: passwords as Argon2id hashes in `shadow.cfg`. Imported hashes of libcrypt are renewed at log-in."""

from __future__ import annotations

import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from corral.access.crypt import is_crypt, matches
from corral.access.realms.base import RealmConfig
from corral.access.secrets import SHADOW, ShadowConfig
from corral.core.clock import Clock
from corral.core.errors import Error
from corral.core.secret import Secret
from corral.store.base import Tree


class Cost(NamedTuple):
    """What one guess costs: passes over `memory` KiB."""

    passes: int
    memory: int


COST: Final = Cost(passes=3, memory=64 * 1024)
"""The passes and memory of RFC 9106's second recommendation; the memory is given back."""

_AT_ONCE: Final = 2
"""Hashes computed side by side: a crowd of log-ins must not take all memory and processors."""

_REMEMBERED: Final = 300.0
_MOST_REMEMBERED: Final = 1000


class PveConfig(RealmConfig, frozen=True, kw_only=True, tag="pve"):
    """Settings of the realm `pve`."""


class Pve:
    """Users whose passwords this cluster keeps. Reads class root: works in `corrald` only."""

    kind: ClassVar[str] = "pve"
    config: ClassVar[type[RealmConfig]] = PveConfig
    builtin: ClassVar[str] = "pve"
    comment: ClassVar[str] = "Corral authentication server"

    def __init__(self, tree: Tree, cost: Cost = COST, *, clock: Clock | None = None) -> None:
        self._tree = tree
        self._proved = _Proved(clock) if clock else None
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=1)
        self._dummy: Callable[[], str] = _once(lambda: self._hasher.hash("nobody has this password"))
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def authenticate(self, name: str, password: Secret, address: str, *, known: bool) -> bool:
        """Compare with the hash in `shadow.cfg`; an unknown user or one without password costs the same time."""
        digest = self._digest(name) if known else None
        if digest is None:
            # Only while nobody who may be real waits: made-up names must not keep others from logging in.
            if self._slots.acquire(blocking=False):
                try:
                    self._matches(self._dummy(), password)
                finally:
                    self._slots.release()
            return False
        if self._proved and self._proved.has(digest, password):
            return True
        with self._slots:
            right = (self._proved is not None and self._proved.has(digest, password)) or self._matches(digest, password)
        if right and self._proved:
            self._proved.add(digest, password)
        return right

    def _digest(self, name: str) -> str | None:
        doc = self._tree.get(SHADOW)
        return ShadowConfig.parse(doc.text).hashes.get(name) if doc else None

    def _matches(self, digest: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(digest, password.reveal())
        except InvalidHashError:
            if is_crypt(digest):
                return matches(digest, password.reveal())
            # No hash at all, as `*` or `!`: nobody logs in by it, in the usual time.
            self._matches(self._dummy(), password)
            return False
        except Argon2Error:
            return False

    def outdated(self, name: str) -> bool:
        """Whether the hash is of another kind or cost than `hash` makes now."""
        digest = self._digest(name)
        return digest is not None and (is_crypt(digest) or self._costs_otherwise(digest))

    def _costs_otherwise(self, digest: str) -> bool:
        try:
            return self._hasher.check_needs_rehash(digest)
        except InvalidHashError:
            return False

    def hash(self, password: Secret, salt: bytes) -> str:
        """The Argon2id hash with this salt of at least 16 bytes."""
        if len(salt) < 16:
            raise Error("salt is too short")
        with self._slots:
            return self._hasher.hash(password.reveal(), salt=salt)


class _Proved:
    """Passwords found right lately, so that a client which logs in for each of a hundred jobs pays for one hash.

    What is kept is a keyed hash over password and stored hash: without this process's memory it tells nothing, and a
    changed password does not match. Wrong passwords always pay.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def has(self, digest: str, password: Secret) -> bool:
        """Whether they were found to belong together in the last minutes."""
        with self._lock:
            return self._until.get(self._name(digest, password), 0.0) > self._clock.monotonic()

    def add(self, digest: str, password: Secret) -> None:
        """They belong together."""
        with self._lock:
            name = self._name(digest, password)
            self._until[name] = self._clock.monotonic() + _REMEMBERED
            self._until.move_to_end(name)
            if len(self._until) > _MOST_REMEMBERED:
                self._until.popitem(last=False)

    def _name(self, digest: str, password: Secret) -> bytes:
        return hmac.digest(self._key, f"{digest}\0{password.reveal()}".encode(errors="replace"), "sha256")


def _once(make: Callable[[], str]) -> Callable[[], str]:
    made: list[str] = []

    def get() -> str:
        if not made:
            made.append(make())
        return made[0]

    return get
