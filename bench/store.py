"""The store: durable transactions with history beside plain sqlite; ten thousand records read from the mirror."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import Row
from corral.store.base import Cause, Doc, RecordClass, Revision, Transaction, Write
from corral.store.mirror import Mirror
from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock

SECONDS = 2.0
RECORDS = 10_000
TEXT = "boot: order=scsi0\ncores: 2\nmemory: 2048\nname: guest\nnet0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n" * 5


def rate(threads: int, write: Callable[[int, int], None]) -> float:
    """Writes per second of so many threads; each is given its number and counts up."""
    end = time.monotonic() + SECONDS
    counts = [0] * threads

    def run(thread: int) -> None:
        while time.monotonic() < end:
            counts[thread] += 1
            write(thread, counts[thread])

    workers = [threading.Thread(target=run, args=(thread,)) for thread in range(threads)]
    start = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.monotonic() - start)


def ours(directory: Path, threads: int) -> float:
    """Transactions of one record each, with history, on disk when they return."""
    store = SqliteStore(directory / f"ours-{threads}.db", SystemClock())

    def write(thread: int, number: int) -> None:
        change = Write(key=f"guest/{100 + thread * 100 + number % 100}", text=f"{TEXT}tags: t{number}\n")
        store.commit(Transaction(cause=Cause(who="root@pam", why="bench"), writes=(change,)))

    try:
        return rate(threads, write)
    finally:
        store.close()


def plain(directory: Path, threads: int) -> float:
    """What one would write without us: the same texts without history, each in a sqlite transaction of its own."""
    path = directory / f"plain-{threads}.db"
    connections = [
        sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=60) for _thread in range(threads)
    ]
    for connection in connections:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    connections[0].execute("CREATE TABLE record (key TEXT PRIMARY KEY, text TEXT)")
    lock = threading.Lock()

    def write(thread: int, number: int) -> None:
        key = f"guest/{100 + thread * 100 + number % 100}"
        with lock:  # far better than sqlite's own waiting, which sleeps
            connections[thread].execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?)", (key, f"{TEXT}tags: t{number}\n")
            )

    try:
        return rate(threads, write)
    finally:
        for connection in connections:
            connection.close()


def median_ms(call: Callable[[], object]) -> float:
    """Milliseconds of a call, the median of twenty."""
    times = []
    for _turn in range(20):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def size(doc: Doc) -> int:
    """The cheapest parser there is."""
    return len(doc.text)


def measure() -> Iterator[Row]:
    """Writes by 1 and 16 threads, then reads."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as name:
        directory = Path(name)
        for threads in (1, 16):
            yield Row(
                "store",
                f"durable_transactions_{threads}_threads_per_s",
                ours(directory, threads),
                plain(directory, threads),
            )
        docs = [Doc(key=f"guest/{100 + i}", text=TEXT, version=i + 1, cls=RecordClass.API) for i in range(RECORDS)]
        mirror = Mirror()
        mirror.load(Revision(1, RECORDS), docs)
        with sqlite3.connect(directory / "list.db") as connection:
            connection.execute("CREATE TABLE record (key TEXT PRIMARY KEY, text TEXT)")
            connection.executemany("INSERT INTO record VALUES (?, ?)", [(doc.key, doc.text) for doc in docs])
            query = "SELECT key, text FROM record WHERE key >= 'guest/' AND key < 'guest0' ORDER BY key"
            peer = median_ms(lambda: connection.execute(query).fetchall())
        connection.close()
        yield Row("store", "list_10000_from_mirror_ms", median_ms(lambda: mirror.list("guest/")), peer)
        list(mirror.parsed_list("guest/", size))
        yield Row("store", "list_10000_parsed_ms", median_ms(lambda: list(mirror.parsed_list("guest/", size))))
        yield Row("store", "load_10000_ms", median_ms(lambda: mirror.load(Revision(1, RECORDS), docs)))


if __name__ == "__main__":
    for row in measure():
        print(row.line(), flush=True)
