"""The life of a virtual machine on real QEMU: created from an image, started, changed while it runs, ended, removed.

The tests of this file share one guest, which is made and booted when it is not there as they expect it.
"""

from __future__ import annotations

import socket
import time
from functools import partial
from pathlib import Path

import pytest

from corral.guests.qemu.life.watch import GuestWatcher
from corral.system.relay import session_socket
from tests.integration.guests.stage import VMS, Stage

pytestmark = [pytest.mark.timeout(180)]

ONE = f"{VMS}/100"


@pytest.fixture
def machine(lab: Stage) -> Stage:
    """The stage with guest 100 running, its agent answering."""
    if lab.store.get("guest/100") is None:
        lab.create(
            100,
            name="web",
            memory=256,
            scsihw="virtio-scsi-pci",
            scsi0="local:0,import-from=local:import/tiny.qcow2",
            net0="virtio",
            serial0="socket",
            agent=1,
            ide2="none,media=cdrom",
        )
    if lab.current(100)["status"] != "running":
        lab.press(100, "start")
    elif lab.current(100)["qmpstatus"] == "paused":
        lab.press(100, "resume")
    lab.await_agent(100)
    return lab


def _fresh(machine: Stage) -> bool:
    """Whether the guest has booted again since a file was made, which was only in its memory."""
    try:
        return "before-reset" not in machine.sh(100, "ls /root")
    except AssertionError:  # it is on its way down
        return False


def nth(lab: Stage, key: str) -> str:
    found = lab.option(100, key)
    assert found is not None, f"{key} is not set"
    return found


@pytest.mark.exercises(
    "POST /nodes/{node}/qemu", "vmid", "name", "memory", "scsihw", "scsi0", "net0", "serial0", "agent"
)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/start")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/status/current")
@pytest.mark.exercises("GET /nodes/{node}/qemu", "full")
def test_a_guest_is_created_from_an_image_and_boots_to_its_login(lab: Stage) -> None:
    lab.create(
        101, name="web", memory=256, scsihw="virtio-scsi-pci", scsi0="local:0,import-from=local:import/tiny.qcow2",
        net0="virtio", serial0="socket", agent=1,
    )  # fmt: skip
    assert "scsi0: local:101/vm-101-disk-0.raw,size=48M" in lab.text(101)
    assert "lock" not in lab.text(101)
    began = time.monotonic()
    lab.press(101, "start")
    assert b"corral-test login:" in lab.until_login(101)
    assert time.monotonic() - began < 60
    now = lab.current(101)
    assert (now["status"], now["qmpstatus"], now["agent"]) == ("running", "running", 1)
    rows = {row["vmid"]: row for row in lab.client.get(VMS, full=1)}
    assert (rows[101]["status"], rows[101]["pid"]) == ("running", now["pid"])
    lab.press(101, "stop")
    lab.task(lab.client.delete(f"{VMS}/101"))


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/ping")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/exec", "command", "input-data")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/exec-status", "pid")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/get-host-name")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/get-osinfo")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/get-time")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/get-vcpus")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/info")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent", "command")
def test_its_agent_answers(machine: Stage) -> None:
    client = machine.client
    assert client.post(f"{ONE}/agent/ping") == {"result": {}}
    pid = client.post(f"{ONE}/agent/exec", command=["/bin/cat"], **{"input-data": "from outside"})["pid"]
    machine.until(lambda: client.get(f"{ONE}/agent/exec-status", pid=pid)["exited"] == 1)
    assert machine.sh(100, "echo out; echo err >&2; exit 3").split() == ["out", "err"]
    nics = client.get(f"{ONE}/agent/network-get-interfaces")["result"]
    assert "10.0.2.15" in str(nics)
    assert client.get(f"{ONE}/agent/get-host-name")["result"] == {"host-name": "corral-test"}
    assert client.get(f"{ONE}/agent/get-osinfo")["result"]["id"] == "corral-test"
    assert client.get(f"{ONE}/agent/get-time")["result"] > 1e18
    assert len(client.get(f"{ONE}/agent/get-vcpus")["result"]) == 1
    assert client.get(f"{ONE}/agent/info")["result"]["version"]
    assert client.post(f"{ONE}/agent", command="get-host-name") == {"result": {"host-name": "corral-test"}}


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/file-write", "file", "content", "encode")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/file-read", "file", "count", "offset", "decode")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-status")
def test_files_pass_through_the_agent(machine: Stage) -> None:
    client = machine.client
    client.post(f"{ONE}/agent/file-write", file="/root/note", content="hello there")
    assert client.get(f"{ONE}/agent/file-read", file="/root/note")["content"] == "hello there"
    part = client.get(f"{ONE}/agent/file-read", file="/root/note", offset=6, count=3)
    assert (part["content"], part.get("truncated")) == ("the", 1)
    client.post(f"{ONE}/agent/file-write", file="/root/note", content="aGk=", encode=0)
    assert client.get(f"{ONE}/agent/file-read", file="/root/note", decode=0)["content"] == "aGk="
    assert client.post(f"{ONE}/agent/fsfreeze-status") == {"result": "thawed"}


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-freeze")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-thaw")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/set-user-password", "username", "password", refused=True)
def test_file_systems_freeze_and_thaw_and_passwords_change(machine: Stage) -> None:
    client = machine.client
    # All of this guest is in memory: it has no file system that could be frozen, and says so.
    assert client.post(f"{ONE}/agent/fsfreeze-freeze") == {"result": 0}
    assert client.post(f"{ONE}/agent/fsfreeze-thaw") == {"result": 0}
    reply = client.send(
        "POST", f"{ONE}/agent/set-user-password", {"username": "nobody-there", "password": "a new secret"}
    )
    assert not reply.ok


