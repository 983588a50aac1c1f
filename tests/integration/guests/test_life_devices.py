"""Guests with more than a disk: cloud-init, UEFI, TPM, bridges, hot-plugged CPUs; guests without an operating system
do for most of it, as the firmware finds their devices all the same."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.core.errors import Error
from corral.guests.qemu.life.work import QmStart
from corral.system import netlink, relay
from tests.integration.guests.stage import VMS, Stage

pytestmark = pytest.mark.timeout(180)


def monitor(stage: Stage, vmid: int, command: str) -> str:
    said: str = stage.client.post(f"{VMS}/{vmid}/monitor", command=command)
    return said


def iso_files(image: Path, scratch: Path) -> dict[str, str]:
    """The files of an ISO image (possibly in a qcow2 file)."""
    raw = scratch / "cloud.iso"
    subprocess.run(["qemu-img", "convert", "-O", "raw", image, raw], check=True)
    listed = subprocess.run(["isoinfo", "-R", "-f", "-i", raw], check=True, capture_output=True, text=True).stdout
    found = {}
    for name in listed.split():
        shown = subprocess.run(["isoinfo", "-R", "-x", name, "-i", raw], check=True, capture_output=True, text=True)
        found[name.removeprefix("/")] = shown.stdout
    return {name: text for name, text in found.items() if text}


@pytest.mark.exercises("POST /nodes/{node}/qemu", "ide2", "ciuser", "cipassword", "ipconfig0", "sshkeys", "nameserver")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/cloudinit")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/cloudinit")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/cloudinit/dump", "type")
def test_a_cloud_init_drive_is_written_and_rewritten_while_the_guest_runs(stage: Stage, tmp_path: Path) -> None:
    if not shutil.which("isoinfo"):
        pytest.skip("isoinfo is not installed")
    one = f"{VMS}/100"
    stage.create(
        100, memory=32, ide2="local:cloudinit", net0="virtio", ciuser="ops", cipassword="a secret word",
        ipconfig0="ip=10.0.0.5/24,gw=10.0.0.1", sshkeys="ssh-ed25519%20AAAA%20me", nameserver="10.0.0.2",
    )  # fmt: skip
    assert stage.option(100, "ide2") == "local:100/vm-100-cloudinit.qcow2,media=cdrom,size=4M"
    assert (stage.option(100, "cipassword") or "").startswith("$6$")
    assert stage.client.get(f"{one}/config")["cipassword"] == "**********"
    stage.press(100, "start")
    image = stage.layout.local_storage / "images/100/vm-100-cloudinit.qcow2"
    written = iso_files(image, tmp_path)
    assert set(written) == {"user-data", "network-config", "meta-data"}
    assert 'user: "ops"' in written["user-data"]
    assert "10.0.0.5" in written["network-config"]
    assert stage.client.get(f"{one}/cloudinit/dump", type="user") == written["user-data"]
    stage.config(100, ciuser="other")
    rows = {row["key"]: row for row in stage.client.get(f"{one}/cloudinit")}
    assert (rows["ciuser"]["value"], rows["ciuser"]["pending"]) == ("ops", "other")
    stage.client.put(f"{one}/cloudinit")
    assert 'user: "other"' in iso_files(image, tmp_path)["user-data"]
    assert "vm-100-cloudinit" in monitor(stage, 100, "info block")
    assert "pending" not in {row["key"]: row for row in stage.client.get(f"{one}/cloudinit")}["ciuser"]
    stage.press(100, "stop")
    stage.config(100, delete="ide2")
    assert not image.exists()


@pytest.mark.exercises("POST /nodes/{node}/qemu", "bios", "efidisk0", "tpmstate0", "machine")
def test_uefi_and_a_tpm(stage: Stage) -> None:
    if "4m" not in stage.qemu.host().firmware or not shutil.which("swtpm_setup"):
        pytest.skip("OVMF or swtpm is not installed")
    stage.create(
        100, memory=128, bios="ovmf", machine="q35", efidisk0="local:1,efitype=4m", tpmstate0="local:1,version=v2.0",
    )  # fmt: skip
    assert "size=528K" in (stage.option(100, "efidisk0") or "")
    assert "size=4M" in (stage.option(100, "tpmstate0") or "")
    stage.press(100, "start")
    assert "tpm-tis" in monitor(stage, 100, "info qtree")
    assert "tpm-emulator" in monitor(stage, 100, "info tpm").replace("emulator", "tpm-emulator")
    processes = list(stage.qemu.machines.processes.processes(100))
    assert len(processes) == 2  # QEMU and swtpm
    for held in processes:
        held.close()
    stage.press(100, "stop")
    assert list(stage.qemu.machines.processes.processes(100)) == []
    stage.press(100, "start")  # with the state that is there
    stage.press(100, "stop")
    stage.task(stage.client.delete(f"{VMS}/100"))


@pytest.fixture
def bridge() -> Iterator[str]:
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        pytest.skip("bridges and taps need root and /dev/net/tun")
    name = f"ct{os.getpid()}"
    netlink.add_bridge(name)
    yield name
    netlink.delete(name)


@pytest.mark.exercises("POST /nodes/{node}/qemu", "net0")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "net1")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "delete", refused=True)
def test_cards_on_a_bridge(stage: Stage, bridge: str) -> None:
    stage.create(100, memory=32, net0=f"virtio,bridge={bridge}")
    stage.press(100, "start")
    first, second = stage.layout.tap(100, 0), stage.layout.tap(100, 1)
    assert netlink.ports(bridge) == [first]
    stage.config(100, net1=f"virtio,bridge={bridge},rate=5")
    assert netlink.ports(bridge) == sorted([first, second])
    # No system runs in this guest that could let go of the card: it stays, and the change waits for the next start.
    refused = stage.client.refused("PUT", f"{VMS}/100/config", delete="net1")
    assert "the guest does not let go of it" in str(refused.errors)
    assert "delete: net1" in stage.text(100)
    stage.press(100, "stop")
    stage.until(lambda: netlink.ports(bridge) == [])
    stage.press(100, "start")
    assert netlink.ports(bridge) == [first]
    assert "net1" not in stage.text(100)
    stage.press(100, "stop")


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/start", refused=True)
def test_a_bridge_that_is_not_there_is_named_before_anything_happens(stage: Stage) -> None:
    stage.create(100, memory=32, net0="virtio,bridge=vmbr99")
    assert "bridge 'vmbr99' does not exist" in stage.client.refused("POST", f"{VMS}/100/status/start").reason
    assert not stage.layout.guest(100).exists()


@pytest.mark.exercises("POST /nodes/{node}/qemu", "vcpus", "hotplug", "cores")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "vcpus", "balloon")
def test_cpus_are_plugged_and_a_balloon_is_set(stage: Stage) -> None:
    stage.create(100, memory=64, cores=4, vcpus=1, hotplug="cpu,disk,network")
    stage.press(100, "start")
    assert len(monitor(stage, 100, "info cpus").strip().splitlines()) == 1
    stage.config(100, vcpus=3)
    assert len(monitor(stage, 100, "info cpus").strip().splitlines()) == 3
    assert "[PENDING]" not in stage.text(100)
    stage.config(100, balloon=32)
    assert stage.option(100, "balloon") == "32"
    stage.press(100, "stop")


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/resize", "disk", "size", "digest")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/resize", "disk", "size", refused=True)
def test_a_disk_of_a_stopped_guest_grows_and_never_shrinks(stage: Stage) -> None:
    stage.create(100, memory=32, scsi0="local:1,format=qcow2")
    digest = stage.client.get(f"{VMS}/100/config")["digest"]
    stage.task(stage.client.put(f"{VMS}/100/resize", disk="scsi0", size="1536M", digest=digest))
    assert (stage.option(100, "scsi0") or "").endswith("size=1536M")
    assert stage.storage.info("local:100/vm-100-disk-0.qcow2").size == 3 << 29
    refused = stage.client.refused("PUT", f"{VMS}/100/resize", disk="scsi0", size="1G")
    assert refused.reason == "shrinking disks is not supported"
    stale = stage.client.refused("PUT", f"{VMS}/100/resize", disk="scsi0", size="+1G", digest=digest)
    assert stale.reason.startswith("detected modified configuration")


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/template")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/feature", "feature")
def test_a_template_has_base_images_and_never_starts(stage: Stage) -> None:
    stage.create(100, memory=32, scsi0="local:1,format=qcow2")
    assert stage.client.get(f"{VMS}/100/feature", feature="clone")["hasFeature"] == 0
    stage.task(stage.client.post(f"{VMS}/100/template"))
    assert stage.option(100, "scsi0") == "local:100/base-100-disk-0.qcow2,size=1G"
    assert stage.client.get(f"{VMS}/100/feature", feature="clone")["hasFeature"] == 1
    with pytest.raises(Error, match="template"):
        stage.do(QmStart(vmid=100))
    assert stage.client.get(VMS)[0]["template"] == 1


@pytest.mark.exercises("POST /nodes/{node}/startall", "force")
@pytest.mark.exercises("POST /nodes/{node}/stopall", "vms", "timeout", "force-stop")
@pytest.mark.exercises("POST /nodes/{node}/suspendall", "vms")
def test_all_guests_in_their_order(stage: Stage) -> None:
    stage.create(100, memory=32, startup="order=2", onboot=1)
    stage.create(101, memory=32, startup="order=1,up=0", onboot=1)
    stage.create(102, memory=32)
    log = stage.task(stage.client.post("/nodes/testnode/startall"))
    assert [line for line in log if "Starting" in line] == ["Starting VM 101", "Starting VM 100"]
    assert stage.qemu.machines.processes.all_running() == [100, 101]
    stage.task(stage.client.post("/nodes/testnode/suspendall", vms="101"))
    assert stage.option(101, "lock") == "suspended"
    stage.task(stage.client.post("/nodes/testnode/stopall", vms="100,101,102", timeout=0, **{"force-stop": 1}))
    assert stage.qemu.machines.processes.all_running() == []
    stage.task(stage.client.post("/nodes/testnode/startall", vms="102", force=1))
    assert stage.qemu.machines.processes.all_running() == [102]
    stage.press(102, "stop")


def vnc_answer(challenge: bytes, password: str) -> bytes:
    """VNC's answer to a challenge: DES with the password's first eight characters, their bits reversed, as key."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    cipher = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return cipher.update(challenge) + cipher.finalize()


