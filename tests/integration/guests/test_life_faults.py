"""What goes wrong: QEMU dies at start or later, workers are killed in the middle. Nothing is left half made."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.core.layout import Layout
from corral.guests.qemu.life.watch import GuestWatcher
from corral.system import proc
from corral.tasks import journal
from tests.integration.guests.stage import VMS, Stage
from tests.lab.node import ApiError, Node

pytestmark = pytest.mark.timeout(300)


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "args")
def test_qemu_s_own_words_tell_why_it_died_at_start(stage: Stage) -> None:
    stage.create(100, memory=32, serial0="socket")
    stage.config(100, args="-device no-such-device")
    upid = stage.client.post(f"{VMS}/100/status/start")
    expected = "start failed: QEMU exited: -device no-such-device: 'no-such-device' is not a valid device model name"
    stage.task(upid, expected)
    assert not stage.layout.guest(100).exists()
    assert list(stage.qemu.machines.processes.processes(100)) == []
    stage.config(100, delete="args")
    stage.press(100, "start")
    stage.press(100, "stop")


def test_a_volume_that_is_gone_is_named_and_nothing_is_started(stage: Stage) -> None:
    stage.create(100, memory=32, scsi0="local:1")
    (stage.layout.local_storage / "images/100/vm-100-disk-0.raw").unlink()
    refused = stage.client.refused("POST", f"{VMS}/100/status/start")
    assert refused.reason == "volume 'local:100/vm-100-disk-0.raw' does not exist"


def test_a_guest_that_is_killed_is_seen_and_cleaned_up(stage: Stage) -> None:
    ended: list[tuple[int, bool]] = []
    watcher = GuestWatcher(stage.qemu.machines, stage.board, lambda *seen: ended.append(seen))
    stage.create(100, memory=32)
    stage.press(100, "start")
    watcher.sync()
    known = stage.board.guest(100)
    assert known is not None
    assert known.pid is not None
    os.kill(known.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while not ended and time.monotonic() < end:
        watcher.turn(0.1)
    assert ended == [(100, False)]
    status = stage.board.guest(100)
    assert status is not None
    assert status.status == "stopped"
    stage.press(100, "start")  # over what it left
    stage.press(100, "stop")
    watcher.close()


def test_a_stale_pid_file_is_no_guest(stage: Stage) -> None:
    stage.create(100, memory=32)
    directory = stage.layout.guest(100)
    directory.mkdir(parents=True)
    (directory / "pid").write_text(f"{os.getpid()}\n")
    assert stage.current(100)["status"] == "stopped"
    stage.press(100, "start")
    stage.press(100, "stop")


def test_a_full_storage_leaves_nothing_of_a_create(stage: Stage) -> None:
    reply = stage.client.send("POST", VMS, {"vmid": 100, "memory": 32, "scsi0": "local:1", "scsi1": "local:99999999"})
    if reply.ok:
        assert stage.runner.wait(str(reply.data), 60)
        ended = stage.runner.find(str(reply.data))
        assert getattr(ended, "status", "") != "OK"
    assert stage.store.get("guest/100") is None
    assert not list((stage.layout.local_storage / "images").glob("100/*"))


# --- killed workers, on a whole node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("faults") / "root") as started:
        started.login()
        images = started.root / "var/lib/vz/import"
        images.mkdir(parents=True, exist_ok=True)
        with (images / "big.raw").open("wb") as file:
            for _ in range(64):
                file.write(random.Random(1).randbytes(1 << 20))
        started.call("PUT", "/storage/local", content="images,iso,import")
        yield started


def killed(node: Node, upid: str, delay: float) -> None:
    """Kill the worker of a task some time after it began; wait until the task has ended, whatever its end."""
    layout = Layout(node.root.resolve())
    path = journal.path_of(layout.journals, upid)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        state = journal.read(path)
        if state is None or state.end is not None:
            break
        if state.begin is not None:
            time.sleep(delay)
            if "corral" in " ".join(proc.command_line(state.begin.pid)):
                os.kill(state.begin.pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    ended(node, upid)


def ended(node: Node, upid: str) -> None:
    end = time.monotonic() + 60
    while node.call("GET", f"/nodes/{{node}}/tasks/{upid}/status")["status"] == "running":
        assert time.monotonic() < end
        time.sleep(0.05)


def volumes(node: Node, vmid: int) -> list[str]:
    return sorted(path.name for path in (node.root / f"var/lib/vz/images/{vmid}").glob("*"))


def config(node: Node, vmid: int) -> dict[str, object] | None:
    try:
        found: dict[str, object] = node.call("GET", f"/nodes/{{node}}/qemu/{vmid}/config")
    except ApiError:
        return None
    return found


def rounds(count: int, longest: float) -> list[float]:
    """Moments at which to kill, from at once to when all is over."""
    return [longest * number / count for number in range(count)]


def test_a_create_whose_worker_is_killed_is_whole_or_never_was(node: Node, tmp_path: Path) -> None:
    seen = set()
    for delay in rounds(8, 0.8):
        disks: dict[str, Any] = {
            "scsi0": "local:0,import-from=local:import/big.raw",
            "scsi1": "local:1",
            "ide2": "local:cloudinit",
        }
        upid = node.call("POST", "/nodes/{node}/qemu", vmid=100, memory=32, net0="virtio", **disks)
        killed(node, upid, delay)
        found = config(node, 100)
        seen.add(found is not None)
        if found is None:
            assert volumes(node, 100) == []
            continue
        assert "lock" not in found
        assert volumes(node, 100) == ["vm-100-cloudinit.qcow2", "vm-100-disk-0.raw", "vm-100-disk-1.raw"]
        node.do("DELETE", "/nodes/{node}/qemu/100")
    assert False in seen, "no kill came in time to interrupt anything"


def test_a_start_whose_worker_is_killed_leaves_a_whole_guest_or_none(node: Node) -> None:
    layout = Layout(node.root.resolve())
    node.do("POST", "/nodes/{node}/qemu", vmid=101, memory=32, scsi0="local:1", net0="virtio", serial0="socket")
    for delay in rounds(6, 0.4):
        upid = node.call("POST", "/nodes/{node}/qemu/101/status/start")
        killed(node, upid, delay)
        now = node.call("GET", "/nodes/{node}/qemu/101/status/current")
        if now["status"] == "running":
            assert now["qmpstatus"] == "running"
            node.do("POST", "/nodes/{node}/qemu/101/status/stop")
        assert not layout.guest(101).exists()
        assert node.guests() == []
    node.do("POST", "/nodes/{node}/qemu/101/status/start")
    node.do("POST", "/nodes/{node}/qemu/101/status/stop")


def test_a_removal_whose_worker_is_killed_is_finished_or_has_not_begun(node: Node) -> None:
    disks: dict[str, Any] = {f"scsi{index}": "local:1" for index in range(6)}
    for delay in rounds(6, 0.1):
        if config(node, 102) is None:
            node.do("POST", "/nodes/{node}/qemu", vmid=102, memory=32, **disks)
        upid = node.call("DELETE", "/nodes/{node}/qemu/102")
        killed(node, upid, delay)
        assert len(volumes(node, 102)) == (0 if config(node, 102) is None else 6)
    if config(node, 102) is not None:
        node.do("DELETE", "/nodes/{node}/qemu/102")
    assert volumes(node, 102) == []


def test_guests_outlive_the_daemons_and_start_again_after_a_reboot_in_their_order(node: Node) -> None:
    layout = Layout(node.root.resolve())
    node.do("POST", "/nodes/{node}/qemu", vmid=110, memory=32, onboot=1, startup="order=2")
    node.do("POST", "/nodes/{node}/qemu", vmid=111, memory=32, onboot=1, startup="order=1")
    node.do("POST", "/nodes/{node}/qemu", vmid=112, memory=32)
    node.do("POST", "/nodes/{node}/qemu/110/status/start")
    pid = node.call("GET", "/nodes/{node}/qemu/110/status/current")["pid"]
    node.stop()
    assert node.guests() == [pid]
    node.start()
    node.login()
    assert node.call("GET", "/nodes/{node}/qemu/110/status/current")["pid"] == pid
    assert node.guests() == [pid]

    node.stop()
    os.kill(pid, signal.SIGKILL)
    shutil.rmtree(layout.run)  # what a reboot does
    node.start()
    node.login()
    end = time.monotonic() + 60
    while len(node.guests()) < 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    upids = [task["upid"] for task in node.call("GET", "/nodes/{node}/tasks", typefilter="startall", source="all")]
    ended(node, upids[0])
    log = [line["t"] for line in node.call("GET", f"/nodes/{{node}}/tasks/{upids[0]}/log")]
    assert [line for line in log if line.startswith("Starting")] == ["Starting VM 111", "Starting VM 110"]
    assert node.call("GET", "/nodes/{node}/qemu/112/status/current")["status"] == "stopped"
    for vmid in (110, 111):
        node.do("POST", f"/nodes/{{node}}/qemu/{vmid}/status/stop")
    for vmid in (110, 111, 112):
        node.do("DELETE", f"/nodes/{{node}}/qemu/{vmid}")
