"""Every engine against a model: random transactions, restores, prunings and re-openings, seen by a watcher."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from corral.core.errors import Conflict, NotFound
from corral.store.base import Batch, Cause, Check, Doc, RecordClass, Reset, Revision, Store, Transaction, Write
from corral.system.fakes import FakeClock
from tests.unit.store.engines import ENGINES, Engine

KEYS = ("a", "a/b", "b", "guest/1", "guest/10")
TEXTS = ("", "x: 1\n", "x: 2\n", "ü" * 20)

keys = st.sampled_from(KEYS)
headers = st.sampled_from([None, {}, {"node": "one"}])


@st.composite
def drafts(draw: st.DrawFn) -> list[Write]:
    chosen = draw(st.lists(keys, max_size=4, unique=True))
    return [
        Write(
            key=key,
            text=draw(st.sampled_from([*TEXTS, None])),
            cls=draw(st.sampled_from([None, *RecordClass])),
            header=draw(headers),
            history=key != "b",
        )
        for key in chosen
    ]


class Model:
    """A store as a dict, written without a thought of speed."""

    def __init__(self) -> None:
        self.docs: dict[str, Doc] = {}
        self.states: dict[Revision, dict[str, Doc]] = {}

    def would(self, writes: list[Write], number: int) -> dict[str, Doc]:
        docs = dict(self.docs)
        for write in writes:
            old = docs.pop(write.key, None)
            if write.text is None:
                continue
            cls = write.cls or (old.cls if old else RecordClass.API)
            header = write.header if write.header is not None else (old.header if old else {})
            new = Doc(key=write.key, text=write.text, version=number, cls=cls, header=header, history=write.history)
            same = old and (old.text, old.cls, old.header) == (new.text, new.cls, new.header)
            docs[write.key] = old if old and same else new
        return docs


class Machine(RuleBasedStateMachine):
    engine: ClassVar[Engine]
    base: ClassVar[Path]

    @initialize()
    def start(self) -> None:
        self.directory = tempfile.TemporaryDirectory(dir=self.base)
        self.clock = FakeClock()
        self.store: Store = self.open()
        self.model = Model()
        self.model.states[self.store.revision] = {}
        self.shadow: dict[str, Doc] = {}
        self.cursor = self.store.revision
        self.floor = self.store.revision
        self.image: tuple[bytes, dict[str, Doc], dict[Revision, dict[str, Doc]], Revision] | None = None

    def open(self) -> Store:
        return self.engine.open(Path(self.directory.name), self.clock)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.directory.cleanup()

    @rule(writes=drafts(), wrong=st.booleans(), compare=st.booleans(), key=keys)
    def commit(self, writes: list[Write], wrong: bool, compare: bool, key: str) -> None:
        old = self.model.docs.get(key)
        version = old.version if old else 0
        checks = (Check(key=key, expect=version + wrong),) if compare else ()
        self.clock.advance(1)
        before = self.store.revision
        txn = Transaction(cause=Cause(who="h@pve"), writes=tuple(writes), checks=checks)
        if checks and wrong:
            with pytest.raises(Conflict):
                self.store.commit(txn)
            return
        revision = self.store.commit(txn)
        after = self.model.would(writes, revision.number)
        if after == self.model.docs:
            assert revision == before
            return
        assert revision > before
        assert revision.era == before.era
        self.model.docs = after
        self.model.states[revision] = after

    @rule()
    def watch(self) -> None:
        end = self.store.revision
        if self.cursor == end:
            return
        last = self.cursor
        for item in self.store.watch(self.cursor):
            if isinstance(item, Reset):
                self.cursor, docs = self.store.view()
                self.shadow = {doc.key: doc for doc in docs}
                break
            assert item.revision > last
            assert item.revision in self.model.states, "a revision that nobody was answered"
            self.take(item)
            last = item.revision
            assert self.shadow == self.model.states[last]
            if item.revision == end:
                break
        assert self.cursor == end
        assert self.shadow == self.model.docs

    def take(self, batch: Batch) -> None:
        assert batch.changes
        for change in batch.changes:
            old = self.shadow.pop(change.key, None)
            assert change.was == (old.cls if old else None)
            assert change.doc or old
            if change.doc:
                self.shadow[change.key] = change.doc
        self.cursor = batch.revision

    @rule(keep=st.integers(0, 5))
    def compact(self, keep: int) -> None:
        self.engine.compact(self.store, self.store.revision.number - keep)

    @rule(age=st.integers(0, 10))
    def prune(self, age: int) -> None:
        self.store.prune(older_than=self.clock.now() - age, max_bytes=10**6)
        kept = self.store.history(limit=1000)
        for revision in sorted(self.model.states):
            try:
                self.store.as_of(revision)
            except NotFound:
                del self.model.states[revision]
        assert all(past.time >= self.clock.now() - age for past in kept)
        assert self.store.revision in self.model.states

    @rule()
    def snapshot(self) -> None:
        self.image = (self.store.snapshot(), dict(self.model.docs), dict(self.model.states), self.store.revision)

    @precondition(lambda self: self.image is not None)
    @rule()
    def restore(self) -> None:
        assert self.image
        image, docs, states, _at = self.image
        before = self.store.revision
        revision = self.store.restore(image)
        assert revision.era == before.era + 1
        assert revision.number > before.number
        self.model.docs = {
            key: Doc(key=key, text=d.text, version=revision.number, cls=d.cls, header=d.header, history=d.history)
            for key, d in docs.items()
        }
        self.model.states = {**states, revision: self.model.docs}

    @rule()
    def reopen(self) -> None:
        if self.engine.keeps:
            self.store.close()
            self.store = self.open()

    @rule()
    def look_back(self) -> None:
        for revision, docs in self.model.states.items():
            expected = {key: doc.text for key, doc in docs.items() if doc.history}
            found = self.store.as_of(revision)
            assert {key: stood.text for key, stood in found.items() if key != "b"} == expected
            assert all(stood.cls.sees(docs[key].cls) for key, stood in found.items() if key != "b")

    @rule()
    def follow_history(self) -> None:
        present: dict[str, str | None] = {}
        for past in self.store.history(limit=1000):
            if past.key not in present:
                present[past.key] = self.model.docs[past.key].text if past.key in self.model.docs else None
            assert past.after == present[past.key]
            present[past.key] = past.before

    @invariant()
    def shows_the_model(self) -> None:
        if not hasattr(self, "store"):
            return
        assert self.store.list() == [self.model.docs[key] for key in sorted(self.model.docs)]
        assert self.store.list("guest/") == [
            self.model.docs[k] for k in sorted(self.model.docs) if k.startswith("guest/")
        ]
        assert [self.store.get(key) for key in KEYS] == [self.model.docs.get(key) for key in KEYS]


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_agrees_with_the_model(engine: Engine, tmp_path: Path) -> None:
    machine = type("EngineMachine", (Machine,), {"engine": engine, "base": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=engine.examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
