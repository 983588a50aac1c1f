"""Facts about the host that a guest's command line depends on: gathered before, never looked up while rendering."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from corral.core.errors import Error
from corral.guests.qemu.cpu import Cpu

MIN_QEMU: Final = (6, 0)
"""Older ones lack too much."""


class Version(NamedTuple):
    """A version of QEMU or of a machine type; compares with plain tuples."""

    major: int
    minor: int
    micro: int = 0

    @classmethod
    def parse(cls, text: str) -> Version:
        """From `7.2` or `7.2.22`; `Error` for anything else."""
        match = re.fullmatch(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(?:[.-].*)?", text)
        if not match:
            raise Error(f"unable to parse QEMU version '{text}'")
        return cls(int(match[1]), int(match[2]), int(match[3] or 0))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


class Flavour(msgspec.Struct, frozen=True, kw_only=True):
    """How QEMU was packaged: what its builders patched or added.

    kvm_binary   program to run guests of the host's architecture by; empty: `qemu-system-ARCH`
    suffix       machine types exist as `pc-q35-9.2+pve1`
    readconfig   directory of files that describe q35's controllers; empty: they are spelled out
    drives       machines before 10.0 get `-drive` in place of `-blockdev`: a migration from there needs the same
    tls_spice    SPICE listens with TLS on a port, certificates found by QEMU itself; else on a Unix socket
    """

    name: str
    kvm_binary: str = ""
    suffix: bool = False
    readconfig: str = ""
    drives: bool = False
    tls_spice: bool = False


UPSTREAM: Final = Flavour(name="upstream")
"""QEMU as Debian and most others build it."""

YARDSTICK: Final = Flavour(
    name="pve",
    kvm_binary="kvm",
    suffix=True,
    readconfig="/usr/share/qemu-server",
    drives=True,
    tls_spice=True,
)
"""QEMU as Proxmox VE builds it: command lines to compare with."""

PVE_REVISIONS: Final[dict[tuple[int, int], int]] = {(9, 2): 1, (10, 0): 1, (11, 0): 2}
"""Highest `+pveN` of a machine version, where it is not 0; versions not listed may have up to `OTHER_REVISIONS`."""
OTHER_REVISIONS: Final = 4


class Firmware(msgspec.Struct, frozen=True, kw_only=True):
    """One build of UEFI: code, template of its variables (both paths), and the size of those in bytes."""

    code: str
    vars: str
    vars_size: int


class Sev(msgspec.Struct, frozen=True, kw_only=True):
    """What the host's CPU offers of AMD SEV."""

    cbitpos: int
    reduced_phys_bits: int
    std: bool = True
    es: bool = False
    snp: bool = False


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """A volume found: how QEMU opens it.

    node       the protocol layer's block node: driver and its own options, without caching or names
    format     raw, qcow2, …
    io_uring   whether io_uring is safe by default: `always`, `direct` (only without the host's cache), `never`
    direct     whether the host's cache is bypassed when no cache mode is set
    read_only  the storage can't take writes
    """

    node: Mapping[str, Any]
    format: str = "raw"
    io_uring: str = "always"
    direct: bool = True
    read_only: bool = False

    @classmethod
    def at(cls, path: str, form: str = "raw", *, block: bool = False) -> Located:
        """A file, or with `block` a block device."""
        return cls(node={"driver": "host_device" if block else "file", "filename": path}, format=form)

    @property
    def path(self) -> str:
        """Its path on the host; empty when it has none."""
        return str(self.node.get("filename", ""))


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """The host.

    qemu          installed version
    kvm           hardware virtualization can be used: seen to work, not just present
    firmware      by type: `2m`, `4m`, `4m-secboot`, `4m-secboot-keys`, `4m-keys`, `sev`, `aarch64`
    bridge_mtu    by bridge; a bridge not listed has 1500
    cpu_models    the cluster's own models, by name without `custom-`
    pci_devices   addresses with domain and function
    mappings      of PCI and USB devices: `pci/NAME`, `usb/NAME` → what stands for it on this host
    directories   of virtiofs mappings: NAME → path
    tb_size       MiB of translated code that an emulated guest may keep
    """

    qemu: Version
    arch: str = "x86_64"
    kvm: bool = False
    cpu_vendor: str = ""
    flavour: Flavour = UPSTREAM
    vhost_net: bool = False
    io_uring: bool = False
    spice: bool = False
    seccomp: bool = True
    phys_bits: int = 40
    firmware: Mapping[str, Firmware] = {}
    bridge_mtu: Mapping[str, int] = {}
    cpu_models: Mapping[str, Cpu] = {}
    pci_devices: frozenset[str] = frozenset()
    mappings: Mapping[str, str] = {}
    directories: Mapping[str, str] = {}
    cdrom: str = "/dev/cdrom"
    sev: Sev | None = None
    tb_size: int = 256
    hugepage_dir: str = "/run/hugepages/kvm"

    def mtu(self, bridge: str) -> int:
        """MTU of a bridge."""
        return self.bridge_mtu.get(bridge, 1500)
