"""Files: the one module that writes them. Writes are atomic and durable, paths from outside stay below a directory."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from corral.core.errors import AlreadyExists, Error, NotFound

MAX_READ = 4 * 1024 * 1024
_SYS_OPENAT2 = 437
_RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH, _RESOLVE_NO_MAGICLINKS = 0x04, 0x08, 0x02


class Space(NamedTuple):
    """Room of a file system, in bytes. `available` is what a process without privileges may still write."""

    total: int
    used: int
    available: int


class Outside(Error):
    """A path leads out of the directory that it has to stay in."""


def read_text(path: Path, *, limit: int = MAX_READ) -> str:
    """The file's text; bytes that are no UTF-8 are replaced. `NotFound` if missing, `Error` when over `limit` bytes."""
    return read_bytes(path, limit=limit).decode("utf-8", "replace")


def read_bytes(path: Path, *, limit: int = MAX_READ) -> bytes:
    """The file's bytes; `NotFound` if missing, `Error` when over `limit` bytes."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError as exc:
        raise NotFound(f"no such file '{path}'") from exc
    except OSError as exc:
        raise Error(f"can't read '{path}' - {exc.strerror}") from exc
    if len(data) > limit:
        raise Error(f"file '{path}' is larger than {limit} bytes")
    return data


def read_tail(path: Path, *, limit: int) -> str:
    """Whole lines from the file's last `limit` bytes; empty if it is missing."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - limit))
            data = file.read(limit)
    except FileNotFoundError:
        return ""
    if size > limit:
        data = data.partition(b"\n")[2]
    return data.decode("utf-8", "replace")


def atomic_write(
    path: Path,
    data: str | bytes,
    *,
    mode: int = 0o644,
    owner: tuple[int, int] | None = None,
    exclusive: bool = False,
) -> None:
    """Put `data` at `path`: readers see the old content or the new, and a crash leaves one of them.

    The new file has `mode` from its first moment. `exclusive` raises `AlreadyExists` if the path exists.
    A symbolic link at `path` is replaced, not followed.
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            publish(temporary, path)
        else:
            os.replace(temporary, path)
            sync_directory(path.parent)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def atomic_link(path: Path, target: Path) -> None:
    """Make `path` a symbolic link to `target`, in place of what was there, in one step."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    temporary.symlink_to(target)
    os.replace(temporary, path)
    sync_directory(path.parent)


def publish(source: Path, target: Path) -> None:
    """Move a finished file to its final name on the same file system; `AlreadyExists` if the name is taken."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError as exc:
        raise AlreadyExists(f"file '{target}' already exists") from exc
    source.unlink()
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Make names created, renamed or removed in the directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def ensure_dir(path: Path, *, mode: int = 0o755, owner: tuple[int, int] | None = None) -> Path:
    """Make the directory and its parents; an existing one gets `mode` and `owner`. Parents made on the way are 0755."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=mode)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
            os.fchmod(descriptor, mode)
        if owner is not None:
            os.fchown(descriptor, *owner)
    finally:
        os.close(descriptor)
    return path


def open_beneath(directory: Path, relative: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
    """Open `relative` below `directory` and answer the descriptor; `Outside` if any step would leave it.

    No component may be a symbolic link, `..` or absolute, whoever else renames things meanwhile.
    `NotFound` and `AlreadyExists` (for O_EXCL) as usual.
    """
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if relative.startswith("/") or ".." in parts or not parts or "\0" in relative:
        raise Outside(f"path '{relative}' is not below '{directory}'")
    base = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return (
            _open_steps(base, parts, flags, mode) if _openat2 is None else _openat2(base, "/".join(parts), flags, mode)
        )
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.EXDEV, errno.ENOTDIR):
            raise Outside(f"path '{relative}' is not below '{directory}'") from exc
        if exc.errno == errno.ENOENT:
            raise NotFound(f"no such file '{directory}/{relative}'") from exc
        if exc.errno == errno.EEXIST:
            raise AlreadyExists(f"file '{directory}/{relative}' already exists") from exc
        raise Error(f"can't open '{directory}/{relative}' - {exc.strerror}") from exc
    finally:
        os.close(base)