def test_an_agent_that_is_not_configured_or_does_not_answer_is_told_as_clients_know_it(stage: Stage) -> None:
    stage.create(200, memory=32)
    reply = stage.client.refused("POST", f"{VMS}/200/agent/ping")
    assert reply.reason == "No QEMU guest agent configured"
    stage.config(200, agent=1)
    assert stage.client.refused("GET", f"{VMS}/200/agent/info").reason == "VM 200 is not running"
    stage.press(200, "start")
    assert stage.client.refused("GET", f"{VMS}/200/agent/info").reason == "QEMU guest agent is not running"
    stage.press(200, "stop")


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "scsi1", "delete")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/resize", "disk", "size")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/unlink", "idlist", "force")
def test_a_disk_comes_grows_and_goes_while_the_guest_runs(machine: Stage) -> None:
    machine.config(100, scsi1="local:1")
    assert "vm-100-disk-1.raw,size=1G" in nth(machine, "scsi1")
    machine.until(lambda: machine.sh(100, "cat /sys/block/sdb/size").strip() == str((1 << 30) // 512))
    machine.task(machine.client.put(f"{ONE}/resize", disk="scsi1", size="+512M"))
    machine.until(lambda: machine.sh(100, "cat /sys/block/sdb/size").strip() == str((3 << 29) // 512))
    assert nth(machine, "scsi1").endswith("size=1536M")
    machine.config(100, scsi1=nth(machine, "scsi1") + ",mbps_rd=10,iops_wr=100")
    qom = machine.client.post(f"{ONE}/monitor", command="info block -v drive-scsi1")
    assert "throttle" in qom
    machine.config(100, delete="scsi1")
    assert nth(machine, "unused0") == "local:100/vm-100-disk-1.raw"
    assert "sdb" not in machine.sh(100, "ls /sys/block")
    volume = machine.layout.local_storage / "images/100/vm-100-disk-1.raw"
    assert volume.exists()
    machine.client.put(f"{ONE}/unlink", idlist="unused0", force=1)
    assert not volume.exists()
    assert machine.option(100, "unused0") is None


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "virtio0", "force")
def test_a_virtio_disk_comes_and_goes_with_its_volume(machine: Stage) -> None:
    machine.config(100, virtio0="local:1,format=qcow2")
    machine.until(lambda: machine.sh(100, "cat /sys/block/vda/size").strip() == str((1 << 30) // 512))
    machine.config(100, delete="virtio0", force=1)
    assert "vda" not in machine.sh(100, "ls /sys/block")
    assert not (machine.layout.local_storage / "images/100/vm-100-disk-1.qcow2").exists()


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "net1", "delete")
def test_a_network_card_comes_loses_its_cable_and_goes(machine: Stage) -> None:
    machine.config(100, net1="virtio")
    assert nth(machine, "net1").startswith("virtio=BC:24:11:")
    machine.until(lambda: "eth1" in machine.sh(100, "ls /sys/class/net"))
    machine.config(100, net1=nth(machine, "net1") + ",link_down=1")
    machine.until(lambda: machine.sh(100, "ip link set eth1 up; cat /sys/class/net/eth1/carrier").strip() == "0")
    machine.config(100, net1=nth(machine, "net1").replace(",link_down=1", ""))
    machine.until(lambda: machine.sh(100, "cat /sys/class/net/eth1/carrier").strip() == "1")
    machine.config(100, delete="net1")
    assert "eth1" not in machine.sh(100, "ls /sys/class/net")


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "ide2")
def test_a_medium_is_inserted_and_ejected(machine: Stage) -> None:
    iso = machine.layout.local_storage / "template/iso/disc.iso"
    iso.write_bytes(bytes(1 << 20))
    machine.config(100, ide2="local:iso/disc.iso,media=cdrom")
    assert "disc.iso" in machine.client.post(f"{ONE}/monitor", command="info block")
    machine.config(100, ide2="none,media=cdrom")
    assert "disc.iso" not in machine.client.post(f"{ONE}/monitor", command="info block")
    assert nth(machine, "ide2") == "none,media=cdrom"


@pytest.mark.exercises(
    "PUT /nodes/{node}/qemu/{vmid}/config", "memory", "cores", "revert", "tablet", "cpuunits", "cpulimit"
)
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/pending")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/config", "current")
def test_what_can_t_change_now_waits_and_can_be_taken_back(machine: Stage) -> None:
    now = machine.client.get(f"{ONE}/config", current=1)["memory"]
    machine.config(100, memory=int(now) + 44, cores=2, description="at once", tablet=0, cpuunits=50, cpulimit=0.5)
    rows = {row["key"]: row for row in machine.client.get(f"{ONE}/pending")}
    assert (rows["memory"]["value"], rows["memory"]["pending"]) == (now, str(int(now) + 44))
    assert "pending" not in rows["description"]
    assert "pending" not in rows["tablet"]
    assert machine.client.get(f"{ONE}/config")["memory"] == str(int(now) + 44)
    assert machine.client.get(f"{ONE}/config", current=1)["memory"] == now
    assert "tablet" not in machine.client.post(f"{ONE}/monitor", command="info usb").lower()
    machine.config(100, revert="cores,memory")
    assert "[PENDING]" not in machine.text(100)
    machine.config(100, delete="tablet,cpuunits,cpulimit,description")
    assert "tablet" in machine.client.post(f"{ONE}/monitor", command="info usb").lower()


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/monitor", "command")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/sendkey", "key")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/sendkey", "key", refused=True)
def test_keys_and_the_monitor(machine: Stage) -> None:
    assert machine.client.post(f"{ONE}/monitor", command="info status") == "VM status: running\n"
    machine.client.put(f"{ONE}/sendkey", key="ctrl-alt-f1")
    assert machine.client.refused("PUT", f"{ONE}/sendkey", key="no-such-key").reason == "invalid parameter: no"


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/suspend")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/resume")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/reset")
def test_pause_resume_reset(machine: Stage) -> None:
    machine.press(100, "suspend")
    assert machine.current(100)["qmpstatus"] == "paused"
    refused = machine.client.post(f"{ONE}/status/shutdown", timeout=1)
    machine.task(refused, "VM is paused - cannot shutdown")
    machine.press(100, "resume")
    assert machine.current(100)["qmpstatus"] == "running"
    machine.sh(100, "touch /root/before-reset")
    machine.press(100, "reset")
    machine.until(lambda: machine.client.send("POST", f"{ONE}/agent/ping").ok and _fresh(machine), 90)


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/suspend", "todisk", "statestorage")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/resume")
def test_memory_is_saved_to_disk_and_the_guest_goes_on_from_there(machine: Stage) -> None:
    machine.await_agent(100)
    machine.sh(100, "echo alive > /root/mark")
    machine.press(100, "suspend", todisk=1, statestorage="local")
    assert machine.option(100, "lock") == "suspended"
    assert machine.current(100)["status"] == "stopped"
    assert machine.client.refused("PUT", f"{ONE}/config", memory=128).reason == "VM is locked (suspended)"
    machine.press(100, "resume")
    assert machine.sh(100, "cat /root/mark") == "alive\n"
    assert machine.option(100, "lock") is None
    assert not list((machine.layout.local_storage / "images/100").glob("*state*"))


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/reboot", "timeout")
def test_a_reboot_makes_pending_changes_current(machine: Stage) -> None:
    wanted = 300 if machine.option(100, "memory") == "256" else 256
    machine.config(100, memory=wanted)
    assert "[PENDING]" in machine.text(100)
    pid = machine.current(100)["pid"]
    machine.press(100, "reboot", timeout=60)
    assert machine.current(100)["pid"] != pid
    assert "[PENDING]" not in machine.text(100)
    assert machine.option(100, "memory") == str(wanted)
    machine.await_agent(100)


