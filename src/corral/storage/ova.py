"""Machines described by OVF, alone or in an OVA: what a guest made from one would be."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from corral.core.errors import Error, NotFound
from corral.storage.service import Storages, parse_volid
from corral.system import files

MAX_OVF = 4 << 20
_IDE, _SCSI, _SATA = "5", "6", "20"
_BUSES: Mapping[str, str] = {_IDE: "ide", _SCSI: "scsi", _SATA: "sata"}
_MODELS: Mapping[str, str] = {
    "e1000": "e1000",
    "e1000e": "e1000e",
    "vmxnet3": "vmxnet3",
    "pcnet32": "pcnet",
    "virtio": "virtio",
}
_WORDS: Mapping[str, int] = {"byte": 1, "bytes": 1, "kilobytes": 1 << 10, "megabytes": 1 << 20, "gigabytes": 1 << 30}


@dataclass
class Machine:
    """What an OVF text describes. `disks`: (bus, file name, size in bytes)."""

    name: str = ""
    cores: int = 1
    memory: int = 0
    disks: list[tuple[str, str, int]] = field(default_factory=list)
    nics: list[str] = field(default_factory=list)
    cdrom: bool = False


def metadata(storages: Storages, volume: str) -> dict[str, Any]:
    """The answer of `import-metadata` for a volume; `Error` if it describes no machine."""
    _, name = storages.locate(volume)
    if name.format not in ("ova", "ovf"):
        raise Error(f"'{volume}' describes no machine: import-metadata reads .ova and .ovf files")
    if not storages.exists(volume):
        raise NotFound(f"volume '{volume}' does not exist")
    path = storages.path(volume)
    machine = parse(_ovf_of(path) if name.format == "ova" else files.read_bytes(path, limit=MAX_OVF))
    beside = f"{volume}/" if name.format == "ova" else f"{parse_volid(volume).storage}:import/"
    numbers: dict[str, int] = {}
    disks: dict[str, dict[str, Any]] = {}
    for bus, file, size in machine.disks:
        number = numbers.get(bus, 0)
        numbers[bus] = number + 1
        disks[f"{bus}{number}"] = {"volid": f"{beside}{file}", "size": size}
    arguments: dict[str, Any] = {"name": machine.name or None, "cores": machine.cores, "memory": machine.memory or None}
    warnings = [{"type": "ova-needs-extracting"}] if name.format == "ova" else []
    if machine.cdrom:
        warnings.append({"type": "cdrom-image-ignored"})
    return {
        "type": "vm",
        "source": "esxi",
        "create-args": {key: value for key, value in arguments.items() if value is not None},
        "disks": disks,
        "net": {f"net{index}": {"model": model} for index, model in enumerate(machine.nics)},
        "warnings": warnings,
    }


def _ovf_of(path: Path) -> bytes:
    """The first OVF text in an OVA."""
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                if member.isreg() and member.name.endswith(".ovf") and (data := tar.extractfile(member)):
                    return data.read(MAX_OVF + 1)
    except (tarfile.TarError, EOFError, OSError) as exc:
        raise Error(f"'{path.name}' is not a valid OVA: {exc}") from exc
    raise Error(f"'{path.name}' is not a valid OVA: it has no OVF file")


def parse(text: bytes) -> Machine:
    """Read an OVF text; `Error` if it is none. Pure."""
    # With NULs it is UTF-16, in which declarations would not be seen here.
    if len(text) > MAX_OVF or any(word in text for word in (b"<!DOCTYPE", b"<!ENTITY", b"\0")):
        raise Error("the OVF file is too large, or has declarations of its own")
    try:
        root = ET.fromstring(text)  # noqa: S314 - a text with declarations of entities was refused above
    except ET.ParseError as exc:
        raise Error(f"the OVF file can't be read: {exc}") from exc
    system = _first(root, "VirtualSystem")
    if system is None:
        raise Error("the OVF file describes no machine")
    machine = Machine(name=_dns_name(_text(system, "Name") or _attribute(system, "id")))
    sources = {_attribute(each, "id"): _attribute(each, "href") for each in _all(root, "File")}
    sizes = {_attribute(each, "diskId"): each for each in _all(root, "Disk")}
    items = list(_all(system, "Item"))
    buses = {
        _text(each, "InstanceID"): _BUSES[kind] for each in items if (kind := _text(each, "ResourceType")) in _BUSES
    }
    for item in items:
        _add(machine, item, sources, sizes, buses)
    return machine


def _add(
    machine: Machine,
    item: ET.Element,
    sources: Mapping[str, str],
    sizes: Mapping[str, ET.Element],
    buses: Mapping[str, str],
) -> None:
    quantity = _number(_text(item, "VirtualQuantity"))
    match _text(item, "ResourceType"):
        case "3":
            machine.cores = max(1, quantity)
        case "4":
            machine.memory = quantity * _unit(_text(item, "AllocationUnits") or "byte * 2^20") >> 20
        case "10":
            machine.nics.append(_MODELS.get(_text(item, "ResourceSubType").lower(), "e1000"))
        case "15":
            machine.cdrom = True
        case "17":
            disk = sizes.get(_text(item, "HostResource").rpartition("/")[2])
            file = sources.get(_attribute(disk, "fileRef"), "") if disk is not None else ""
            if disk is None or not re.fullmatch(r"[ A-Za-z0-9\-.+=_]+", file):
                raise Error("the OVF file names a disk that it does not describe")
            size = _number(_attribute(disk, "capacity")) * _unit(_attribute(disk, "capacityAllocationUnits") or "byte")
            machine.disks.append((buses.get(_text(item, "Parent"), "scsi"), file, size))


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    return [each for each in element.iter() if _local(each.tag) == name]


def _first(element: ET.Element, name: str) -> ET.Element | None:
    return next(iter(_all(element, name)), None)


def _text(element: ET.Element, name: str) -> str:
    found = next((each for each in element if _local(each.tag) == name), None)
    return (found.text or "").strip() if found is not None else ""


def _attribute(element: ET.Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if _local(key) == name), "")


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _unit(text: str) -> int:
    """`byte * 2^20` and the old words `MegaBytes`; ValueError does not happen: unknown ones are bytes."""
    if match := re.fullmatch(r"byte\s*\*\s*2\s*\^\s*([0-9]{1,2})", text.strip()):
        return int(2 ** int(match[1]))
    return _WORDS.get(text.strip().lower(), 1)


def _dns_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", text).strip("-")[:63]
