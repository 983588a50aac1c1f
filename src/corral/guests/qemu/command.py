"""QEMU's command line for a guest: every part renders itself, here they are only put together.

    command(vmid, config, host, runtime, volumes) -> Command

Nothing is looked up: what the host offers and where volumes are comes in as values, what the caller has to prepare
goes out as values.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from corral.core.errors import Error
from corral.guests.qemu import blockdev, cpu, machine, memory, pci
from corral.guests.qemu.args import Chardev, Device, Item, Option, words
from corral.guests.qemu.config import Section
from corral.guests.qemu.devices import usb
from corral.guests.qemu.devices.agent import render_agent
from corral.guests.qemu.devices.audio import render_audio
from corral.guests.qemu.devices.balloon import render_balloon
from corral.guests.qemu.devices.display import render_display
from corral.guests.qemu.devices.hostpci import addresses, render_hostpcis
from corral.guests.qemu.devices.ivshmem import render_ivshmem
from corral.guests.qemu.devices.net import mtu, render_nets
from corral.guests.qemu.devices.rng import render_rng
from corral.guests.qemu.devices.serial import listening, render_parallels, render_serials
from corral.guests.qemu.devices.smbios import render_smbios
from corral.guests.qemu.devices.tpm import render_tpm
from corral.guests.qemu.devices.virtiofs import render_virtiofs
from corral.guests.qemu.devices.watchdog import render_watchdog
from corral.guests.qemu.drives import render_drives
from corral.guests.qemu.host import Host, Located
from corral.guests.qemu.setup import Runtime, Setup, set_up

_SANDBOX: Final = {"obsolete": "deny", "elevateprivileges": "deny", "spawn": "deny", "resourcecontrol": "deny"}


@dataclass(frozen=True)
class Command:
    """How to start QEMU.

    args      the whole command line, program first
    items     the same, piece by piece
    warnings  what works in another way than asked for
    notes     what is so on this node for every guest: told, but no reason to look into a task
    machine, cpu  what a migration target must be told, and a snapshot with memory notes
    host_mtu  card number → MTU told to the guest, for the same
    copy_vars (template, size in bytes) of EFI variables to be put at `<sockets>/efivars` before the start, if any
    tpm       version of the TPM that `swtpm` must serve on `<sockets>/swtpm`, if any
    pci       addresses of host devices to hand over
    hugepages page size in MiB → host node (-1: any) → pages
    affinity  host CPUs to run on; empty: all
    """

    args: tuple[str, ...]
    items: tuple[Item, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    machine: str
    cpu: str
    host_mtu: Mapping[int, int]
    copy_vars: tuple[str, int] | None
    tpm: str | None
    pci: tuple[str, ...]
    hugepages: Mapping[int, Mapping[int, int]]
    affinity: str


def command(vmid: int, section: Section, host: Host, runtime: Runtime, volumes: Mapping[str, Located]) -> Command:
    """The command line that starts a guest; `Error` when it can't run on this host.

    `volumes` has every volume the section names, by volume id.
    """
    setup = set_up(vmid, section, host, runtime, volumes)
    items = tuple(_items(setup))
    return Command(
        args=(_binary(setup), *words(items)),
        items=items,
        warnings=tuple(setup.warnings),
        notes=tuple(setup.notes),
        machine=setup.machine.text,
        cpu=runtime.cpu or str(cpu.model(setup)),
        host_mtu=_mtus(setup),
        copy_vars=_copy_vars(setup),
        tpm=(setup.options.tpmstate0.version or "v1.2") if setup.options.tpmstate0 else None,
        pci=tuple(_pci(setup)),
        hugepages=memory.hugepages(setup),
        affinity=setup.options.affinity or "",
    )


def _binary(setup: Setup) -> str:
    if setup.arch == setup.host.arch and setup.host.flavour.kvm_binary:
        return setup.host.flavour.kvm_binary
    return f"qemu-system-{setup.arch}"


def _items(setup: Setup) -> Iterator[Item]:
    """Everything, in the order in which QEMU must see it: buses before what hangs on them."""
    confidential, guarded = machine.render_confidential(setup)
    firmware, plugged = blockdev.firmware(setup)
    yield from _process(setup)
    yield from render_smbios(setup)
    yield from firmware
    yield from confidential
    yield from memory_and_cpu(setup)
    yield from machine.render_machine(setup, {**plugged, **memory.machine_flags(setup), **guarded})
    yield from machine.render_globals(setup)
    devices = list(_devices(setup))
    yield from machine.render_intel_iommu(setup)
    yield from _bridges(setup, devices)
    yield from devices
    yield from machine.render_virtio_iommu(setup)
    yield from _clock(setup)
    yield from _last(setup)


def memory_and_cpu(setup: Setup) -> Iterator[Item]:
    """CPUs, then memory: NUMA nodes name CPUs that must be known."""
    yield from cpu.render_cpu(setup)
    yield from memory.render_memory(setup)


def _process(setup: Setup) -> Iterator[Item]:
    """What concerns the process: its name, how it is spoken to, and what it may not do."""
    upstream = not setup.host.flavour.suffix
    yield Option("name", setup.options.name or f"vm{setup.vmid}", {"debug-threads": True} if upstream else {})
    yield Option("no-shutdown")
    if setup.options.reboot is False:
        yield Option("no-reboot")
    # One for tasks, one that is never busy: its reader sees every event.
    for name in ("qmp", "event"):
        yield Chardev("socket", name, listening(setup, name))
        yield Option("mon", props={"chardev": name, "mode": "control"})
    yield Option("pidfile", setup.socket("pid"))
    yield Option("nodefaults")
    if upstream:
        yield Option("no-user-config")
        if setup.host.seccomp:
            yield Option("sandbox", "on", _SANDBOX)
    boot = {"menu": True, "strict": True, "reboot-timeout": 1000}
    yield Option("boot", props=boot)
    if setup.runtime.paused or setup.options.freeze:
        yield Option("S")
    if setup.runtime.incoming:
        yield Option("incoming", setup.runtime.incoming)


def _devices(setup: Setup) -> Iterator[Item]:
    generation = setup.options.vmgenid
    if generation not in (None, "0", "1"):
        yield Device("vmgenid", props={"guid": generation})
    yield from usb.render_controllers(setup)
    yield from usb.render_tablet(setup)
    yield from render_hostpcis(setup)
    yield from usb.render_usbs(setup)
    yield from render_serials(setup)
    yield from render_parallels(setup)
    yield from render_audio(setup)
    yield from render_tpm(setup)
    yield from render_display(setup)
    yield from render_agent(setup)
    yield from render_rng(setup)
    yield from render_balloon(setup)
    yield from render_watchdog(setup)
    yield from render_drives(setup)
    yield from render_nets(setup)
    yield from render_virtiofs(setup)
    yield from render_ivshmem(setup)


def _bridges(setup: Setup, items: list[Item]) -> Iterator[Item]:
    if setup.host.flavour.readconfig and setup.machine.kind == "q35":
        return
    single = setup.options.scsihw == "virtio-scsi-single"
    yield from pci.bridges((item for item in items if isinstance(item, Device)), setup.machine.kind, single_scsi=single)


def _clock(setup: Setup) -> Iterator[Item]:
    options = setup.options
    props: dict[str, Any] = {}
    catch_up = options.tdf if options.tdf is not None else bool(setup.windows)
    if catch_up and setup.machine.kind != "virt":
        props["driftfix"] = "slew"
    if options.startdate not in (None, "now"):
        props["base"] = options.startdate
    elif options.localtime or (options.localtime is None and setup.windows):
        props["base"] = "localtime"
    if props:
        yield Option("rtc", props=props)


def _last(setup: Setup) -> Iterator[Item]:
    if setup.options.template:
        yield Option("snapshot")
    if setup.options.args:
        yield from _split(setup.options.args)


def _split(text: str) -> list[Item]:
    """The user's own arguments: each option with the value that follows it."""
    try:
        parts = shlex.split(text)
    except ValueError as exc:
        raise Error(f"args: {exc}") from exc
    found: list[Item] = []
    while parts:
        flag = parts.pop(0)
        if not re.match(r"--?[a-zA-Z]", flag):
            raise Error(f"args: '{flag}' is no option")
        value = parts.pop(0) if parts and not re.match(r"--?[a-zA-Z]", parts[0]) else ""
        found.append(Option(flag.removeprefix("-"), value))
    return found


def _mtus(setup: Setup) -> dict[int, int]:
    found = {}
    for index, net in setup.options.net.items():
        told = mtu(setup, index, net) if net.model == "virtio" else None
        if told is not None:
            found[index] = told
    return found


def _copy_vars(setup: Setup) -> tuple[str, int] | None:
    needed = setup.options.bios == "ovmf" or setup.arch == "aarch64"
    kind = blockdev.firmware_type(setup)
    if not needed or setup.options.efidisk0 is not None or kind in blockdev.WITHOUT_VARIABLES:
        return None
    found = setup.host.firmware[kind]
    return found.vars, found.vars_size


def _pci(setup: Setup) -> Iterator[str]:
    for index, device in setup.options.hostpci.items():
        if not device.mdev:
            yield from addresses(setup, index, device)
