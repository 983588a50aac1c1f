"""Rendered command lines against the QEMU of this machine: it takes them, and shows the devices that were asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from corral.guests.qemu import blockdev, cpu, drives, memory
from corral.guests.qemu.args import Blockdev, Device, Item, Typed
from corral.guests.qemu.command import Command, command
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.devices import net, usb
from corral.guests.qemu.host import Host, Located
from corral.guests.qemu.probe import probe
from corral.guests.qemu.setup import Runtime, set_up
from corral.system.run import SystemRun
from tests.lab.bare import Channel, read_until
from tests.lab.guest import Guest

pytestmark = pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="qemu-system-x86_64 is not installed")

GOLDEN = Path(__file__).parents[2] / "golden" / "qemu"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.conf"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """This machine."""
    return probe(SystemRun(), tmp_path_factory.mktemp("probe"))


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory, host: Host) -> dict[str, Located]:
    """Small images for the drives of all configurations."""
    folder = tmp_path_factory.mktemp("images")
    found = {}
    for name in ("a.qcow2", "b.raw", "c.raw"):
        form = name.rpartition(".")[2]
        _run("qemu-img", "create", "-q", "-f", form, str(folder / name), "8M")
        found[f"st:{name}"] = Located.at(str(folder / name), form)
    for name, kind in (("vars2m.raw", "2m"), ("vars4m.qcow2", "4m-keys")):
        if kind in host.firmware:
            form = name.rpartition(".")[2]
            _run("qemu-img", "convert", "-f", "raw", "-O", form, host.firmware[kind].vars, str(folder / name))
            found[f"st:{name}"] = Located.at(str(folder / name), form)
    return found


def _run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=30)


@contextlib.contextmanager
def _started(made: Command, sockets: Path, fds: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    if made.copy_vars:
        shutil.copy(made.copy_vars[0], sockets / "efivars")
    with (sockets / "log").open("wb") as log:
        process = subprocess.Popen(made.args, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=fds)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=30)


def _check(made: Command, sockets: Path) -> list[str]:
    """Start, ask for the devices, quit; what QEMU complained of."""
    with _started(made, sockets) as process:
        try:
            qmp = _connected(process, sockets)
        except ConnectionError:
            raise AssertionError((sockets / "log").read_text() + "\n" + " ".join(made.args)) from None
        with contextlib.closing(qmp):
            _look(qmp, made)
        assert process.wait(timeout=30) == 0
    complaints = (sockets / "log").read_text().splitlines()
    # Emulation has not every feature of every CPU model, and newer QEMUs count the years of machine types.
    harmless = ("TCG doesn't support requested feature", "is deprecated: machines more than")
    return [line for line in complaints if not any(text in line for text in harmless)]


def _look(qmp: Channel, made: Command) -> None:
    """Everything asked for is there; then end it."""
    assert qmp.call("query-status")["status"] == "prelaunch"
    present = {each["name"] for each in qmp.call("qom-list", path="/machine/peripheral")}
    named = {item.id for item in made.items if isinstance(item, Device)} - {None}
    assert named <= present
    for node in qmp.call("query-named-block-nodes"):
        assert len(node["node-name"]) <= 31
    qmp.call("quit")


def _connected(process: subprocess.Popen[bytes], sockets: Path) -> Channel:
    """QEMU's QMP socket, or ConnectionError if it has ended."""
    for _ in range(200):
        try:
            return Channel(sockets / "qmp", timeout=0.2)
        except OSError as error:
            if process.poll() is not None:
                raise ConnectionError("QEMU has ended") from error
    raise ConnectionError("QEMU does not answer")


@pytest.mark.parametrize("name", NAMES)
def test_qemu_takes_the_command_line(name: str, host: Host, volumes: dict[str, Located], tmp_path: Path) -> None:
    config = VmConfig.parse((GOLDEN / f"{name}.conf").read_text(), strict=True)
    missing = [volid for volid in config.volids().values() if volid not in volumes]
    if missing:
        pytest.skip(f"no firmware for {missing}")
    made = command(100, config, host, Runtime(sockets=tmp_path, paused=True), volumes)
    assert not _check(made, tmp_path)


def test_a_tpm_is_served_by_swtpm(host: Host, tmp_path: Path) -> None:
    if not shutil.which("swtpm"):
        pytest.skip("swtpm is not installed")
    config = VmConfig.parse("tpmstate0: st:tpm,version=v2.0\nmachine: q35\n", strict=True)
    made = command(100, config, host, Runtime(sockets=tmp_path, paused=True), {})
    assert made.tpm == "v2.0"
    (tmp_path / "state").mkdir()
    words = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={tmp_path / 'state'}"]
    with subprocess.Popen([*words, "--ctrl", f"type=unixio,path={tmp_path / 'swtpm'}", "--terminate"]) as swtpm:
        for _ in range(200):
            if (tmp_path / "swtpm").exists():
                break
            with contextlib.suppress(subprocess.TimeoutExpired):
                swtpm.wait(timeout=0.02)
        assert not _check(made, tmp_path)
        swtpm.wait(timeout=10)


def test_sockets_opened_before_are_handed_over(host: Host, tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "handed"))
    listener.listen(1)
    runtime = Runtime(sockets=tmp_path, paused=True, fds={"qmp": listener.fileno()})
    made = command(100, VmConfig.parse(""), host, runtime, {})
    with _started(made, tmp_path, (listener.fileno(),)) as process:
        # No waiting for the socket: it listens before QEMU runs.
        qmp = Channel(tmp_path / "handed")
        assert qmp.call("query-status")["status"] == "prelaunch"
        qmp.call("quit")
        qmp.close()
        assert process.wait(timeout=30) == 0
    listener.close()


