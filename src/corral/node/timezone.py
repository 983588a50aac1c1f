"""The node's time zone, as Debian keeps it: `etc/timezone` and the link `etc/localtime`."""

from __future__ import annotations

import datetime as dt
import os
import re
import zoneinfo
from pathlib import Path

from corral.core.errors import ParamError
from corral.system import files

ZONES = Path("/usr/share/zoneinfo")
_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}")


def check(name: str) -> str:
    """The name, or `ParamError` if there is no such zone on this machine."""
    if not _NAME.fullmatch(name) or not (ZONES / name).is_file():
        raise ParamError({"timezone": f"unknown time zone '{name}'"})
    return name


def read(root: Path) -> str:
    """The zone of the node below `root`; the machine's, then UTC, where none is set."""
    for base in dict.fromkeys((root, Path("/"))):
        link = base / "etc/localtime"
        if link.is_symlink() and "zoneinfo/" in (target := os.readlink(link)):
            return target.rpartition("zoneinfo/")[2]
        note = base / "etc/timezone"
        if note.is_file() and (text := files.read_text(note, limit=256).strip()):
            return text
    return "UTC"


def write(root: Path, name: str) -> None:
    """Set the zone of the node below `root`."""
    files.ensure_dir(root / "etc")
    files.atomic_link(root / "etc/localtime", ZONES / name)
    files.atomic_write(root / "etc/timezone", f"{name}\n")


def offset(name: str, now: float) -> int:
    """Seconds to add to UTC there at that time; 0 for a zone that is not known."""
    try:
        moment = dt.datetime.fromtimestamp(now, zoneinfo.ZoneInfo(name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return 0
    return int((moment.utcoffset() or dt.timedelta()).total_seconds())
