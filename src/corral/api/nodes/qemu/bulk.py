"""/nodes/{node}/startall and the like: all guests of the node at once."""

from __future__ import annotations

from typing import Annotated

from corral.app import Call
from corral.core.errors import Forbidden
from corral.guests.qemu.life.work import Bulk, StartAll, StopAll, SuspendAll
from corral.rest import Endpoint, anyone, endpoint
from corral.schema import between, doc, formats, name
from corral.schema.types import NodeName, TaskId

Vms = Annotated[
    tuple[Annotated[int, formats.VMID], ...], doc("Only these guests, in a list; all that the caller may when empty.")
]
Workers = Annotated[int | None, name("max-workers"), between(1, 64), doc("How many tasks may run at once.")]
NOBODY = 0
"""No guest has this number: what stands for an empty choice, since none at all means every guest."""
_EACH = anyone("acts on guests on which the caller has the privilege for it")


def _allowed(call: Call, vms: tuple[int, ...], *privs: str) -> tuple[int, ...]:
    """The guests that the caller may act on; `Forbidden` if one that was named is not among them, or none is left."""
    for vmid in vms:
        call.need(f"/vms/{vmid}", *privs)
    every = [row.vmid for row in call.app.qemu.rows()]
    found = tuple(vmid for vmid in vms or every if call.may(f"/vms/{vmid}", *privs))
    if not found and (every or not call.may("/", *privs)):
        raise Forbidden(f"Permission check failed (/, {privs[0]})")
    return found or (NOBODY,)


def _spawn(call: Call, args: Bulk) -> str:
    return call.spawn(args)


@endpoint("POST", "/nodes/{node}/startall", allow=_EACH, runs="node", example={"force": 1})
def startall(
    call: Call,
    node: NodeName,
    *,
    vms: Vms = (),
    force: Annotated[bool, doc("Start guests without `onboot` too.")] = False,
    workers: Workers = None,
) -> TaskId:
    """Start all VMs on this node, in the order that their option `startup` gives."""
    return _spawn(call, StartAll(vms=_allowed(call, vms, "VM.PowerMgmt"), force=force, workers=workers or 4))


@endpoint("POST", "/nodes/{node}/stopall", allow=_EACH, runs="node", example={"timeout": 10})
def stopall(
    call: Call,
    node: NodeName,
    *,
    vms: Vms = (),
    force_stop: Annotated[bool, name("force-stop"), doc("Stop guests that do not shut down in time.")] = True,
    timeout: Annotated[int, between(0, 7200), doc("How long each may take to shut down, in seconds.")] = 180,
    workers: Workers = None,
) -> TaskId:
    """Stop all VMs on this node, the last started first."""
    allowed = _allowed(call, vms, "VM.PowerMgmt")
    return _spawn(call, StopAll(vms=allowed, force_stop=force_stop, timeout=timeout, workers=workers or 4))


@endpoint("POST", "/nodes/{node}/suspendall", allow=_EACH, runs="node", example={})
def suspendall(call: Call, node: NodeName, *, vms: Vms = (), workers: Workers = None) -> TaskId:
    """Suspend all VMs on this node to disk."""
    allowed = _allowed(call, vms, "VM.PowerMgmt", "VM.Config.Disk")
    for storage in call.app.qemu.suspender.storages_of(allowed):
        call.need(f"/storage/{storage}", "Datastore.AllocateSpace")
    return _spawn(call, SuspendAll(vms=allowed, workers=workers or 4))


ENDPOINTS: tuple[Endpoint, ...] = (startall, stopall, suspendall)
