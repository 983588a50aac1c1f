"""What the crash tests let die: threads that write pairs of records as fast as they can and say what was acknowledged.

    python writer.py FILE                       write for ever; one line `ack <thread> <number>` for each commit
    python writer.py FILE --report              say what the file holds, as one line of JSON

Thread t's n-th transaction sets `pair/<t>/a` and `pair/<t>/b` to n, so that a store that holds n commits of thread t
shows n in both, and its revision is the sum over all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from corral.core.errors import Error
from corral.store.base import Cause, Store, Transaction, Write
from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock

THREADS = 3
FILLER = "description: something that makes a text as long as a guest's\n" * 8


def text(number: int) -> str:
    return f"number: {number}\n{FILLER}"


def number_in(found: str | None) -> int:
    return int(found.split("\n", 1)[0].removeprefix("number: ")) if found else 0


def transaction(thread: int, number: int) -> Transaction:
    return Transaction(
        cause=Cause(who="root@pam", why=f"write {number}"),
        writes=tuple(Write(key=f"pair/{thread}/{half}", text=text(number)) for half in "ab"),
        id=f"{thread}-{number}",
    )


def write(store: Store, thread: int, acknowledge: Callable[[int, int], None]) -> None:
    """Write from where the thread left off, until the store fails."""
    doc = store.get(f"pair/{thread}/a")
    number = number_in(doc.text if doc else None)
    while True:
        number += 1
        try:
            store.commit(transaction(thread, number))
        except Error:
            return
        acknowledge(thread, number)


def write_all(store: Store, out: int) -> None:
    """All threads, and now and then a pruning; acknowledgements go to the descriptor `out`."""

    def acknowledge(thread: int, number: int) -> None:
        os.write(out, f"ack {thread} {number}\n".encode())
        if number % 200 == 0:
            store.prune(older_than=0, max_bytes=50_000)

    threads = [threading.Thread(target=write, args=(store, t, acknowledge), daemon=True) for t in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def report(store: SqliteStore) -> dict[str, object]:
    """What the store holds; `faults` says what must never be: halves, gaps, damage."""
    faults = store.check()
    numbers = []
    docs = {doc.key: doc.text for doc in store.list("pair/")}
    for thread in range(THREADS):
        a, b = (number_in(docs.get(f"pair/{thread}/{half}")) for half in "ab")
        numbers.append(a)
        if a != b:
            faults.append(f"thread {thread}: half a transaction, {a} and {b}")
        if a and store.commit(transaction(thread, a)).number > store.revision.number:
            faults.append(f"thread {thread}: the transaction {a} was not remembered")
        for past in store.history(f"pair/{thread}/a", exact=True, limit=20):
            if number_in(past.after) != number_in(past.before) + 1:
                faults.append(f"thread {thread}: history goes from {past.before!r} to {past.after!r}")
    if sum(numbers) != store.revision.number:
        faults.append(f"revision {store.revision} after {numbers} transactions")
    return {"numbers": numbers, "revision": store.revision.number, "faults": faults}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    store = SqliteStore(arguments.file, SystemClock())
    if arguments.report:
        print(json.dumps(report(store)))
        store.close()
    else:
        write_all(store, sys.stdout.fileno())


if __name__ == "__main__":
    main()
