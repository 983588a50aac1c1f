"""One guest on one host: everything that its parts are rendered from, worked out once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import msgspec

from corral.core.errors import Error
from corral.guests.qemu import config as vm_config
from corral.guests.qemu import pci
from corral.guests.qemu.host import MIN_QEMU, OTHER_REVISIONS, PVE_REVISIONS, Host, Located, Version
from corral.guests.qemu.options import VmFile

MachineKind = Literal["i440fx", "q35", "virt"]

_TYPE: Final = re.compile(r"(pc-i440fx|pc-q35|pc|q35|virt)(?:-(\d+(?:\.\d+)+))?(?:\+pve(\d+))?(\.pxe)?")

# Windows takes another machine version for other hardware: without a version of its own it stays at one.
_WINDOWS: Final = {
    "wxp": 5,
    "w2k": 5,
    "w2k3": 5,
    "w2k8": 6,
    "wvista": 6,
    "win7": 7,
    "win8": 8,
    "win10": 10,
    "win11": 11,
}
_WINDOWS_MACHINE: Final = Version(5, 1)
_NEWEST: Final = 99


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to one start of the guest and to no configuration.

    sockets      directory of the guest's sockets and files: `qmp`, `event`, `vnc`, `serialN`, `qga`, `swtpm`, …
    fds          listening sockets opened before, by chardev (`qmp`, `event`, `serial0`, `qga`)
    taps         card number → descriptors of its tap, one a queue; QEMU itself opens the tap of a card not named here
    vhost        card number → descriptors of /dev/vhost-net, one a queue, where QEMU can't open it itself
    tap_names    card number → name of its tap
    paused       do not run the CPUs until told to
    incoming     QEMU's -incoming argument
    machine, cpu override what the configuration says: a migration target must equal its source
    spice_port   port for SPICE with TLS, where it listens on one
    address      the node's address that SPICE listens on
    """

    sockets: Path
    fds: Mapping[str, int] = {}
    taps: Mapping[int, tuple[int, ...]] = {}
    vhost: Mapping[int, tuple[int, ...]] = {}
    tap_names: Mapping[int, str] = {}
    paused: bool = False
    incoming: str = ""
    machine: str = ""
    cpu: str = ""
    spice_port: int = 61000
    address: str = "127.0.0.1"
    host_mtu: Mapping[int, int] = {}


@dataclass(frozen=True)
class MachineType:
    """A machine type, resolved: `text` is QEMU's name for it, `revision` the packagers' own (`+pveN`)."""

    kind: MachineKind
    version: Version
    text: str
    revision: int = 0
    pxe: bool = False


@dataclass
class Setup:
    """A guest on a host, while its command line is made; `warnings` and `notes` collect what the user should know."""

    vmid: int
    options: VmFile
    host: Host
    runtime: Runtime
    volumes: Mapping[str, Located]
    machine: MachineType
    arch: str
    kvm: bool
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Note something that works in another way than asked for."""
        if text not in self.warnings:
            self.warnings.append(text)

    def at(self, name: str) -> dict[str, str]:
        """Bus and address of a device."""
        return pci.placed(name, self.machine.kind)

    def since(self, major: int, minor: int, *, revision: int = 0) -> bool:
        """Whether the machine is of this version and revision or newer; upstream's have every revision."""
        version = self.machine.version[:2]
        return version > (major, minor) or (version == (major, minor) and self.machine.revision >= revision)

    def socket(self, name: str) -> str:
        """Path of a socket below the guest's run directory."""
        return str(self.runtime.sockets / name)

    @cached_property
    def drives(self) -> bool:
        """Whether disks are given by `-drive`."""
        return self.host.flavour.drives and not self.since(10, 0)

    @cached_property
    def windows(self) -> int:
        """Generation of Windows (7, 8, 10, 11, less for older ones); 0 for anything else."""
        return _WINDOWS.get(self.options.ostype or "", 0)

    @cached_property
    def linux(self) -> bool:
        """Whether the guest is a Linux of today."""
        return self.options.ostype == "l26"

    @cached_property
    def features(self) -> frozenset[str]:
        """What may change while the guest runs."""
        return hotplug_features(self.options)


