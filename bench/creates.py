"""A hundred creates at once from one client: every one must succeed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import Row, percentile
from tests.lab.node import ApiError, Node

GUESTS = 100


def measure() -> Iterator[Row]:
    """Failures, and how long it took until all tasks had ended."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as directory, Node(Path(directory) / "root") as node:
        node.login()
        answered: list[float] = []

        def create(number: int) -> str:
            start = time.perf_counter()
            try:
                vmid = int(node.call("GET", "/cluster/nextid"))
                upid: str = node.call("POST", "/nodes/{node}/qemu", vmid=vmid, name=f"bench{number}", scsi0="local:1")
            except ApiError as error:
                return str(error)
            answered.append((time.perf_counter() - start) * 1000)
            return node.wait(upid, timeout=300)

        start = time.perf_counter()
        with ThreadPoolExecutor(GUESTS) as pool:
            outcomes = list(pool.map(create, range(GUESTS)))
        seconds = time.perf_counter() - start
        failures = [outcome for outcome in outcomes if outcome != "OK"]
        made = {row["vmid"] for row in node.call("GET", "/nodes/{node}/qemu")}
        yield Row("creates", "failures_of_100", len(failures), None, "; ".join(failures[:3]))
        yield Row("creates", "guests_made", len(made), GUESTS)
        yield Row("creates", "all_ended_s", seconds)
        yield Row("creates", "answered_p99_ms", percentile(answered, 0.99))