def test_a_watcher_sees_the_guest_and_finds_it_again(machine: Stage) -> None:
    ended: list[tuple[int, bool]] = []
    for _ in range(2):  # as after a restart of corrald
        watcher = GuestWatcher(machine.qemu.machines, machine.board, lambda *seen: ended.append(seen))
        watcher.sync()
        status = machine.board.guest(100)
        assert status is not None
        assert (status.status, status.qmpstatus) == ("running", "running")
        assert status.maxmem == int(nth(machine, "memory")) << 20
        assert status.running_machine is not None
        machine.press(100, "suspend")
        machine.until(partial(_shows, machine, watcher, "paused"))
        machine.press(100, "resume")
        machine.until(partial(_shows, machine, watcher, "running"))
        watcher.close()
    assert ended == []


def _shows(machine: Stage, watcher: GuestWatcher, word: str) -> bool:
    watcher.turn(0.1)
    status = machine.board.guest(100)
    return status is not None and status.qmpstatus == word


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/shutdown", "timeout", "forceStop")
@pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}", refused=True)
@pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}", "purge", "destroy-unreferenced-disks")
def test_it_shuts_down_and_is_removed_with_all_it_owned(machine: Stage) -> None:
    volumes = machine.layout.local_storage / "images/100"
    assert machine.client.refused("DELETE", ONE).reason == "VM 100 is running - destroy failed"
    machine.press(100, "shutdown", timeout=60, forceStop=0)
    assert machine.current(100)["status"] == "stopped"
    assert not machine.layout.guest(100).exists()
    machine.config(100, protection=1)
    assert "protection mode enabled" in machine.client.refused("DELETE", ONE).reason
    machine.config(100, protection=0)
    stray = volumes / "vm-100-disk-9.raw"
    stray.write_bytes(bytes(512))
    machine.task(machine.client.delete(ONE, purge=1, **{"destroy-unreferenced-disks": 1}))
    assert machine.store.get("guest/100") is None
    assert not stray.exists()
    assert not list(volumes.glob("*"))


