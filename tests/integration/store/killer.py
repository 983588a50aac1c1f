"""Kills writers: forks one after the other on one store, ends each by SIGKILL at a random moment, looks what is left.

    python killer.py FILE ROUNDS SEED           prints one line of JSON

A program of its own, because only a process with one thread may fork at will.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock
from tests.integration.store.writer import THREADS, report, write_all

LONGEST = 0.06
"""The latest moment of a kill, in seconds after the fork: opening the store takes a tenth of that."""


def one_life(path: Path, lifetime: float) -> list[tuple[int, int]]:
    """Fork a writer, kill it after `lifetime` seconds, answer what it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        write_all(SqliteStore(path, SystemClock()), writing)
        os._exit(3)  # a writer never ends by itself
    os.close(writing)
    time.sleep(lifetime)
    os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as acknowledged:
        lines = acknowledged.readlines()
    _pid, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "the writer ended by itself"
    pairs = [line.split() for line in lines if line.endswith("\n")]
    return [(int(thread), int(number)) for _ack, thread, number in pairs]


def inspect(path: Path) -> dict[str, object]:
    """What the store holds, looked at by a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        store = SqliteStore(path, SystemClock())
        os.write(writing, json.dumps(report(store)).encode())
        os._exit(0)  # without closing the store: the next one finds its write-ahead log
    os.close(writing)
    with os.fdopen(reading) as answer:
        found: dict[str, object] = json.loads(answer.read())
    os.waitpid(child, 0)
    return found


def main() -> None:
    path, rounds, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    known = [0] * THREADS
    faults: list[str] = []
    acknowledged = empty = 0
    for turn in range(rounds):
        acks = one_life(path, chance.uniform(0, LONGEST))
        acknowledged += len(acks)
        empty += not acks
        for thread, number in acks:
            known[thread] = max(known[thread], number)
        found = inspect(path)
        numbers = found["numbers"]
        assert isinstance(numbers, list)
        faults += [f"round {turn}: {fault}" for fault in found["faults"]]  # type: ignore[attr-defined]
        for thread, number in enumerate(numbers):
            if not known[thread] <= number <= known[thread] + 1:
                faults.append(f"round {turn}: thread {thread} had {known[thread]} acknowledged and {number} kept")
        known = numbers
    print(json.dumps({"rounds": rounds, "acknowledged": acknowledged, "empty": empty, "faults": faults}))


if __name__ == "__main__":
    main()
