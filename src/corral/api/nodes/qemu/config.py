"""/nodes/{node}/qemu/{vmid}/config: a guest's configuration, and the calls that change parts of it."""

from __future__ import annotations

from typing import Annotated, Literal

from corral.api import shapes
from corral.api.nodes.qemu.fields import DRIVE, ONE, VM, WAITING, Delete, Revert, SkipLock, rules
from corral.app import Call
from corral.guests import records
from corral.guests.qemu.life.options import known_names, texts_of
from corral.guests.qemu.life.view import PendingRow, feature_of, pending_of, shown_config
from corral.guests.qemu.life.work import QmConfig, QmResize, QmTemplate
from corral.guests.qemu.options import VmOptions
from corral.guests.qemu.permissions import CHANGES
from corral.rest import Endpoint, endpoint, need, need_any
from corral.schema import between, doc, formats, length, pattern, requires, spread
from corral.schema.types import VMID, Digest, NodeName, TaskId

SnapName = Annotated[str | None, formats.CONFIG_ID, length(0, 40), doc("A snapshot's name.")]
Disk = Annotated[str, DRIVE, doc("A drive of the guest, such as `scsi0`.")]
Force = Annotated[bool, doc("Free the volumes of deleted options, instead of keeping them as unused.")]
ForceDelete = Annotated[bool, requires("delete"), doc("Free the volumes of deleted options.")]
Delay = Annotated[int | None, between(1, 30), doc("Wait so many seconds for the end; answer null if it came.")]
_MAY_CHANGE = need_any(VM, *CHANGES)


@endpoint("GET", f"{ONE}/config", allow=need(VM, "VM.Audit"), runs="node")
def read(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    current: Annotated[bool, doc("Without pending changes.")] = False,
    snapshot: SnapName = None,
) -> shapes.GuestConfig:
    """Get the virtual machine configuration with pending configuration changes applied."""
    return shown_config(call.app.qemu.load(vmid), current=current, snapshot=snapshot)


@endpoint("GET", f"{ONE}/pending", allow=need(VM, "VM.Audit"), runs="node")
def pending(call: Call, node: NodeName, vmid: VMID) -> list[PendingRow]:
    """Get the virtual machine configuration with both current and pending values."""
    return pending_of(call.app.qemu.load(vmid))


@endpoint(
    "PUT",
    f"{ONE}/config",
    allow=_MAY_CHANGE,
    runs="node",
    pool=WAITING,
    example={"vmid": 100, "description": "an example"},
)
def update(
    call: Call,
    node: NodeName,
    vmid: VMID,
    vm: Annotated[VmOptions, spread],
    *,
    delete: Delete = (),
    revert: Revert = (),
    force: ForceDelete = False,
    digest: Digest | None = None,
    skiplock: SkipLock = False,
) -> None:
    """Set virtual machine options, waiting for the end: volumes are made and devices plugged when it answers."""
    args = _change(call, vmid, vm, delete, revert)
    args = args.with_flags(digest=digest, force=force, skiplock=skiplock)
    changer = call.app.qemu.changer
    if changer.record_only(args, call.draws):
        call.edit(records.key(vmid), lambda text: changer.rewrite(args, text, call.draws))
    else:
        call.run(args)


@endpoint("POST", f"{ONE}/config", allow=_MAY_CHANGE, runs="node", example={"vmid": 100, "scsi5": "local:1"})
def update_later(
    call: Call,
    node: NodeName,
    vmid: VMID,
    vm: Annotated[VmOptions, spread],
    *,
    delete: Delete = (),
    revert: Revert = (),
    force: ForceDelete = False,
    digest: Digest | None = None,
    skiplock: SkipLock = False,
    background_delay: Delay = None,
) -> TaskId | None:
    """Set virtual machine options in a task of its own."""
    args = _change(call, vmid, vm, delete, revert)
    upid = call.spawn(args.with_flags(digest=digest, force=force, skiplock=skiplock))
    if background_delay is None or call.planning:
        return upid
    return call.app.qemu.ended_within(upid, background_delay, call.app.runner)


def _change(call: Call, vmid: int, vm: VmOptions, delete: tuple[str, ...], revert: tuple[str, ...]) -> QmConfig:
    """The change that was asked for, if the caller may make it."""
    options = call.app.qemu.hashed(texts_of(vm, call.params), call.draws)
    before = call.app.qemu.load(vmid).config.raw
    asked = QmConfig(
        vmid=vmid, options=options, delete=known_names(delete, "delete"), revert=known_names(revert, "revert")
    )
    allowed = rules(call, vmid)
    allowed.check_set(options, before)
    allowed.check_unset((*asked.delete, *asked.revert), before)
    return asked


@endpoint(
    "PUT",
    f"{ONE}/unlink",
    allow=need(VM, "VM.Config.Disk"),
    runs="node",
    pool=WAITING,
    example={"vmid": 100, "idlist": "scsi0"},
)
def unlink(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    idlist: Annotated[tuple[Annotated[str, formats.CONFIG_ID], ...], doc("Drives to unlink, in a list.")],
    force: Force = False,
) -> None:
    """Unlink/delete disk images."""
    delete = known_names(idlist, "idlist")
    rules(call, vmid).check_unset(delete, call.app.qemu.load(vmid).config.raw)
    call.run(QmConfig(vmid=vmid, delete=delete, force=force))


@endpoint(
    "PUT", f"{ONE}/resize", allow=need(VM, "VM.Config.Disk"), runs="node",
    example={"vmid": 100, "disk": "scsi0", "size": "+1G"},
)  # fmt: skip
def resize(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    disk: Disk,
    size: Annotated[
        str, pattern(r"\+?\d+(\.\d+)?[KMGT]?"), doc("The new size, or with `+` what to add. Nothing shrinks.")
    ],
    digest: Digest | None = None,
    skiplock: SkipLock = False,
) -> TaskId:
    """Extend volume size."""
    volume = dict(call.app.qemu.load(vmid).config.volumes()).get(disk)
    if volume is not None and volume.volid is not None:
        call.need(f"/storage/{volume.volid.partition(':')[0]}", "Datastore.AllocateSpace")
    return call.spawn(QmResize(vmid=vmid, disk=disk, size=size, digest=digest, skiplock=skiplock))


@endpoint("POST", f"{ONE}/template", allow=need(VM, "VM.Allocate"), runs="node", example={"vmid": 100})
def template(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    disk: Annotated[str | None, DRIVE, doc("Only turn this disk into a base image.")] = None,
) -> TaskId:
    """Create a template."""
    return call.spawn(QmTemplate(vmid=vmid, disk=disk))


@endpoint("GET", f"{ONE}/feature", allow=need(VM, "VM.Audit"), runs="node", root=True)
def feature(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    feature: Annotated[Literal["snapshot", "clone", "copy"], doc("The feature to look for.")],
    snapname: SnapName = None,
) -> shapes.Feature:
    """Check if feature for virtual machine is available."""
    has = feature_of(call.app.qemu.load(vmid), call.app.storage, feature, snapname)
    return {"hasFeature": has, "nodes": [call.app.node] if has else []}


ENDPOINTS: tuple[Endpoint, ...] = (read, pending, update, update_later, unlink, resize, template, feature)