def test_the_serial_console_is_a_socket(stage: Stage, tmp_path: Path) -> None:
    stage.create(100, memory=32, serial0="socket")
    stage.press(100, "start")
    with stage.console(100) as serial:
        assert isinstance(serial, socket.socket)
    stage.press(100, "stop")


def test_a_reboot_from_inside_makes_pending_changes_current(machine: Stage) -> None:
    watcher = machine.qemu.watcher(machine.runner)
    watcher.start()
    try:
        wanted = 300 if machine.option(100, "memory") == "256" else 256
        machine.config(100, memory=wanted)
        watcher.look(100)  # as the sampler does: from now on a reboot ends QEMU
        pid = machine.current(100)["pid"]
        machine.sh(100, "(sleep 0.2; reboot -f) >/dev/null 2>&1 &")
        machine.until(lambda: machine.current(100).get("pid", pid) != pid, 90)
        assert machine.option(100, "memory") == str(wanted)
        assert "[PENDING]" not in machine.text(100)
        machine.await_agent(100)
    finally:
        watcher.close()


@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/vncwebsocket", "port", "vncticket", refused=True)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/termproxy", "serial")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/termproxy", "serial", refused=True)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/spiceproxy", refused=True)
def test_a_console_takes_its_ticket(machine: Stage) -> None:
    opened = machine.client.post(f"{ONE}/termproxy", serial="serial0")
    assert set(opened) == {"user", "ticket", "port", "upid"}
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        greeting = f"{opened['user']}:{opened['ticket']}"
        client.connect(str(session_socket(machine.layout.consoles, opened["port"], greeting)))
        client.sendall(f"{greeting}\n0:1:\n".encode())
        seen = b""
        while b"login:" not in seen:
            seen += client.recv(4096)
        assert seen.startswith(b"OK")
    machine.task(opened["upid"])
    refused = machine.client.refused("GET", f"{ONE}/vncwebsocket", port=opened["port"], vncticket="PVEVNC:0::x")
    assert refused.status == 401
    assert "serial3" in machine.client.refused("POST", f"{ONE}/termproxy", serial="serial3").reason
    assert "SPICE" in machine.client.refused("POST", f"{ONE}/spiceproxy").reason