def hotplug_features(options: VmFile) -> frozenset[str]:
    """What may change while a guest runs: the option `hotplug`, or its default."""
    text = options.hotplug if options.hotplug is not None else "1"
    if text == "0":
        return frozenset()
    if text == "1":
        return frozenset({"network", "disk", "usb"})
    return frozenset(re.split(r"[,;\s]+", text)) - {""}


def set_up(
    vmid: int, section: vm_config.Section, host: Host, runtime: Runtime, volumes: Mapping[str, Located]
) -> Setup:
    """Work out what all parts need; `Error` when this host can't run the guest."""
    if host.qemu < MIN_QEMU:
        raise Error(f"Installed QEMU version '{host.qemu}' is too old, at least {MIN_QEMU[0]}.{MIN_QEMU[1]} is needed.")
    options = section.options
    if options.template:
        options = _bare(options)
    arch = options.arch or host.arch
    same = arch == host.arch
    wants_kvm = options.kvm is not False and same and not options.template
    setup = Setup(
        vmid=vmid,
        options=options,
        host=host,
        runtime=runtime,
        volumes=volumes,
        machine=resolve_machine(options, host, arch, runtime.machine),
        arch=arch,
        kvm=wants_kvm and host.kvm,
    )
    if wants_kvm and not host.kvm:
        # True for every guest of such a node: a task that ended with a warning each time would hide those that matter.
        setup.notes.append("hardware virtualization (KVM) can't be used on this node, the guest is emulated and slow")
    return setup


def _bare(options: VmFile) -> VmFile:
    """What is left of a template, which runs only for a backup: its drives."""
    kept = (
        "ide",
        "sata",
        "scsi",
        "virtio",
        "efidisk0",
        "tpmstate0",
        "scsihw",
        "bios",
        "name",
        "template",
    )
    return VmFile(**{attr: getattr(options, attr) for attr in kept})


def resolve_machine(options: VmFile, host: Host, arch: str, forced: str = "") -> MachineType:
    """The machine type of a guest on this host; `Error` if QEMU here is too old for it."""
    text = forced or (options.machine.type if options.machine else None) or _default_type(arch)
    match = _TYPE.fullmatch(text.partition(",")[0])
    if not match:
        raise Error(f"unknown machine type '{text}'")
    base, number, revision, pxe = match.groups()
    kind: MachineKind = "virt" if base == "virt" else "q35" if "q35" in base else "i440fx"
    version = Version.parse(number) if number else None
    if version is None and options.ostype in _WINDOWS and kind != "virt":
        version = _windows_version(options, host)
    if version is not None and version[:2] > host.qemu[:2]:
        hint = "please upgrade the node"
        raise Error(f"Installed QEMU version '{host.qemu}' is too old to run machine type '{text}'", hint=hint)
    if revision and int(revision) > PVE_REVISIONS.get((version or host.qemu)[:2], OTHER_REVISIONS):
        raise Error(f"machine type '{text}' is newer than this installation supports")
    named = _named(kind, number or (str(version) if version else ""))
    if host.flavour.suffix:
        named += f"+pve{revision or 0}"
    # Without a version of its own, and without suffixes, a machine is all that its QEMU can be.
    newest = not host.flavour.suffix or (version is None and revision is None)
    return MachineType(kind, version or host.qemu, named, _NEWEST if newest else int(revision or 0), pxe=bool(pxe))


def _default_type(arch: str) -> str:
    return "virt" if arch == "aarch64" else "pc"


def _named(kind: MachineKind, version: str) -> str:
    if kind == "virt":
        return f"virt-{version}" if version else "virt"
    if not version:
        return "q35" if kind == "q35" else "pc"
    return f"pc-{kind}-{version}"


def _windows_version(options: VmFile, host: Host) -> Version:
    created = options.meta.creation_qemu if options.meta else None
    version = Version.parse(created) if created else _WINDOWS_MACHINE
    return Version(*min(version[:2], host.qemu[:2]))