@pytest.mark.parametrize("generated", [True, False])
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/vncproxy", "generate-password")
def test_a_display_asks_for_the_password_or_the_ticket(stage: Stage, generated: bool) -> None:
    stage.create(100, memory=32)
    stage.press(100, "start")
    opened = stage.client.post(f"{VMS}/100/vncproxy", **{"generate-password": int(generated)})
    assert ("password" in opened) is generated
    path = relay.session_socket(stage.layout.consoles, opened["port"], f"{opened['user']}:{opened['ticket']}")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        stream = client.makefile("rb")
        assert stream.read(12) == b"RFB 003.008\n"
        client.sendall(b"RFB 003.008\n")
        kinds = stream.read(stream.read(1)[0])
        assert kinds == b"\x02"
        client.sendall(b"\x02")
        client.sendall(vnc_answer(stream.read(16), opened.get("password") or opened["ticket"]))
        assert stream.read(4) == b"\0\0\0\0"
        stream.close()
    stage.press(100, "stop")


def test_a_serial_display_is_drawn_for_a_vnc_client(stage: Stage) -> None:
    stage.create(100, memory=32, serial0="socket", vga="serial0")
    stage.press(100, "start")
    opened = stage.client.post(f"{VMS}/100/vncproxy")
    path = relay.session_socket(stage.layout.consoles, opened["port"], f"{opened['user']}:{opened['ticket']}")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        assert client.recv(12) == b"RFB 003.008\n"
    stage.press(100, "stop")
