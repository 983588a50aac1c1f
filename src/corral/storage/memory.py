"""A storage in memory: behaves as a directory does, for tests and the simulator. Paths it answers are made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from corral.core.errors import AlreadyExists, Error, NotFound
from corral.schema.fields import doc
from corral.storage import volid
from corral.storage.base import (
    CONTENTS,
    SILENT,
    Can,
    Environment,
    Listed,
    Reporter,
    Status,
    Storage,
    StorageConfig,
    VolumeInfo,
)
from corral.storage.listing import shown_format
from corral.storage.volid import Volname


class MemoryConfig(StorageConfig, frozen=True, kw_only=True):
    """`memory: NAME`: never offered to users."""

    capacity: Annotated[int, doc("Room in bytes.")] = 1 << 40


@dataclass(frozen=True, slots=True)
class _Volume:
    size: int
    ctime: int
    content: bytes = b""
    backing: str | None = None
    notes: str | None = None
    protected: bool = False
    snapshots: frozenset[str] = frozenset()


@dataclass
class Disk:
    """What a memory storage holds: outlives the configuration objects that look at it."""

    volumes: dict[str, _Volume] = field(default_factory=dict)


class Memory(Storage[MemoryConfig]):
    """See `Storage` for what the verbs promise."""

    kind = "memory"
    config_type = MemoryConfig
    contents: ClassVar[frozenset[str]] = frozenset(CONTENTS)
    can = Can(
        formats=("raw", "qcow2", "vmdk"),
        clone=frozenset({"raw", "qcow2", "vmdk"}),
        copy=frozenset({"raw", "qcow2", "vmdk"}),
        rename=frozenset({"raw", "qcow2", "vmdk"}),
        resize=frozenset({"raw", "qcow2"}),
        snapshot=frozenset({"qcow2"}),
        template=frozenset({"raw", "qcow2", "vmdk"}),
        sparse=frozenset({"raw", "qcow2", "vmdk"}),
        attributes=frozenset({"notes", "protected"}),
    )

    def __init__(self, ident: str, config: MemoryConfig, outside: Environment, disk: Disk | None = None) -> None:
        super().__init__(ident, config, outside)
        self.disk = disk or Disk()

    def activate(self) -> None:
        """Nothing to do."""

    def status(self) -> Status:
        """What the volumes' sizes add up to."""
        used = sum(len(volume.content) for volume in self.disk.volumes.values())
        return Status(self.config.capacity, used, self.config.capacity - used)

    def identity(self) -> str:
        """One per disk."""
        return f"memory-{id(self.disk):x}"

    def content_dir(self, vtype: str) -> Path:
        """A path that does not exist."""
        if vtype not in volid.SUBDIRS:
            raise Error(f"unknown vtype '{vtype}'")
        return Path("/memory") / self.id / volid.SUBDIRS[vtype]

    def spool_dir(self) -> Path:
        """A path that does not exist."""
        return Path("/memory") / self.id / "spool"

    def parse(self, volname: str) -> Volname:
        """The names of file-based storages."""
        return volid.parse_volname(volname)

    def _parsed(self, volname: str) -> Volname:
        try:
            return volid.parse_volname(volname)
        except ValueError as exc:
            raise NotFound(str(exc)) from exc

    def _key(self, volname: str) -> str:
        found = self._parsed(volname)
        return volid.volname_text(found._replace(basename=None, basevmid=None))

    def _get(self, volname: str) -> _Volume:
        try:
            return self.disk.volumes[self._key(volname)]
        except KeyError:
            raise NotFound(f"volume '{self.id}:{volname}' does not exist") from None

    def _add(self, volname: str, volume: _Volume) -> None:
        key = self._key(volname)
        if key in self.disk.volumes:
            raise AlreadyExists(f"volume '{self.id}:{volname}' already exists")
        self.disk.volumes[key] = volume

    def path(self, volname: str, snapshot: str | None = None) -> Path:
        """A path that does not exist."""
        found = self._parsed(volname)
        if snapshot is not None and found.format != "qcow2":
            raise Error("can't snapshot this image format")
        return self.content_dir(found.vtype) / volid.relative_path(found)

    def volname_at(self, path: Path) -> str | None:
        """The inverse of `path`."""
        for vtype in CONTENTS:
            directory = self.content_dir(vtype)
            if path.is_relative_to(directory) and (found := volid.volname_of(vtype, str(path.relative_to(directory)))):
                return volid.volname_text(found)
        return None

    def free_volname(self, vmid: int, form: str, *, taken: frozenset[str] = frozenset(), kind: str = "disk") -> str:
        """The lowest free number."""
        if kind != "disk":
            return f"{vmid}/vm-{vmid}-{kind}.{form}"
        pattern = re.compile(rf"{vmid}/(?:vm|base)-{vmid}-disk-(\d+)\.")
        used = {int(match[1]) for name in {*self.disk.volumes, *taken} if (match := pattern.search(name))}
        return f"{vmid}/vm-{vmid}-disk-{next(n for n in range(len(used) + 1) if n not in used)}.{form}"

    def info(self, volname: str) -> VolumeInfo:
        """As noted."""
        found, volume = self._parsed(volname), self._get(volname)
        return VolumeInfo(
            size=volume.size,
            used=len(volume.content),
            format=found.format,
            backing=volume.backing,
            ctime=volume.ctime,
            protected=volume.protected,
            notes=volume.notes,
        )

    def list(
        self, *, vmid: int | None = None, contents: tuple[str, ...] = CONTENTS, kind_of: Callable[[int], str | None]
    ) -> list[Listed]:
        """As noted."""
        rows = []
        for key, volume in sorted(self.disk.volumes.items()):
            found = self._parsed(key)
            content = found.vtype
            if content == "images" and found.vmid is not None and kind_of(found.vmid) == "lxc":
                content = "rootdir"
            has_owner = found.vtype in ("images", "backup")
            if content in contents and (vmid is None or not has_owner or found.vmid == vmid):
                rows.append(self._row(key, found, volume, content))
        return rows

    def _row(self, key: str, found: Volname, volume: _Volume, content: str) -> Listed:
        is_image = found.vtype == "images"
        if volume.backing and is_image:
            _, base_vmid, base = volume.backing.split("/")
            key = f"{base_vmid}/{base}/{key}"
        return Listed(
            volname=key,
            content=content,
            format=found.format if is_image else shown_format(found),
            size=volume.size,
            ctime=volume.ctime,
            vmid=found.vmid,
            used=len(volume.content) if is_image else None,
            parent=volume.backing,
            protected=volume.protected,
            notes=volume.notes,
        )

    def _image(self, volname: str) -> Volname:
        found = self._parsed(volname)
        if found.vtype != "images" or not found.name.startswith((f"vm-{found.vmid}-", f"base-{found.vmid}-")):
            raise Error(f"illegal name '{found.name}' - should be 'vm-{found.vmid}-*'")
        return found

    def _now(self) -> int:
        return int(self.outside.clock.now())

    def allocate(self, volname: str, size: int) -> None:
        """Noted."""
        self._image(volname)
        self._add(volname, _Volume(size, self._now()))

    def free(self, volname: str) -> None:
        """Forgotten."""
        found, key = self._parsed(volname), self._key(volname)
        if key not in self.disk.volumes:
            return
        if self.disk.volumes[key].protected:
            raise Error(f"can't remove protected archive '{self.id}:{volname}'")
        users = [name for name, volume in self.disk.volumes.items() if volume.backing == f"../{key}"]
        if found.is_base and users:
            raise Error(f"base volume '{volname}' is still in use by linked clones: {', '.join(users)}")
        del self.disk.volumes[key]

    def resize(self, volname: str, size: int) -> None:
        """Noted."""
        volume, form = self._get(volname), self._parsed(volname).format
        if form not in self.can.resize:
            raise Error(f"can't resize volume '{self.id}:{volname}': not supported for format '{form}'")
        if size < volume.size:
            raise Error(
                f"shrinking disks is not supported: '{self.id}:{volname}' has {volume.size} bytes, asked for {size}"
            )
        self.disk.volumes[self._key(volname)] = replace(volume, size=size)

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
        """The source's bytes are kept, whatever its format."""
        self._image(volname)
        content = source.read_bytes()
        if report.cancelled():
            return
        self._add(volname, _Volume(len(content), self._now(), content))
        report.progress(1.0)

    def clone(self, base: str, volname: str) -> str:
        """Noted with its base."""
        origin, found = self._parsed(base), self._image(volname)
        if not origin.is_base:
            raise Error(f"can't clone '{self.id}:{base}': it is no template's image")
        self._add(volname, _Volume(self._get(base).size, self._now(), backing=f"../{origin.vmid}/{origin.name}"))
        return volid.volname_text(found._replace(basename=origin.name, basevmid=origin.vmid))

    def make_base(self, volname: str) -> str:
        """Renamed."""
        found = self._parsed(volname)
        if found.vtype != "images" or found.is_base:
            raise Error(f"can't make '{self.id}:{volname}' a template's image")
        target = volid.volname_text(found._replace(name=re.sub("^vm-", "base-", found.name), is_base=True))
        self.rename(volname, target)
        return target

    def rename(self, volname: str, target: str) -> None:
        """Noted under another name."""
        volume = self._get(volname)
        if self._parsed(volname).format != self._parsed(target).format:
            raise Error(f"can't rename '{self.id}:{volname}' to '{target}'")
        self._add(target, volume)
        del self.disk.volumes[self._key(volname)]

    def snapshot(self, volname: str, verb: Literal["create", "apply", "delete"], snap: str) -> None:
        """Only the names are noted."""
        volume = self._get(volname)
        if self._parsed(volname).format not in self.can.snapshot:
            raise Error("can't snapshot this image format")
        changed: Mapping[str, frozenset[str]] = {
            "create": volume.snapshots | {snap},
            "delete": volume.snapshots - {snap},
            "apply": volume.snapshots,
        }
        if verb != "create" and snap not in volume.snapshots:
            raise Error(f"snapshot '{snap}' does not exist")
        self.disk.volumes[self._key(volname)] = replace(volume, snapshots=changed[verb])

    def place(self, volname: str, finished: Path, *, replace: bool = False) -> None:
        """The file's bytes are kept."""
        found = self._parsed(volname)
        if found.vtype not in volid.FILES or found.format.startswith("ova+"):
            raise Error(f"'{volname}' is no file of storage '{self.id}'")
        if replace:
            self.disk.volumes.pop(volname, None)
        content = finished.read_bytes()
        self._add(volname, _Volume(len(content), self._now(), content))
        finished.unlink()

    def set_attributes(self, volname: str, *, notes: str | None = None, protected: bool | None = None) -> None:
        """Noted."""
        volume = self._get(volname)
        if self._parsed(volname).vtype != "backup":
            wanted = "notes" if notes is not None else "protected"
            raise Error(f"attribute '{wanted}' is not supported for content type '{self._parsed(volname).vtype}'")
        if notes is not None:
            volume = replace(volume, notes=notes or None)
        if protected is not None:
            volume = replace(volume, protected=protected)
        self.disk.volumes[self._key(volname)] = volume
