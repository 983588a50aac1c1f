"""The file of a sqlite store: its creation, tables, and records and change records as rows."""

from __future__ import annotations

import contextlib
import os
import queue
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import msgspec
import zstandard

from corral.core.errors import Error, Unavailable
from corral.store.base import Cause, Doc, RecordClass, Revision, Touch
from corral.store.history import Entry
from corral.system.files import sync_directory

FORMAT = 1
_IDLE_READERS = 8

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ended (era INTEGER PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS record (
    key TEXT PRIMARY KEY, version INTEGER NOT NULL, class TEXT NOT NULL, header TEXT NOT NULL,
    history INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS past (
    number INTEGER NOT NULL, key TEXT NOT NULL, era INTEGER NOT NULL, time REAL NOT NULL, who TEXT NOT NULL,
    why TEXT NOT NULL, class TEXT NOT NULL, size INTEGER NOT NULL, before BLOB,
    PRIMARY KEY (number, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS past_key ON past (key, number);
CREATE INDEX IF NOT EXISTS past_who ON past (who, number);
CREATE INDEX IF NOT EXISTS past_time ON past (time, number);
CREATE TABLE IF NOT EXISTS applied (
    id TEXT PRIMARY KEY, era INTEGER NOT NULL, number INTEGER NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, ttl REAL NOT NULL) WITHOUT ROWID;
"""
_META = {"format": FORMAT, "era": 1, "number": 0, "floor": 0}

Row = tuple[object, ...]


def create(path: Path) -> None:
    """Make an empty file (0600) and its directory (0700) so that their names survive a crash; keep what is there."""
    made = [parent for parent in (path.parent, *path.parent.parents) if not parent.exists()]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    for directory in {path.parent, *(parent.parent for parent in made)}:
        sync_directory(directory)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; never makes the file."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, check_same_thread=False, timeout=5
    )
    connection.execute("PRAGMA temp_store=MEMORY")
    return connection


def open_writer(path: Path, *, durable: bool) -> sqlite3.Connection:
    """The connection that writes, with all tables there."""
    connection = connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
    connection.execute("PRAGMA wal_autocheckpoint=2000")
    connection.execute("PRAGMA journal_size_limit=67108864")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.executemany("INSERT OR IGNORE INTO meta VALUES (?, ?)", _META.items())
    connection.execute("COMMIT")
    if (found := meta(connection)["format"]) != FORMAT:
        connection.close()
        raise Error(f"the store '{path}' has format {found}, this version knows {FORMAT}")
    return connection


class Readers:
    """Connections for reading, handed out to one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue(_IDLE_READERS)
        self._closed = False

    @contextlib.contextmanager
    def take(self) -> Iterator[sqlite3.Connection]:
        """A connection for the time of the `with`."""
        connection = self._open()
        try:
            yield connection
        finally:
            try:
                self._idle.put_nowait(connection)
            except queue.Full:
                connection.close()
            if self._closed:
                self.close()

    @contextlib.contextmanager
    def moment(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows one moment of the store for the time of the `with`."""
        with self.take() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable("the store is closed")
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            connection = connect(self._path)
            connection.execute("PRAGMA query_only=1")
            return connection

    def close(self) -> None:
        """Close the idle connections, and those in use when they are given back."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def meta(connection: sqlite3.Connection) -> dict[str, int]:
    """The store's few numbers."""
    return dict(connection.execute("SELECT name, value FROM meta"))


def set_meta(connection: sqlite3.Connection, **values: int) -> None:
    """Set some of them."""
    connection.executemany("UPDATE meta SET value = ? WHERE name = ?", [(v, name) for name, v in values.items()])


def present(connection: sqlite3.Connection) -> Revision:
    """The revision of the moment that the connection sees."""
    values = meta(connection)
    return Revision(values["era"], values["number"])


def span(prefix: str) -> tuple[str, str]:
    """Bounds of the keys below a prefix: the highest code point is not printable, so no key has it."""
    return prefix, prefix + "\U0010ffff"


DOC = "SELECT key, version, class, header, history, text FROM record"


def doc(row: Row) -> Doc:
    """A row of `DOC` as a record."""
    key, version, cls, header, history, text = row
    return msgspec.convert(
        {
            "key": key,
            "version": version,
            "cls": cls,
            "header": msgspec.json.decode(str(header)),
            "history": bool(history),
            "text": text,
        },
        Doc,
    )


def put(connection: sqlite3.Connection, docs: Iterable[Doc]) -> None:
    """Write records as they are."""
    connection.executemany(
        "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                d.key,
                d.version,
                d.cls.value,
                msgspec.json.encode(d.header).decode() if d.header else "{}",
                d.history,
                d.text,
            )
            for d in docs
        ],
    )


ENTRY = "SELECT number, key, era, time, who, why, class, before FROM past"


def entry(row: tuple[int, str, int, float, str, str, str, bytes | None]) -> Entry:
    """A row of `ENTRY` as a change record."""
    number, key, era, time, who, why, cls, before = row
    return Entry(
        key=key,
        revision=Revision(era, number),
        time=time,
        cause=Cause(who=who, why=why),
        cls=RecordClass(cls),
        before=text(before),
    )


TOUCH = "SELECT number, key, era, time, who, why, class FROM past"


def touch(row: tuple[int, str, int, float, str, str, str]) -> Touch:
    """A row of `TOUCH`."""
    number, key, era, time, who, why, cls = row
    cause = Cause(who=who, why=why)
    return Touch(key=key, revision=Revision(era, number), time=time, cause=cause, cls=RecordClass(cls))


def text(blob: bytes | None) -> str | None:
    """The inverse of how `add` keeps a text."""
    return None if blob is None else zstandard.decompress(blob).decode()


def add(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Write change records; texts are compressed."""
    if not entries:
        return
    # Not kept from call to call: a compressor must not be used by two threads, and stores have one each.
    compressor = zstandard.ZstdCompressor(level=3)
    rows = []
    for e in entries:
        before = None if e.before is None else compressor.compress(e.before.encode())
        size = len(before or b"")
        row = (e.revision.number, e.key, e.revision.era, e.time, e.cause.who, e.cause.why, e.cls.value, size, before)
        rows.append(row)
    connection.executemany("INSERT INTO past VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
