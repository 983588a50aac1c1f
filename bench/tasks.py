"""Tasks: from a call to the first line of its act in a worker, against a process that only starts Python."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import Row, percentile
from tests.integration.tasks.test_life import Daemon

CALLS = 200
AT_ONCE = 100


def measure() -> Iterator[Row]:
    """Awaited tasks one after the other, then many at once; their act does nothing but look at the clock."""
    with tempfile.TemporaryDirectory() as directory:
        daemon = Daemon(Path(directory))
        try:
            delays = [daemon.run("Ask", asked=time.monotonic())["delay"] * 1000 for _ in range(CALLS)]
            python = bare_python() * 1000
            yield Row("tasks", "call to act, median ms", percentile(delays, 0.5), python, "peer: python3 -c pass")
            yield Row("tasks", "call to act, p99 ms", percentile(delays, 0.99), note="budget 50")
            start = time.monotonic()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                upids = list(pool.map(lambda vmid: daemon.spawn("Make", vmid=vmid), range(100, 100 + AT_ONCE)))
            yield Row("tasks", f"{AT_ONCE} spawned at once, s", time.monotonic() - start)
            failed = [upid for upid in upids if daemon.status(upid) != "OK"]
            yield Row("tasks", f"{AT_ONCE} ended, s", time.monotonic() - start, note=f"{len(failed)} failed")
        finally:
            daemon.process.terminate()
            daemon.process.wait()
            shutil.rmtree(daemon.layout.run, ignore_errors=True)


def bare_python() -> float:
    """Seconds that an interpreter takes which imports nothing; the best of five."""
    best = 10.0
    for _ in range(5):
        start = time.monotonic()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        best = min(best, time.monotonic() - start)
    return best
