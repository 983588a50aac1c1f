"""Moving a store to another engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.core.errors import AlreadyExists, Conflict
from corral.store.base import Cause, Revision, Store, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.move import move
from corral.store.sqlite import SqliteStore
from corral.system.fakes import FakeClock
from tests.unit.store.engines import ENGINES, Engine

CAUSE = Cause(who="root@pam", why="test")


def put(store: Store, key: str, text: str | None, *, id_: str = "", history: bool = True) -> Revision:
    return store.commit(Transaction(cause=CAUSE, writes=(Write(key=key, text=text, history=history),), id=id_))


@pytest.fixture
def source(tmp_path: Path, clock: FakeClock) -> Iterator[SqliteStore]:
    """A store with a past: twenty changes, a restore, a deletion."""
    store = SqliteStore(tmp_path / "source.db", clock, durable=False)
    for number in range(20):
        clock.advance(1)
        put(store, f"guest/{number % 7}", f"cores: {number}\n", id_=f"t{number}")
    store.restore(store.snapshot())
    put(store, "guest/1", None)
    put(store, "volatile", "", history=False)
    yield store
    store.close()


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def target(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    engine: Engine = request.param
    store = engine.open(tmp_path, clock)
    yield store
    store.close()


def test_every_record_and_its_history_come_along(source: SqliteStore, target: Store) -> None:
    before = source.revision
    revision = move(source, target)
    assert revision.era == before.era + 1
    assert revision.number > before.number
    assert [(d.key, d.text, d.cls, d.header, d.history) for d in target.list()] == [
        (d.key, d.text, d.cls, d.header, d.history) for d in source.list()
    ]
    assert target.history(limit=1000) == source.history(limit=1000)
    for touch in source.touches(limit=1000):
        then = {key: stood for key, stood in source.as_of(touch.revision).items() if key != "volatile"}
        assert target.as_of(touch.revision) == then  # what has no history is as if written by the move


def test_the_moved_store_goes_on(source: SqliteStore, target: Store) -> None:
    revision = move(source, target)
    assert put(target, "guest/0", "again", id_="t0") == put(source, "guest/0", "again", id_="t0")
    assert put(target, "new", "1") == Revision(revision.era, revision.number + 1)
    assert target.history("new", exact=True)[0].before is None


def test_the_target_must_be_empty(source: SqliteStore, target: Store) -> None:
    put(target, "a", "1")
    with pytest.raises(AlreadyExists):
        move(source, target)
    assert [doc.key for doc in target.list()] == ["a"]


def test_a_change_of_the_source_meanwhile_is_noticed(source: SqliteStore, clock: FakeClock) -> None:
    class Late(MemoryStore):
        def restore(self, image: bytes) -> Revision:
            put(source, "late", "1")
            return super().restore(image)

    with pytest.raises(Conflict):
        move(source, Late(clock))
