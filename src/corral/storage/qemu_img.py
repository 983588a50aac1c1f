"""Disk images: their headers read directly, everything else by `qemu-img`.

Reading a header costs a read where `qemu-img info` costs a process, and it opens nothing that the header points to.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from corral.core.errors import Error
from corral.system.run import Arg, Run

Preallocation = Literal["off", "metadata", "falloc", "full"]

SECTOR = 512
_QCOW2 = b"QFI\xfb"
_VMDK = b"KDMV"
_DATA_FILE = 1 << 2
_MAX_NAME = 1023
_HEAD = 64 * 1024
_CONVERT_TIMEOUT = 7 * 24 * 3600
_CREATE_TIMEOUT = 3600
_PROGRESS = re.compile(r"\(\s*([0-9.]+)/100%\)")


class Header(NamedTuple):
    """What an image's first bytes say. `size` is the guest-visible size in bytes; `backing` is the text in the image.

    `foreign` says why the image depends on another file, empty if it does not.
    """

    format: str
    size: int
    backing: str | None = None
    backing_format: str | None = None
    foreign: str = ""
    snapshots: int = 0


def read_header(descriptor: int, form: str | None = None) -> Header:
    """Read the header of an open image, as `form` or as what its magic number says; `Error` if it is broken.

    An unknown magic number is `raw`, whose size is the file's; so is any file asked for as `raw`.
    """
    head = os.pread(descriptor, _HEAD, 0)
    length = os.fstat(descriptor).st_size
    form = form or detect(head, length, lambda offset, size: os.pread(descriptor, size, offset))
    try:
        if form == "qcow2":
            return _qcow2(descriptor, head)
        if form == "vmdk":
            return _vmdk(descriptor, head)
    except (struct.error, UnicodeDecodeError) as exc:
        raise Error(f"image is not a valid {form} file") from exc
    return Header(form, length)


def detect(head: bytes, length: int, read: Callable[[int, int], bytes]) -> str:
    """The format that the first bytes of a file show: `qcow2`, `vmdk`, `vdi`, `vhdx`, `vpc` or `raw`."""
    if head.startswith(_QCOW2):
        return "qcow2"
    if head.startswith((_VMDK, b"COWD")) or b"# Disk DescriptorFile" in head[:1024]:
        return "vmdk"
    if head[64:68] == b"\x7f\x10\xda\xbe":
        return "vdi"
    if head.startswith(b"vhdxfile"):
        return "vhdx"
    if head.startswith(b"conectix") or (length >= SECTOR and read(length - SECTOR, 8) == b"conectix"):
        return "vpc"
    return "raw"


def _qcow2(descriptor: int, head: bytes) -> Header:
    magic, version, back_at, back_len, _bits, size = struct.unpack_from(">4sIQIIQ", head)
    if magic != _QCOW2 or version not in (2, 3):
        raise Error("image is not a valid qcow2 file")
    (snapshots,) = struct.unpack_from(">I", head, 60)
    features, header_length = 0, 72
    if version == 3:
        (features,) = struct.unpack_from(">Q", head, 72)
        (header_length,) = struct.unpack_from(">I", head, 100)
    backing = None
    if back_at and 0 < back_len <= _MAX_NAME:
        backing = os.pread(descriptor, back_len, back_at).decode()
    elif back_at:
        raise Error("image is not a valid qcow2 file")
    foreign = ""
    if features & _DATA_FILE:
        foreign = "it keeps its data in another file"
    elif backing is not None:
        foreign = "it stands on a backing file"
    return Header("qcow2", size, backing, _qcow2_backing_format(head, header_length), foreign, snapshots)


def _qcow2_backing_format(head: bytes, offset: int) -> str | None:
    while offset + 8 <= len(head):
        kind, length = struct.unpack_from(">II", head, offset)
        if kind == 0:
            return None
        if kind == 0xE2792ACA:
            return head[offset + 8 : offset + 8 + length].decode()
        offset += 8 + (length + 7) // 8 * 8
    return None


def _vmdk(descriptor: int, head: bytes) -> Header:
    if not head.startswith(_VMDK):
        return Header("vmdk", 0, foreign="it is a description of other files")
    capacity, _grain, at, count = struct.unpack_from("<QQQQ", head, 12)
    foreign = ""
    backing = None
    if capacity == 0:
        foreign = "it is a description of other files"
    text = os.pread(descriptor, min(count, 128) * SECTOR, at * SECTOR).decode("utf-8", "replace") if at else ""
    if match := re.search(r'^\s*parentFileNameHint\s*=\s*"([^"\n]*)"', text, re.MULTILINE):
        backing = match[1]
        foreign = "it stands on a backing file"
    return Header("vmdk", capacity * SECTOR, backing, foreign=foreign)


def by_descriptor(descriptor: int) -> Path:
    """An open file as a path for a program that inherits it: what it writes goes there, whatever has become of the
    name. A program that outlives its killed starter can't bring back a file that was removed meanwhile."""
    return Path(f"/proc/self/fd/{descriptor}")


