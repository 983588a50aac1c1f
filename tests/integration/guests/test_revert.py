"""Reverts of guests' options by the history, through the call that changes them: stopped and running."""

from __future__ import annotations

from typing import Any

import pytest

from corral.api import cluster
from corral.api.nodes.qemu import ENDPOINTS
from corral.guests.qemu.config import VmConfig
from corral.rest.call import Credentials
from tests.api import Client
from tests.integration.guests.stage import VMS, Stage

REVERT = "/cluster/history/revert"
ONE = f"{VMS}/100"
MAC = "BC:24:11:00:00:01"
exercises = pytest.mark.exercises


@pytest.fixture
def client(stage: Stage) -> Client:
    return Client.of(stage.app(), [*cluster.ENDPOINTS, *ENDPOINTS])


def acting_as(stage: Stage, client: Client, user: str, privs: str) -> Client:
    """A client of a user who has these privileges on VM 100 alone."""
    doc = stage.store.get("user.cfg")
    assert doc is not None
    lines = f"user:{user}:1:0::::::\nrole:Own:{privs}:\nacl:1:/vms/100:{user}:Own:\n"
    stage.put("user.cfg", f"{doc.text}{lines}")
    access = client.dispatcher.app.access
    return client.using(Credentials(ticket=access.tickets.issue(user), csrf=access.tickets.issue_csrf(user)))


def last(stage: Stage, key: str = "guest/100") -> str:
    return str(stage.store.history(key, exact=True, limit=1)[0].revision)


def options(stage: Stage) -> dict[str, str]:
    return dict(VmConfig.parse(stage.text(100)).raw)


@exercises("POST /cluster/history/revert", "revision")
def test_options_come_back_and_all_else_is_left_alone(stage: Stage, client: Client) -> None:
    stage.create(100, name="one", memory=64, net0=f"virtio={MAC}", description="a: b\nc", cipassword="first")
    config = VmConfig.parse(stage.text(100)).with_snapshot("before", {"memory": "32", "snaptime": "1700000000"})
    stage.put("guest/100", str(config))
    before = options(stage)
    changes: dict[str, Any] = {"name": "two", "memory": 96, "cores": 2, "description": "d", "cipassword": "second"}
    stage.config(100, **changes, delete="net0")
    password = options(stage)["cipassword"]
    changed = last(stage)
    stage.config(100, onboot=1, name="three")
    told = [
        f"'name' has been changed since, by root@pam at revision {last(stage)}",
    ]
    planned = client.call("POST", REVERT, {"revision": changed}, plan=True)
    assert planned["plan"]["warnings"] == told
    assert options(stage)["name"] == "three"
    assert client.call("POST", REVERT, {"revision": changed}, apply=planned["token"])["warnings"] == told
    assert options(stage) == {**before, "onboot": "1", "cipassword": password}
    assert "[before]" in stage.text(100)
    row = client.get("/cluster/history", vmid=100, limit=1)["rows"][0]
    assert row["why"] == f"revert of revision {changed}"
    assert stage.text(100) == planned["plan"]["writes"][0]["text"].replace("***", password)


def test_drives_are_taken_and_given_back_and_no_volume_is_made_or_removed(stage: Stage, client: Client) -> None:
    stage.create(100, scsi0="local:1")
    stage.config(100, scsi1="local:1")
    added = last(stage)
    volid = options(stage)["scsi1"].partition(",")[0]
    client.post(REVERT, revision=added)
    assert options(stage)["unused0"] == volid
    assert "scsi1" not in options(stage)
    stage.storage.info(volid)
    client.post(REVERT, revision=last(stage))
    assert options(stage)["scsi1"] == f"{volid},size=1G"
    assert "unused0" not in options(stage)

    stage.config(100, delete="scsi1")
    detached = last(stage)
    stage.config(100, delete="unused0")
    reply = client.refused("POST", REVERT, revision=detached)
    assert f"revision {detached} can't be reverted: scsi1: " in (reply.message or "")
    assert "does not exist" in (reply.message or "")
    assert "scsi1" not in options(stage)
    stage.task(client.put(f"{ONE}/resize", disk="scsi0", size="+1G"))
    assert "there is nothing to revert" in (client.refused("POST", REVERT, revision=last(stage)).message or "")


@exercises("POST /cluster/history/revert", "path", refused=True)
def test_what_options_do_not_bring_back_is_refused(stage: Stage, client: Client) -> None:
    stage.create(100, ide2="local:cloudinit", scsi0="local:1")
    revision = last(stage)
    assert client.refused("POST", REVERT, path="guest/100").status == 500
    made = str(stage.store.history("guest/100", exact=True)[-1].revision)
    assert "created guest 100: a revert makes and removes" in (
        client.refused("POST", REVERT, revision=made, path="guest/100").message or ""
    )
    stage.config(100, delete="ide2")
    assert last(stage) != revision
    assert "a cloud-init drive" in (client.refused("POST", REVERT, revision=last(stage)).message or "")
    stage.config(100, name="one")
    named = last(stage)
    stage.task(client.delete(ONE))
    assert "removed guest 100" in (client.refused("POST", REVERT, path="guest/100").message or "")
    stage.create(100, name="another")
    assert "has been removed since" in (client.refused("POST", REVERT, revision=named).message or "")
    assert options(stage)["name"] == "another"


def test_a_revert_takes_the_privileges_of_its_call(stage: Stage, client: Client) -> None:
    stage.create(100, name="one", memory=32)
    stage.create(101)
    stage.config(100, name="two")
    named = last(stage)
    stage.config(100, memory=64)
    grown = last(stage)
    joe = acting_as(stage, client, "joe@pve", "VM.Audit,VM.Config.Memory")
    assert {row["records"][0]["key"] for row in joe.get("/cluster/history")["rows"]} == {"guest/100"}
    reply = joe.refused("POST", REVERT, revision=named)
    assert reply.reason == "Permission check failed (/vms/100, VM.Config.Options)"
    joe.post(REVERT, revision=grown)
    assert (options(stage)["name"], options(stage)["memory"]) == ("two", "32")
    reply = joe.refused("POST", REVERT, path="guest/101")
    assert reply.reason == "Permission check failed (/vms/101, VM.Audit)"


@exercises("POST /cluster/history/revert", "path")
def test_a_running_machine_is_changed_back_as_it_was_changed(stage: Stage, client: Client) -> None:
    stage.create(100, name="one", memory=32, net0=f"virtio={MAC}")
    stage.press(100, "start")
    stage.config(100, name="two", memory=64)
    changed = last(stage)
    config = VmConfig.parse(stage.text(100))
    assert (config.raw["name"], config.raw["memory"], config.pending.raw["memory"]) == ("two", "32", "64")
    found = client.post(REVERT, revision=changed)
    assert found["calls"][0]["params"] == {"vmid": "100", "node": "testnode", "name": "one", "revert": "memory"}
    config = VmConfig.parse(stage.text(100))
    assert (config.raw["name"], config.raw["memory"], dict(config.pending.raw)) == ("one", "32", {})

    stage.config(100, net0=f"virtio={MAC},link_down=1")
    assert options(stage)["net0"].endswith("link_down=1")
    planned = client.call("POST", REVERT, {"path": "guest/100"}, plan=True)
    assert planned["plan"]["effects"] == ["changes net0 of running VM 100"]
    client.call("POST", REVERT, {"path": "guest/100"}, apply=planned["token"])
    assert options(stage)["net0"] == f"virtio={MAC}"
