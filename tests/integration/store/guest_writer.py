"""Runs inside the guest that is powered off: says what the stores hold, then writes to both until the power goes.

    python guest_writer.py PORT DATA CONTROL

DATA is the block device of a store as it is, CONTROL of one that does not wait for the disk and is made anew each time.
It says `ready` on PORT and touches no disk until it reads a line there, so that the machine can be saved at that point
and be powered on from there. Further lines: `report <name> <json>`, `ack <name> <thread> <number>`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from pathlib import Path

from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock
from tests.integration.store.writer import THREADS, report, write


def main() -> None:
    port = os.open(sys.argv[1], os.O_RDWR)
    look(Path("/run/warm/store.db"))  # so that all that is needed later is in memory

    def say(line: str) -> None:
        os.write(port, f"{line}\n".encode())

    say("ready")
    os.read(port, 100)
    data, control = (mount(device) / "lib" / "store.db" for device in sys.argv[2:4])

    store = SqliteStore(data, SystemClock())
    say(f"report data {json.dumps(report(store))}")
    say(f"report control {json.dumps(look(control))}")
    shutil.rmtree(control.parent, ignore_errors=True)
    careless = SqliteStore(control, SystemClock(), durable=False)

    def start(name: str, each: SqliteStore, thread: int) -> None:
        def acknowledge(thread: int, number: int) -> None:
            say(f"ack {name} {thread} {number}")

        threading.Thread(target=write, args=(each, thread, acknowledge)).start()

    for thread in range(THREADS):
        start("data", store, thread)
    start("control", careless, 0)


def mount(device: str) -> Path:
    """Mount a disk, of which nothing may be known from before."""
    target = Path("/run/disks") / Path(device).name
    target.mkdir(parents=True)
    command = f"blockdev --flushbufs {device}; echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 {device} {target}"
    if os.system(command) != 0:
        sys.exit(f"can't mount {device}")
    return target


def look(path: Path) -> dict[str, object]:
    """What is left of a store that may be damaged."""
    try:
        store = SqliteStore(path, SystemClock(), durable=False)
        found = report(store)
        store.close()
    except Exception as exc:  # whatever a damaged file brings
        return {"numbers": [], "revision": 0, "faults": [str(exc)]}
    return found


if __name__ == "__main__":
    main()
