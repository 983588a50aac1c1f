"""Lists of the volumes below one directory: names and headers are read, no program is started."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from corral.core.errors import Error, NotFound
from corral.storage import volid
from corral.storage.base import Listed
from corral.storage.qemu_img import Header, read_header
from corral.system import files

MAX_NOTES = 64 * 1024


def list_images(
    directory: Path, *, vmid: int | None, contents: tuple[str, ...], kind_of: Callable[[int], str | None]
) -> Iterator[Listed]:
    """The guest images below `directory`, which has one directory for each guest."""
    owners = [str(vmid)] if vmid is not None else sorted(names(directory), key=lambda text: (len(text), text))
    for owner in owners:
        if not (owner.isascii() and owner.isdigit()):
            continue
        kind = kind_of(int(owner))
        for name in sorted(names(directory / owner)):
            found = volid.volname_of("images", f"{owner}/{name}")
            if found is None:
                continue
            content = "rootdir" if kind == "lxc" or (kind is None and found.format == "subvol") else "images"
            if content in contents and (row := _image(directory, found, content)):
                yield row


def _image(directory: Path, name: volid.Volname, content: str) -> Listed | None:
    try:
        descriptor = files.open_beneath(directory, volid.relative_path(name))
    except Error:  # gone meanwhile, or a link out of the storage
        return None
    try:
        state = os.fstat(descriptor)
        header = image_header(descriptor, state, name.format)
    finally:
        os.close(descriptor)
    base = linked_base(header.backing)
    if base:
        name = name._replace(basevmid=base[0], basename=base[1])
    return Listed(
        volname=volid.volname_text(name),
        content=content,
        format=name.format,
        size=header.size,
        ctime=int(state.st_mtime),
        vmid=name.vmid,
        used=state.st_blocks * 512,
        parent=header.backing,
    )


def image_header(descriptor: int, state: os.stat_result, form: str) -> Header:
    """The header of an image; size 0 for a directory and for a file that is no image of its format (yet)."""
    if stat.S_ISDIR(state.st_mode):
        return Header(form, 0)
    try:
        return read_header(descriptor, form)
    except Error:
        return Header(form, 0)


def linked_base(backing: str | None) -> tuple[int, str] | None:
    """Owner and name of the template's image that a backing text names, if it is one of the same storage."""
    parts = (backing or "").split("/")
    if len(parts) != 3 or parts[0] != "..":
        return None
    found = volid.volname_of("images", f"{parts[1]}/{parts[2]}")
    return (found.vmid, found.name) if found and found.is_base and found.vmid is not None else None


def list_files(directory: Path, vtype: str, *, vmid: int | None) -> Iterator[Listed]:
    """The volumes of a content type whose volumes are plain files. Only backups are filtered by their guest."""
    present = names(directory)
    for name in sorted(present):
        found = volid.volname_of(vtype, name)
        if found is None or (vmid is not None and vtype == "backup" and found.vmid != vmid):
            continue
        try:
            state = os.stat(directory / name, follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(state.st_mode):
            row = Listed(f"{vtype}/{name}", vtype, shown_format(found), state.st_size, int(state.st_mtime))
            yield _backup(directory, row, found, present) if vtype == "backup" else row


def shown_format(name: volid.Volname) -> str:
    """What lists show as the format of a file that is no guest image."""
    match name.vtype:
        case "iso":
            return "iso"
        case "vztmpl":
            return volid.template_format(name.name)
        case "backup":
            return volid.archive_extension(name.name)
        case "snippets":
            return "snippet"
        case _:
            return name.format


def _backup(directory: Path, row: Listed, name: volid.Volname, present: frozenset[str]) -> Listed:
    notes = read_notes(directory, name.name) if f"{name.name}.notes" in present else None
    row = row._replace(vmid=name.vmid, protected=f"{name.name}.protected" in present, notes=notes)
    try:
        archive = volid.archive_info(name.name)
    except ValueError:
        return row
    return row._replace(subtype=archive.type, ctime=archive.ctime if archive.ctime is not None else row.ctime)


def read_notes(directory: Path, filename: str) -> str | None:
    """The notes kept beside a backup, without the line break at their end."""
    try:
        descriptor = files.open_beneath(directory, f"{filename}.notes")
    except (NotFound, Error):
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MAX_NOTES).decode("utf-8", "replace").rstrip("\n")


def names(directory: Path) -> frozenset[str]:
    """The names in a directory; none if it is missing. Names that are no UTF-8 text are left out."""
    try:
        return frozenset(name for name in os.listdir(directory) if name.isprintable())
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError as exc:
        raise Error(f"can't list '{directory}' - {exc.strerror}") from exc
