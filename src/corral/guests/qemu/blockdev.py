"""Block nodes of a drive: throttle filter, format, protocol.

    drive-scsi0      throttle: the name that devices, jobs and hot-plug know
    fmt-…            qcow2, raw, …
    file-…           file, host_device, rbd, …

Names are stable (the same drive and volume give the same name) and at most 31 characters long, QEMU's limit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from corral.core.errors import Error
from corral.guests.qemu.args import Blockdev, Item, Object, Option
from corral.guests.qemu.devices.drive import HOST_CDROM, NO_MEDIUM, Drive, Efi, Volume
from corral.guests.qemu.host import Located

if TYPE_CHECKING:
    from corral.guests.qemu.setup import Setup

MIB: Final = 2**20

# (option, property of QEMU's throttle group, factor)
_LIMITS: Final = (
    ("mbps", "bps-total", MIB), ("mbps_rd", "bps-read", MIB), ("mbps_wr", "bps-write", MIB),
    ("mbps_max", "bps-total-max", MIB), ("mbps_rd_max", "bps-read-max", MIB), ("mbps_wr_max", "bps-write-max", MIB),
    ("bps", "bps-total", 1), ("bps_rd", "bps-read", 1), ("bps_wr", "bps-write", 1),
    ("iops", "iops-total", 1), ("iops_rd", "iops-read", 1), ("iops_wr", "iops-write", 1),
    ("iops_max", "iops-total-max", 1), ("iops_rd_max", "iops-read-max", 1), ("iops_wr_max", "iops-write-max", 1),
    ("bps_max_length", "bps-total-max-length", 1), ("bps_rd_max_length", "bps-read-max-length", 1),
    ("bps_wr_max_length", "bps-write-max-length", 1), ("iops_max_length", "iops-total-max-length", 1),
    ("iops_rd_max_length", "iops-read-max-length", 1), ("iops_wr_max_length", "iops-write-max-length", 1),
)  # fmt: skip


def top_node(key: str) -> str:
    """Name of a drive's topmost node: what devices refer to."""
    return f"drive-{key}"


def throttle_group(key: str) -> str:
    """Name of the object that holds a drive's limits."""
    return f"throttle-drive-{key}"


def node_name(layer: str, key: str, file: str) -> str:
    """Name of the node of one layer (`fmt`, `file`) of the volume `file` in the drive `key`."""
    digest = hashlib.sha256(f"{key}\0{file}".encode("utf-8", "surrogateescape")).hexdigest()
    return f"{layer}-{digest}"[:31]


def limits(drive: Drive) -> dict[str, int]:
    """A drive's limits as properties of QEMU's throttle group, in bytes, operations and seconds."""
    found: dict[str, int] = {}
    for attr, prop, factor in _LIMITS:
        value = getattr(drive, attr)
        if value:
            found[prop] = int(value * factor)
    return found


def throttle(key: str, volume: Volume) -> Object:
    """The object that holds a drive's limits; they can be changed while the guest runs."""
    found = limits(volume) if isinstance(volume, Drive) else {}
    return Object("throttle-group", throttle_group(key), {"limits": found})


def has_medium(volume: Volume) -> bool:
    """Whether there is something behind the drive."""
    return volume.file != NO_MEDIUM


def locate(setup: Setup, key: str, volume: Volume) -> Located:
    """Where a drive's volume is; `Error` when it was not resolved."""
    if volume.file == HOST_CDROM:
        return Located(node={"driver": "host_cdrom", "filename": setup.host.cdrom}, read_only=True)
    found = setup.volumes.get(volume.file)
    if found is None and volume.file.startswith("/"):
        found = _at_path(volume)
    if found is None:
        raise Error(f"{key}: volume '{volume.file}' is not known on this node")
    return found


def _at_path(volume: Volume) -> Located:
    """A path given by root: its format as configured, else by its name."""
    form = getattr(volume, "format", None) or volume.file.rpartition(".")[2]
    known = form in ("qcow2", "qcow", "qed", "vmdk", "cloop")
    return Located.at(volume.file, form if known else "raw", block=volume.file.startswith("/dev/"))


def items(setup: Setup, key: str, volume: Volume) -> list[Item]:
    """The drive's nodes for the command line; none for an empty CD-ROM drive."""
    if setup.drives or is_temporary(volume):
        return [legacy_drive(setup, key, volume)]
    if not has_medium(volume):
        return []
    return [throttle(key, volume), Blockdev(node(setup, key, volume))]


