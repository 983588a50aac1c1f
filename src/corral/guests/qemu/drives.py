"""Drives as devices: disks and CD-ROMs on their buses, and the controllers these need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from corral.core.errors import Error
from corral.guests.qemu import blockdev
from corral.guests.qemu.args import Device, Item, Object
from corral.guests.qemu.boot import boot_index
from corral.guests.qemu.devices.drive import Drive, Ide, Sata, Scsi, Virtio

if TYPE_CHECKING:
    from corral.guests.qemu.setup import Setup

LSI_TARGETS = 7
SATA_PORTS = 6


def render_drives(setup: Setup) -> Iterator[Item]:
    """All drives, each after its controller."""
    seen: set[str] = set()
    for key, drive in all_drives(setup):
        for item in controllers(setup, key, drive):
            identity = str(getattr(item, "id", ""))
            if identity not in seen:
                seen.add(identity)
                yield item
        yield from blockdev.items(setup, key, drive)
        yield device(setup, key, drive)


def all_drives(setup: Setup) -> Iterator[tuple[str, Drive]]:
    """Disks and CD-ROM drives by name, bus by bus."""
    for bus in ("ide", "scsi", "virtio", "sata"):
        for index, drive in getattr(setup.options, bus).items():
            yield f"{bus}{index}", drive


def _split(key: str) -> tuple[str, int]:
    bus = key.rstrip("0123456789")
    return bus, int(key[len(bus) :])


# --- controllers -----------------------------------------------------------------------------------------------------


def controllers(setup: Setup, key: str, drive: Drive) -> list[Item]:
    """What must be there before the drive: its controller and I/O thread. They may be there already."""
    bus, index = _split(key)
    if bus == "sata":
        name = f"ahci{index // SATA_PORTS}"
        return [Device("ahci", name, {"multifunction": True, **setup.at(name)})]
    if isinstance(drive, Virtio) and drive.iothread:
        return [Object("iothread", f"iothread-{key}")]
    if isinstance(drive, Scsi):
        return _scsi_controller(setup, index, drive)
    return []


def scsi_hardware(setup: Setup) -> str:
    """The model of SCSI controller."""
    return setup.options.scsihw or "lsi"


def scsi_controller(setup: Setup, index: int) -> str:
    """Id of the controller that SCSI drive `index` hangs on."""
    hardware = scsi_hardware(setup)
    if hardware == "virtio-scsi-single":
        return f"virtioscsi{index}"
    return f"scsihw{index // LSI_TARGETS if hardware.startswith('lsi') else 0}"


def _scsi_controller(setup: Setup, index: int, drive: Scsi) -> list[Item]:
    hardware, name = scsi_hardware(setup), scsi_controller(setup, index)
    props: dict[str, Any] = setup.at(name)
    found: list[Item] = []
    if hardware == "virtio-scsi-single":
        if drive.iothread:
            found.append(Object("iothread", f"iothread-{name}"))
            props["iothread"] = f"iothread-{name}"
        if drive.queues:
            props["num_queues"] = drive.queues
        hardware = "virtio-scsi-pci"
    elif drive.iothread:
        setup.warn("iothread is only valid with virtio disk or virtio-scsi-single controller, ignoring")
    if hardware == "pvscsi" and setup.arch != "x86_64":
        raise Error(f"SCSI controller '{hardware}' is not available for {setup.arch}")
    return [*found, Device(hardware, name, props)]


# --- devices ---------------------------------------------------------------------------------------------------------


def device(setup: Setup, key: str, drive: Drive) -> Device:
    """The drive itself: the argument of `device_add`."""
    bus, index = _split(key)
    driver, props = _on_bus(setup, bus, index, drive)
    if blockdev.has_medium(drive) or setup.drives:
        props["drive"] = blockdev.top_node(key)
    if bus == "scsi" and not setup.drives and blockdev.has_medium(drive):
        # Guests name the disk by this; with `-drive` it is the default.
        props["device_id"] = blockdev.top_node(key)
    props["bootindex"] = boot_index(setup, key)
    if drive.serial:
        props["serial"] = unquote(drive.serial)
    if not setup.drives:
        props["write-cache"] = blockdev.write_cache(drive)
        if not drive.cdrom:
            props["rerror"], props["werror"] = drive.rerror, drive.werror
    return Device(driver, key, props)


def _on_bus(setup: Setup, bus: str, index: int, drive: Drive) -> tuple[str, dict[str, Any]]:
    """Driver, and where on its bus the drive is."""
    if isinstance(drive, Virtio):
        iothread = f"iothread-virtio{index}" if drive.iothread else None
        return "virtio-blk-pci", {"iothread": iothread, **setup.at(f"virtio{index}")}
    if isinstance(drive, Scsi):
        return _on_scsi(setup, index, drive)
    # QEMU has no read-only IDE disk: a template's are shown as media.
    driver = "ide-cd" if drive.cdrom or setup.options.template else "ide-hd"
    props = _shown(drive) if driver == "ide-hd" else {}
    if bus == "sata":
        return driver, {**props, "bus": f"ahci{index // SATA_PORTS}.{index % SATA_PORTS}"}
    if setup.machine.kind == "q35":
        # q35 has SATA ports in place of IDE; both drives of a former channel keep apart.
        return driver, {**props, "bus": f"ide.{(0, 2, 1, 3)[index]}", "unit": 0}
    return driver, {**props, "bus": f"ide.{index // 2}", "unit": index % 2}


def _shown(drive: Drive) -> dict[str, Any]:
    """What an IDE or SATA disk says about itself."""
    props: dict[str, Any] = {}
    if isinstance(drive, Ide | Sata):
        props["rotation_rate"] = 1 if drive.ssd else None
        props["wwn"] = drive.wwn
    if isinstance(drive, Ide) and drive.model:
        props["model"] = unquote(drive.model)
    return props


def _on_scsi(setup: Setup, index: int, drive: Scsi) -> tuple[str, dict[str, Any]]:
    hardware, name = scsi_hardware(setup), scsi_controller(setup, index)
    driver = "scsi-cd" if drive.cdrom else "scsi-block" if drive.scsiblock else "scsi-hd"
    place: dict[str, Any] = {"bus": f"{name}.0"}
    if hardware.startswith("lsi"):
        place["scsi-id"] = index % LSI_TARGETS
    elif hardware == "pvscsi":
        place["scsi-id"] = index
    else:
        place |= {"channel": 0, "scsi-id": 0, "lun": index}
    if driver == "scsi-hd":
        place |= {"rotation_rate": 1 if drive.ssd else None, "wwn": drive.wwn}
    if driver != "scsi-block":
        place |= {"product": drive.product, "vendor": drive.vendor}
    return driver, place
