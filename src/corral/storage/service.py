"""Storages as the rest of Corral sees them: volumes by id, whatever storage they lie on."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from corral.cluster import datacenter
from corral.core.clock import Clock
from corral.core.errors import AlreadyExists, Error, NotFound
from corral.core.layout import Layout
from corral.schema.section import Section
from corral.storage import PLUGINS
from corral.storage import config as configuration
from corral.storage.base import (
    CONTENTS,
    SILENT,
    Environment,
    Listed,
    Reporter,
    Status,
    Storage,
    StorageConfig,
    Traffic,
    VolumeInfo,
)
from corral.storage.config import Configuration
from corral.storage.fetch import Fetcher
from corral.storage.health import Health
from corral.storage.qemu_img import Header, read_header
from corral.storage.volid import Volid, Volname
from corral.store.base import Tree
from corral.system import files
from corral.system.run import Run
from corral.tasks.base import Draws, UndoScope
from corral.tasks.base import Undo as UndoStep

PROBE_TIMEOUT = 5.0
"""Seconds that a storage has for saying how it is."""

LIST_TIMEOUT = 60.0
"""Seconds that a storage has for a list or a look at one volume."""

KEPT_AGE = 60.0
"""Seconds that a file may lie in a spool before the task for which it is kept has a journal."""

UPLOAD_AGE = 3 * 86400.0
"""Seconds without a new byte after which an upload is given up: its daemon has died."""

FOR_TASK = "task-"
MAX_JOURNAL = 64 << 20

Origin = str | Path
"""Where an image comes from: a volume id or an absolute path."""


class FreeVolume(UndoStep, frozen=True, kw_only=True):
    """Remove a volume that a task had begun to create."""

    name = "free-volume"
    volid: str


class RemoveFile(UndoStep, frozen=True, kw_only=True):
    """Remove a file from a storage's spool."""

    name = "remove-spooled"
    storage: str
    file: str


class Source(NamedTuple):
    """An image that may be read: its path, its format as found in its header, its guest-visible size in bytes."""

    path: Path
    format: str
    size: int


class StorageStatus(NamedTuple):
    """A storage as seen from this node. `room` is None unless it is `active`; `error` then says why."""

    storage: str
    section: Section[StorageConfig]
    content: tuple[str, ...]
    enabled: bool
    shared: bool
    room: Status | None = None
    error: str = ""

    @property
    def active(self) -> bool:
        """Whether it can be used now."""
        return self.room is not None


