"""The queue: who may begin, decided purely from who waits and who holds.

Locks are exclusive, slots are counted. A request gets all that it wants at once or waits for all of it, so nobody
waits holding something and no cycle can form. Fairness comes from order of arrival: a lock that an earlier request
waits for is not given to a later one, and neither is a slot that an earlier request, which has all its locks, waits
for. So the oldest request waits only for those that run, and they end. A request that still waits for a lock claims
no slot: a guest busy for hours must not keep a storage idle.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from corral.tasks.base import Intent

log = logging.getLogger(__name__)

DEFAULT_SIZE = 4
Sizes = Callable[[str], int]
"""How many tasks may hold the slot of that name at once; below 1 counts as 1."""


class Request(NamedTuple):
    """What a task needs to begin, and holds until it has ended."""

    upid: str
    locks: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()

    @classmethod
    def of(cls, upid: str, intent: Intent) -> Request:
        """What an intent asks for, in the one global order; asking twice for the same counts once."""
        return cls(upid, tuple(sorted(set(intent.locks))), tuple(sorted(set(intent.slots))))


class Decision(NamedTuple):
    """Who begins now, and why the others wait (a sentence for each UPID)."""

    grants: tuple[Request, ...]
    waiting: Mapping[str, str]


def decide(waiting: Sequence[Request], held: Iterable[Request], sizes: Sizes) -> Decision:
    """Which of `waiting` (oldest first) may begin beside those that `held` names."""
    owners: dict[str, str] = {}
    used: Counter[str] = Counter()
    for request in held:
        owners |= dict.fromkeys(request.locks, request.upid)
        used.update(request.slots)
    claimed: dict[str, str] = {}
    grants: list[Request] = []
    reasons: dict[str, str] = {}
    for request in waiting:
        if reason := _lock_reason(request, owners, claimed):
            reasons[request.upid] = reason
            for lock in request.locks:
                claimed.setdefault(lock, request.upid)
            continue
        if reason := _slot_reason(request, used, sizes):
            reasons[request.upid] = reason
            for lock in request.locks:
                claimed.setdefault(lock, request.upid)
        else:
            grants.append(request)
            owners |= dict.fromkeys(request.locks, request.upid)
        used.update(request.slots)
    return Decision(tuple(grants), reasons)


def _lock_reason(request: Request, owners: Mapping[str, str], claimed: Mapping[str, str]) -> str:
    for lock in request.locks:
        if lock in owners:
            return f"waiting for lock {lock} held by {owners[lock]}"
    for lock in request.locks:
        if lock in claimed:
            return f"waiting for lock {lock} behind {claimed[lock]}"
    return ""


def _slot_reason(request: Request, used: Mapping[str, int], sizes: Sizes) -> str:
    for slot in request.slots:
        size = max(1, sizes(slot))
        if used.get(slot, 0) >= size:
            return f"waiting for one of {size} slots of {slot}"
    return ""


class SlotSizes:
    """Configured sizes: by the slot's whole name, else by its first word, else `default`.

    `SlotSizes({"node": 8, "storage": 4, "storage/backup": 1})`, or as a file: lines `storage/backup: 1`, where `*` is
    what holds for names that no line tells.
    """

    def __init__(self, sizes: Mapping[str, int], default: int = DEFAULT_SIZE) -> None:
        self._sizes = dict(sizes)
        self._default = default

    @classmethod
    def parse(cls, text: str) -> SlotSizes:
        """Read the lines of a file; blank ones and those after `#` count for nothing, and neither do wrong ones,
        which are logged: a typing error must not keep a node from working."""
        sizes: dict[str, int] = {}
        for line in text.splitlines():
            slot, colon, size = line.partition("#")[0].partition(":")
            if colon and slot.strip() and size.strip().isdecimal() and int(size) > 0:
                sizes[slot.strip()] = int(size)
            elif line.partition("#")[0].strip():
                log.warning("this is no size of a slot: '%s'", line)
        return cls(sizes, sizes.pop("*", DEFAULT_SIZE))

    def __call__(self, slot: str) -> int:
        """The size of that slot."""
        return self._sizes.get(slot, self._sizes.get(slot.partition("/")[0], self._default))


class Queue:
    """Who waits and who holds. Not for several threads at once: its owner serialises."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._waiting: dict[str, Request] = {}
        self._held: dict[str, Request] = {}

    def enter(self, request: Request) -> None:
        """Wait at the end of the queue."""
        assert request.upid not in self._waiting
        assert request.upid not in self._held
        self._waiting[request.upid] = request

    def adopt(self, request: Request) -> None:
        """It holds what it asks for already: found so after a restart."""
        self._held[request.upid] = request

    def withdraw(self, upid: str) -> bool:
        """Leave the queue; False if it does not wait (any more)."""
        return self._waiting.pop(upid, None) is not None

    def release(self, upid: str) -> None:
        """Give back everything; idempotent."""
        self._held.pop(upid, None)

    def turn(self) -> Decision:
        """Decide, and note what was granted."""
        decision = decide(tuple(self._waiting.values()), self._held.values(), self._sizes)
        for request in decision.grants:
            del self._waiting[request.upid]
            self._held[request.upid] = request
        return decision
