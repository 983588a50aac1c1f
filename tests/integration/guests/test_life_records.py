"""Changes that concern the record alone, and what calls refuse: no guest runs in these tests."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from corral.guests.qemu.config import VmConfig
from tests.integration.guests.stage import VMS, Stage

ONE = f"{VMS}/100"


@pytest.fixture
def guest(stage: Stage) -> Stage:
    """A stage with guest 100, which has nothing."""
    stage.create(100)
    return stage


ROOT_ONLY = {
    "args": "-no-hpet",
    "hookscript": "local:snippets/hook.sh",
    "parallel0": "/dev/parport0",
    "serial1": "/dev/ttyS0",
    "usb0": "host=1234:abcd",
    "hostpci0": "0000:00:02.0,pcie=1",
    "virtiofs0": "projects,cache=always",
    "scsi5": "/dev/null",
}


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", *ROOT_ONLY)
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/config")
def test_root_sets_what_equals_root(guest: Stage) -> None:
    guest.config(100, **ROOT_ONLY)
    config = guest.client.get(f"{ONE}/config")
    assert {key: config[key] for key in ROOT_ONLY} == ROOT_ONLY


@pytest.mark.exercises("POST /nodes/{node}/qemu", *ROOT_ONLY)
def test_root_creates_with_what_equals_root(stage: Stage) -> None:
    stage.create(100, **ROOT_ONLY)
    config = stage.client.get(f"{ONE}/config")
    assert {key: config[key] for key in ROOT_ONLY} == ROOT_ONLY


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/config", *ROOT_ONLY, "background_delay")
def test_a_change_in_the_background_that_ends_in_time_answers_nothing(guest: Stage) -> None:
    assert guest.client.post(f"{ONE}/config", background_delay=20, **ROOT_ONLY) is None
    config = guest.client.get(f"{ONE}/config")
    assert {key: config[key] for key in ROOT_ONLY} == ROOT_ONLY


@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/config", "snapshot")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/config", "snapshot", refused=True)
def test_a_snapshot_s_configuration_is_shown(guest: Stage) -> None:
    config = VmConfig.parse(guest.text(100)).with_snapshot("before", {"memory": "64", "snaptime": "1700000000"})
    guest.put("guest/100", str(config))
    found = guest.client.get(f"{ONE}/config", snapshot="before")
    assert (found["memory"], found["snaptime"]) == ("64", 1700000000)
    assert guest.client.refused("GET", f"{ONE}/config", snapshot="none-such").reason.startswith("snapshot 'none-such'")


@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "lock", "skiplock", "memory")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "memory", refused=True)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/start", refused=True)
@pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}", "skiplock")
def test_a_lock_in_the_record_refuses_everything_but_skiplock(guest: Stage) -> None:
    guest.config(100, lock="backup")
    for method, path in (
        ("PUT", "config"),
        ("POST", "status/start"),
        ("POST", "status/stop"),
        ("POST", "status/shutdown"),
        ("POST", "template"),
    ):
        params: dict[str, Any] = {"memory": 64} if path == "config" else {}
        assert guest.client.refused(method, f"{ONE}/{path}", **params).reason == "VM is locked (backup)"
    assert guest.client.refused("DELETE", ONE).reason == "VM is locked (backup)"
    guest.config(100, memory=64, skiplock=1)
    assert guest.option(100, "memory") == "64"
    guest.task(guest.client.delete(ONE, skiplock=1))


def test_changes_at_once_lose_nothing(guest: Stage) -> None:
    def change(index: int) -> None:
        for _ in range(5):
            guest.config(100, **{f"ipconfig{index}": "ip=dhcp"})

    threads = [threading.Thread(target=change, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {f"ipconfig{index}" for index in range(6)} <= set(VmConfig.parse(guest.text(100)).raw)


def test_creates_at_once_without_a_number_all_succeed(stage: Stage) -> None:
    upids: list[str] = []

    def create() -> None:
        upids.append(stage.client.post(VMS, memory=32, scsi0="local:0.01"))

    threads = [threading.Thread(target=create) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for upid in upids:
        stage.task(upid)
    assert sorted(row["vmid"] for row in stage.client.get(VMS)) == list(range(100, 120))


def test_a_plan_draws_what_its_apply_then_makes(stage: Stage) -> None:
    wanted = {"memory": 32, "net0": "virtio", "scsi0": "local:1"}
    planned = stage.client.call("POST", VMS, wanted, plan=True)
    assert stage.store.get("guest/100") is None
    assert not list((stage.layout.local_storage / "images").glob("100/*"))
    stage.task(stage.client.call("POST", VMS, wanted, apply=planned["token"]))
    shown = {write["key"]: write["text"] for write in planned["plan"]["writes"]}
    assert stage.text(100) == shown["guest/100"]


@pytest.mark.exercises("POST /nodes/{node}/qemu", "scsi0", "ide0", refused=True)
def test_what_can_t_be_a_disk_is_refused_per_option(stage: Stage) -> None:
    wrong = {"scsi0": "nowhere:5", "ide0": "local:0", "virtio0": "local:999/vm-999-disk-0.raw"}
    reply = stage.client.refused("POST", VMS, vmid=100, **wrong)
    assert reply.status == 400
    assert reply.errors is not None
    assert set(reply.errors) == set(wrong)
    for trick in (
        "local:100/../../../etc/passwd",
        "local:iso/../../etc/passwd",
        "local:../x",
        "local:100/vm-100-disk-0",
    ):
        assert not stage.client.send("POST", VMS, {"vmid": 100, "sata0": trick}).ok
    assert stage.store.get("guest/100") is None


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/start", "skiplock", "machine", "force-cpu", "timeout")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/suspend", "skiplock")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/resume", "skiplock", "nocheck")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/reset", "skiplock")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/sendkey", "skiplock")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/resize", "skiplock")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/stop", "skiplock", "keepActive")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/shutdown", "skiplock", "keepActive", "forceStop")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/config", "lock", "skiplock")
def test_skiplock_goes_past_a_lock_everywhere(guest: Stage) -> None:
    guest.config(100, memory=32, scsi0="local:1")
    guest.task(guest.client.post(f"{ONE}/config", lock="backup", skiplock=1))
    guest.press(100, "start", skiplock=1, machine="q35", timeout=60, **{"force-cpu": "qemu64,+aes"})
    words = guest.qemu.machines.processes.words(100)
    assert words[words.index("-cpu") + 1] == "qemu64,+aes"
    assert "q35" in words[words.index("-machine") + 1]
    guest.press(100, "suspend", skiplock=1)
    guest.press(100, "resume", skiplock=1, nocheck=1)
    guest.press(100, "reset", skiplock=1)
    guest.client.put(f"{ONE}/sendkey", key="ret", skiplock=1)
    guest.task(guest.client.put(f"{ONE}/resize", disk="scsi0", size="2G", skiplock=1))
    guest.press(100, "shutdown", skiplock=1, keepActive=1, timeout=0, forceStop=1)
    assert guest.current(100)["status"] == "stopped"
    guest.press(100, "start", skiplock=1)
    guest.press(100, "stop", skiplock=1, keepActive=1)
    assert guest.current(100)["status"] == "stopped"


@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/template", "disk")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "template")
@pytest.mark.exercises("POST /nodes/{node}/qemu", "template", "lock")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/feature", "feature", "snapname")
def test_templates_by_option_and_disk_by_disk(stage: Stage) -> None:
    stage.create(100, template=1, lock="backup")
    assert stage.client.get(VMS)[0]["template"] == 1
    stage.create(101, scsi0="local:1", scsi1="local:1")
    stage.task(stage.client.post(f"{VMS}/101/template", disk="scsi1"))
    assert stage.option(101, "scsi1") == "local:101/base-101-disk-1.raw,size=1G"
    assert stage.option(101, "scsi0") == "local:101/vm-101-disk-0.raw,size=1G"
    stage.config(101, template=0)
    assert not stage.client.get(VMS)[1].get("template")
    config = VmConfig.parse(stage.text(101)).with_snapshot("before", {"scsi0": "local:101/vm-101-disk-0.raw"})
    stage.put("guest/101", str(config))
    assert stage.client.get(f"{VMS}/101/feature", feature="snapshot", snapname="before")["hasFeature"] == 0