class Storages:
    """All storages of this node. Permissions are the callers' business: see `storage.access`.

    Safe for several threads. Verbs that look (`status`, `list`, `info`) answer within their time-out, and at once while
    a storage is known to hang; verbs that change take as long as the storage does, and belong into tasks.
    """

    def __init__(
        self,
        *,
        node: str,
        tree: Tree,
        run: Run,
        clock: Clock,
        layout: Layout,
        plugins: Sequence[type[Storage[Any]]] = PLUGINS,
        probe_timeout: float = PROBE_TIMEOUT,
    ) -> None:
        self.node = node
        self.clock = clock
        self.run = run
        self._probe_timeout = probe_timeout
        self.health = Health(clock)
        self.plugins = {plugin.kind: plugin for plugin in plugins}
        self._tree = tree
        self._local_path = str(layout.local_storage)
        self._outside = Environment(run, clock)
        self._parsed: tuple[int, Configuration] | None = None

    # -- configuration

    def config(self) -> Configuration:
        """The present configuration; parsed once per version."""
        return self.config_version()[1]

    def config_version(self) -> tuple[int, Configuration]:
        """It and the version it was read at (0: the record does not exist yet), to be given to `Write.expect`."""
        doc = self._tree.get(configuration.KEY)
        version = doc.version if doc else 0
        parsed = self._parsed
        if parsed is None or parsed[0] != version:
            # Another thread may see another version, or writes that are only planned: it must not get into this answer.
            self._parsed = parsed = (version, self.parse(doc.text if doc else ""))
        return parsed

    def parse(self, text: str) -> Configuration:
        """Another text of `storage.cfg`: what a change is made from."""
        return configuration.parse(text, self.plugins, self._local_path)

    def ids(self) -> tuple[str, ...]:
        """The ids of all configured storages."""
        return tuple(self.config().sections)

    def get(self, storage: str) -> Storage[Any]:
        """A storage of a known type, usable or not."""
        plugin, config = self.config().known(storage)
        return plugin(storage, config, self._outside)

    def enabled(self, storage: str) -> bool:
        """Whether it is configured for use on this node."""
        config = self.config().section(storage).config
        return config is not None and not config.disable and (not config.nodes or self.node in config.nodes)

    def need_enabled(self, storage: str, content: str | None = None) -> Storage[Any]:
        """The storage, without touching it; `Error` unless it is for this node and for that content type."""
        found = self.get(storage)
        if found.config.disable:
            raise Error(f"storage '{storage}' is disabled")
        if not self.enabled(storage):
            raise Error(f"storage '{storage}' is not available on node '{self.node}'")
        if content is not None and content not in found.content:
            raise Error(f"storage '{storage}' does not support content-type '{content}'")
        return found

    def usable(self, storage: str, content: str | None = None) -> Storage[Any]:
        """The storage, activated; `Error` if it can't be used here and now."""
        found = self.need_enabled(storage, content)
        self.health.call(storage, found.activate, self._probe_timeout)
        return found

    # -- the storages as wholes

    def status(self, storage: str) -> StorageStatus:
        """One storage as seen from here; never raises for its state."""
        section = self.config().section(storage)
        enabled = self.enabled(storage)
        base = StorageStatus(storage, section, (), enabled, bool(section.config and section.config.shared))
        try:
            found = self.get(storage)
        except Error as exc:
            return base._replace(error=str(exc))
        base = base._replace(content=found.content, shared=bool(found.config.shared) or found.can.shared)
        if not enabled:
            return base

        def look() -> Status:
            found.activate()
            room: Status = found.status()
            return room

        try:
            return base._replace(room=self.health.call(storage, look, self._probe_timeout))
        except Error as exc:
            return base._replace(error=str(exc))

    def statuses(self) -> list[StorageStatus]:
        """All storages."""
        return [self.status(storage) for storage in self.ids()]

    def identity(self, storage: str) -> str:
        """See `Storage.identity`."""
        found = self.usable(storage)
        return self.health.call(storage, found.identity, self._probe_timeout)

    def content_dir(self, storage: str, vtype: str) -> Path:
        """The directory of a content type."""
        return self.get(storage).content_dir(vtype)

    def spool_dir(self, storage: str) -> Path:
        """Where files that are to become volumes of the storage are collected; made if missing, only for root."""
        found = self.need_enabled(storage)
        return self.health.call(storage, found.spool_dir, self._probe_timeout)

    def sweep_spools(self, journals: Path) -> int:
        """Remove what nobody will take from all spools; answers how many files went.

        That is a file that was kept for a task of which no journal is left, as when it was cancelled while it waited,
        and an upload of which nothing has come for three days. `journals` is the directory of the tasks' journals.
        """
        alive = _texts(journals)
        now, gone = self.clock.now(), 0
        for storage in self.ids():
            try:
                for path in self.spool_dir(storage).iterdir():
                    for_task = path.name.startswith(FOR_TASK)
                    age = now - path.lstat().st_mtime
                    if age > (KEPT_AGE if for_task else UPLOAD_AGE) and not (for_task and path.name.encode() in alive):
                        gone += files.remove_file(path)
            except (Error, OSError):  # a storage that can't be used now is swept another time
                continue
        return gone

    def spooled(self, storage: str, path: str) -> Path:
        """A path in the storage's spool; `Error` for any other."""
        directory, wanted = self.spool_dir(storage), Path(path)
        if wanted.parent != directory or wanted.name.startswith("."):
            raise Error(f"'{path}' is not in the spool of storage '{storage}'")
        return wanted

    def keep_upload(self, storage: str, path: str) -> str:
        """Take over a file that the daemon has spooled, which else is removed when its request ends; its new path."""
        given, kept = Path(path), self.spool_file(storage)
        if given.parent != kept.parent:
            raise Error(f"'{path}' is not in the spool of storage '{storage}'")
        os.rename(given, kept)
        return str(kept)

    def spool_file(self, storage: str) -> Path:
        """A new, unused path in the storage's spool."""
        return self.spool_dir(storage) / f"{FOR_TASK}{secrets.token_hex(12)}"

    # -- volumes: names

    def locate(self, volume: str) -> tuple[Storage[Any], Volname]:
        """Storage and name of a volume id; `Error` if it is none or its storage can't be used by configuration."""
        ident = parse_volid(volume)
        storage = self.need_enabled(ident.storage)
        try:
            return storage, storage.parse(ident.volname)
        except ValueError as exc:
            raise Error(str(exc)) from exc

    def path(self, volume: str, snapshot: str | None = None) -> Path:
        """Where a volume lies; not looked at. To be called by whoever hands the path to a program."""
        storage, _ = self.locate(volume)
        return storage.path(parse_volid(volume).volname, snapshot)

    def volume_at(self, path: Path) -> str | None:
        """The volume that lies at a path, or None."""
        for ident in self.ids():
            try:
                storage = self.get(ident)
            except Error:
                continue
            if volname := storage.volname_at(path):
                return f"{ident}:{volname}"
        return None

    def default_format(self, storage: str) -> str:
        """The format of new images where none is asked for."""
        return self.get(storage).default_format

    def draw_volname(
        self, draws: Draws, name: str, *, storage: str, vmid: int, form: str | None = None, kind: str = "disk"
    ) -> str:
        """A free volume id for a new image of a guest, drawn as `name`; other draws of the same plan are not free."""

        def make() -> str:
            found = self.usable(storage, "images")
            prefix = f"{storage}:"
            taken = frozenset(text.removeprefix(prefix) for text in draws.known.values() if text.startswith(prefix))
            wanted = form or found.default_format
            answer: str = self.health.call(
                storage, lambda: found.free_volname(vmid, wanted, taken=taken, kind=kind), self._probe_timeout
            )
            return prefix + answer

        return draws.draw(name, make)

    def lock_name(self, volume: str) -> str:
        """The name of the queue lock for a volume."""
        ident = parse_volid(volume)
        return f"storage/{ident.storage}/volume/{ident.volname.rpartition('/')[2]}"

    # -- volumes: looking

    def kind_of(self, vmid: int) -> str | None:
        """`qemu` or `lxc` for a guest's number, None if there is no such guest."""
        doc = self._tree.get(f"guest/{vmid}")
        return doc.header.get("kind") if doc else None

    def list(
        self, storage: str, *, vmid: int | None = None, contents: tuple[str, ...] = CONTENTS
    ) -> list[tuple[str, Listed]]:
        """Volume ids with what lists show of them."""
        found = self.usable(storage)
        rows = self.health.call(
            storage, lambda: found.list(vmid=vmid, contents=contents, kind_of=self.kind_of), LIST_TIMEOUT
        )
        return [(f"{storage}:{row.volname}", row) for row in rows]

    def info(self, volume: str) -> VolumeInfo:
        """A volume as it lies there; `NotFound` if it does not."""
        storage, _ = self.locate(volume)
        self.usable(storage.id)
        volname = parse_volid(volume).volname
        return self.health.call(storage.id, lambda: storage.info(volname), LIST_TIMEOUT)

    def exists(self, volume: str) -> bool:
        """Whether it is there."""
        try:
            self.info(volume)
        except NotFound:
            return False
        return True

    def refuse_used(self, volume: str) -> None:
        """`Error` if it is a guest's image and the configuration of a guest names it as in use."""
        storage, name = self.locate(volume)
        if name.vtype != "images":
            return
        # A linked clone is named with its base before it, or without: the end of the name is the same.
        start, end = f"{storage.id}:", f"{name.vmid}/{name.name}"
        used = re.compile(rf"(?:^|[,=]){re.escape(start)}(?:[^,]*/)?{re.escape(end)}(?:,|$)")
        for doc in self._tree.list("guest/"):
            if end not in doc.text:
                continue
            vmid = doc.key.rpartition("/")[2]
            for line in doc.text.splitlines():
                key, colon, value = line.partition(": ")
                if colon and not key.startswith(("#", "unused")) and used.search(value):
                    raise Error(f"can't remove volume '{volume}': guest {vmid} uses it as {key}")

    # -- volumes: changing

    @contextmanager
    def created(self, undo: UndoScope, volume: str) -> Iterator[None]:
        """Around the creation of a volume: journals its removal first, and not for a volume that is there already."""
        if self.exists(volume):
            raise AlreadyExists(f"volume '{volume}' already exists")
        number = undo.before(FreeVolume(volid=volume))
        try:
            yield
        except AlreadyExists:
            undo.void(number)
            raise

    def allocate(self, volume: str, size: int, *, content: str = "images") -> None:
        """Create an empty image of `size` bytes, exclusively. Nothing is left on failure; a kill needs `created`."""
        storage, _ = self.locate(volume)
        self.usable(storage.id, content)
        storage.allocate(parse_volid(volume).volname, size)

    def free(self, volume: str) -> None:
        """Remove a volume; fine if it is not there."""
        storage, _ = self.locate(volume)
        self.usable(storage.id)
        storage.free(parse_volid(volume).volname)

    def resize(self, volume: str, size: int) -> None:
        """Grow an image that no guest has open."""
        storage, _ = self.locate(volume)
        self.usable(storage.id)
        storage.resize(parse_volid(volume).volname, size)

    def import_into(
        self,
        volume: str,
        source: Origin,
        *,
        on_progress: Callable[[float], None] = SILENT.progress,
        cancelled: Callable[[], bool] = SILENT.cancelled,
        content: str = "images",
        snapshot: str | None = None,
        traffic: Traffic = "clone",
    ) -> None:
        """Create an image with the content of another one (a volume, a disk in an OVA, a file), exclusively.

        No faster than both storages allow for that `traffic`. Refuses a source that depends on other files. Nothing is
        left on failure or when withdrawn.
        """
        storage, _ = self.locate(volume)
        self.usable(storage.id, content)
        reporter = Reporter(on_progress, cancelled)
        volname, rate = parse_volid(volume).volname, self._rate(traffic, volume, source)
        with self.opened(source) as image:
            storage.import_image(volname, image.path, image.format, reporter, snapshot=snapshot, rate=rate)

    def _rate(self, traffic: Traffic, *ends: Origin) -> int | None:
        """The lowest limit of the storages concerned, in bytes a second."""
        configs = [self.locate(end)[0].config for end in ends if isinstance(end, str)]
        limits = [limit for config in configs if config.bwlimit and (limit := config.bwlimit.limit(traffic))]
        return min(limits, default=None)

    def clone(self, base: str, volume: str) -> str:
        """Create an image that stands on a template's image of the same storage; answers its whole volume id."""
        storage, _ = self.locate(volume)
        if parse_volid(base).storage != storage.id:
            raise Error(f"can't clone '{base}' to another storage")
        self.usable(storage.id, "images")
        return f"{storage.id}:{storage.clone(parse_volid(base).volname, parse_volid(volume).volname)}"

    def make_base(self, volume: str) -> str:
        """Turn an image into a template's one; answers its new volume id."""
        storage, _ = self.locate(volume)
        self.usable(storage.id)
        return f"{storage.id}:{storage.make_base(parse_volid(volume).volname)}"

    def rename(self, volume: str, target: str) -> None:
        """Give an image another name on its storage."""
        storage, _ = self.locate(volume)
        if parse_volid(target).storage != storage.id:
            raise Error(f"can't rename '{volume}' to another storage")
        self.usable(storage.id)
        storage.rename(parse_volid(volume).volname, parse_volid(target).volname)

    def set_attributes(self, volume: str, *, notes: str | None = None, protected: bool | None = None) -> None:
        """Set notes and protection; None leaves as it is."""
        storage, _ = self.locate(volume)
        self.usable(storage.id)
        volname = parse_volid(volume).volname
        self.health.call(
            storage.id, lambda: storage.set_attributes(volname, notes=notes, protected=protected), LIST_TIMEOUT
        )

    # -- sources of imports

    def inspect(self, source: Origin) -> Source:
        """What an import from `source` would read; `Error` if it must not be read. A disk in an OVA has size 0."""
        if isinstance(source, Path):
            return _inspect_file(source, None)
        storage, name = self.locate(source)
        self.usable(storage.id)
        path = storage.path(parse_volid(source).volname)
        if name.format.startswith("ova+"):
            return Source(path, name.format, 0)
        if name.vtype == "images" and name.format != "subvol":
            # A guest writes what it likes into its raw disk: the name alone says the format. Backing files are ours.
            return self.health.call(storage.id, lambda: _inspect_file(path, name.format, own=True), LIST_TIMEOUT)
        if name.vtype in ("import", "iso") and name.format in ("raw", "qcow2", "vmdk"):
            form = None if name.format == "raw" else name.format
            return self.health.call(storage.id, lambda: _inspect_file(path, form), LIST_TIMEOUT)
        raise Error(f"can't import from '{source}': it is no disk image")

    def inspect_spooled(self, storage: str, path: str, form: str) -> Source:
        """A file in the spool as an image of that format; `Error` if it is none, or leads to other files."""
        return _inspect_file(self.spooled(storage, path), form)

    @contextmanager
    def opened(self, source: Origin) -> Iterator[Source]:
        """`inspect`; a disk in an OVA is extracted for as long as the block runs."""
        found = self.inspect(source)
        if not found.format.startswith("ova+"):
            yield found
            return
        ident = parse_volid(str(source))
        target = self.spool_file(ident.storage)
        try:
            _extract(found.path, ident.volname.rpartition("/")[2], target)
            yield _inspect_file(target, found.format.removeprefix("ova+"))
        finally:
            files.remove_file(target)

    def fetcher(self, *, verify: bool, anywhere: bool, timeout: float = 60.0) -> Fetcher:
        """A client for downloads that uses the datacenter's proxy."""
        proxy = datacenter.read(self._tree.get(datacenter.KEY)).options.http_proxy or ""
        return Fetcher(verify=verify, anywhere=anywhere, timeout=timeout, proxy=proxy)

    # -- undo steps

    def undo_free(self, step: FreeVolume) -> None:
        """Take back the creation of a volume."""
        self.free(step.volid)

    def undo_spooled(self, step: RemoveFile) -> None:
        """Remove a file from a spool."""
        files.remove_file(self.spooled(step.storage, step.file))