_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _by_openat2(base: int, relative: str, flags: int, mode: int) -> int:
    how = _OpenHow(
        flags | os.O_CLOEXEC | os.O_NOFOLLOW,
        mode if flags & os.O_CREAT else 0,
        _RESOLVE_BENEATH | _RESOLVE_NO_SYMLINKS | _RESOLVE_NO_MAGICLINKS,
    )
    descriptor: int = _libc.syscall(_SYS_OPENAT2, base, os.fsencode(relative), ctypes.byref(how), ctypes.sizeof(how))
    if descriptor < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return descriptor


def _open_steps(base: int, parts: list[str], flags: int, mode: int) -> int:
    """What `_by_openat2` does, for kernels and sandboxes without that call."""
    here = os.dup(base)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            os.close(here)
            here = below
        return os.open(parts[-1], flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=here)
    finally:
        os.close(here)


def _probe_openat2() -> bool:
    try:
        base = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.close(_by_openat2(base, ".", os.O_RDONLY | os.O_DIRECTORY, 0))
        finally:
            os.close(base)
    except OSError:
        return False
    return True


_openat2 = _by_openat2 if _probe_openat2() else None


def write_beneath(directory: Path, relative: str, *, mode: int = 0o644) -> int:
    """A descriptor for writing a file that must not exist yet, its parents below `directory` being there."""
    return open_beneath(directory, relative, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)


def remove_tree(path: Path, *, below: Path) -> None:
    """Remove a directory with all in it, or a file; nothing if it is missing. `Outside` unless below `below`."""
    parent = path.parent.resolve()
    if not (parent / path.name).is_relative_to(below.resolve()) or parent / path.name == below.resolve():
        raise Outside(f"refusing to remove '{path}': not below '{below}'")
    with contextlib.suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def remove_file(path: Path) -> bool:
    """Remove a file; False if there was none."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def free_space(path: Path) -> Space:
    """Room of the file system that holds `path`."""
    found = os.statvfs(path)
    unit = found.f_frsize
    return Space(found.f_blocks * unit, (found.f_blocks - found.f_bfree) * unit, found.f_bavail * unit)


def append_line(path: Path, line: str, *, mode: int = 0o640, durable: bool = True) -> None:
    """Add a line at the file's end in one write, on disk when this returns (unless not `durable`)."""
    with appending(path, mode=mode) as descriptor:
        os.write(descriptor, (line.rstrip("\n") + "\n").encode())
        if durable:
            os.fsync(descriptor)


@contextlib.contextmanager
def appending(path: Path, *, mode: int = 0o640) -> Iterator[int]:
    """A descriptor that appends to the file, which is made if missing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def patch(path: Path, pieces: Iterable[tuple[int, bytes]], *, size: int, mode: int = 0o640) -> None:
    """Write pieces at their offsets into a file of fixed `size`, made sparse if missing. Not synced: for files whose
    records check themselves."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    try:
        if os.fstat(descriptor).st_size != size:
            os.ftruncate(descriptor, size)
        for offset, data in pieces:
            os.pwrite(descriptor, data, offset)
    finally:
        os.close(descriptor)


def spool(directory: Path | str) -> tuple[Path, int]:
    """A new, empty file below `directory` that only root reads, and a descriptor to write it."""
    descriptor, path = tempfile.mkstemp(prefix="spool-", dir=directory)
    return Path(path), descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however many system calls it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def set_kernel(path: Path, text: str) -> None:
    """Write a setting of the kernel below /proc/sys or /sys; `Error` if it is refused."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise Error(f"can't set '{path}' to '{text}' - {exc.strerror}") from exc
