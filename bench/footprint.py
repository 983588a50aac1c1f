"""What an idle node costs: memory of all daemons, and the time of `qm list`."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import Row
from tests.lab.node import Node


def descendants(pid: int) -> list[int]:
    """The process and all that it started, directly or not."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def proportional(pid: int) -> float:
    """Proportional set size in MiB: shared pages count by their share."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def title(pid: int) -> str:
    """What the process is, from its command line."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return " ".join(word.rpartition("/")[2] for word in words[:3] if word and not word.startswith("-"))


def measure() -> Iterator[Row]:
    """Memory when idle, and the tool's time."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as directory, Node(Path(directory) / "root") as node:
        node.login()
        node.call("GET", "/cluster/resources")
        time.sleep(15)
        assert node.process
        sizes = {pid: proportional(pid) for pid in descendants(node.process.pid)}
        note = ", ".join(f"{title(pid)} {size:.0f}" for pid, size in sizes.items())
        yield Row("footprint", "pss_of_all_daemons_MiB", sum(sizes.values()), 250, note + "; peer: the budget")
        times = []
        for _ in range(11):
            start = time.perf_counter()
            done = node.tool("qm", "list")
            times.append((time.perf_counter() - start) * 1000)
            assert done.returncode == 0, done.stderr
        yield Row("footprint", "qm_list_ms", statistics.median(times), 150, "peer: the budget")
