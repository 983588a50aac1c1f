"""What every engine promises: one suite for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from corral.core.errors import Conflict, NotFound, ParamError, Unavailable
from corral.store.base import (
    MAX_TEXT,
    Batch,
    Cause,
    Check,
    Doc,
    RecordClass,
    Reset,
    Revision,
    Store,
    Transaction,
    Write,
)
from corral.system.fakes import FakeClock
from tests.unit.store.engines import ENGINES, Engine

CAUSE = Cause(who="root@pam", why="test")


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.param
    return found


@pytest.fixture
def opened(engine: Engine, tmp_path: Path, clock: FakeClock) -> Iterator[Callable[[], Store]]:
    """Opens the store of this test; all are closed at the end."""
    stores: list[Store] = []

    def open_() -> Store:
        stores.append(engine.open(tmp_path, clock))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()


def put(store: Store, *writes: Write, checks: tuple[Check, ...] = (), id_: str = "", cause: Cause = CAUSE) -> Revision:
    return store.commit(Transaction(cause=cause, writes=writes, checks=checks, id=id_))


def batches(store: Store, since: Revision) -> list[Batch]:
    """All batches after `since`: waits for none."""
    end = store.revision
    found: list[Batch] = []
    if since >= end:
        return found
    watch = store.watch(since)
    for item in watch:
        assert isinstance(item, Batch)
        found.append(item)
        if item.revision >= end:
            break
    watch.close()
    return found


def texts_at(store: Store, revision: Revision, prefix: str = "") -> dict[str, str]:
    return {key: stood.text for key, stood in store.as_of(revision, prefix).items()}


def texts(store: Store, prefix: str = "") -> dict[str, str]:
    return {doc.key: doc.text for doc in store.list(prefix)}


class TestCommit:
    def test_an_empty_store_has_nothing(self, store: Store) -> None:
        assert store.get("guest/100") is None
        assert store.list() == []
        assert not store.history()

    def test_a_record_is_read_as_written(self, store: Store) -> None:
        header = {"kind": "qemu", "node": "pve1"}
        text = "name: döner 🥙\ncores: 2\n"
        revision = put(store, Write(key="guest/100", text=text, cls=RecordClass.API, header=header))
        assert store.get("guest/100") == Doc(
            key="guest/100", text=text, version=revision.number, cls=RecordClass.API, header=header
        )
        assert store.revision == revision

    def test_class_and_header_stay_unless_written(self, store: Store) -> None:
        put(store, Write(key="a", text="1", cls=RecordClass.ROOT, header={"x": "y"}))
        put(store, Write(key="a", text="2"))
        found = store.get("a")
        assert found
        assert (found.cls, found.header) == (RecordClass.ROOT, {"x": "y"})
        put(store, Write(key="a", text="2", cls=RecordClass.PUBLIC, header={}))
        found = store.get("a")
        assert found
        assert (found.cls, found.header) == (RecordClass.PUBLIC, {})

    def test_a_new_record_is_of_class_api(self, store: Store) -> None:
        put(store, Write(key="a", text=""))
        found = store.get("a")
        assert found
        assert (found.text, found.cls, found.header) == ("", RecordClass.API, {})

    def test_lists_are_in_order_of_keys_and_end_with_the_prefix(self, store: Store) -> None:
        for key in ("guest/2", "guest/10", "guest0", "guest/1", "a", "zoo", "guest/ü", "guest"):
            put(store, Write(key=key, text=key))
        assert [doc.key for doc in store.list("guest/")] == ["guest/1", "guest/10", "guest/2", "guest/ü"]
        assert [doc.key for doc in store.list()] == sorted(texts(store))

    def test_a_deleted_record_is_gone(self, store: Store) -> None:
        put(store, Write(key="a", text="1"))
        put(store, Write(key="a", text=None))
        assert store.get("a") is None
        assert store.list() == []

    def test_a_version_is_the_number_of_the_revision_that_wrote_it(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1"))
        second = put(store, Write(key="b", text="1"))
        assert second.number > first.number
        assert [doc.version for doc in store.list()] == [first.number, second.number]

    def test_a_transaction_that_changes_nothing_is_no_revision(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1", header={"x": "y"}))
        assert put(store, Write(key="a", text="1"), Write(key="gone", text=None)) == first
        assert put(store) == first
        assert store.revision == first
        assert len(store.history()) == 1

    def test_a_wrong_expectation_is_a_conflict_and_writes_nothing(self, store: Store) -> None:
        revision = put(store, Write(key="a", text="1"))
        for expect in (0, revision.number + 1):
            with pytest.raises(Conflict, match="'a'"):
                put(store, Write(key="b", text="x"), Write(key="a", text="2", expect=expect))
        with pytest.raises(Conflict, match="'missing'"):
            put(store, Write(key="missing", text="2", expect=1))
        with pytest.raises(Conflict, match="'a'"):
            put(store, Write(key="b", text="x"), checks=(Check(key="a", expect=0),))
        assert texts(store) == {"a": "1"}
        assert store.revision == revision

    def test_right_expectations_pass(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1", expect=0))
        second = put(store, Write(key="a", text="2", expect=first.number), checks=(Check(key="b", expect=0),))
        put(store, Write(key="b", text="1"), checks=(Check(key="a", expect=second.number),))
        put(store, Write(key="a", text=None, expect=second.number))
        assert texts(store) == {"b": "1"}

    def test_a_comparison_counts_also_without_a_change(self, store: Store) -> None:
        put(store, Write(key="a", text="1"))
        with pytest.raises(Conflict):
            put(store, Write(key="a", text="1", expect=99))

    def test_a_written_record_can_be_compared_with_its_own_check(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1"))
        put(store, Write(key="a", text="2"), checks=(Check(key="a", expect=first.number),))
        assert texts(store) == {"a": "2"}

    @pytest.mark.parametrize(
        "key",
        ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a b", "a\nb", "a\0b", "x" * 513, "a/" + "y" * 256, "a\\b"],
    )
    def test_an_invalid_key_is_refused(self, store: Store, key: str) -> None:
        with pytest.raises(ParamError):
            put(store, Write(key="fine", text="x"), Write(key=key, text="x"))
        assert store.list() == []

    @pytest.mark.parametrize("text", ["x" * (MAX_TEXT + 1), "ü" * (MAX_TEXT // 2 + 1), "\ud800", "a\0b"])
    def test_an_invalid_text_is_refused(self, store: Store, text: str) -> None:
        with pytest.raises(ParamError):
            put(store, Write(key="fine", text="x"), Write(key="a", text=text))
        assert store.list() == []

    def test_the_longest_text_is_kept(self, store: Store) -> None:
        put(store, Write(key="a", text="x" * MAX_TEXT))
        found = store.get("a")
        assert found
        assert len(found.text) == MAX_TEXT

    def test_a_key_is_written_once_in_a_transaction(self, store: Store) -> None:
        with pytest.raises(ParamError):
            put(store, Write(key="a", text="1"), Write(key="a", text="2"))

    def test_many_writes_fit_and_more_are_refused(self, store: Store) -> None:
        put(store, *(Write(key=f"a/{i}", text="x") for i in range(4096)))
        assert len(store.list()) == 4096
        with pytest.raises(ParamError):
            put(store, *(Write(key=f"a/{i}", text="y") for i in range(4097)))

    def test_concurrent_increments_lose_nothing(self, store: Store) -> None:
        start = store.revision

        def increment(_turn: int) -> None:
            while True:
                doc = store.get("counter")
                number = int(doc.text) if doc else 0
                try:
                    put(store, Write(key="counter", text=str(number + 1), expect=doc.version if doc else 0))
                except Conflict:
                    continue
                return

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(increment, range(80)))
        assert texts(store) == {"counter": "80"}
        assert len(batches(store, start)) == 80

    def test_what_was_committed_is_read_at_once_by_every_thread(self, store: Store) -> None:
        def write_and_read(number: int) -> bool:
            revision = put(store, Write(key=f"a/{number}", text="x"))
            return store.get(f"a/{number}") is not None and store.revision >= revision

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(write_and_read, range(100)))

    def test_a_view_names_its_revision(self, store: Store) -> None:
        revision = put(store, Write(key="a/1", text="x"), Write(key="b", text="x"))
        assert store.view("a/") == (revision, store.list("a/"))


class TestRepeating:
    def test_the_same_id_is_applied_once(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1", expect=0), id_="t1")
        put(store, Write(key="a", text="2"), id_="t2")
        assert put(store, Write(key="a", text="1", expect=0), id_="t1") == first
        assert texts(store) == {"a": "2"}

    def test_a_refused_one_may_be_tried_again(self, store: Store) -> None:
        with pytest.raises(Conflict):
            put(store, Write(key="a", text="1", expect=7), id_="t1")
        put(store, Write(key="a", text="1", expect=0), id_="t1")
        assert texts(store) == {"a": "1"}

    def test_ids_come_along_with_a_snapshot(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1", expect=0), id_="t1")
        store.restore(store.snapshot())
        assert put(store, Write(key="a", text="1", expect=0), id_="t1") == first

    def test_an_id_is_forgotten_after_a_day(self, store: Store, clock: FakeClock) -> None:
        put(store, Write(key="a", text="1", expect=0), id_="t1")
        clock.advance(86401)
        store.prune(older_than=0, max_bytes=10**9)
        with pytest.raises(Conflict):
            put(store, Write(key="a", text="1", expect=0), id_="t1")

    def test_a_long_id_is_refused(self, store: Store) -> None:
        with pytest.raises(ParamError):
            put(store, Write(key="a", text="1"), id_="x" * 65)


class TestWatch:
    def test_it_shows_each_revision_once_and_in_order(self, store: Store) -> None:
        start = store.revision
        first = put(store, Write(key="a", text="1", cls=RecordClass.ROOT), Write(key="b", text="1"))
        second = put(store, Write(key="a", text=None), cause=Cause(who="joe@pve", why="UPID:x"))
        one, two = batches(store, start)
        assert (one.revision, two.revision) == (first, second)
        assert {change.key: change.doc.text for change in one.changes if change.doc} == {"a": "1", "b": "1"}
        assert [change.was for change in one.changes] == [None, None]
        (deleted,) = two.changes
        assert (deleted.key, deleted.doc, deleted.cls, deleted.was) == ("a", None, RecordClass.ROOT, RecordClass.ROOT)
        assert two.cause == Cause(who="joe@pve", why="UPID:x")

    def test_it_resumes_after_its_cursor(self, store: Store) -> None:
        revisions = [put(store, Write(key="a", text=str(i))) for i in range(5)]
        assert [batch.revision for batch in batches(store, revisions[2])] == revisions[3:]

    def test_it_waits_for_more(self, store: Store) -> None:
        seen: list[Batch | Reset] = []
        watch = store.watch(store.revision)
        thread = threading.Thread(target=lambda: seen.extend(islice(watch, 3)))
        thread.start()
        revisions = [put(store, Write(key="a", text=str(i))) for i in range(3)]
        thread.join()
        assert [item.revision for item in seen] == revisions

    def test_closing_ends_it(self, store: Store) -> None:
        watch = store.watch(store.revision)
        seen: list[Batch | Reset] = []
        thread = threading.Thread(target=lambda: seen.extend(watch))
        thread.start()
        watch.close()
        watch.close()
        thread.join()
        assert seen == []

    def test_closing_the_store_ends_it(self, store: Store) -> None:
        watch = store.watch(store.revision)
        thread = threading.Thread(target=lambda: list(watch))
        thread.start()
        store.close()
        thread.join()

    def test_a_cursor_behind_compaction_is_reset(self, store: Store, engine: Engine) -> None:
        revisions = [put(store, Write(key="a", text=str(i))) for i in range(5)]
        engine.compact(store, revisions[2].number)
        assert list(store.watch(revisions[1])) == [Reset(revision=revisions[4])]
        assert [batch.revision for batch in batches(store, revisions[2])] == revisions[3:]

    def test_a_cursor_of_another_era_is_reset(self, store: Store) -> None:
        put(store, Write(key="a", text="1"))
        assert list(store.watch(Revision(0, 0))) == [Reset(revision=store.revision)]
        assert list(store.watch(Revision(99, 1))) == [Reset(revision=store.revision)]

    def test_a_cursor_ahead_is_reset(self, store: Store) -> None:
        revision = put(store, Write(key="a", text="1"))
        ahead = Revision(revision.era, revision.number + 1)
        assert list(store.watch(ahead)) == [Reset(revision=revision)]

    def test_records_without_history_are_shown_too(self, store: Store) -> None:
        start = store.revision
        put(store, Write(key="a", text="1", history=False))
        assert [change.key for change in batches(store, start)[0].changes] == ["a"]

    def test_concurrent_writers_leave_no_gap_and_no_duplicate(self, store: Store) -> None:
        start = store.revision
        watch = store.watch(start)
        seen: list[Batch | Reset] = []
        thread = threading.Thread(target=lambda: seen.extend(islice(watch, 100)))
        thread.start()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: put(store, Write(key=f"a/{i % 7}", text=str(i))), range(100)))
        thread.join()
        assert [item.revision for item in seen] == sorted(answers)
        shadow: dict[str, str] = {}
        for item in seen:
            assert isinstance(item, Batch)
            shadow |= {change.key: change.doc.text for change in item.changes if change.doc}
        assert shadow == texts(store)


class TestLeases:
    def test_one_holder_at_a_time(self, store: Store) -> None:
        lease = store.lease("node/a", "one", 10)
        assert lease
        assert store.lease("node/a", "two", 10) is None
        assert store.lease("node/b", "two", 10)
        lease.release()
        assert store.lease("node/a", "two", 10)

    def test_it_ends_when_not_renewed(self, store: Store, clock: FakeClock) -> None:
        lease = store.lease("a", "one", 10)
        assert lease
        clock.advance(9)
        assert lease.renew()
        clock.advance(9)
        assert lease.renew()
        assert store.held("a", "one")
        clock.advance(10.1)
        assert store.held("a", "one") is None
        assert not lease.renew()
        assert store.lease("a", "two", 10)
        assert not lease.renew()

    def test_its_holder_may_take_it_again(self, store: Store, clock: FakeClock) -> None:
        assert store.lease("a", "one", 10)
        clock.advance(9)
        assert store.lease("a", "one", 10)
        clock.advance(9)
        assert store.held("a", "one")
        assert store.held("a", "two") is None

    def test_releasing_what_another_holds_now_changes_nothing(self, store: Store, clock: FakeClock) -> None:
        lease = store.lease("a", "one", 1)
        assert lease
        clock.advance(2)
        assert store.lease("a", "two", 10)
        lease.release()
        lease.release()
        assert store.held("a", "two")

    def test_it_has_no_revision_and_no_history(self, store: Store) -> None:
        before = store.revision
        lease = store.lease("a", "one", 1)
        assert lease
        lease.renew()
        lease.release()
        assert store.revision == before
        assert store.list() == []
        assert not store.history()


class TestHistory:
    def test_it_tells_who_why_when_and_what(self, store: Store, clock: FakeClock) -> None:
        first = put(store, Write(key="guest/100", text="cores: 1\n"), cause=Cause(who="a@pve", why="create"))
        clock.advance(5)
        second = put(store, Write(key="guest/100", text="cores: 2\n"), cause=Cause(who="b@pve", why="set"))
        third = put(store, Write(key="guest/100", text=None), cause=Cause(who="c@pve"))
        newest, middle, oldest = store.history("guest/100")
        assert (oldest.revision, oldest.before, oldest.after) == (first, None, "cores: 1\n")
        assert (middle.revision, middle.before, middle.after) == (second, "cores: 1\n", "cores: 2\n")
        assert (newest.revision, newest.before, newest.after) == (third, "cores: 2\n", None)
        assert [past.cause.who for past in (newest, middle, oldest)] == ["c@pve", "b@pve", "a@pve"]
        assert middle.cause.why == "set"
        assert middle.time == oldest.time + 5

    def test_it_is_limited_and_goes_on_before_a_revision(self, store: Store) -> None:
        revisions = [put(store, Write(key="a", text=str(i))) for i in range(6)]
        page = store.history(limit=2)
        assert [past.revision for past in page] == [revisions[5], revisions[4]]
        page = store.history(limit=2, before=page[-1].revision)
        assert [(past.revision, past.after) for past in page] == [(revisions[3], "3"), (revisions[2], "2")]

    def test_a_prefix_is_a_prefix_and_exact_is_one_record(self, store: Store) -> None:
        for key in ("guest/10", "guest/100", "storage.cfg"):
            put(store, Write(key=key, text="x"))
        assert [past.key for past in store.history("guest/10")] == ["guest/100", "guest/10"]
        assert [past.key for past in store.history("guest/10", exact=True)] == ["guest/10"]
        assert len(store.history()) == 3

    def test_all_records_of_a_revision_are_told(self, store: Store) -> None:
        put(store, Write(key="b", text="1"), Write(key="a", text="1"))
        assert [past.key for past in store.history()] == ["b", "a"]

    def test_records_without_history_have_none(self, store: Store) -> None:
        put(store, Write(key="a", text="1", history=False))
        put(store, Write(key="a", text="2", history=False))
        put(store, Write(key="a", text=None, history=False))
        assert not store.history()

    def test_a_record_that_has_history_keeps_it(self, store: Store) -> None:
        put(store, Write(key="a", text="1"))
        put(store, Write(key="a", text="2", history=False))
        put(store, Write(key="a", text=None, history=False))
        assert [(past.before, past.after) for past in store.history()] == [("2", None), ("1", "2"), (None, "1")]

    def test_a_record_may_begin_to_have_history(self, store: Store) -> None:
        put(store, Write(key="a", text="1", history=False))
        put(store, Write(key="a", text="2"))
        assert [(past.before, past.after) for past in store.history()] == [("1", "2")]

    def test_secrets_are_redacted_below_class_root(self, store: Store) -> None:
        put(store, Write(key="a", text="user: x\ncipassword: abc\n", cls=RecordClass.API))
        put(store, Write(key="a", text="user: y\ncipassword: def\n"))
        put(store, Write(key="a", text="none\n"))
        assert [past.after for past in store.history()] == [
            "none\n",
            "user: y\ncipassword: ***\n",
            "user: x\ncipassword: ***\n",
        ]
        assert all("abc" not in (past.before or "") and "def" not in (past.before or "") for past in store.history())

    def test_class_root_keeps_its_texts_and_its_class(self, store: Store) -> None:
        put(store, Write(key="a", text="password: abc\n", cls=RecordClass.ROOT))
        put(store, Write(key="a", text="password: def\n"))
        assert [(past.before, past.cls) for past in store.history()] == [
            ("password: abc\n", RecordClass.ROOT),
            (None, RecordClass.ROOT),
        ]

    def test_a_change_of_class_is_told_at_the_higher_one(self, store: Store) -> None:
        put(store, Write(key="a", text="x", cls=RecordClass.PUBLIC))
        put(store, Write(key="a", text="x", cls=RecordClass.ROOT))
        put(store, Write(key="a", text="x", cls=RecordClass.API))
        assert [past.cls for past in store.history()] == [RecordClass.ROOT, RecordClass.ROOT, RecordClass.PUBLIC]

    def test_as_of_gives_the_texts_of_then(self, store: Store) -> None:
        empty = store.revision
        first = put(store, Write(key="a", text="1"), Write(key="b", text="1"))
        second = put(store, Write(key="a", text="2"), Write(key="c/d", text="1"))
        third = put(store, Write(key="a", text=None))
        assert texts_at(store, empty) == {}
        assert texts_at(store, first) == {"a": "1", "b": "1"}
        assert texts_at(store, second) == {"a": "2", "b": "1", "c/d": "1"}
        assert texts_at(store, second, "c/") == {"c/d": "1"}
        assert texts_at(store, third) == {"b": "1", "c/d": "1"}

    def test_as_of_leaves_out_later_records_without_history(self, store: Store) -> None:
        put(store, Write(key="early", text="1", history=False))
        then = put(store, Write(key="a", text="1"))
        put(store, Write(key="late", text="1", history=False))
        assert texts_at(store, then) == {"a": "1", "early": "1"}

    def test_as_of_one_record(self, store: Store) -> None:
        first = put(store, Write(key="guest/10", text="1"), Write(key="guest/100", text="1"))
        second = put(store, Write(key="guest/10", text="2", cls=RecordClass.ROOT))
        put(store, Write(key="guest/10", text=None))
        assert store.as_of(first, "guest/10", exact=True) == {"guest/10": ("1", RecordClass.ROOT)}
        assert store.as_of(second, "guest/10", exact=True) == {"guest/10": ("2", RecordClass.ROOT)}
        assert store.as_of(second, "guest/100", exact=True) == {"guest/100": ("1", RecordClass.API)}
        assert not store.as_of(store.revision, "guest/10", exact=True)
        assert not store.as_of(second, "guest/1", exact=True)

    def test_touches_are_filtered_by_record_user_and_revision(self, store: Store) -> None:
        joe = Cause(who="joe@pve", why="a call")
        first = put(store, Write(key="guest/10", text="1"), Write(key="guest/100", text="1"))
        second = put(store, Write(key="guest/10", text="2", cls=RecordClass.ROOT), cause=joe)
        put(store, Write(key="quiet", text="1", history=False), cause=joe)
        third = put(store, Write(key="user.cfg", text="1"), cause=joe)
        assert [(touch.revision, touch.key) for touch in store.touches()] == [
            (third, "user.cfg"), (second, "guest/10"), (first, "guest/100"), (first, "guest/10"),
        ]  # fmt: skip
        newest = store.touches("guest/", limit=1)[0]
        assert (newest.key, newest.cause, newest.cls) == ("guest/10", joe, RecordClass.ROOT)
        assert [touch.revision for touch in store.touches("guest/10", exact=True)] == [second, first]
        assert [touch.revision for touch in store.touches("guest/", who="joe@pve")] == [second]
        assert [touch.key for touch in store.touches(after=first)] == ["user.cfg", "guest/10"]
        assert [touch.key for touch in store.touches(after=first, before=third)] == ["guest/10"]
        assert [touch.key for touch in store.touches(before=second, limit=1)] == ["guest/100"]
        assert not store.touches("guest/1", exact=True)

    def test_a_moment_is_the_newest_revision_by_then(self, store: Store, clock: FakeClock) -> None:
        assert store.moment(clock.now()) is None
        start = clock.now()
        first = put(store, Write(key="a", text="1"))
        second = put(store, Write(key="a", text="2"))
        clock.advance(10)
        third = put(store, Write(key="a", text="3"))
        assert store.moment(start - 1) is None
        assert store.moment(start) == store.moment(start + 9) == second > first
        assert store.moment(start + 10) == store.moment(start + 1000) == third

    def test_as_of_the_future_is_not_found(self, store: Store) -> None:
        revision = put(store, Write(key="a", text="1"))
        with pytest.raises(NotFound):
            store.as_of(Revision(revision.era, revision.number + 1))

    def test_prune_by_age(self, store: Store, clock: FakeClock) -> None:
        put(store, Write(key="a", text="1"))
        second = put(store, Write(key="a", text="2"))
        clock.advance(100)
        third = put(store, Write(key="a", text="3"))
        assert store.prune(older_than=clock.now() - 50, max_bytes=10**9) == 2
        assert [past.revision for past in store.history()] == [third]
        assert texts_at(store, second) == {"a": "2"}
        with pytest.raises(NotFound):
            store.as_of(Revision(second.era, second.number - 1))
        assert texts(store) == {"a": "3"}

    def test_prune_by_size(self, store: Store) -> None:
        for i in range(20):
            put(store, Write(key="a", text=f"{i}" * 50))
        gone = store.prune(older_than=0, max_bytes=200)
        kept = store.history()
        assert 0 < gone < 20
        assert gone + len(kept) == 20
        assert kept[0].revision == store.revision
        assert store.prune(older_than=0, max_bytes=200) == 0


class TestSnapshot:
    def test_it_restores_all_but_leases(self, store: Store, clock: FakeClock) -> None:
        put(store, Write(key="a", text="1", cls=RecordClass.ROOT, header={"k": "v"}))
        put(store, Write(key="b", text="1", history=False))
        put(store, Write(key="a", text="2"))
        image, before, past = store.snapshot(), store.list(), store.history()
        put(store, Write(key="a", text=None), Write(key="c", text="1"))
        assert store.lease("l", "one", 100)
        clock.advance(1)
        old = store.revision
        revision = store.restore(image)
        assert revision.era == old.era + 1
        assert revision.number > old.number
        assert store.revision == revision
        assert [(d.key, d.text, d.cls, d.header, d.history) for d in store.list()] == [
            (d.key, d.text, d.cls, d.header, d.history) for d in before
        ]
        assert store.history() == past
        assert store.held("l", "one")

    def test_nothing_read_before_a_restore_compares_equal(self, store: Store) -> None:
        read = put(store, Write(key="a", text="1"))
        revision = store.restore(store.snapshot())
        with pytest.raises(Conflict):
            put(store, Write(key="a", text="2", expect=read.number))
        put(store, Write(key="a", text="2", expect=revision.number))

    def test_a_watcher_is_reset_by_a_restore(self, store: Store) -> None:
        old = put(store, Write(key="a", text="1"))
        waiting = store.watch(old)
        seen: list[Batch | Reset] = []
        thread = threading.Thread(target=lambda: seen.extend(waiting))
        thread.start()
        revision = store.restore(store.snapshot())
        thread.join()
        assert seen == [Reset(revision=revision)]
        put(store, Write(key="a", text="2"))
        assert len(batches(store, revision)) == 1

    def test_history_reaches_across_a_restore(self, store: Store) -> None:
        first = put(store, Write(key="a", text="1"))
        second = put(store, Write(key="a", text="2"))
        image = store.snapshot()
        undone = put(store, Write(key="a", text="3"))
        restored = store.restore(image)
        last = put(store, Write(key="a", text="4"))
        assert texts_at(store, first) == {"a": "1"}
        assert texts_at(store, second) == texts_at(store, restored) == {"a": "2"}
        assert texts_at(store, last) == {"a": "4"}
        with pytest.raises(NotFound):
            store.as_of(undone)
        assert [past.after for past in store.history()] == ["4", "2", "1"]

    @pytest.mark.parametrize("other", ENGINES, ids=lambda other: f"into-{other.name}")
    def test_every_engine_restores_it(self, store: Store, other: Engine, tmp_path: Path, clock: FakeClock) -> None:
        put(store, Write(key="a", text="1"), Write(key="b", text="password: x", cls=RecordClass.ROOT))
        put(store, Write(key="a", text="2"))
        target = other.open(tmp_path / "other", clock)
        try:
            revision = target.restore(store.snapshot())
            assert revision > store.revision
            assert texts(target) == texts(store)
            assert target.history() == store.history()
        finally:
            target.close()

    @pytest.mark.parametrize(
        "spoil", [lambda b: b"", lambda b: b[:-1], lambda b: b[:40] + b"x" + b[41:], lambda b: b"x" + b]
    )
    def test_a_damaged_image_changes_nothing(self, store: Store, spoil: Callable[[bytes], bytes]) -> None:
        revision = put(store, Write(key="a", text="1"))
        with pytest.raises(ParamError):
            store.restore(spoil(store.snapshot()))
        assert store.revision == revision
        assert texts(store) == {"a": "1"}


class TestClosing:
    def test_reads_and_commits_are_unavailable_afterwards(self, store: Store) -> None:
        store.close()
        store.close()
        for verb in (store.list, lambda: store.get("a"), store.view, lambda: put(store, Write(key="a", text="1"))):
            with pytest.raises(Unavailable):
                verb()


class TestOpening:
    @pytest.fixture(autouse=True)
    def only_engines_that_keep(self, engine: Engine) -> None:
        if not engine.keeps:
            pytest.skip("keeps nothing beyond its process, by purpose")

    def test_all_is_there_again(self, opened: Callable[[], Store], store: Store) -> None:
        first = put(store, Write(key="a", text="1", header={"x": "y"}), id_="t1")
        put(store, Write(key="a", text="2", cls=RecordClass.ROOT))
        last = put(store, Write(key="b", text="2", history=False))
        before = (store.revision, store.list(), store.history(), store.as_of(first))
        store.close()
        again = opened()
        assert (again.revision, again.list(), again.history(), again.as_of(first)) == before
        assert put(again, Write(key="a", text="1"), id_="t1") == first
        assert put(again, Write(key="a", text="3")) > last

    def test_watches_go_on_or_are_reset(self, opened: Callable[[], Store], store: Store) -> None:
        first = put(store, Write(key="a", text="1"))
        second = put(store, Write(key="a", text="2"))
        store.close()
        again = opened()
        item = next(iter(again.watch(first)))
        assert isinstance(item, Reset) or item.revision == second
        third = put(again, Write(key="a", text="3"))
        assert [batch.revision for batch in batches(again, second)] == [third]

    def test_eras_and_floors_stay(self, opened: Callable[[], Store], store: Store, clock: FakeClock) -> None:
        first = put(store, Write(key="a", text="1"))
        second = put(store, Write(key="a", text="2"))
        store.prune(older_than=clock.now() + 1, max_bytes=10**9)
        revision = store.restore(store.snapshot())
        store.close()
        again = opened()
        assert again.revision == revision
        assert texts_at(again, second) == {"a": "2"}
        with pytest.raises(NotFound):
            again.as_of(first)

    def test_leases_begin_anew(self, opened: Callable[[], Store], store: Store, clock: FakeClock) -> None:
        assert store.lease("a", "one", 10)
        given_back = store.lease("b", "one", 10)
        assert given_back
        given_back.release()
        clock.advance(8)
        store.close()
        again = opened()
        clock.advance(8)
        lease = again.held("a", "one")
        assert lease
        assert lease.renew()
        assert again.lease("a", "two", 10) is None
        assert again.held("b", "one") is None
