"""The test guest keeps what its docstring promises, on bare QEMU: what fails elsewhere is not its fault."""

from __future__ import annotations

import base64
import time
from pathlib import Path

import pytest

from tests.lab.bare import BareQemu, Channel, read_until
from tests.lab.guest import CMDLINE, Guest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


def disk(guest: Guest, bus: str) -> list[str]:
    device = {
        "scsi": "-device virtio-scsi-pci -device scsi-hd,drive=d0,bootindex=1",
        "virtio": "-device virtio-blk-pci,drive=d0,bootindex=1",
        "sata": "-device ide-hd,drive=d0,bus=ide.0,bootindex=1",
    }[bus]
    return ["-drive", f"if=none,id=d0,snapshot=on,format=qcow2,file={guest.qcow2}", *device.split()]


def run_in_guest(agent: Channel, script: str) -> str:
    pid = agent.call("guest-exec", path="/bin/sh", arg=["-c", script], **{"capture-output": True})["pid"]
    for _ in range(200):
        status = agent.call("guest-exec-status", pid=pid)
        if status["exited"]:
            return base64.b64decode(status.get("out-data", "")).decode()
        time.sleep(0.05)
    raise TimeoutError(script)


@pytest.mark.parametrize("bus", ["scsi", "virtio", "sata"])
def test_boots_from_its_disk_to_a_login_prompt(guest_image: Guest, tmp_path: Path, bus: str) -> None:
    with BareQemu(tmp_path, disk(guest_image, bus)) as machine:
        assert b"corral-test login:" in read_until(machine.serial, b"login:", 60)


def test_answers_agent_and_button_and_gets_an_address(guest_image: Guest, tmp_path: Path) -> None:
    nic = ["-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,mac=bc:24:11:00:00:01"]
    with BareQemu(tmp_path, [*disk(guest_image, "scsi"), *nic]) as machine:
        read_until(machine.serial, b"login:", 60)
        machine.serial.sendall(b"root\n")
        read_until(machine.serial, b"Password:", 20)
        machine.serial.sendall(b"corral\n")
        read_until(machine.serial, b"# ", 20)
        agent = machine.agent()
        assert agent.call("guest-get-host-name")["host-name"] == "corral-test"
        addresses: list[str] = []
        for _ in range(100):
            nics = agent.call("guest-network-get-interfaces")
            addresses = [a["ip-address"] for n in nics if n["name"] == "eth0" for a in n.get("ip-addresses", [])]
            if "10.0.2.15" in addresses:
                break
            time.sleep(0.1)
        assert "10.0.2.15" in addresses
        assert run_in_guest(agent, "cat /etc/os-release").startswith("NAME=")
        machine.qmp.call("system_powerdown")
        assert machine.wait(20) == 0


def test_shuts_down_by_its_agent(guest_image: Guest, tmp_path: Path) -> None:
    with BareQemu(tmp_path, disk(guest_image, "virtio")) as machine:
        agent = machine.agent()
        agent.send("guest-shutdown")
        assert machine.wait(20) == 0


def test_devices_plugged_in_later_appear(guest_image: Guest, tmp_path: Path) -> None:
    spare = tmp_path / "spare.raw"
    spare.write_bytes(bytes(1 << 20))
    port = ["-device", "pcie-root-port,id=p0,chassis=1", "-device", "pcie-root-port,id=p1,chassis=2"]
    with BareQemu(tmp_path, [*disk(guest_image, "scsi"), *port]) as machine:
        agent = machine.agent()
        backend = {"driver": "file", "filename": str(spare)}
        machine.qmp.call("blockdev-add", driver="raw", file=backend, **{"node-name": "spare"})
        machine.qmp.call("device_add", driver="virtio-blk-pci", id="late", drive="spare", bus="p0")
        machine.qmp.call("netdev_add", type="user", id="n1")
        machine.qmp.call("device_add", driver="virtio-net-pci", id="latenic", netdev="n1", bus="p1")
        run_in_guest(
            agent, "for i in 1 2 3 4 5; do [ -b /dev/vda ] && [ -e /sys/class/net/eth0 ] && break; sleep 1; done"
        )
        seen = run_in_guest(agent, "cat /sys/block/vda/size; ls /sys/class/net")
        assert seen.split()[0] == "2048"
        assert "eth0" in seen


def test_kernel_and_initrd_boot_without_the_disk(guest_image: Guest, tmp_path: Path) -> None:
    direct = ["-kernel", str(guest_image.kernel), "-initrd", str(guest_image.initrd), "-append", CMDLINE]
    with BareQemu(tmp_path, direct) as machine:
        read_until(machine.serial, b"corral-test login:", 60)