class QemuImg:
    """The program `qemu-img`. Paths are absolute; sizes are bytes; formats are always named, never guessed by it."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def create(
        self,
        path: Path,
        form: str,
        size: int,
        *,
        preallocation: Preallocation = "off",
        backing: tuple[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Write an empty image into the file at `path`, which is overwritten.

        `backing` is the text of the backing file's path and its format; that file is not looked at. A path of
        `by_descriptor` needs the descriptor in `pass_fds`.
        """
        options = _create_options(form, preallocation, backed=backing is not None)
        command: list[Arg] = ["qemu-img", "create", "-q", "-f", form, *options]
        if backing:
            command += ["-u", "-b", backing[0], "-F", backing[1]]
        self.run([*command, path, str(size)], timeout=_CREATE_TIMEOUT, pass_fds=pass_fds)

    def resize(self, path: Path, form: str, size: int, *, preallocation: Preallocation = "off") -> None:
        """Grow an image that no guest has open."""
        options = ["--preallocation=falloc"] if preallocation in ("falloc", "full") and form == "raw" else []
        self.run(["qemu-img", "resize", "-q", "-f", form, *options, path, str(size)], timeout=_CREATE_TIMEOUT)

    def convert(
        self,
        source: Path,
        source_format: str,
        target: Path,
        target_format: str,
        *,
        preallocation: Preallocation = "off",
        on_progress: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
        snapshot: str | None = None,
        pass_fds: Sequence[int] = (),
        rate: int | None = None,
    ) -> None:
        """Copy an image's content into `target`, which is overwritten, and sync it to disk.

        `on_progress` gets fractions from 0 to 1. `rate` limits to that many bytes a second. Holes stay holes.
        """
        command: list[Arg] = ["qemu-img", "convert", "-p", "-t", "writeback", "-f", source_format, "-O", target_format]
        command += _create_options(target_format, preallocation, backed=False)
        if snapshot is not None:
            command += ["-l", f"snapshot.name={snapshot}"]
        if rate:
            command += ["-r", str(rate)]
        command += [source, target]

        def report(line: str) -> None:
            if on_progress and (match := _PROGRESS.search(line)):
                on_progress(min(1.0, float(match[1]) / 100))

        self.run.lines(command, report, timeout=_CONVERT_TIMEOUT, cancelled=cancelled, pass_fds=pass_fds)

    def snapshot(self, path: Path, verb: Literal["create", "apply", "delete"], snap: str) -> None:
        """Make, go back to or drop an internal snapshot of a qcow2 image that no guest has open."""
        flag = {"create": "-c", "apply": "-a", "delete": "-d"}[verb]
        self.run(["qemu-img", "snapshot", flag, snap, path], timeout=_CREATE_TIMEOUT)


def _create_options(form: str, preallocation: Preallocation, *, backed: bool) -> list[Arg]:
    """`-o …` for a new image; what a format can't preallocate is left out."""
    if backed or form not in ("raw", "qcow2") or (form == "raw" and preallocation == "metadata"):
        return []
    if preallocation == "off":
        return []
    return ["-o", f"preallocation={preallocation}"]
