"""Volume ids, the names of volumes in file-based storages, and the names of backup archives. Pure text.

    local:100/vm-100-disk-0.qcow2                                an image of guest 100
    local:9000/base-9000-disk-0.qcow2/100/vm-100-disk-0.qcow2    a linked clone of a template's image
    local:iso/debian-12.iso   local:backup/vzdump-qemu-100-2026_01_31-04_00_00.vma.zst

The grammar is that of Proxmox VE's file-based storages, so that both read each other's configurations and directories.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from typing import NamedTuple

SUBDIRS: Mapping[str, str] = {
    "images": "images",
    "rootdir": "private",
    "iso": "template/iso",
    "vztmpl": "template/cache",
    "backup": "dump",
    "snippets": "snippets",
    "import": "import",
}
"""Content type → directory below the storage's path, unless `content-dirs` says otherwise."""

FILES = ("iso", "vztmpl", "backup", "snippets", "import")
"""Content types whose volumes are plain files in one directory."""

IMAGE_FORMATS = ("raw", "qcow2", "vmdk", "subvol")

_IMAGE = re.compile(r"(?:vm|base|subvol)-\d+-[^/\s]+\.(raw|qcow2|vmdk|subvol)", re.ASCII)
_ISO = re.compile(r"[^/]+\.(?:iso|img)", re.IGNORECASE)
_VZTMPL = re.compile(r"[^/]+\.tar(?:\.(?:gz|xz|zst|bz2))?")
_BACKUP = re.compile(r"[^/]+\.(?:tgz|(?:tar|vma)(?:\.(?:gz|lzo|zst|bz2))?)")
_IMPORT = re.compile(r"[^/]+\.(ova|ovf|qcow2|raw|vmdk)")
_OVA_MEMBER = re.compile(r"([A-Za-z0-9\-.+=_]+\.ova)/([ A-Za-z0-9\-.+=_]+\.(qcow2|raw|vmdk))")
_STORAGE = r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]"
_ARCHIVE = re.compile(
    r"vzdump-(lxc|openvz|qemu)-.+?\.(?:(tgz)|(tar|vma)(?:\.(gz|lzo|zst|bz2))?)",
)
_STANDARD = re.compile(
    r"(vzdump-(?:lxc|openvz|qemu)-(\d+)-(\d{4})_(\d\d)_(\d\d)-(\d\d)_(\d\d)_(\d\d))\.(?:tgz|(?:tar|vma)(?:\.\w+)?)",
    re.ASCII,
)


class Volid(NamedTuple):
    """A volume: the storage's id and the volume's name in it."""

    storage: str
    volname: str

    def __str__(self) -> str:
        return f"{self.storage}:{self.volname}"

    @classmethod
    def parse(cls, text: str) -> Volid:
        """Read `STORAGE:VOLNAME`; ValueError for anything else. Says nothing about the storage or the volume."""
        match = re.fullmatch(rf"({_STORAGE}):(\S.*)", text, re.ASCII)
        if not match or not text.isprintable():
            raise ValueError(f"unable to parse volume ID '{text}'")
        return cls(match[1], match[2])


class Volname(NamedTuple):
    """What the name of a volume in a file-based storage says.

    vtype     content type; containers' volumes are `images` too
    name      file name (inside an OVA: `archive.ova/member.vmdk`)
    vmid      owner, where the name tells it
    basename  file name of the image that a linked clone stands on, `basevmid` its owner
    is_base   whether it is a template's image
    format    `raw`, `qcow2`, `vmdk`, `subvol`, `ova`, `ovf`, `ova+vmdk`, …; `raw` for all other files
    """

    vtype: str
    name: str
    vmid: int | None
    basename: str | None
    basevmid: int | None
    is_base: bool
    format: str


def parse_volname(volname: str) -> Volname:
    """Read the name of a volume in a file-based storage; ValueError if it is none."""
    kind, _, rest = volname.partition("/")
    if not volname.isprintable() or any(part in ("", ".", "..") for part in volname.split("/")):
        raise _bad(volname)
    if kind.isascii() and kind.isdigit():
        return _image(volname)
    found = _file(kind, rest)
    if found is None:
        raise _bad(volname)
    return found


def _bad(volname: str) -> ValueError:
    return ValueError(f"unable to parse directory volume name '{volname}'")


def _image(volname: str) -> Volname:
    parts = volname.split("/")
    formats = [match[1] for part in parts[1::2] if (match := _IMAGE.fullmatch(part))]
    if (
        len(parts) not in (2, 4)
        or len(formats) != len(parts) // 2
        or not _is_number(parts[0])
        or not _is_number(parts[-2])
    ):
        raise _bad(volname)
    name, vmid = parts[-1], int(parts[-2])
    if len(parts) == 4:
        return Volname("images", name, vmid, parts[1], int(parts[0]), is_base=False, format=formats[1])
    return Volname("images", name, vmid, None, None, is_base=name.startswith("base-"), format=formats[0])


def _is_number(text: str) -> bool:
    # Without leading zeros: a volume has one name.
    return re.fullmatch(r"0|[1-9][0-9]{0,8}", text) is not None


