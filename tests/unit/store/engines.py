"""The engines that the conformance suite runs against: a new one is added here and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from corral.core.clock import Clock
from corral.store.base import Store
from corral.store.etcd.cluster import Cluster
from corral.store.etcd.engine import EtcdStore
from corral.store.memory import MemoryStore
from corral.store.sqlite import SqliteStore
from tests.unit.store import shared_etcd


@dataclass(frozen=True)
class Engine:
    """How the suite handles an engine.

    `open` gives the store that lives in a directory, made at first; `keeps` says whether it outlives `close`.
    `compact` makes it forget the feed up to a revision number. `examples`: how many random lives it is worth.
    """

    name: str
    open: Callable[[Path, Clock], Store]
    compact: Callable[[Store, int], None]
    keeps: bool
    examples: int = 40


ENGINES = (
    Engine(
        name="memory",
        open=lambda _directory, clock: MemoryStore(clock),
        compact=lambda store, number: cast("MemoryStore", store).compact(number),
        keeps=False,
    ),
    Engine(
        name="sqlite",
        open=lambda directory, clock: SqliteStore(directory / "lib" / "store.db", clock),
        compact=lambda store, number: cast("SqliteStore", store).compact(number),
        keeps=True,
    ),
    Engine(
        name="etcd",
        open=lambda directory, clock: EtcdStore(Cluster(shared_etcd.endpoints()), clock, root=f"corral{directory}/"),
        compact=lambda store, number: cast("EtcdStore", store).compact(number),
        keeps=True,
        examples=12,  # each read asks another process
    ),
)
