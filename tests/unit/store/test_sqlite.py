"""What only the engine with a file does: its file, its one owner, and what happens when it can't write."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.core.errors import Error, Locked, NoQuorum, TimedOut
from corral.store import sqlite_file
from corral.store.base import Cause, RecordClass, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.sqlite import SqliteStore
from corral.store.writer import Job, Writer
from corral.system.fakes import FakeClock
from corral.system.locks import try_lock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "lib" / "store.db"


@pytest.fixture
def store(path: Path, clock: FakeClock) -> Iterator[SqliteStore]:
    store = SqliteStore(path, clock)
    yield store
    store.close()


def put(store: SqliteStore | MemoryStore, *writes: Write, id_: str = "") -> Revision:
    return store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes, id=id_))


def test_only_its_owner_may_read_it(store: SqliteStore, path: Path) -> None:
    put(store, Write(key="a", text="secret"))
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o755


def test_it_writes_ahead_and_synchronously(store: SqliteStore) -> None:
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.check() == []


def test_it_has_one_owner(path: Path, clock: FakeClock) -> None:
    path.parent.mkdir(parents=True)
    held = try_lock(path.with_name("store.db.lock"))
    assert held
    with held, pytest.raises(Locked):
        SqliteStore(path, clock)
    SqliteStore(path, clock).close()


def test_a_crash_during_creation_is_mended(path: Path, clock: FakeClock) -> None:
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    store = SqliteStore(path, clock)
    put(store, Write(key="a", text="1"))
    store.close()


def test_a_store_of_a_later_format_is_left_alone(path: Path, clock: FakeClock) -> None:
    SqliteStore(path, clock).close()
    connection = sqlite_file.connect(path)
    connection.execute("UPDATE meta SET value = 99 WHERE name = 'format'")
    connection.close()
    with pytest.raises(Error, match="format 99"):
        SqliteStore(path, clock)


def test_it_never_makes_a_file_where_one_vanished(store: SqliteStore, path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        sqlite_file.connect(path.with_name("other.db"))


def test_a_full_disk_is_no_quorum_and_writes_nothing(store: SqliteStore) -> None:
    revision = put(store, Write(key="a", text="1"))
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(NoQuorum, match="full"):
        put(store, Write(key="a", text="2"), Write(key="b", text="x" * 500_000))
    assert store.revision == revision
    assert [doc.text for doc in store.list()] == ["1"]
    store._connection.execute("PRAGMA max_page_count=1000000")
    assert put(store, Write(key="b", text="x" * 500_000)).number == revision.number + 1


def test_its_snapshot_is_the_memory_engine_s(store: SqliteStore, clock: FakeClock) -> None:
    memory = MemoryStore(clock)
    for each in (store, memory):
        put(each, Write(key="b", text="1"), Write(key="a", text="1", header={"x": "y"}), id_="t")
        put(each, Write(key="a", text="2", cls=RecordClass.PUBLIC))
    assert store.snapshot() == memory.snapshot()


def test_history_is_compressed(store: SqliteStore) -> None:
    put(store, Write(key="a", text="x" * 100_000))
    put(store, Write(key="a", text="y" * 100_000))
    assert store._connection.execute("SELECT max(size) FROM past").fetchone()[0] < 1000


class Bench:
    """A writer on a bare connection."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("CREATE TABLE t (x INTEGER)")
        self.published = 0
        self.writer = Writer(
            self.connection, begin=lambda: None, finish=lambda _connection: None, published=self._published
        )

    def _published(self) -> None:
        self.published += 1

    def rows(self) -> int:
        return int(self.connection.execute("SELECT count(*) FROM t").fetchone()[0])


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.writer.close()
    bench.connection.close()


def insert(connection: sqlite3.Connection) -> str:
    connection.execute("INSERT INTO t VALUES (1)")
    return "done"


class Gate:
    """A job that holds the writer until it is let go."""

    def __init__(self, bench: Bench) -> None:
        self.entered, self.open = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=lambda: bench.writer.call(Job(self.run), 30))
        self.thread.start()
        self.entered.wait()

    def run(self, _connection: sqlite3.Connection) -> None:
        self.entered.set()
        self.open.wait()

    def let_go(self) -> None:
        self.open.set()
        self.thread.join()


def test_a_write_that_did_not_begin_in_time_never_does(bench: Bench) -> None:
    gate = Gate(bench)
    with pytest.raises(TimedOut, match="nothing was changed"):
        bench.writer.call(Job(insert), 0.01)
    gate.let_go()
    assert bench.writer.call(Job(insert), 10) == "done"
    assert bench.rows() == 1


def test_a_write_that_takes_too_long_says_that_it_may_still_happen(bench: Bench) -> None:
    release = threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        release.wait()
        insert(connection)

    started = threading.Timer(0.05, release.set)
    started.start()
    with pytest.raises(TimedOut, match="may do so later"):
        bench.writer.call(Job(slow), 0.01)
    started.join()
    bench.writer.call(Job(insert), 10)
    assert bench.rows() == 2


def test_those_that_wait_share_a_transaction_and_one_refusal_harms_no_other(bench: Bench) -> None:
    gate = Gate(bench)
    results: list[object] = []

    def refuse(_connection: sqlite3.Connection) -> None:
        raise Error("no")

    def call(run: object) -> None:
        try:
            results.append(bench.writer.call(Job(refuse if run == "refuse" else insert), 10))
        except Error as exc:
            results.append(str(exc))

    threads = [threading.Thread(target=call, args=(kind,)) for kind in ("insert", "refuse", "insert")]
    for thread in threads:
        thread.start()
    while bench.writer._queue.qsize() < 3:
        pass
    gate.let_go()
    for thread in threads:
        thread.join()
    assert sorted(map(str, results)) == ["done", "done", "no"]
    assert bench.rows() == 2
    assert bench.published == 2


def test_a_bug_in_one_job_rolls_its_group_back(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    def broken(connection: sqlite3.Connection) -> None:
        insert(connection)
        raise RuntimeError("oops")

    with pytest.raises(Error, match="oops"):
        bench.writer.call(Job(broken), 10)
    assert "a job of the store failed" in caplog.text
    assert bench.rows() == 0
    assert bench.published == 0


class FailingDisk:
    """A connection whose disk fails at the commit."""

    in_transaction = False

    def execute(self, statement: str) -> None:
        if statement == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error


def test_after_a_failed_sync_nothing_is_written_any_more(caplog: pytest.LogCaptureFixture) -> None:
    writer = Writer(
        FailingDisk(),  # type: ignore[arg-type]  # the two things of a connection that a writer uses
        begin=lambda: None,
        finish=lambda _connection: None,
        published=lambda: None,
    )
    with pytest.raises(TimedOut, match="may or may not have been kept"):
        writer.call(Job(lambda _connection: None), 10)
    with pytest.raises(NoQuorum, match="until a restart"):
        writer.call(Job(lambda _connection: None), 10)
    writer.close()