def test_a_tap_is_handed_over_by_descriptor(host: Host, tmp_path: Path) -> None:
    try:
        tap = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22s", b"", 0x0002 | 0x1000 | 0x4000, b""))
    except OSError as error:
        pytest.skip(f"no tap device can be made: {error}")
    config = VmConfig.parse("net0: virtio=02:00:00:00:00:01,bridge=vmbr0\n")
    made = command(100, config, host, Runtime(sockets=tmp_path, paused=True, taps={0: (tap,)}), {})
    try:
        with _started(made, tmp_path, (tap,)) as process:
            qmp = _connected(process, tmp_path)
            qmp.call("quit")
            qmp.close()
            assert process.wait(timeout=30) == 0
        assert (tmp_path / "log").read_text() == ""
    finally:
        os.close(tap)


BOOTS = {
    "i440fx-virtio": "virtio0: st:guest,iothread=1\nnet0: virtio=02:00:00:00:00:01\nboot: order=virtio0\n",
    "q35-scsi-single": "machine: q35\ncpu: x86-64-v2-AES\nscsihw: virtio-scsi-single\n"
    "scsi0: st:guest,iothread=1,discard=on\nboot: order=scsi0\nrng0: /dev/urandom\nagent: 1\ncores: 2\n",
}


@pytest.mark.parametrize("name", BOOTS)
def test_a_guest_boots(name: str, host: Host, guest_image: Guest, tmp_path: Path) -> None:
    config = VmConfig.parse(f"memory: 512\nserial0: socket\nostype: l26\n{BOOTS[name]}", strict=True)
    image = tmp_path / "guest.qcow2"
    _run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(guest_image.qcow2), str(image))
    volumes = {"st:guest": Located.at(str(image), "qcow2")}
    made = command(100, config, host, Runtime(sockets=tmp_path, paused=True), volumes)
    with _started(made, tmp_path) as process:
        qmp = _connected(process, tmp_path)
        qmp.settimeout(30)
        with socket.socket(socket.AF_UNIX) as console:
            console.connect(str(tmp_path / "serial0"))
            qmp.call("cont")
            read_until(console, b"login:", 50)
        qmp.call("quit")
        qmp.close()
        assert process.wait(timeout=30) == 0


PLUGGED = """\
scsihw: virtio-scsi-single
scsi0: st:a.qcow2,iothread=1,discard=on,mbps=10,serial=disk-1
scsi3: none,media=cdrom
virtio6: st:b.raw,iothread=1
virtio0: st:c.raw,cache=writeback
net0: virtio=02:00:00:00:00:01,queues=2,mtu=1400
net7: e1000=02:00:00:00:00:02
"""


@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_what_is_rendered_can_be_plugged_too(
    machine: str, host: Host, volumes: dict[str, Located], tmp_path: Path
) -> None:
    head = f"machine: {machine}\nscsihw: virtio-scsi-single\nhotplug: disk,network,cpu,memory\nnuma: 1\nmemory: 1024\n"
    head += "cores: 4\nvcpus: 1\nostype: l26\n"
    runtime = Runtime(sockets=tmp_path, paused=True)
    bare = VmConfig.parse(head, strict=True)
    setup = set_up(100, VmConfig.parse(head + PLUGGED, strict=True), host, runtime, volumes)
    with _started(command(100, bare, host, runtime, {}), tmp_path) as process:
        with contextlib.closing(_connected(process, tmp_path)) as qmp:
            for key, drive in drives.all_drives(setup):
                _plug(qmp, [*drives.controllers(setup, key, drive), *blockdev.items(setup, key, drive)])
                _plug(qmp, [drives.device(setup, key, drive)])
            for index, card in setup.options.net.items():
                _plug(qmp, net.items(setup, index, card))
            _plug(qmp, [usb.xhci(setup), cpu.cpu_device(setup, 2)])
            _plug(qmp, memory.dimm_items(setup, memory.Dimm(number=7, size=512, node=0)))
            qmp.call("quit")
        assert process.wait(timeout=30) == 0


_ADD = {"device": "device_add", "object": "object-add", "netdev": "netdev_add"}


def _plug(qmp: Channel, items: Iterable[Item]) -> None:
    for item in items:
        if isinstance(item, Blockdev):
            qmp.call("blockdev-add", **item.node)
        elif isinstance(item, Typed):
            qmp.call(_ADD[item.flag], **item.arguments())


@pytest.mark.parametrize("name", ["efi-2m", "efi-4m-secboot"])
def test_firmware_comes_up_and_keeps_its_variables(
    name: str, host: Host, volumes: dict[str, Located], tmp_path: Path
) -> None:
    config = VmConfig.parse((GOLDEN / f"{name}.conf").read_text() + "serial0: socket\n", strict=True)
    volid = config.volids()["efidisk0"]
    if volid not in volumes:
        pytest.skip(f"no firmware for {volid}")
    image = tmp_path / "vars"
    shutil.copy(volumes[volid].path, image)
    located = {volid: Located.at(str(image), volumes[volid].format)}
    made = command(100, config, host, Runtime(sockets=tmp_path, paused=True), located)
    with _started(made, tmp_path) as process:
        qmp = _connected(process, tmp_path)
        qmp.settimeout(30)
        with socket.socket(socket.AF_UNIX) as console:
            console.connect(str(tmp_path / "serial0"))
            qmp.call("cont")
            read_until(console, b"BdsDxe", 50)
        qmp.call("quit")
        qmp.close()
        assert process.wait(timeout=30) == 0
    # The firmware has noted its boot options.
    assert image.read_bytes() != Path(volumes[volid].path).read_bytes()


def test_what_the_probe_found_can_be_kept(host: Host) -> None:
    kept: Any = msgspec.json.decode(msgspec.json.encode(host), type=Host)
    assert kept == host
