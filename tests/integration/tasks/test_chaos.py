"""A whole node whose daemons and workers are killed while clients create machines: all are made, nothing is left."""

from __future__ import annotations

import os
import signal
import ssl
import threading
import time
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corral.core.layout import Layout
from tests.lab.node import ApiError, Node

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

VICTIMS = ("corral-task", "corrald", "corral-task", "corral-task", "corral-zygote", "corral-task", "api", "corral-task")
AWAY = (OSError, ssl.SSLError, urllib.error.URLError, ConnectionError)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    if os.getuid():
        pytest.skip("a node needs root")
    with Node(tmp_path / "root") as made:
        made.login()
        yield made


def processes(root: Path) -> dict[str, list[int]]:
    """The processes of a node by what they are."""
    found: dict[str, list[int]] = {"corrald": [], "api": [], "corral-zygote": [], "corral-task": []}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().decode().split("\0")
            name = (entry / "comm").read_text().strip()
        except OSError:
            continue
        if str(root) not in words:
            continue
        if name in found:
            found[name].append(int(entry.name))
        elif "corral.daemons.corrald" in words:
            found["corrald"].append(int(entry.name))
        elif "corral.daemons.api" in words:
            found["api"].append(int(entry.name))
    return found


def kill_them(root: Path, done: threading.Event, killed: list[str]) -> None:
    """Kill each of the victims in turn, as soon as there is one, and leave a little time in between."""
    for victim in VICTIMS:
        while not done.is_set():
            if alive := processes(root)[victim]:
                os.kill(alive[0], signal.SIGKILL)
                killed.append(victim)
                break
            done.wait(0.01)
        done.wait(0.7)


def create(node: Node, vmid: int) -> int:
    """Create a machine as a stubborn client does; answers how many tasks it took."""
    tasks: set[str] = set()
    end = time.monotonic() + 300
    while time.monotonic() < end:
        try:
            upid = node.call(
                "POST",
                "/nodes/{node}/qemu",
                headers={"Idempotency-Key": f"key {vmid}"},
                vmid=vmid,
                memory=64,
                scsi0="local:1,format=qcow2",
                scsi1="local:1,format=raw",
            )
            tasks.add(upid)
            if node.wait(upid) == "OK":
                return len(tasks)
        except ApiError as exc:
            if exc.status < 500:
                raise
            # A create that was killed after its transaction has failed, but its machine is whole.
            if "already exists" in str(exc):
                return len(tasks)
            time.sleep(0.2)
        except AWAY:
            time.sleep(0.2)
    raise AssertionError(f"VM {vmid} could not be created; tasks {tasks}")


def test_creates_survive_the_death_of_everybody(node: Node) -> None:
    root = node.root.resolve()
    done, killed = threading.Event(), list[str]()
    killer = threading.Thread(target=kill_them, args=(root, done, killed))
    killer.start()
    vmids = range(100, 130)
    try:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda vmid: create(node, vmid), vmids))
    finally:
        done.set()
        killer.join()
    print(f"killed {killed}")
    assert "corrald" in killed
    end = time.monotonic() + 60
    while node.call("GET", "/nodes/{node}/tasks", source="active"):
        assert time.monotonic() < end
        time.sleep(0.2)
    wanted = set()
    for machine in node.call("GET", "/nodes/{node}/qemu"):
        config = node.call("GET", f"/nodes/{{node}}/qemu/{machine['vmid']}/config")
        assert "lock" not in config
        wanted |= {config[key].partition(",")[0] for key in ("scsi0", "scsi1")}
    assert len(wanted) == 2 * len(vmids)
    assert {row["volid"] for row in node.call("GET", "/nodes/{node}/storage/local/content", content="images")} == wanted
    assert list(Layout(root).journals.iterdir()) == []