def _file(kind: str, rest: str) -> Volname | None:
    """The name of a volume that is a plain file; hidden files are ours or the administrator's, never volumes."""
    vmid = None
    form = "raw"
    if rest.startswith("."):
        return None
    if kind == "iso":
        fits = _ISO.fullmatch(rest)
    elif kind == "vztmpl":
        fits = _VZTMPL.fullmatch(rest)
    elif kind == "snippets":
        fits = re.fullmatch(r"[^/]+", rest)
    elif kind == "rootdir":
        if not _is_number(rest):
            return None
        return Volname("rootdir", rest, int(rest), None, None, is_base=False, format="raw")
    elif kind == "backup":
        fits = _BACKUP.fullmatch(rest)
        if owner := re.match(r"vzdump-(?:lxc|openvz|qemu)-([0-9]{1,9})-", rest):
            vmid = int(owner[1])
    elif kind == "import":
        member = _OVA_MEMBER.fullmatch(rest)
        fits = member or _IMPORT.fullmatch(rest)
        form = f"ova+{member[3]}" if member else fits[1] if fits else ""
    else:
        fits = None
    return Volname(kind, rest, vmid, None, None, is_base=False, format=form) if fits else None


def relative_path(name: Volname) -> str:
    """Where the volume's file lies below the directory of its content type.

    For a disk inside of an OVA that is the archive's own path.
    """
    if name.vtype == "images":
        return f"{name.vmid}/{name.name}"
    return name.name.partition("/")[0] if name.format.startswith("ova+") else name.name


def subdir(vtype: str, overrides: Mapping[str, str]) -> str:
    """Directory of a content type below the storage's path; ValueError for a type that has none."""
    if vtype not in SUBDIRS:
        raise ValueError(f"unknown vtype '{vtype}'")
    return overrides.get(vtype, SUBDIRS[vtype])


def volname_of(vtype: str, relative: str) -> Volname | None:
    """The volume whose file lies at `relative` below its content directory, or None: the inverse of `relative_path`."""
    relative = relative.rstrip("/")
    try:
        found = parse_volname(relative if vtype == "images" else f"{vtype}/{relative}")
    except ValueError:
        return None
    is_file = found.vtype == vtype and not found.format.startswith("ova+") and found.basename is None
    return found if is_file else None


def volname_text(name: Volname) -> str:
    """The text that `parse_volname` reads."""
    if name.vtype != "images":
        return f"{name.vtype}/{name.name}"
    own = f"{name.vmid}/{name.name}"
    return f"{name.basevmid}/{name.basename}/{own}" if name.basename else own


class Archive(NamedTuple):
    """What the name of a backup archive says. `vmid`, `ctime` (UTC seconds) and the names of its companions are
    known for standard names only."""

    filename: str
    type: str
    format: str
    compression: str | None
    is_std_name: bool
    vmid: int | None = None
    ctime: int | None = None
    logfilename: str | None = None
    notesfilename: str | None = None


def archive_info(archive: str) -> Archive:
    """Read the name of a backup archive (a path or volume name); ValueError if it is none."""
    filename = archive.rpartition("/")[2]
    match = _ARCHIVE.fullmatch(filename)
    if not match:
        raise ValueError(f"couldn't determine archive info from '{archive}'")
    kind, tgz, form, compression = match.groups()
    found = Archive(filename, kind, form or "tar", "gz" if tgz else compression, is_std_name=False)
    standard = _STANDARD.fullmatch(filename)
    if not standard:
        return found
    year, month, day, hour, minute, second = (int(text) for text in standard.groups()[2:])
    return found._replace(
        is_std_name=True,
        vmid=int(standard[2]),
        ctime=calendar.timegm((year, month, day, hour, minute, second)),
        logfilename=f"{standard[1]}.log",
        notesfilename=f"{filename}.notes",
    )


def archive_extension(filename: str) -> str:
    """`vma.zst`, `tgz`, …: what lists show as the format of a backup."""
    match = re.search(r"\.(tgz|(?:tar|vma)(?:\.(?:gz|lzo|zst|bz2))?)$", filename)
    return match[1] if match else "raw"


def template_format(filename: str) -> str:
    """`tgz`, `txz`, `tzst`, `tbz2` or `tar`: what lists show as the format of a container template."""
    match = re.search(r"\.tar\.(gz|xz|zst|bz2)$", filename)
    return f"t{match[1]}" if match else "tar"


def upload_name(vtype: str, filename: str) -> str:
    """The name under which an uploaded or downloaded file is kept; ValueError if that content has no such names.

    Directories before the name are dropped and characters outside of `A-Z a-z 0-9 . _ - + =` become `_`.
    """
    plain = re.sub(r"[^A-Za-z0-9_.\-+=]", "_", re.split(r"[/\\]", filename.strip())[-1])
    wrong = {
        "iso": "wrong file extension: need .iso or .img",
        "vztmpl": "wrong file extension: need .tar, .tar.gz, .tar.xz, .tar.zst or .tar.bz2",
        "import": "invalid filename or wrong extension: need .ova, .qcow2, .raw or .vmdk",
    }[vtype]
    found = _file(vtype, plain)
    if found is None or found.format == "ovf" or len(plain) > 255:
        raise ValueError(wrong)
    return plain
