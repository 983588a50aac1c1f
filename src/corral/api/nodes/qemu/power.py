"""/nodes/{node}/qemu/{vmid}/status: what a guest does, and its buttons."""

from __future__ import annotations

from typing import Annotated

from corral.api.nodes.qemu.fields import ONE, VM, ForceStop, KeepActive, SkipLock
from corral.app import Call
from corral.guests.qemu.life.status import Row
from corral.guests.qemu.life.work import QmPause, QmReboot, QmReset, QmResume, QmShutdown, QmStart, QmStop, QmSuspend
from corral.guests.qemu.machine import Machine
from corral.rest import Endpoint, endpoint, need
from corral.schema import between, doc, name, requires, root_only
from corral.schema.types import VMID, NodeName, StorageId, TaskId

POWER = need(VM, "VM.PowerMgmt")
_STATUS = f"{ONE}/status"
Timeout = Annotated[int | None, between(0), doc("Wait at most this many seconds.")]


@endpoint("GET", f"{_STATUS}/current", allow=need(VM, "VM.Audit"), runs="node", root=True)
def current(call: Call, node: NodeName, vmid: VMID) -> Row:
    """Get virtual machine status."""
    return call.app.qemu.current(vmid)


@endpoint("GET", f"{ONE}/command", allow=need(VM, "VM.Audit"), runs="node", root=True)
def show_command(call: Call, node: NodeName, vmid: VMID) -> list[str]:
    """The command line that starts the virtual machine, word by word."""
    return list(call.app.qemu.starter.command_line(vmid))


@endpoint("POST", f"{_STATUS}/start", allow=POWER, runs="node", example={"vmid": 100})
def start(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    timeout: Timeout = None,
    force_cpu: Annotated[
        str | None, name("force-cpu"), root_only, doc("Override QEMU's -cpu argument with this text.")
    ] = None,
    machine: Annotated[Machine | None, doc("Override the machine type.")] = None,
    skiplock: SkipLock = False,
) -> TaskId:
    """Start virtual machine."""
    kind = machine.type if machine is not None else None
    return call.spawn(QmStart(vmid=vmid, timeout=timeout or 0, cpu=force_cpu, machine=kind, skiplock=skiplock))


@endpoint("POST", f"{_STATUS}/stop", allow=POWER, runs="node", example={"vmid": 101})
def stop(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    timeout: Timeout = None,
    overrule: Annotated[
        bool, name("overrule-shutdown"), doc("Abort shutdowns of the guest that are under way.")
    ] = False,
    keep_active: KeepActive = False,
    skiplock: SkipLock = False,
) -> TaskId:
    """Stop virtual machine, as if its plug was pulled."""
    if overrule and not call.planning:
        call.app.qemu.overrule(vmid, call.app.runner)
    return call.spawn(QmStop(vmid=vmid, timeout=timeout, overrule=overrule, skiplock=skiplock))


@endpoint("POST", f"{_STATUS}/shutdown", allow=POWER, runs="node", example={"vmid": 101, "timeout": 10})
def shutdown(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    timeout: Timeout = None,
    force: ForceStop = False,
    keep_active: KeepActive = False,
    skiplock: SkipLock = False,
) -> TaskId:
    """Shutdown virtual machine: by the guest agent, or else the ACPI power button."""
    return call.spawn(QmShutdown(vmid=vmid, timeout=timeout, force=force, skiplock=skiplock))


@endpoint("POST", f"{_STATUS}/reboot", allow=POWER, runs="node", example={"vmid": 101})
def reboot(call: Call, node: NodeName, vmid: VMID, *, timeout: Timeout = None) -> TaskId:
    """Reboot the VM by shutting it down, and starting it again: pending changes take effect."""
    return call.spawn(QmReboot(vmid=vmid, timeout=timeout))


@endpoint("POST", f"{_STATUS}/reset", allow=POWER, runs="node", example={"vmid": 101})
def reset(call: Call, node: NodeName, vmid: VMID, *, skiplock: SkipLock = False) -> TaskId:
    """Reset virtual machine."""
    return call.spawn(QmReset(vmid=vmid, skiplock=skiplock))


@endpoint("POST", f"{_STATUS}/suspend", allow=POWER, runs="node", example={"vmid": 101})
def suspend(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    todisk: Annotated[bool, doc("Save the memory to a volume and end the guest.")] = False,
    statestorage: Annotated[StorageId | None, requires("todisk"), doc("Storage for the saved memory.")] = None,
    skiplock: SkipLock = False,
) -> TaskId:
    """Suspend virtual machine."""
    if not todisk:
        return call.spawn(QmPause(vmid=vmid, skiplock=skiplock))
    call.need(f"/vms/{vmid}", "VM.Config.Disk")
    storage = call.app.qemu.suspender.storage_of(vmid, statestorage)
    call.need(f"/storage/{storage}", "Datastore.AllocateSpace")
    return call.spawn(QmSuspend(vmid=vmid, storage=storage, skiplock=skiplock))


@endpoint("POST", f"{_STATUS}/resume", allow=POWER, runs="node", example={"vmid": 101})
def resume(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    nocheck: Annotated[bool, doc("Accepted for compatibility; the guest is always looked for.")] = False,
    skiplock: SkipLock = False,
) -> TaskId:
    """Resume virtual machine."""
    return call.spawn(QmResume(vmid=vmid, skiplock=skiplock))


ENDPOINTS: tuple[Endpoint, ...] = (current, show_command, start, stop, shutdown, reboot, reset, suspend, resume)
