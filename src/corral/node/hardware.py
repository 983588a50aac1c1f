"""PCI and USB devices of the node, read from sysfs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corral.core.errors import NotFound
from corral.system import files, proc

SYS = Path("/sys")
NAMES = Path("/usr/share/misc/pci.ids")


def pci_devices(
    *, hidden_classes: tuple[str, ...] = (), verbose: bool = True, sys: Path = SYS, names: Path = NAMES
) -> list[dict[str, Any]]:
    """All PCI devices but those whose class begins with one of `hidden_classes` (hex), in order of their addresses."""
    base = sys / "bus/pci/devices"
    entries = sorted(base.iterdir()) if base.is_dir() else []
    found = [_pci(entry, verbose=verbose) for entry in entries]
    shown = [each for each in found if not each.get("class", "")[2:].startswith(hidden_classes or ("-",))]
    if verbose and shown and names.is_file():
        _add_names(shown, files.read_text(names, limit=16 * 1024 * 1024))
    return shown


def pci_device(address: str, *, sys: Path = SYS) -> Path:
    """The sysfs directory of a device; a missing domain is 0000. `NotFound` if there is none."""
    full = address.lower() if address.count(":") == 2 else f"0000:{address.lower()}"
    path = sys / "bus/pci/devices" / full
    if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]", full) or not path.is_dir():
        raise NotFound(f"no such PCI device '{address}'")
    return path


def mediated_types(address: str, *, sys: Path = SYS) -> list[dict[str, Any]]:
    """The kinds of mediated devices that a device can make."""
    base = pci_device(address, sys=sys) / "mdev_supported_types"
    return [
        {
            "type": entry.name,
            "name": proc.read(entry / "name").strip(),
            "description": proc.read(entry / "description").strip(),
            "available": int(proc.read(entry / "available_instances").strip() or 0),
        }
        for entry in (sorted(base.iterdir()) if base.is_dir() else [])
    ]


def _pci(entry: Path, *, verbose: bool) -> dict[str, Any]:
    if not verbose:
        return {"id": entry.name, "class": proc.read(entry / "class").strip()}
    group = entry / "iommu_group"
    found: dict[str, Any] = {
        "id": entry.name,
        "class": proc.read(entry / "class").strip(),
        "vendor": proc.read(entry / "vendor").strip(),
        "device": proc.read(entry / "device").strip(),
        "iommugroup": int(group.resolve().name) if group.exists() else -1,
    }
    for key in ("subsystem_vendor", "subsystem_device"):
        if text := proc.read(entry / key).strip():
            found[key] = text
    if (entry / "mdev_supported_types").is_dir():
        found["mdev"] = True
    return found


def _add_names(found: list[dict[str, Any]], table: str) -> None:
    """Names of vendors and devices from the field's table: `vvvv  Name`, then indented `dddd  Name`."""
    wanted = {each["vendor"][2:] for each in found} | {each.get("subsystem_vendor", "  ")[2:] for each in found}
    vendors: dict[str, str] = {}
    devices: dict[tuple[str, str], str] = {}
    vendor = ""
    for line in table.splitlines():
        if line[:2] == "C ":
            break
        if match := re.match(r"([0-9a-f]{4})  (.*)", line):
            vendor = match[1]
            if vendor in wanted:
                vendors[vendor] = match[2]
        elif vendor in wanted and (match := re.match(r"\t([0-9a-f]{4})  (.*)", line)):
            devices[vendor, match[1]] = match[2]
    for each in found:
        maker, kind = each["vendor"][2:], each["device"][2:]
        if maker in vendors:
            each["vendor_name"] = vendors[maker]
        if (maker, kind) in devices:
            each["device_name"] = devices[maker, kind]
        if (second := each.get("subsystem_vendor", "")[2:]) in vendors:
            each["subsystem_vendor_name"] = vendors[second]


def usb_devices(*, sys: Path = SYS) -> list[dict[str, Any]]:
    """All USB devices, hubs too."""
    base = sys / "bus/usb/devices"
    return list(_usb(base)) if base.is_dir() else []


def _usb(base: Path) -> Iterator[dict[str, Any]]:
    for entry in sorted(base.iterdir()):
        if ":" in entry.name or not (entry / "busnum").exists():
            continue
        path = entry.name.partition("-")[2]
        found: dict[str, Any] = {
            "busnum": int(proc.read(entry / "busnum")),
            "devnum": int(proc.read(entry / "devnum")),
            "class": int(proc.read(entry / "bDeviceClass").strip() or "0", 16),
            "vendid": proc.read(entry / "idVendor").strip(),
            "prodid": proc.read(entry / "idProduct").strip(),
            "speed": proc.read(entry / "speed").strip(),
            "level": path.count(".") + 1 if path else 0,
            "port": int(path.rpartition(".")[2] or 0),
        }
        if path:
            found["usbpath"] = path
        for key in ("manufacturer", "product", "serial"):
            if text := proc.read(entry / key).strip():
                found[key] = text
        yield found
