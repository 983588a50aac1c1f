"""What a storage plugin is: its configuration, what it can do, and the promises of its verbs."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import msgspec

from corral.core.clock import Clock
from corral.schema import formats
from corral.schema.fields import Format, between, doc, name
from corral.schema.propstring import PropertyString
from corral.storage.volid import SUBDIRS, Volname
from corral.system.run import Run

CONTENTS = ("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import")
"""Every content type a volume can have, in the order of lists."""


class PruneBackups(PropertyString, frozen=True, kw_only=True):
    """How many backups of a guest are kept: `keep-last=3,keep-weekly=4`."""

    keep_all: Annotated[bool | None, name("keep-all"), doc("Keep all backups; excludes the other options.")] = None
    keep_daily: Annotated[int | None, name("keep-daily"), between(0), doc("Keep the last of so many days.")] = None
    keep_hourly: Annotated[int | None, name("keep-hourly"), between(0), doc("Keep the last of so many hours.")] = None
    keep_last: Annotated[int | None, name("keep-last"), between(0), doc("Keep so many of the newest.")] = None
    keep_monthly: Annotated[int | None, name("keep-monthly"), between(0), doc("Keep the last of so many months.")] = (
        None
    )
    keep_weekly: Annotated[int | None, name("keep-weekly"), between(0), doc("Keep the last of so many weeks.")] = None
    keep_yearly: Annotated[int | None, name("keep-yearly"), between(0), doc("Keep the last of so many years.")] = None

    def keeps_all(self) -> bool:
        """Whether nothing is ever removed: asked for, or no number above zero given."""
        numbers = (
            self.keep_last,
            self.keep_hourly,
            self.keep_daily,
            self.keep_weekly,
            self.keep_monthly,
            self.keep_yearly,
        )
        return bool(self.keep_all) or not any(numbers)


Traffic = Literal["clone", "migration", "move", "restore"]
"""What bandwidth is limited for."""


class BandwidthLimit(PropertyString, frozen=True, kw_only=True):
    """Limits in KiB a second, by what the traffic is for."""

    clone: Annotated[float | None, between(0), doc("Limit for cloning disks, in KiB/s.")] = None
    default: Annotated[float | None, between(0), doc("Limit where no other is set, in KiB/s.")] = None
    migration: Annotated[float | None, between(0), doc("Limit for migrating guests, in KiB/s.")] = None
    move: Annotated[float | None, between(0), doc("Limit for moving disks, in KiB/s.")] = None
    restore: Annotated[float | None, between(0), doc("Limit for restoring guests, in KiB/s.")] = None

    def limit(self, traffic: Traffic) -> int | None:
        """Bytes a second for that traffic; None for no limit (0 is none too)."""
        chosen = {"clone": self.clone, "migration": self.migration, "move": self.move, "restore": self.restore}[traffic]
        found = self.default if chosen is None else chosen
        return int(found * 1024) if found else None


def _override(text: str) -> str:
    vtype, equals, path = text.partition("=")
    parts = path.split("/")
    if not equals or vtype not in SUBDIRS or not path or len(path) > 1022 or path.startswith("/") or ".." in parts:
        raise ValueError("value does not look like a valid content directory override")
    if any(len(part) > 254 for part in parts) or not path.isprintable():
        raise ValueError("value does not look like a valid content directory override")
    return text


DIR_OVERRIDE = Format("pve-dir-override", _override)


class StorageConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The options that every storage type has. Unset is None or empty; `effective_*` say what then holds."""

    content: Annotated[tuple[Annotated[str, formats.CONTENT], ...], doc("What may be kept there.")] = ()
    nodes: Annotated[tuple[Annotated[str, formats.NODE], ...], doc("The nodes that have it; all if empty.")] = ()
    disable: Annotated[bool | None, doc("Do not use it.", default=False)] = None
    shared: Annotated[bool | None, doc("All its nodes see the same content. Says it, does not make it so.")] = None
    prune_backups: Annotated[
        PruneBackups | None, name("prune-backups"), doc("Which backups are kept; all if unset.")
    ] = None
    max_protected_backups: Annotated[
        int | None,
        name("max-protected-backups"),
        between(-1),
        doc("Most protected backups of a guest, -1: unlimited. Unset: 5, unlimited for holders of Datastore.Allocate."),
    ] = None
    format: Annotated[
        Literal["raw", "qcow2", "subvol", "vmdk"] | None, doc("Format of new images where none is asked for.")
    ] = None
    bwlimit: Annotated[BandwidthLimit | None, doc("Limits of bandwidth, in KiB/s.")] = None


