"""Rewriting an archived configuration when a guest is restored: its drives get new volumes.

An archive of the VMA kind carries, beside the configuration, lines that map its streams to drives:

    #qmdump#map:scsi0:drive-scsi0:local-lvm:raw:
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from msgspec.structs import replace

from corral.core.errors import Error
from corral.guests.qemu.config import has_volume, value_of
from corral.guests.qemu.devices.drive import Drive, Volume
from corral.guests.qemu.devices.net import Net
from corral.guests.qemu.devices.smbios import Smbios
from corral.schema.fields import Invalid

_MAP: Final = re.compile(r"#qmdump#map:(\S+?):(\S+?):(\S*?):(\S*?):\s*")
_NOTE: Final = "#qmdump#"
_LINE: Final = re.compile(r"([a-zA-Z][a-zA-Z0-9_-]*):\s*(\S.*?)\s*")
_DROPPED: Final = re.compile(r"parent|lock|unused\d+|snapstate|snaptime|vmstate|running\w+")


class Stream(NamedTuple):
    """One drive in an archive; `storage` and `format` are those it was saved from, empty where not noted."""

    drive: str
    device: str
    storage: str
    format: str


class Fresh(NamedTuple):
    """A new identity for a guest that is restored beside the original: a function for each value it must not share."""

    mac: Callable[[], str]
    uuid: Callable[[], str]


def streams(text: str) -> list[Stream]:
    """The drives that an archived configuration maps, in their order."""
    found = []
    for line in text.split("\n"):
        match = _MAP.fullmatch(line)
        if match:
            found.append(Stream(*match.groups()))
        elif line.startswith("#qmdump#map:"):
            raise Error(f"archive contains an unreadable drive map: '{line}'")
    return found


def rewrite(text: str, volumes: Mapping[str, str], *, fresh: Fresh | None = None) -> str:
    """The configuration with each drive in `volumes` (drive → volume id) on its new volume, line by line.

    Left out are locks, snapshots, unused volumes and saved memory; a drive that was not in the backup becomes a
    comment. Everything else stays as it is, also what this version does not know.
    """
    out = []
    for line in text.split("\n"):
        if line.startswith("["):
            break
        if line.startswith(_NOTE):
            continue
        made = line if line.startswith("#") else _option(line, volumes, fresh)
        if made is not None:
            out.append(made)
    return "\n".join(out).rstrip("\n") + "\n"


def _option(line: str, volumes: Mapping[str, str], fresh: Fresh | None) -> str | None:
    match = _LINE.fullmatch(line)
    if not match:
        return line
    key, text = match.groups()
    if _DROPPED.fullmatch(key):
        return None
    try:
        value = value_of(key, text)
    except Invalid:
        return line
    if has_volume(key) and isinstance(value, Volume):
        return _drive(line, key, value, volumes)
    return line if fresh is None else _identity(line, key, value, fresh)


def _drive(line: str, key: str, drive: Volume, volumes: Mapping[str, str]) -> str:
    if isinstance(drive, Drive) and drive.backup is False:
        return f"#{line}"
    if key not in volumes:
        return line
    # Only the volume is exchanged: the other keys stay in the order they were written in.
    _, _, text = line.partition(":")
    parts = [part.strip() for part in text.strip().split(",")]
    kept = [part for part in parts if part.partition("=")[0] not in ("file", "volume") and "=" in part]
    return f"{key}: {','.join([volumes[key], *kept])}"


def _identity(line: str, key: str, value: object, fresh: Fresh) -> str:
    if key == "vmgenid" and value != "0":
        return f"vmgenid: {fresh.uuid()}"
    if isinstance(value, Smbios):
        return f"{key}: {replace(value, uuid=fresh.uuid())}"
    if isinstance(value, Net):
        return f"{key}: {replace(value, macaddr=fresh.mac())}"
    return line
