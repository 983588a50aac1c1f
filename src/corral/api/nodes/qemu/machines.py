"""/nodes/{node}/qemu: list, create, remove."""

from __future__ import annotations

from typing import Annotated

from corral.api.nodes.qemu.fields import BASE, ONE, VM, SkipLock, rules
from corral.app import Call
from corral.guests.qemu.life.options import texts_of
from corral.guests.qemu.life.status import Row
from corral.guests.qemu.life.work import QmCreate, QmDestroy
from corral.guests.qemu.options import VmOptions
from corral.rest import Endpoint, anyone, endpoint, need
from corral.schema import doc, name, spread
from corral.schema.types import VMID, NodeName, PoolId, TaskId


@endpoint("GET", BASE, allow=anyone("lists only guests on which the caller has VM.Audit"), runs="node", root=True)
def index(
    call: Call, node: NodeName, *, full: Annotated[bool, doc("Also what QEMU says of running guests.")] = False
) -> list[Row]:
    """Virtual machine index (per node)."""
    return [row for row in call.app.qemu.rows(full=full) if call.may(f"/vms/{row.vmid}", "VM.Audit")]


@endpoint(
    "POST",
    BASE,
    allow=anyone("VM.Allocate on the guest or its pool, and a privilege for each option, are checked per parameter"),
    runs="node",
    example={"vmid": 900, "name": "example", "memory": "128", "scsi0": "local:1", "net0": "virtio"},
)
def create(
    call: Call,
    node: NodeName,
    vm: Annotated[VmOptions, spread],
    *,
    vmid: Annotated[VMID | None, doc("The guest's number; a free one is taken when it is not given.")] = None,
    pool: Annotated[PoolId | None, doc("Add the guest to this pool.")] = None,
    start: Annotated[bool, doc("Start the guest after it was created.")] = False,
) -> TaskId:
    """Create a virtual machine."""
    options = call.app.qemu.hashed(texts_of(vm, call.params), call.draws)
    rules(call, vmid or 0, pool).check_create(options)
    return call.spawn(QmCreate(vmid=vmid or 0, options=options, pool=pool, start=start))


@endpoint("DELETE", ONE, allow=need(VM, "VM.Allocate"), runs="node", example={"vmid": 100})
def destroy(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    purge: Annotated[bool, doc("Also remove it from backup, replication and HA jobs.")] = False,
    unreferenced: Annotated[
        bool,
        name("destroy-unreferenced-disks"),
        doc("Also free volumes that bear its number without being in its configuration."),
    ] = False,
    skiplock: SkipLock = False,
) -> TaskId:
    """Destroy the VM and all used/owned volumes."""
    return call.spawn(QmDestroy(vmid=vmid, purge=purge, unreferenced=unreferenced, skiplock=skiplock))


ENDPOINTS: tuple[Endpoint, ...] = (index, create, destroy)
