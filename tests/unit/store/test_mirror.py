"""The mirror: what it shows, to whom, when; and parsing once."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from corral.store.base import Batch, Cause, Doc, RecordClass, Reset, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.mirror import Follower, Mirror, Parsed
from corral.system.fakes import FakeClock


@pytest.fixture
def store(clock: FakeClock) -> Iterator[MemoryStore]:
    store = MemoryStore(clock)
    yield store
    store.close()


@pytest.fixture
def mirror(store: MemoryStore) -> Iterator[Mirror]:
    put(store, Write(key="early", text="1"))
    mirror = Mirror()
    follower = Follower(store, mirror)
    follower.start()
    yield mirror
    follower.close()
    follower.close()


def put(store: MemoryStore, *writes: Write) -> Revision:
    return store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes))


def doc(key: str, text: str, version: int, cls: RecordClass = RecordClass.API) -> Doc:
    return Doc(key=key, text=text, version=version, cls=cls)


def words(doc: Doc) -> list[str]:
    return doc.text.split()


def test_it_follows_a_store(store: MemoryStore, mirror: Mirror) -> None:
    assert [d.key for d in mirror.list()] == ["early"]
    put(store, Write(key="guest/1", text="x"), Write(key="guest/2", text="y"))
    revision = put(store, Write(key="guest/1", text=None), Write(key="early", text="2"))
    assert mirror.wait_for(revision, 5)
    assert mirror.revision == revision
    assert mirror.list() == store.list()
    assert mirror.list("guest/") == store.list("guest/")
    assert mirror.view() == (revision, store.list())
    assert mirror.get("guest/1") is None


def test_it_lists_again_after_a_restore_and_a_compaction(store: MemoryStore, mirror: Mirror) -> None:
    image = store.snapshot()
    put(store, Write(key="late", text="x"))
    revision = store.restore(image)
    assert mirror.wait_for(revision, 5)
    assert [d.key for d in mirror.list()] == ["early"]
    assert mirror.wait_for(put(store, Write(key="a", text="x")), 5)
    assert mirror.get("a")


def test_waiting_ends_in_vain(mirror: Mirror) -> None:
    ahead = Revision(mirror.revision.era, mirror.revision.number + 1)
    assert not mirror.wait_for(ahead, 0.01)
    assert mirror.wait_for(mirror.revision, 0)


def test_a_lower_reader_sees_less_but_every_revision(clock: FakeClock) -> None:
    mirror = Mirror(RecordClass.API)
    mirror.load(Revision(1, 5), [doc("a", "x", 1), doc("secret", "x", 2, RecordClass.ROOT)])
    assert [d.key for d in mirror.list()] == ["a"]
    store = MemoryStore(clock)
    put(store, Write(key="secret", text="y", cls=RecordClass.ROOT))
    (batch,) = [next(iter(store.watch(Revision(1, 0))))]
    assert isinstance(batch, Batch)
    mirror.apply(Batch(revision=Revision(1, 6), changes=batch.changes, cause=batch.cause))
    assert mirror.revision == Revision(1, 6)
    assert mirror.get("secret") is None


def test_a_record_that_rises_above_the_reader_disappears(clock: FakeClock) -> None:
    store, mirror = MemoryStore(clock), Mirror(RecordClass.API)
    put(store, Write(key="a", text="x"))
    put(store, Write(key="a", text="x", cls=RecordClass.ROOT))
    put(store, Write(key="a", text="x", cls=RecordClass.PUBLIC))
    mirror.load(Revision(1, 0), [])
    shown = []
    watch = store.watch(Revision(1, 0))
    for item in watch:
        assert isinstance(item, Batch)
        mirror.apply(item)
        shown.append(mirror.get("a") is not None)
        if item.revision == store.revision:
            break
    assert shown == [True, False, True]


def test_an_old_batch_is_ignored(clock: FakeClock) -> None:
    mirror = Mirror()
    mirror.load(Revision(1, 5), [doc("a", "x", 5)])
    store = MemoryStore(clock)
    put(store, Write(key="a", text="old"))
    old = next(iter(store.watch(Revision(1, 0))))
    assert isinstance(old, Batch)
    mirror.apply(old)
    found = mirror.get("a")
    assert found
    assert found.text == "x"


def test_listeners_get_every_batch_until_they_leave(store: MemoryStore, mirror: Mirror) -> None:
    heard: list[Revision] = []
    leave = mirror.listen(lambda event: heard.append(event.revision))
    first = put(store, Write(key="a", text="1"))
    second = put(store, Write(key="a", text="2"))
    assert mirror.wait_for(second, 5)
    leave()
    assert mirror.wait_for(put(store, Write(key="a", text="3")), 5)
    assert heard == [first, second]


def test_a_failing_listener_harms_nobody(store: MemoryStore, mirror: Mirror, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_event: Batch | Reset) -> None:
        raise RuntimeError("oops")

    mirror.listen(fail)
    assert mirror.wait_for(put(store, Write(key="a", text="1")), 5)
    assert mirror.wait_for(put(store, Write(key="a", text="2")), 5)
    assert "a listener of the mirror failed" in caplog.text


def test_a_subscription_misses_nothing(store: MemoryStore, mirror: Mirror) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            put(store, Write(key=f"a/{number % 10}", text=str(number)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _round in range(20):
            queue: list[Batch | Reset] = []
            found = mirror.subscribe(queue.append)
            copy = {d.key: d for d in found.docs}
            assert mirror.wait_for(Revision(found.revision.era, found.revision.number + 3), 5)
            found.cancel()
            for number, event in enumerate(list(queue), found.revision.number + 1):
                assert isinstance(event, Batch)
                assert event.revision.number == number
                copy |= {change.key: change.doc for change in event.changes if change.doc}
    finally:
        stop.set()
        writer.join()


def test_a_text_is_parsed_once_per_version(store: MemoryStore, mirror: Mirror) -> None:
    assert mirror.wait_for(put(store, Write(key="a", text="x y")), 5)
    first = mirror.parsed("a", words)
    assert first == ["x", "y"]
    assert mirror.parsed("a", words) is first
    assert [value for _doc, value in mirror.parsed_list("a", words)] == [first]
    assert mirror.wait_for(put(store, Write(key="b", text="z")), 5)
    assert mirror.parsed("a", words) is first
    assert mirror.wait_for(put(store, Write(key="a", text="z")), 5)
    assert mirror.parsed("a", words) == ["z"]
    assert mirror.wait_for(put(store, Write(key="a", text=None)), 5)
    assert mirror.parsed("a", words) is None


def test_the_cache_serves_any_tree(store: MemoryStore) -> None:
    parsed = Parsed(store)
    put(store, Write(key="a", text="x"))
    first = parsed.get("a", words)
    assert parsed.get("a", words) is first
    assert parsed.get("a", len_of) == 1
    store.restore(store.snapshot())
    assert parsed.get("a", words) == first
    put(store, Write(key="a", text=None))
    assert parsed.get("a", words) is None


def len_of(doc: Doc) -> int:
    return len(doc.text)


def test_what_a_parser_raises_is_not_kept(store: MemoryStore) -> None:
    parsed = Parsed(store)
    put(store, Write(key="a", text="x"))
    calls: list[Doc] = []

    def parser(doc: Doc) -> int:
        calls.append(doc)
        return int(doc.text)

    for _turn in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            parsed.get("a", parser)
    assert len(calls) == 2