def node(setup: Setup, key: str, volume: Volume) -> dict[str, Any]:
    """The drive's tree of nodes: the argument of `blockdev-add`."""
    file = locate(setup, key, volume)
    return {
        "driver": "throttle",
        "node-name": top_node(key),
        "throttle-group": throttle_group(key),
        # A filter does not take this over from what is below it, and devices ask the filter.
        "read-only": is_read_only(setup, volume) or file.read_only,
        "file": format_node(setup, key, volume, file),
    }


def format_node(setup: Setup, key: str, volume: Volume, file: Located) -> dict[str, Any]:
    """The format layer with the protocol layer below it."""
    shared = _shared(setup, volume, file)
    form = file.format
    out: dict[str, Any] = {"driver": form, "node-name": node_name("fmt", key, volume.file), **shared}
    if isinstance(volume, Efi) and form == "raw":
        # The firmware takes the size of this flash for granted; a volume may have been rounded up.
        out["size"] = setup.host.firmware[firmware_type(setup)].vars_size
    protocol: dict[str, Any] = {**file.node, "node-name": node_name("file", key, volume.file), **shared}
    if protocol["driver"] in ("file", "host_device", "host_cdrom"):
        protocol["aio"] = aio(setup, volume, file)
    return {**out, "file": protocol}


def is_temporary(volume: Volume) -> bool:
    """Whether writes go to a file that is lost at the end: QEMU makes one itself, but only for `-drive`."""
    return isinstance(volume, Drive) and bool(volume.snapshot) and has_medium(volume)


def _shared(setup: Setup, volume: Volume, file: Located) -> dict[str, Any]:
    """Options that both layers take."""
    out: dict[str, Any] = {
        "cache": {"direct": is_direct(volume, file), "no-flush": _cache(volume) == "unsafe"},
        "read-only": is_read_only(setup, volume) or file.read_only,
    }
    if not isinstance(volume, Drive) or not volume.cdrom:
        out["discard"] = "unmap" if _discards(volume) else "ignore"
        out["detect-zeroes"] = _zeroes(volume)
    return out


def _cache(volume: Volume) -> str | None:
    return volume.cache if isinstance(volume, Drive) else None


def _discards(volume: Volume) -> bool:
    return isinstance(volume, Drive) and volume.discard == "on"


def _zeroes(volume: Volume) -> str:
    if isinstance(volume, Drive) and volume.detect_zeroes is False:
        return "off"
    return "unmap" if _discards(volume) else "on"


def is_direct(volume: Volume, file: Located) -> bool:
    """Whether the host's cache is bypassed. EFI variables and media are too small to care."""
    if not isinstance(volume, Drive) or (volume.cdrom and volume.cache is None):
        return False
    if volume.cache is None:
        return file.direct
    return volume.cache in ("none", "directsync")


def is_read_only(setup: Setup, volume: Volume) -> bool:
    """Whether nothing is written: media, drives marked so, and all of a template."""
    if isinstance(volume, Drive) and volume.cdrom:
        return True
    return bool(setup.options.template) or bool(getattr(volume, "ro", None))


def aio(setup: Setup, volume: Volume, file: Located) -> str:
    """How requests reach the host: io_uring where it is safe and there, else the next best."""
    direct = is_direct(volume, file)
    asked = volume.aio if isinstance(volume, Drive) else None
    if asked == "io_uring" and not setup.host.io_uring:
        setup.warn("io_uring can't be used on this node")
        asked = None
    if asked == "native" and not direct:
        setup.warn("aio=native needs a cache mode of none or directsync, using threads")
        asked = "threads"
    if asked is not None:
        return asked
    if setup.host.io_uring and (file.io_uring == "always" or (file.io_uring == "direct" and direct)):
        return "io_uring"
    return "native" if direct else "threads"


def write_cache(volume: Drive) -> str | None:
    """Whether the device tells of a volatile write cache; media have none."""
    if volume.cdrom:
        return None
    return "off" if volume.cache in ("writethrough", "directsync") else "on"


# --- firmware --------------------------------------------------------------------------------------------------------


WITHOUT_VARIABLES: Final = frozenset({"snp", "tdx"})
"""Types of firmware that keep no variables."""


