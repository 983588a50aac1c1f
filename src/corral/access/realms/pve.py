"""Realm `pve`: passwords as Argon2id hashes in `shadow.cfg`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar, Final, NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from corral.access.realms.base import RealmConfig
from corral.access.secrets import SHADOW, ShadowConfig
from corral.core.errors import Error
from corral.core.secret import Secret
from corral.store.base import Tree


class Cost(NamedTuple):
    """What one guess costs: passes over `memory` KiB."""

    passes: int
    memory: int


COST: Final = Cost(passes=3, memory=32 * 1024)
"""About 50 ms on a small server; above OWASP's least values (2 passes over 19 MiB). The memory is given back."""

_AT_ONCE: Final = 2
"""Hashes computed side by side: a crowd of log-ins must not take all memory and processors."""


class PveConfig(RealmConfig, frozen=True, kw_only=True, tag="pve"):
    """Settings of the realm `pve`."""


class Pve:
    """Users whose passwords this cluster keeps. Reads class root: works in `corrald` only."""

    kind: ClassVar[str] = "pve"
    config: ClassVar[type[RealmConfig]] = PveConfig
    builtin: ClassVar[str] = "pve"
    comment: ClassVar[str] = "Corral authentication server"

    def __init__(self, tree: Tree, cost: Cost = COST) -> None:
        self._tree = tree
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=1)
        self._dummy: Callable[[], str] = _once(lambda: self._hasher.hash("nobody has this password"))
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def authenticate(self, name: str, password: Secret, address: str, *, known: bool) -> bool:
        """Compare with the hash in `shadow.cfg`; an unknown user or one without password costs the same time."""
        doc = self._tree.get(SHADOW)
        digest = ShadowConfig.parse(doc.text).hashes.get(name) if doc and known else None
        with self._slots:
            return self._matches(digest or self._dummy(), password) and digest is not None

    def _matches(self, digest: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(digest, password.reveal())
        except InvalidHashError:
            # A hash of another kind, from an imported file: nobody logs in by it, in the usual time.
            self._matches(self._dummy(), password)
            return False
        except Argon2Error:
            return False

    def hash(self, password: Secret, salt: bytes) -> str:
        """The Argon2id hash with this salt of at least 16 bytes."""
        if len(salt) < 16:
            raise Error("salt is too short")
        with self._slots:
            return self._hasher.hash(password.reveal(), salt=salt)


def _once(make: Callable[[], str]) -> Callable[[], str]:
    made: list[str] = []

    def get() -> str:
        if not made:
            made.append(make())
        return made[0]

    return get
