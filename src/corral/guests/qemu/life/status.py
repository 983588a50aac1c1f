"""What lists and status calls show of virtual machines."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from corral.core.errors import Error
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.machines import Machine
from corral.guests.qemu.life.volumes import MIB, read_size
from corral.metrics.board import GuestStatus
from corral.schema.fields import name


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a configuration alone says about the size of a guest."""

    cpus: float
    maxmem: int
    maxdisk: int


def facts_of(config: VmConfig) -> Facts:
    """Processors, memory and boot disk of a guest, in bytes."""
    options = config.options
    cpus = options.vcpus or (options.sockets or options.smp or 1) * (options.cores or 1)
    limit = options.cpulimit or 0
    memory = options.memory.current if options.memory else 512
    return Facts(cpus=min(cpus, limit) if limit else cpus, maxmem=memory * MIB, maxdisk=_boot_disk_size(config))


def _boot_disk_size(config: VmConfig) -> int:
    drives = {key: drive for key, drive in config.drives() if not drive.cdrom}
    boot = config.options.boot
    order = str(boot.order).split(";") if boot is not None and boot.order else []
    first = next((drives[key] for key in [*order, *drives] if key in drives), None)
    if first is None or first.size is None:
        return 0
    try:
        return read_size(first.size)
    except (ValueError, Error):
        return 0


def stopped(machine: Machine) -> GuestStatus:
    """The status of a guest that does not run."""
    facts = facts_of(machine.config)
    agent = machine.config.options.agent
    return GuestStatus(
        vmid=machine.guest.vmid,
        node=machine.guest.node,
        qmpstatus="stopped",
        maxcpu=facts.cpus,
        maxmem=facts.maxmem,
        maxdisk=facts.maxdisk,
        agent=True if agent is not None and agent.enabled else None,
    )


class Ha(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the guest is under high availability."""

    managed: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A guest in a list, or alone."""

    vmid: int
    status: str
    name: str
    cpu: float
    cpus: float
    mem: int
    maxmem: int
    disk: int
    maxdisk: int
    diskread: int
    diskwrite: int
    netin: int
    netout: int
    uptime: int
    memhost: int | None = None
    pid: int | None = None
    lock: str | None = None
    tags: str | None = None
    template: int | None = None
    serial: int | None = None
    qmpstatus: str | None = None
    running_machine: Annotated[str | None, name("running-machine")] = None
    running_qemu: Annotated[str | None, name("running-qemu")] = None
    pressurecpusome: float | None = None
    pressurecpufull: float | None = None
    pressureiosome: float | None = None
    pressureiofull: float | None = None
    pressurememorysome: float | None = None
    pressurememoryfull: float | None = None
    balloon: int | None = None
    ballooninfo: dict[str, int] | None = None
    blockstat: dict[str, dict[str, int]] | None = None
    nics: dict[str, dict[str, int]] | None = None
    agent: int | None = None
    spice: int | None = None
    clipboard: str | None = None
    ha: Ha | None = None


def row_of(machine: Machine, now: GuestStatus | None, *, full: bool = False) -> Row:
    """A guest for a list; `full` with what QEMU says of a running one."""
    status = now or stopped(machine)
    facts = facts_of(machine.config)
    options = machine.config.options
    running = status.status == "running"
    more: dict[str, Any] = dict(status.pressure)
    if running:
        more |= {"pid": status.pid, "memhost": status.memhost}
    if full:
        names = ("qmpstatus", "running_machine", "running_qemu", "balloon", "ballooninfo", "blockstat", "nics")
        more |= {each: getattr(status, each) for each in names}
    return Row(
        vmid=machine.guest.vmid,
        status=status.status,
        name=machine.name,
        cpu=status.cpu,
        cpus=facts.cpus,
        mem=status.mem,
        maxmem=facts.maxmem,
        disk=status.disk,
        maxdisk=facts.maxdisk,
        diskread=status.diskread,
        diskwrite=status.diskwrite,
        netin=status.netin,
        netout=status.netout,
        uptime=status.uptime,
        lock=options.lock,
        tags=options.tags,
        template=1 if options.template else None,
        serial=1 if options.serial else None,
        **more,
    )


def current_of(machine: Machine, now: GuestStatus) -> Row:
    """Everything about one guest now."""
    options = machine.config.options
    vga = options.vga
    return msgspec.structs.replace(
        row_of(machine, now, full=True),
        ha=Ha(),
        qmpstatus=now.qmpstatus or "stopped",
        agent=1 if options.agent is not None and options.agent.enabled else None,
        spice=1 if vga is not None and (vga.type or "").startswith("qxl") else None,
        clipboard=vga.clipboard if vga is not None else None,
    )