C = TypeVar("C", bound=StorageConfig)

Formats = frozenset[str]
_NONE: Formats = frozenset()


@dataclass(frozen=True, slots=True)
class Can:
    """What a plugin can do; generic code asks here and never for a plugin's name.

    `formats` are those of guest images, the first one the default. A set names the formats the verb works for.
    """

    formats: tuple[str, ...]
    clone: Formats = _NONE
    copy: Formats = _NONE
    rename: Formats = _NONE
    resize: Formats = _NONE
    snapshot: Formats = _NONE
    template: Formats = _NONE
    sparse: Formats = _NONE
    attributes: frozenset[str] = frozenset()
    files: bool = True
    block: bool = False
    shared: bool = False


class Status(NamedTuple):
    """Room of a storage in bytes; `available` is what may still be written."""

    total: int
    used: int
    available: int


class VolumeInfo(NamedTuple):
    """A volume as it lies there. `size` is what a guest sees, `used` what it takes; bytes. `backing` is the text in
    the image that names the one it stands on."""

    size: int
    used: int
    format: str
    backing: str | None
    ctime: int
    protected: bool = False
    notes: str | None = None


class Listed(NamedTuple):
    """One volume of a list. `parent` and `used` are set for images only, `subtype` for backups only."""

    volname: str
    content: str
    format: str
    size: int
    ctime: int
    vmid: int | None = None
    used: int | None = None
    parent: str | None = None
    subtype: str | None = None
    protected: bool = False
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Reporter:
    """How a long verb tells where it stands, and learns that it is no longer wanted."""

    progress: Callable[[float], None] = lambda _fraction: None
    cancelled: Callable[[], bool] = lambda: False


SILENT = Reporter()


@dataclass(frozen=True, slots=True)
class Environment:
    """The outside of a plugin."""

    run: Run
    clock: Clock