def firmware_type(setup: Setup) -> str:
    """The key of the guest's firmware in the host's table."""
    if setup.arch == "aarch64":
        return "aarch64"
    efi = setup.options.efidisk0
    if setup.options.amd_sev is not None:
        return "snp" if setup.options.amd_sev.type == "snp" else "sev"
    if setup.options.intel_tdx is not None:
        return "tdx"
    if efi is None and "2m" not in setup.host.firmware:
        # Distributions of today build the large variant only; variables that are lost anyway can have it.
        return "4m"
    if efi is None or efi.efitype != "4m":
        return "2m"
    # Secure Boot is only safe where system management mode guards the variables, which only q35 has.
    secure = setup.machine.kind == "q35"
    return f"4m{'-secboot' if secure else ''}{'-keys' if efi.pre_enrolled_keys else ''}"


def firmware(setup: Setup) -> tuple[list[Item], dict[str, Any]]:
    """UEFI's code and variables, and the machine flags that plug them; nothing with SeaBIOS."""
    if setup.options.bios != "ovmf" and setup.arch != "aarch64":
        return [], {}
    kind = firmware_type(setup)
    if kind not in setup.host.firmware:
        raise Error(f"EFI firmware of type '{kind}' is not installed on this node")
    if kind in WITHOUT_VARIABLES:
        # Measured into the guest as a whole: nothing that changes can be part of it.
        return [Option("bios", setup.host.firmware[kind].code)], {}
    efi = setup.options.efidisk0
    if efi is None:
        setup.warn("no efidisk configured! Using temporary efivars disk.")
    if setup.drives:
        return _legacy_firmware(setup, efi), {}
    code: dict[str, Any] = {
        "driver": "raw",
        "node-name": "pflash0",
        "read-only": True,
        "file": {"driver": "file", "filename": setup.host.firmware[kind].code},
    }
    volume = efi or Efi(file=temporary_vars(setup))
    nodes: list[Item] = [Blockdev(code), throttle("efidisk0", volume), Blockdev(node(setup, "efidisk0", volume))]
    return nodes, {"pflash0": "pflash0", "pflash1": top_node("efidisk0")}


def temporary_vars(setup: Setup) -> str:
    """Where EFI variables are kept that are lost when the guest stops."""
    return setup.socket("efivars")


def _legacy_firmware(setup: Setup, efi: Efi | None) -> list[Item]:
    found = setup.host.firmware[firmware_type(setup)]
    code = {"if": "pflash", "unit": 0, "format": "raw", "readonly": "on", "file": found.code}
    file = Located.at(temporary_vars(setup)) if efi is None else locate(setup, "efidisk0", efi)
    props: dict[str, Any] = {
        "if": "pflash",
        "unit": 1,
        "id": "drive-efidisk0",
        "format": file.format,
        "file": file.path,
    }
    if file.format == "raw" and setup.since(5, 0):
        props["size"] = found.vars_size
    return [Option("drive", props=code), Option("drive", props=props)]


# --- drives of old machines -------------------------------------------------------------------------------------------


def legacy_drive(setup: Setup, key: str, volume: Volume) -> Option:
    """A drive as `-drive`: what machines before 10.0 have on the platform whose guests we take over."""
    props: dict[str, Any] = {"if": "none", "id": top_node(key)}
    file = Located.at("") if not has_medium(volume) else locate(setup, key, volume)
    if has_medium(volume):
        props = {**_file(file), **props}
    if isinstance(volume, Drive):
        if volume.cdrom:
            props["media"] = "cdrom"
        props |= _legacy_tuning(volume, file)
    props["aio"] = aio(setup, volume, file)
    if not isinstance(volume, Drive) or not volume.cdrom:
        props["detect-zeroes"] = _zeroes(volume)
        if is_read_only(setup, volume):
            props["readonly"] = "on"
    return Option("drive", props=props)


def _legacy_tuning(drive: Drive, file: Located) -> dict[str, Any]:
    props: dict[str, Any] = {}
    for attr in ("discard", "rerror", "werror", "snapshot"):
        if getattr(drive, attr) is not None:
            props[attr] = getattr(drive, attr)
    for prop, value in limits(drive).items():
        props[f"throttling.{prop}"] = value
    if not drive.cdrom:
        props["format"] = file.format
        props["cache"] = drive.cache or ("none" if file.direct else "writeback")
    elif drive.cache:
        props["cache"] = drive.cache
    return props


def _file(file: Located) -> dict[str, Any]:
    """The protocol layer: a path, or its options one by one."""
    return {"file": file.path} if file.path else dict(_flat("file", file.node))


def _flat(prefix: str, node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        pairs = list(node.items())
    elif isinstance(node, list | tuple):
        pairs = list(enumerate(node))
    else:
        yield prefix, node
        return
    for key, value in pairs:
        yield from _flat(f"{prefix}.{key}", value)
