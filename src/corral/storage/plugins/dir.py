"""A directory as a storage: volumes are files below `path`."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from corral.core.errors import AlreadyExists, Error, NotFound
from corral.schema import formats
from corral.schema.fields import doc, name
from corral.storage import listing, volid
from corral.storage.base import (
    CONTENTS,
    DIR_OVERRIDE,
    SILENT,
    Can,
    Listed,
    Reporter,
    Status,
    Storage,
    StorageConfig,
    VolumeInfo,
)
from corral.storage.qemu_img import Preallocation, QemuImg, by_descriptor, read_header
from corral.storage.volid import Volname
from corral.system import files

SPOOL = ".corral-spool"
SYSTEM = frozenset({"bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr"})
"""Directories in `/` below which no storage may be: files put there could be run or read by the system."""

_YES, _NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")
_ALL = frozenset({"raw", "qcow2", "vmdk"})


class DirOptions(StorageConfig, frozen=True, kw_only=True):
    """The options of a directory that can be changed."""

    content_dirs: Annotated[
        tuple[Annotated[str, DIR_OVERRIDE], ...],
        name("content-dirs"),
        doc("Other directories for content types, relative to the path: `iso=images/iso,backup=dumps`."),
    ] = ()
    preallocation: Annotated[
        Preallocation | None, doc("How much of a new image is allocated at once.", default="metadata")
    ] = None
    mkdir: Annotated[bool | None, doc("Create the directory and the default directories in it.", default=True)] = None
    create_base_path: Annotated[
        bool | None, name("create-base-path"), doc("Create the directory if it is missing.", default=True)
    ] = None
    create_subdirs: Annotated[
        bool | None, name("create-subdirs"), doc("Create the default directories in it.", default=True)
    ] = None
    is_mountpoint: Annotated[
        str | None,
        doc(
            "The directory (`yes`) or this path must be a mount point, else the storage counts as offline.",
            default="no",
        ),
    ] = None
    snapshot_as_volume_chain: Annotated[
        bool | None,
        name("snapshot-as-volume-chain"),
        doc("Keep snapshots as a chain of volumes. Only kept in the configuration so far.", default=False),
    ] = None


class DirConfig(DirOptions, frozen=True, kw_only=True):
    """`dir: NAME` in storage.cfg."""

    path: Annotated[str, formats.STORAGE_PATH, doc("The directory, an absolute path.")]

    def overrides(self) -> Mapping[str, str]:
        """Content type → directory, for those that are not at their default place."""
        return dict(text.split("=", 1) for text in self.content_dirs)

    def mount_point(self) -> str | None:
        """The path that must be a mount point, or None."""
        word = self.is_mountpoint
        if word is None or word.lower() in _NO:
            return None
        return self.path if word.lower() in _YES else word


class Dir(Storage[DirConfig]):
    """Volumes are files below `path`. See `Storage` for what the verbs promise."""

    kind = "dir"
    config_type = DirConfig
    contents = frozenset(CONTENTS)
    fixed: ClassVar[frozenset[str]] = frozenset({"path", "snapshot-as-volume-chain"})
    can = Can(
        formats=("raw", "qcow2", "vmdk", "subvol"),
        clone=_ALL,
        copy=_ALL,
        rename=_ALL,
        resize=frozenset({"raw", "qcow2"}),
        snapshot=frozenset({"qcow2"}),
        template=_ALL | {"subvol"},
        sparse=_ALL,
        attributes=frozenset({"notes", "protected"}),
    )

    # -- the storage as a whole

    @classmethod
    def problems(cls, config: DirConfig) -> Mapping[str, str]:
        """Also: paths that are no absolute paths, or that belong to the system."""
        errors = dict(super().problems(config))
        parts = [part for part in config.path.split("/") if part]
        if ".." in parts or not config.path.isprintable():
            errors["path"] = "value does not look like a valid absolute path"
        elif not parts or parts[0] in SYSTEM:
            errors["path"] = f"'{config.path}' belongs to the system and can't be a storage"
        point = config.mount_point()
        if point is not None and not (point.startswith("/") and point.isprintable() and ".." not in point.split("/")):
            errors["is_mountpoint"] = "value must be yes, no or an absolute path"
        return errors

    @property
    def _root(self) -> Path:
        return Path(self.config.path)

    @property
    def _qemu_img(self) -> QemuImg:
        return QemuImg(self.outside.run)

    @property
    def _preallocation(self) -> Preallocation:
        return self.config.preallocation or "metadata"

    def activate(self) -> None:
        """Check the mount point, then make the directories that the configuration lets it make."""
        self._check_mounted()
        config = self.config
        may_create = config.mkdir is not False
        if not self._root.is_dir():
            if not (may_create if config.create_base_path is None else config.create_base_path):
                missing = f"directory '{self._root}' does not exist or is unreachable"
                raise Error(f"unable to activate storage '{self.id}' - {missing}")
            _make(self._root)
        if may_create if config.create_subdirs is None else config.create_subdirs:
            for vtype in self.content:
                if not (directory := self.content_dir(vtype)).is_dir():
                    _make(directory)

    def _check_mounted(self) -> None:
        point = self.config.mount_point()
        if point is not None and not os.path.ismount(os.path.realpath(point)):
            raise Error(
                f"unable to activate storage '{self.id}' - "
                f"directory is expected to be a mount point but is not mounted: '{point}'"
            )

    def status(self) -> Status:
        """Room of the file system."""
        self._check_mounted()
        try:
            room = files.free_space(self._root)
        except OSError as exc:
            raise Error(f"storage '{self.id}' is not online: '{self._root}' - {exc.strerror}") from exc
        return Status(room.total, room.used, room.available)

    def identity(self) -> str:
        """By file system and inode: two paths to one directory are one storage."""
        try:
            found, system = os.stat(self._root), os.statvfs(self._root)
        except OSError as exc:
            raise Error(f"storage '{self.id}' is not online: '{self._root}' - {exc.strerror}") from exc
        return hashlib.sha256(f"dir:{system.f_fsid}:{found.st_ino}".encode()).hexdigest()[:32]

    def content_dir(self, vtype: str) -> Path:
        """`path` and the type's directory, default or overridden."""
        try:
            return self._root / volid.subdir(vtype, self.config.overrides())
        except ValueError as exc:
            raise Error(str(exc)) from exc

    def spool_dir(self) -> Path:
        """Hidden below `path`."""
        self.activate()
        return files.ensure_dir(self._root / SPOOL, mode=0o700)

    # -- names

    def parse(self, volname: str) -> Volname:
        """See `volid.parse_volname`."""
        return volid.parse_volname(volname)

    def _parsed(self, volname: str) -> Volname:
        try:
            return volid.parse_volname(volname)
        except ValueError as exc:
            raise NotFound(str(exc)) from exc

    def path(self, volname: str, snapshot: str | None = None) -> Path:
        """Below the directory of its content type."""
        found = self._parsed(volname)
        if snapshot is not None and found.format != "qcow2":
            raise Error("can't snapshot this image format")
        return self.content_dir(found.vtype) / volid.relative_path(found)

    def volname_at(self, path: Path) -> str | None:
        """Tried with every content type whose directory holds the path."""
        for vtype in CONTENTS:
            directory = self.content_dir(vtype)
            if path.is_relative_to(directory) and ".." not in path.parts:
                relative = str(path.relative_to(directory))
                if found := volid.volname_of("rootdir" if vtype == "rootdir" else vtype, relative):
                    return volid.volname_text(found)
        return None

    def free_volname(self, vmid: int, form: str, *, taken: frozenset[str] = frozenset(), kind: str = "disk") -> str:
        """`<vmid>/vm-<vmid>-disk-<n>.<format>`; other kinds than `disk` have no number."""
        if form not in self.can.formats:
            raise Error(f"storage '{self.id}' does not support image format '{form}'")
        prefix = "subvol" if form == "subvol" else "vm"
        if kind != "disk":
            return f"{vmid}/{prefix}-{vmid}-{kind}.{form}"
        present = listing.names(self.content_dir("images") / str(vmid)) | {text.rpartition("/")[2] for text in taken}
        used = {
            int(match[1])
            for each in present
            if (match := re.match(rf"(?:vm|base|subvol)-{vmid}-disk-(\d{{1,9}})(?:\.|$)", each))
        }
        number = next(number for number in range(len(used) + 1) if number not in used)
        return f"{vmid}/{prefix}-{vmid}-disk-{number}.{form}"

    # -- looking

    @contextlib.contextmanager
    def _opened(self, found: Volname, flags: int = os.O_RDONLY) -> Iterator[int]:
        """A descriptor of a volume's file, opened without following links."""
        directory = self.content_dir(found.vtype)
        try:
            descriptor = files.open_beneath(directory, volid.relative_path(found), flags)
        except (NotFound, FileNotFoundError, NotADirectoryError) as exc:
            raise NotFound(f"volume '{self.id}:{volid.volname_text(found)}' does not exist") from exc
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def info(self, volname: str) -> VolumeInfo:
        """From the file's header and state."""
        found = self._parsed(volname)
        with self._opened(found) as descriptor:
            state = os.fstat(descriptor)
            is_image = found.vtype in ("images", "import") and found.format in ("raw", "qcow2", "vmdk", "subvol")
            header = listing.image_header(descriptor, state, found.format) if is_image else None
        directory = self.content_dir(found.vtype)
        backup = found.vtype == "backup"
        return VolumeInfo(
            size=header.size if header else state.st_size,
            used=state.st_blocks * 512,
            format=found.format,
            backing=header.backing if header else None,
            ctime=int(state.st_mtime),
            protected=backup and self._protected(found),
            notes=listing.read_notes(directory, found.name) if backup else None,
        )

    def _protected(self, found: Volname) -> bool:
        return os.path.lexists(self.content_dir(found.vtype) / f"{found.name}.protected")

    def list(
        self, *, vmid: int | None = None, contents: tuple[str, ...] = CONTENTS, kind_of: Callable[[int], str | None]
    ) -> list[Listed]:
        """One pass over each content type's directory."""
        rows: list[Listed] = []
        if "images" in contents or "rootdir" in contents:
            rows += listing.list_images(self.content_dir("images"), vmid=vmid, contents=contents, kind_of=kind_of)
        for vtype in volid.FILES:
            if vtype in contents:
                rows += listing.list_files(self.content_dir(vtype), vtype, vmid=vmid)
        return rows

    # -- images

    def _claim(self, volname: str) -> tuple[Volname, int]:
        """Create an image's file exclusively: its name and a descriptor. Checks that the name may be given."""
        found = self._parsed(volname)
        if found.vtype != "images" or found.vmid is None or found.format == "subvol":
            raise Error(f"can't create a volume named '{volname}' on storage '{self.id}'")
        if not re.match(rf"(?:vm|base)-{found.vmid}-", found.name):
            raise Error(f"illegal name '{found.name}' - should be 'vm-{found.vmid}-*'")
        directory = self.content_dir("images")
        _make(directory / str(found.vmid))
        try:
            relative = volid.relative_path(found)
            return found, files.open_beneath(directory, relative, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
        except AlreadyExists as exc:
            raise AlreadyExists(f"volume '{self.id}:{volname}' already exists") from exc

    @contextlib.contextmanager
    def _created(self, volname: str) -> Iterator[tuple[Volname, int]]:
        """Claim an image's file, let the caller fill it, sync it; remove it if that fails."""
        found, descriptor = self._claim(volname)
        try:
            try:
                yield found, descriptor
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            files.sync_directory(self.content_dir("images") / str(found.vmid))
        except BaseException as exc:
            self._remove(found)
            if isinstance(exc, OSError):
                raise Error(f"unable to create volume '{self.id}:{volname}' - {exc.strerror}") from exc
            raise

    def allocate(self, volname: str, size: int) -> None:
        """Raw images are made directly, the others by qemu-img."""
        if self._parsed(volname).format == "subvol":
            self._allocate_subvol(self._parsed(volname), size)
            return
        with self._created(volname) as (found, descriptor):
            if found.format == "raw" and self._preallocation in ("off", "metadata"):
                os.truncate(descriptor, size)
            elif found.format == "raw" and self._preallocation == "falloc":
                os.posix_fallocate(descriptor, 0, size)
            else:
                self._qemu_img.create(
                    by_descriptor(descriptor),
                    found.format,
                    size,
                    preallocation=self._preallocation,
                    pass_fds=[descriptor],
                )

    def _allocate_subvol(self, found: Volname, size: int) -> None:
        if size:
            raise Error("a directory can't limit the size of a subvolume: size must be 0")
        parent = self.content_dir("images") / str(found.vmid)
        _make(parent)
        try:
            (parent / found.name).mkdir(mode=0o755)
        except FileExistsError as exc:
            raise AlreadyExists(f"volume '{self.id}:{found.vmid}/{found.name}' already exists") from exc

    def free(self, volname: str) -> None:
        """The file, its companions, and the guest's directory when it is empty then."""
        found = self._parsed(volname)
        if found.vtype == "backup" and self._protected(found):
            raise Error(f"can't remove protected archive '{self.id}:{volname}'")
        if found.is_base and (users := self._clones_of(found)):
            raise Error(f"base volume '{volname}' is still in use by linked clones: {', '.join(users)}")
        self._remove(found)

    def _clones_of(self, found: Volname) -> tuple[str, ...]:
        rows = listing.list_images(self.content_dir("images"), vmid=None, contents=CONTENTS, kind_of=lambda _: None)
        wanted = f"../{found.vmid}/{found.name}"
        return tuple(row.volname for row in rows if row.parent == wanted)

    def _remove(self, found: Volname) -> None:
        directory = self.content_dir(found.vtype)
        relative = volid.relative_path(found)
        if found.format == "subvol":
            files.remove_tree(directory / relative, below=directory)
        else:
            with contextlib.suppress(NotFound, FileNotFoundError), _beneath(directory, relative) as (parent, last):
                _unlink(parent, last)
                if found.vtype == "backup":
                    for companion in _companions(found.name):
                        _unlink(parent, companion)
                os.fsync(parent)
        if found.vtype == "images":
            with contextlib.suppress(OSError):
                (directory / str(found.vmid)).rmdir()

    def resize(self, volname: str, size: int) -> None:
        """By qemu-img; a raw image that could not grow gets its old size again."""
        found = self._parsed(volname)
        before = self.info(volname).size
        if found.vtype != "images" or found.format not in self.can.resize:
            raise Error(f"can't resize volume '{self.id}:{volname}': not supported for format '{found.format}'")
        if size < before:
            raise Error(f"shrinking disks is not supported: '{self.id}:{volname}' has {before} bytes, asked for {size}")
        if size == before:
            return
        try:
            self._qemu_img.resize(self.path(volname), found.format, size, preallocation=self._preallocation)
        except BaseException:
            if found.format == "raw":
                with self._opened(found, os.O_RDWR) as descriptor:
                    os.truncate(descriptor, before)
            raise

    def import_image(
        self,
        volname: str,
        source: Path,
        source_format: str,
        report: Reporter = SILENT,
        *,
        snapshot: str | None = None,
        rate: int | None = None,
    ) -> None:
        """By qemu-img convert."""
        with self._created(volname) as (found, descriptor):
            self._qemu_img.convert(
                source,
                source_format,
                by_descriptor(descriptor),
                found.format,
                preallocation=self._preallocation,
                on_progress=report.progress,
                cancelled=report.cancelled,
                snapshot=snapshot,
                rate=rate,
                pass_fds=[descriptor],
            )

    def clone(self, base: str, volname: str) -> str:
        """A qcow2 image whose backing file is the template's one, by a relative path."""
        origin = self._parsed(base)
        with self._opened(origin) as descriptor:
            size = read_header(descriptor, origin.format).size
        if not origin.is_base:
            raise Error(f"can't clone '{self.id}:{base}': it is no template's image")
        with self._created(volname) as (found, descriptor):
            backing = (f"../{origin.vmid}/{origin.name}", origin.format)
            self._qemu_img.create(by_descriptor(descriptor), found.format, size, backing=backing, pass_fds=[descriptor])
        return volid.volname_text(found._replace(basename=origin.name, basevmid=origin.vmid))

    def make_base(self, volname: str) -> str:
        """`vm-` becomes `base-`, and the file read-only."""
        found = self._parsed(volname)
        if found.vtype != "images" or found.is_base or found.basename:
            raise Error(f"can't make '{self.id}:{volname}' a template's image")
        target = found._replace(name=re.sub(r"^(?:vm|subvol)-", "base-", found.name), is_base=True)
        self.rename(volname, volid.volname_text(target))
        if target.format != "subvol":
            with self._opened(target) as descriptor:
                os.fchmod(descriptor, 0o444)
        return volid.volname_text(target)

    def rename(self, volname: str, target: str) -> None:
        """A link to the new name, then the old one goes: never two, never none."""
        old, new = self._parsed(volname), self._parsed(target)
        if old.vtype != "images" or new.vtype != "images" or old.format != new.format or old.basename != new.basename:
            raise Error(f"can't rename '{self.id}:{volname}' to '{target}'")
        directory = self.content_dir("images")
        with self._opened(old):
            _make(directory / str(new.vmid))
        with (
            _beneath(directory, volid.relative_path(old)) as (parent, last),
            _beneath(directory, volid.relative_path(new)) as (new_parent, new_last),
        ):
            try:
                if old.format == "subvol":
                    os.mkdir(new_last, dir_fd=new_parent)
                    os.rename(last, new_last, src_dir_fd=parent, dst_dir_fd=new_parent)
                else:
                    os.link(last, new_last, src_dir_fd=parent, dst_dir_fd=new_parent, follow_symlinks=False)
                    os.unlink(last, dir_fd=parent)
            except FileExistsError as exc:
                raise AlreadyExists(f"volume '{self.id}:{target}' already exists") from exc
            os.fsync(new_parent)
            os.fsync(parent)
        with contextlib.suppress(OSError):
            (directory / str(old.vmid)).rmdir()

    def snapshot(self, volname: str, verb: Literal["create", "apply", "delete"], snap: str) -> None:
        """Internal snapshots of qcow2 images."""
        found = self._parsed(volname)
        if found.format not in self.can.snapshot:
            raise Error("can't snapshot this image format")
        with self._opened(found):
            self._qemu_img.snapshot(self.path(volname), verb, snap)

    # -- files

    def place(self, volname: str, finished: Path, *, replace: bool = False) -> None:
        """Linked or renamed into place; copied first if the content type's directory is on another file system."""
        found = self._parsed(volname)
        directory = self.content_dir(found.vtype)
        if found.vtype not in volid.FILES or found.format.startswith("ova+"):
            raise Error(f"'{volname}' is no file of storage '{self.id}'")
        _make(directory)
        target = directory / found.name
        if os.stat(finished).st_dev != os.stat(directory).st_dev:
            copied = directory / f".{secrets.token_hex(8)}.corral"
            try:
                _copy(finished, copied)
                _publish(copied, target, replace=replace)
            finally:
                files.remove_file(copied)
            files.remove_file(finished)
        else:
            _publish(finished, target, replace=replace)

    def set_attributes(self, volname: str, *, notes: str | None = None, protected: bool | None = None) -> None:
        """Files beside the archive: `<archive>.notes`, `<archive>.protected`."""
        found = self._parsed(volname)
        with self._opened(found):
            pass
        if found.vtype != "backup":
            wanted = "notes" if notes is not None else "protected"
            raise Error(f"attribute '{wanted}' is not supported for content type '{found.vtype}'")
        beside = self.content_dir("backup") / found.name
        if notes is not None:
            path = beside.with_name(f"{found.name}.notes")
            if notes:
                files.atomic_write(path, notes.rstrip("\n") + "\n")
            else:
                files.remove_file(path)
        if protected is not None:
            path = beside.with_name(f"{found.name}.protected")
            if protected:
                files.atomic_write(path, "")
            else:
                files.remove_file(path)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Error(f"unable to create directory '{directory}' - {exc.strerror}") from exc


@contextlib.contextmanager
def _beneath(directory: Path, relative: str) -> Iterator[tuple[int, str]]:
    """A descriptor of the directory that holds `relative`, reached without following links, and the last name."""
    parent, _, last = relative.rpartition("/")
    if parent:
        descriptor = files.open_beneath(directory, parent, os.O_RDONLY | os.O_DIRECTORY)
    else:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor, last
    finally:
        os.close(descriptor)


def _unlink(parent: int, last: str) -> None:
    try:
        os.unlink(last, dir_fd=parent)
    except FileNotFoundError:
        return
    except OSError as exc:
        raise Error(f"can't remove '{last}' - {exc.strerror}") from exc


def _companions(filename: str) -> list[str]:
    beside = [f"{filename}.notes", f"{filename}.protected"]
    with contextlib.suppress(ValueError):
        if log := volid.archive_info(filename).logfilename:
            beside.append(log)
    return beside


def _publish(finished: Path, target: Path, *, replace: bool) -> None:
    descriptor = os.open(finished, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Error(f"'{finished}' is no file")
        os.fchmod(descriptor, 0o644)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if replace:
        if target.is_dir() and not target.is_symlink():
            raise AlreadyExists(f"'{target}' is a directory")
        os.replace(finished, target)
        files.sync_directory(target.parent)
    else:
        files.publish(finished, target)


def _copy(source: Path, target: Path) -> None:
    with contextlib.ExitStack() as stack:
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        stack.callback(os.close, reading)
        writing = files.write_beneath(target.parent, target.name)
        stack.callback(os.close, writing)
        try:
            while os.sendfile(writing, reading, None, 1 << 24):
                pass
            os.fsync(writing)
        except OSError as exc:
            reason = "no space left" if exc.errno == errno.ENOSPC else exc.strerror
            raise Error(f"can't copy '{source}' to '{target}' - {reason}") from exc