class Storage(abc.ABC, Generic[C]):
    """One configured storage. `kind` is its type's name. Made anew for each version of the
    configuration; holds no state of its own.

    Sizes are bytes, times UTC seconds. Every verb may block for as long as the storage does: callers bound that. A
    volname that does not fit the plugin's grammar raises `ValueError` from `parse` and `NotFound` elsewhere; a volume
    that is not there raises `NotFound`; a taken name `AlreadyExists`; whatever the machine refuses `Error` with the
    reason. No verb but `place` overwrites a volume, and none leaves a volume behind that it reported as failed. No
    verb follows a name, a link or a header out of the storage.
    """

    kind: ClassVar[str]
    can: ClassVar[Can]
    contents: ClassVar[frozenset[str]]
    default_contents: ClassVar[tuple[str, ...]] = ("images", "rootdir")
    fixed: ClassVar[frozenset[str]] = frozenset()
    config_type: ClassVar[type[Any]]

    def __init__(self, ident: str, config: C, outside: Environment) -> None:
        self.id = ident
        self.config = config
        self.outside = outside

    @property
    def content(self) -> tuple[str, ...]:
        """The content types it may hold: those configured, else the type's default."""
        chosen = self.config.content or self.default_contents
        return tuple(content for content in CONTENTS if content in chosen)

    @property
    def default_format(self) -> str:
        """The format of new images where none is asked for."""
        return self.config.format or self.can.formats[0]

    @classmethod
    def problems(cls, config: C) -> Mapping[str, str]:
        """What is wrong with a configuration beyond its fields: wire name → text. Pure."""
        wrong = [content for content in config.content if content not in cls.contents | {"none"}]
        if wrong:
            return {"content": f"storage type '{cls.kind}' does not support content type '{wrong[0]}'"}
        if "none" in config.content and len(config.content) > 1:
            return {"content": "unable to combine content 'none' with other content types"}
        if config.format is not None and config.format not in cls.can.formats:
            return {"format": f"storage type '{cls.kind}' does not support image format '{config.format}'"}
        return {}

    # -- the storage as a whole

    @abc.abstractmethod
    def activate(self) -> None:
        """Make it usable, creating what the configuration allows to create. Idempotent; required before other verbs."""

    @abc.abstractmethod
    def status(self) -> Status:
        """Its room. Changes nothing; raises when it can't be used."""

    @abc.abstractmethod
    def identity(self) -> str:
        """A text that is equal for two configurations of the same storage and different for others."""

    @abc.abstractmethod
    def content_dir(self, vtype: str) -> Path:
        """The directory of a content type, whether it exists or not; `Error` for a type without one."""

    @abc.abstractmethod
    def spool_dir(self) -> Path:
        """A directory that only root reads, on the same file system as the files it will hold; made if missing."""

    # -- names

    @abc.abstractmethod
    def parse(self, volname: str) -> Volname:
        """What a volume's name says. Pure."""

    @abc.abstractmethod
    def path(self, volname: str, snapshot: str | None = None) -> Path:
        """Where the volume lies (or would). Pure; `Error` for a snapshot of a format that has none."""

    @abc.abstractmethod
    def volname_at(self, path: Path) -> str | None:
        """The volume that lies at that path, or None: the inverse of `path`. Pure."""

    @abc.abstractmethod
    def free_volname(self, vmid: int, form: str, *, taken: frozenset[str] = frozenset(), kind: str = "disk") -> str:
        """A name for a new image that neither exists nor is in `taken`; the lowest free number. Reserves nothing."""

    # -- looking

    @abc.abstractmethod
    def info(self, volname: str) -> VolumeInfo:
        """The volume as it lies there."""

    @abc.abstractmethod
    def list(
        self, *, vmid: int | None = None, contents: tuple[str, ...] = CONTENTS, kind_of: Callable[[int], str | None]
    ) -> list[Listed]:
        """All volumes of these content types, and of that guest where they have one.

        `kind_of` answers `qemu`, `lxc` or None for a guest's number; it tells `rootdir` from `images`. What vanishes
        meanwhile, or can't be read, is left out.
        """

    # -- images

    @abc.abstractmethod
    def allocate(self, volname: str, size: int) -> None:
        """Create an empty image that a guest sees with `size` bytes, exclusively. On failure nothing is left."""

    @abc.abstractmethod
    def free(self, volname: str) -> None:
        """Remove a volume with its notes and marks. Idempotent: fine if it is not there.

        `Error` if it is protected, or a template's image that linked clones stand on.
        """

    @abc.abstractmethod
    def resize(self, volname: str, size: int) -> None:
        """Grow an image that no guest has open to `size` bytes; `Error` if it is larger already, or
        of a format that can't."""

    @abc.abstractmethod
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
        """Create an image with the content of another one, exclusively. On failure, or when withdrawn, nothing is left.

        `rate` limits to so many bytes a second. The caller answers for `source` being no trap: see
        `Storages.import_into`.
        """

    @abc.abstractmethod
    def clone(self, base: str, volname: str) -> str:
        """Create an image that stands on a template's image; answers the clone's whole volname."""

    @abc.abstractmethod
    def make_base(self, volname: str) -> str:
        """Turn an image into a template's one, read only; answers its new volname."""

    @abc.abstractmethod
    def rename(self, volname: str, target: str) -> None:
        """Give an image another name, exclusively."""

    @abc.abstractmethod
    def snapshot(self, volname: str, verb: Literal["create", "apply", "delete"], snap: str) -> None:
        """Make, go back to or drop a snapshot of an image that no guest has open."""

    # -- files

    @abc.abstractmethod
    def place(self, volname: str, finished: Path, *, replace: bool = False) -> None:
        """Move a finished file from the spool to its name in one step; readers see none of it or all."""

    @abc.abstractmethod
    def set_attributes(self, volname: str, *, notes: str | None = None, protected: bool | None = None) -> None:
        """Set what is not None; empty notes are removed. `Error` for a volume that has no such attribute."""
