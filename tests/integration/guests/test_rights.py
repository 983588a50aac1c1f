"""What a privilege on a guest alone does not give. No guest runs in these tests."""

from __future__ import annotations

from corral.rest.call import Credentials
from tests.api import Client
from tests.integration.guests.stage import VMS, Stage


def acting_as(stage: Stage, user: str, *acl: str) -> Client:
    """A client of a user who has these ACL lines (`PATH:ROLE`)."""
    lines = [
        f"user:{user}:1:0::::::",
        *(f"acl:1:{path}:{user}:{role}:" for path, role in (it.split(":") for it in acl)),
    ]
    client, app = stage.client, stage.client.dispatcher.app
    doc = stage.store.get("user.cfg")
    assert doc is not None
    stage.put("user.cfg", doc.text + "\n".join(lines) + "\n")
    ticket = app.access.tickets.issue(user)
    return client.using(Credentials(ticket=ticket, csrf=app.access.tickets.issue_csrf(user)))


def test_a_disk_grows_by_who_may_take_the_space(stage: Stage) -> None:
    stage.create(100, scsi0="local:1")
    grow = {"disk": "scsi0", "size": "+1G"}
    mate = acting_as(stage, "mate@pve", "/vms:PVEVMAdmin")
    refused = mate.refused("PUT", f"{VMS}/100/resize", **grow)
    assert (refused.status, refused.reason) == (
        403, "Permission check failed (/storage/local, Datastore.AllocateSpace)"
    )  # fmt: skip
    keeper = acting_as(stage, "keeper@pve", "/vms:PVEVMAdmin", "/storage:PVEDatastoreUser")
    stage.task(keeper.put(f"{VMS}/100/resize", **grow))
    assert "size=2G" in stage.text(100)
