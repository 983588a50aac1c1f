"""Twenty power failures: a guest that writes to a disk with a volatile cache is ended in the middle.

The disk is nbdkit's cache filter: it keeps what it is given in its own memory and brings it to the file only when it is
told to flush. Killing it loses the rest, as a disk without power does; killing QEMU loses what the guest had in memory.
A control writes beside it without waiting for the disk: were nothing lost there, the test would prove nothing.

The machine boots once and is saved before it has touched the disks; each power on goes on from there.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.store import tools
from tests.integration.store.writer import THREADS
from tests.lab import guest as lab_guest
from tests.lab.bare import BareQemu, connect

FAILURES = 20
BOOT = 60.0
"""Longest wait for the guest's first report, in seconds."""


@dataclass
class Life:
    """What a guest said between power on and power off."""

    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    acks: dict[str, dict[int, int]] = field(default_factory=lambda: {"data": {}, "control": {}})

    def hear(self, line: str) -> None:
        kind, _, rest = line.partition(" ")
        name, _, rest = rest.partition(" ")
        if kind == "report":
            self.reports[name] = json.loads(rest)
        elif kind == "ack":
            thread, number = rest.split()
            self.acks[name][int(thread)] = int(number)

    @property
    def busy(self) -> bool:
        """Whether all writers have begun."""
        return bool(self.acks["control"]) and len(self.acks["data"]) == THREADS


@contextlib.contextmanager
def volatile_disk(file: Path, directory: Path) -> Iterator[Path]:
    """The file behind a write-back cache that dies with the block; its socket."""
    address = directory / f"{file.stem}.nbd"
    address.unlink(missing_ok=True)
    command = ["nbdkit", "-f", "-U", str(address), "--filter=cache", "file", str(file), "cache=writeback"]
    # It complains when `connect` hangs up.
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        connect(address, 10).close()
        yield address
    finally:
        server.kill()
        server.wait()


def disk(name: str, address: Path) -> list[str]:
    return [
        "-blockdev", f"driver=nbd,node-name={name},server.type=unix,server.path={address}",
        "-device", f"virtio-blk-pci,drive={name},write-cache=on",
    ]  # fmt: skip


@contextlib.contextmanager
def powered(guest: lab_guest.Guest, disks: Path, *extra: str) -> Iterator[tuple[BareQemu, socket.socket]]:
    """A machine with power, and the port on which it talks; at the end its disks lose power first, then the machine."""
    for name in ("qmp", "serial", "qga", "acks"):
        (disks / name).unlink(missing_ok=True)
    arguments = [
        "-kernel", str(guest.kernel), "-initrd", str(guest.initrd), "-append", f"{lab_guest.CMDLINE} corral.run=vda",
        "-blockdev", f"driver=file,node-name=tools,read-only=on,filename={disks / 'tools.img'}",
        "-device", "virtio-blk-pci,drive=tools",
        "-chardev", f"socket,id=acks,path={disks}/acks,server=on,wait=off",
        "-device", "virtserialport,chardev=acks,name=acks",
        *extra,
    ]  # fmt: skip
    with contextlib.ExitStack() as machine_end, contextlib.ExitStack() as disks_end:
        for name in ("data", "control"):
            arguments += disk(name, disks_end.enter_context(volatile_disk(disks / f"{name}.img", disks)))
        machine = machine_end.enter_context(BareQemu(disks, arguments))
        yield machine, machine_end.enter_context(connect(disks / "acks", 10))


def printed(machine: BareQemu) -> str:
    """What the guest has printed on its console."""
    machine.serial.settimeout(1)
    text = b""
    with contextlib.suppress(TimeoutError):
        while more := machine.serial.recv(65536):
            text += more
    return text.decode(errors="replace")


def boot(guest: lab_guest.Guest, disks: Path) -> list[str]:
    """Boot up to where the writer is about to touch the disks; the arguments that go on from there."""
    saved = disks / "saved"
    with powered(guest, disks) as (machine, port):
        port.settimeout(BOOT)
        try:
            assert port.recv(100) == b"ready\n"
        except TimeoutError:
            pytest.fail(f"the guest is not ready:\n{printed(machine)}")
        machine.qmp.call("stop")
        machine.qmp.call("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        machine.qmp.call("migrate", uri=f"exec:cat >{saved}")
        while machine.qmp.call("query-migrate")["status"] in ("setup", "active", "device"):
            time.sleep(0.05)
        assert machine.qmp.call("query-migrate")["status"] == "completed"
    return ["-incoming", f"exec:cat {saved}"]


def live(guest: lab_guest.Guest, disks: Path, seconds: float, saved: list[str]) -> Life:
    """Power on, let all writers write for `seconds`, power off without a warning."""
    life = Life()
    with powered(guest, disks, *saved) as (machine, port):
        while machine.qmp.call("query-status")["status"] == "inmigrate":
            time.sleep(0.01)
        machine.qmp.call("cont")
        port.sendall(b"go\n")
        try:
            listen(port, life, seconds)
        except TimeoutError:
            pytest.fail(f"the guest does not write: {life}\n{printed(machine)}")
    return life


def listen(port: socket.socket, life: Life, seconds: float) -> None:
    """Take in what the guest says until `seconds` after all writers have begun."""
    end, rest, begun = time.monotonic() + BOOT, b"", False
    while (left := end - time.monotonic()) > 0:
        port.settimeout(left)
        try:
            data = port.recv(65536)
        except TimeoutError:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            life.hear(line.decode())
        if life.busy and not begun:
            begun, end = True, time.monotonic() + seconds
    if not begun:
        raise TimeoutError


@pytest.fixture
def disks(tmp_path: Path) -> Path:
    for program in ("nbdkit", "mke2fs"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    try:
        tools.build(tmp_path / "tools.img", tmp_path)
    except lab_guest.CannotBuild as error:
        pytest.skip(f"the writer's disk can't be built: {error}")
    for name in ("data", "control"):
        tools.empty_disk(tmp_path / f"{name}.img", "64M")
    return tmp_path


def lost(life: Life, name: str, after: Life) -> list[str]:
    """What was acknowledged in a life and is missing in the next one's report."""
    numbers = after.reports[name]["numbers"]
    return [
        f"thread {thread}: {number} acknowledged, {numbers[thread : thread + 1]} kept"
        for thread, number in life.acks[name].items()
        if numbers[thread : thread + 1] < [number]
    ]


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_power_failures(guest_image: lab_guest.Guest, disks: Path, request: pytest.FixtureRequest) -> None:
    chance = random.Random(request.config.getoption("randomly_seed", default=1))
    saved = boot(guest_image, disks)
    lives: list[Life] = []
    for _turn in range(FAILURES + 1):
        lives.append(live(guest_image, disks, chance.uniform(0.05, 2.5), saved))
        assert lives[-1].reports["data"]["faults"] == []
    for life, after in itertools.pairwise(lives):
        assert lost(life, "data", after) == []
    careless = [lost(life, "control", after) for life, after in itertools.pairwise(lives)]
    total = sum(sum(life.acks["data"].values()) for life in lives[-2:-1])
    print(
        f"{FAILURES} power failures, {total} acknowledged and kept; without sync {sum(map(bool, careless))} lost some"
    )
    assert any(careless), "nothing was lost without sync: these power failures prove nothing"