def _texts(directory: Path) -> bytes:
    """All that is written in the files of a directory; those that vanish meanwhile are left out."""
    found = []
    for path in directory.glob("*"):
        with contextlib.suppress(NotFound):
            found.append(files.read_bytes(path, limit=MAX_JOURNAL))
    return b"".join(found)


def parse_volid(volume: str) -> Volid:
    """A volume id's two parts; `Error` if it is none."""
    try:
        return Volid.parse(volume)
    except ValueError as exc:
        raise Error(str(exc)) from exc


def _inspect_file(path: Path, form: str | None, *, own: bool = False) -> Source:
    """The header of a file, refused if it leads to other files (unless the image is one of our own)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if form is None else os.O_NOFOLLOW))
    except FileNotFoundError as exc:
        raise NotFound(f"no such image '{path}'") from exc
    except OSError as exc:
        raise Error(f"can't read image '{path}' - {exc.strerror}") from exc
    try:
        header: Header = read_header(descriptor, form)
    finally:
        os.close(descriptor)
    if header.foreign and not own:
        raise Error(f"refusing to read image '{path.name}': {header.foreign}")
    if form is not None and header.format != form:
        raise Error(f"image '{path.name}' is not in format {form}")
    return Source(path, header.format, header.size)


def _extract(archive: Path, member: str, target: Path) -> None:
    """Copy one file out of an OVA (a tar archive)."""
    try:
        with tarfile.open(archive, "r:") as tar:
            found = next((each for each in tar if each.isreg() and each.name == member), None)
            data = tar.extractfile(found) if found else None
            if data is None:
                raise NotFound(f"no disk '{member}' in '{archive.name}'")
            with os.fdopen(files.write_beneath(target.parent, target.name, mode=0o600), "wb") as file:
                while chunk := data.read(1 << 20):
                    file.write(chunk)
    except (tarfile.TarError, EOFError) as exc:
        raise Error(f"'{archive.name}' is not a valid OVA: {exc}") from exc
    except OSError as exc:
        raise Error(f"can't extract '{member}' from '{archive.name}' - {exc.strerror}") from exc


def task_id(text: str) -> str:
    """A text as the id field of a UPID: without colon, slash and blank, and short enough for the name of a log."""
    return re.sub(r"[:/]|[^\x21-\x7e]", "_", text)[:64]
