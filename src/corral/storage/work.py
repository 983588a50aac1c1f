"""The tasks of storages: what each will do (`check_…`) and how it does it (`act_…`)."""

from __future__ import annotations

import contextlib
from typing import Literal

from corral.core.errors import AlreadyExists, Error, ParamError
from corral.storage import fetch, prune, volid
from corral.storage.base import PruneBackups
from corral.storage.fetch import Algorithm, Compression
from corral.storage.prune import Marked
from corral.storage.service import RemoveFile, Storages, parse_volid, task_id
from corral.tasks.base import Draws, Intent, TaskArgs, VolumeChange, Work

RESERVE = 64 << 20
"""Bytes that a download leaves free, so that a full storage still takes the notes and logs of others."""

FileContent = Literal["iso", "vztmpl", "import"]


def _slots(storage: str) -> tuple[str, ...]:
    return (f"storage/{storage}",)


def _target(storages: Storages, storage: str, content: str, filename: str) -> str:
    """The volume id that a file gets; `ParamError` for a name that content can't have."""
    storages.need_enabled(storage, content)
    try:
        return f"{storage}:{content}/{volid.upload_name(content, filename)}"
    except ValueError as exc:
        raise ParamError({"filename": str(exc)}) from exc


def _check_image(storages: Storages, volume: str, path: str) -> None:
    """Refuse a file for `import` that is no image of the format in its name, or that leads to other files."""
    _, name = storages.locate(volume)
    if name.vtype == "import" and name.format != "ova":
        storages.inspect_spooled(parse_volid(volume).storage, path, name.format)


# --- imgcopy: an upload is put in place ---------------------------------------------------------------------------


class ImgCopy(TaskArgs, frozen=True, kw_only=True):
    """Make a file in the storage's spool a volume, after its checksum was checked. An older file is replaced."""

    type = "imgcopy"
    storage: str
    content: FileContent
    filename: str
    file: str
    size: int
    algorithm: Algorithm | None = None
    checksum: str | None = None


def check_imgcopy(storages: Storages, args: ImgCopy, _draws: Draws) -> Intent:
    """The file must be in the spool, and its name fit the content."""
    volume = _target(storages, args.storage, args.content, args.filename)
    storages.spooled(args.storage, args.file)
    return Intent(
        volumes=(VolumeChange(volid=volume, verb="create", size=args.size),),
        locks=(storages.lock_name(volume),),
        slots=_slots(args.storage),
        effects=(f"writes {storages.path(volume)}",),
    )


def act_imgcopy(storages: Storages, args: ImgCopy, work: Work) -> str:
    """Answers the volume's id."""
    volume = _target(storages, args.storage, args.content, args.filename)
    finished = storages.spooled(args.storage, args.file)
    with work.undo() as undo:
        undo.before(RemoveFile(storage=args.storage, file=args.file))
        work.log(f"starting file import from: {args.filename}")
        work.log(f"target storage: {args.storage}, file size: {args.size}")
        if args.algorithm and args.checksum:
            found = fetch.check_checksum(finished, args.algorithm, args.checksum, work.check_cancelled)
            work.log(f"OK, checksum verified ({args.algorithm} {found})")
        _check_image(storages, volume, args.file)
        storage = storages.usable(args.storage, args.content)
        # What is replaced is gone: then the new file stays, even if this process dies before it can say so.
        with contextlib.nullcontext() if storages.exists(volume) else storages.created(undo, volume):
            storage.place(parse_volid(volume).volname, finished, replace=True)
    work.log(f"finished file import successfully: {volume}")
    return volume


# --- download: a file from the web ----------------------------------------------------------------------------------


class Download(TaskArgs, frozen=True, kw_only=True):
    """Fetch a file by HTTP or HTTPS into a storage. `anywhere`: see `Fetcher`."""

    type = "download"
    storage: str
    content: FileContent
    filename: str
    url: str
    algorithm: Algorithm | None = None
    checksum: str | None = None
    compression: Compression | None = None
    verify: bool = True
    anywhere: bool = False

    def id(self) -> str:
        """The file's name."""
        return task_id(self.filename)


def check_download(storages: Storages, args: Download, _draws: Draws) -> Intent:
    """The name must fit the content and not be taken. The server is not asked."""
    volume = _target(storages, args.storage, args.content, args.filename)
    _refuse_taken(storages, volume)
    return Intent(
        volumes=(VolumeChange(volid=volume, verb="create"),),
        locks=(storages.lock_name(volume),),
        slots=_slots(args.storage),
        effects=(f"fetches {args.url}", f"writes {storages.path(volume)}"),
    )


def _refuse_taken(storages: Storages, volume: str) -> None:
    if storages.exists(volume):
        raise AlreadyExists(f"refusing to override existing file '{storages.path(volume)}'")


def act_download(storages: Storages, args: Download, work: Work) -> str:
    """Answers the volume's id."""
    volume = _target(storages, args.storage, args.content, args.filename)
    _refuse_taken(storages, volume)
    storage = storages.usable(args.storage, args.content)
    packed = storages.spool_file(args.storage)
    work.log(f"downloading {args.url} to {storages.path(volume)}")
    with work.undo() as undo:
        undo.before(RemoveFile(storage=args.storage, file=str(packed)))
        fetcher = storages.fetcher(verify=args.verify, anywhere=args.anywhere)
        limit = max(0, storage.status().available - RESERVE)
        size = fetcher.fetch(
            args.url, packed, limit=limit, on_progress=_Meter(work).report, check_cancelled=work.check_cancelled
        )
        work.log(f"download of {size} bytes finished")
        if args.algorithm and args.checksum:
            found = fetch.check_checksum(packed, args.algorithm, args.checksum, work.check_cancelled)
            work.log(f"OK, got correct file checksum ({args.algorithm} {found})")
        finished = packed
        if args.compression:
            finished = storages.spool_file(args.storage)
            undo.before(RemoveFile(storage=args.storage, file=str(finished)))
            work.log(f"decompressing '{args.compression}'")
            fetch.unpack(
                packed,
                finished,
                args.compression,
                limit=max(0, storage.status().available - RESERVE),
                run=storages.run,
                check_cancelled=work.check_cancelled,
                cancelled=work.cancelled,
            )
        _check_image(storages, volume, str(finished))
        with storages.created(undo, volume):
            storage.place(parse_volid(volume).volname, finished)
        storages.undo_spooled(RemoveFile(storage=args.storage, file=str(packed)))
    work.log(f"download of '{args.url}' to '{volume}' finished")
    return volume


class _Meter:
    """Progress for the eyes: a line for each tenth, or for each 64 MiB of a file of unknown size."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._said = 0

    def report(self, done: int, total: int | None) -> None:
        if total:
            self._work.progress(done / total)
        step = max(1, (total or 640 << 20) // 10)
        if done // step > self._said:
            self._said = done // step
            share = f" ({100 * done // total}%)" if total else ""
            self._work.log(f"{done} bytes{share}")


# --- imgdel, alloc, copy ------------------------------------------------------------------------------------------


class ImgDel(TaskArgs, frozen=True, kw_only=True):
    """Remove a volume."""

    type = "imgdel"
    volid: str

    def id(self) -> str:
        """`OWNER@STORAGE`, or `@STORAGE` for a volume without owner."""
        ident = parse_volid(self.volid)
        try:
            owner = volid.parse_volname(ident.volname).vmid
        except ValueError:
            owner = None
        return task_id(f"{owner if owner is not None else ''}@{ident.storage}")


def check_imgdel(storages: Storages, args: ImgDel, _draws: Draws) -> Intent:
    """The volume must be there, and neither protected nor attached to a guest."""
    info = storages.info(args.volid)
    if info.protected:
        raise Error(f"can't remove protected archive '{args.volid}'")
    storages.refuse_used(args.volid)
    _, name = storages.locate(args.volid)
    # Its owner's lock too: nobody attaches the image, or starts the guest, while it goes.
    owner = (f"guest/{name.vmid}",) if name.vtype == "images" and name.vmid is not None else ()
    return Intent(
        volumes=(VolumeChange(volid=args.volid, verb="free", size=info.size),),
        locks=(storages.lock_name(args.volid), *owner),
    )


def act_imgdel(storages: Storages, args: ImgDel, work: Work) -> None:
    """Nothing to undo: the removal is the last deed."""
    storages.refuse_used(args.volid)
    storages.free(args.volid)
    work.log(f"Removed volume '{args.volid}'")


class Allocate(TaskArgs, frozen=True, kw_only=True):
    """Create an empty image; `size` in bytes."""

    type = "imgalloc"
    volid: str
    size: int

    def id(self) -> str:
        """The storage."""
        return task_id(parse_volid(self.volid).storage)


def check_allocate(storages: Storages, args: Allocate, _draws: Draws) -> Intent:
    """The storage must take images and the name be free."""
    ident = parse_volid(args.volid)
    storages.need_enabled(ident.storage, "images")
    storages.locate(args.volid)
    if storages.exists(args.volid):
        raise AlreadyExists(f"volume '{args.volid}' already exists")
    return Intent(
        volumes=(VolumeChange(volid=args.volid, verb="create", size=args.size),),
        locks=(storages.lock_name(args.volid),),
    )


def act_allocate(storages: Storages, args: Allocate, work: Work) -> str:
    """Answers the volume's id."""
    with work.undo() as undo, storages.created(undo, args.volid):
        storages.allocate(args.volid, args.size)
    work.log(f"successfully created '{args.volid}'")
    return args.volid


class SetAttributes(TaskArgs, frozen=True, kw_only=True):
    """Set a volume's notes and protection; None leaves as it is. `most`: of one guest's backups, -1 is unlimited."""

    type = "imgattr"
    volid: str
    notes: str | None = None
    protected: bool | None = None
    most: int = -1

    def id(self) -> str:
        """The storage."""
        return task_id(parse_volid(self.volid).storage)


def check_attributes(storages: Storages, args: SetAttributes, _draws: Draws) -> Intent:
    """The volume must be there and have such attributes, and not too many backups of its guest be protected."""
    storage, name = storages.locate(args.volid)
    info = storages.info(args.volid)
    asked = {"notes": args.notes, "protected": args.protected}
    for attribute, value in asked.items():
        if value is not None and (name.vtype != "backup" or attribute not in storage.can.attributes):
            raise Error(f"attribute '{attribute}' is not supported for content type '{name.vtype}'")
    if args.protected and not info.protected and args.most >= 0:
        rows = storages.list(storage.id, vmid=name.vmid, contents=("backup",))
        if sum(row.protected for _, row in rows) >= args.most:
            raise Error(
                f"The number of protected backups per guest is limited to {args.most} on storage '{storage.id}'"
            )
    return Intent(volumes=(VolumeChange(volid=args.volid, verb="write"),), locks=(storages.lock_name(args.volid),))


def act_attributes(storages: Storages, args: SetAttributes, _work: Work) -> None:
    """Each attribute is one file, written or removed in one step."""
    check_attributes(storages, args, Draws())
    storages.set_attributes(args.volid, notes=args.notes, protected=args.protected)


class Copy(TaskArgs, frozen=True, kw_only=True):
    """Copy an image's content into a new image, which may be of another format and on another storage."""

    type = "imgcopy"
    source: str
    target: str


def check_copy(storages: Storages, args: Copy, _draws: Draws) -> Intent:
    """The source must be there and readable, the target's name free."""
    ident = parse_volid(args.target)
    storages.need_enabled(ident.storage, "images")
    _, name = storages.locate(args.target)
    if name.vtype != "images":
        raise ParamError({"target": "target must be the name of a guest image"})
    source = storages.inspect(args.source)
    if storages.exists(args.target):
        raise AlreadyExists(f"volume '{args.target}' already exists")
    return Intent(
        volumes=(VolumeChange(volid=args.target, verb="import", size=source.size or None),),
        locks=(storages.lock_name(args.source), storages.lock_name(args.target)),
        slots=_slots(ident.storage),
    )


def act_copy(storages: Storages, args: Copy, work: Work) -> str:
    """Answers the new volume's id."""
    work.log(f"copying '{args.source}' to '{args.target}'")
    with work.undo() as undo, storages.created(undo, args.target):
        storages.import_into(args.target, args.source, on_progress=work.progress, cancelled=work.cancelled)
    return args.target


# --- prunebackups -------------------------------------------------------------------------------------------------


class Prune(TaskArgs, frozen=True, kw_only=True):
    """Remove the backups that the rules do not keep. `rules` None: those of the storage."""

    type = "prunebackups"
    storage: str
    rules: str | None = None
    vmid: int | None = None
    guest_type: Literal["qemu", "lxc"] | None = None

    def id(self) -> str:
        """`VMID@STORAGE` or the storage."""
        return task_id(self.storage if self.vmid is None else f"{self.vmid}@{self.storage}")


def marked(storages: Storages, args: Prune) -> list[Marked]:
    """Every backup concerned with its mark; `Error` if neither call nor storage has rules."""
    if args.rules is not None:
        rules = PruneBackups.parse(args.rules)
    else:
        config = storages.need_enabled(args.storage, "backup").config
        if config.prune_backups is None:
            raise Error(f"storage '{args.storage}': no prune-backups options configured, and none given")
        rules = config.prune_backups
    prune.check(rules)
    rows = storages.list(args.storage, vmid=args.vmid, contents=("backup",))
    found = prune.mark(rows, rules)
    return [each for each in found if args.guest_type in (None, each.type)]


def check_prune(storages: Storages, args: Prune, _draws: Draws) -> Intent:
    """Names each backup that would go now."""
    gone = [each.volid for each in marked(storages, args) if each.mark == "remove"]
    return Intent(
        volumes=tuple(VolumeChange(volid=each, verb="free") for each in gone),
        locks=tuple(storages.lock_name(each) for each in gone),
    )


def act_prune(storages: Storages, args: Prune, work: Work) -> None:
    """One backup that can't be removed does not keep the others: it is a warning."""
    for each in marked(storages, args):
        work.check_cancelled()
        if each.mark != "remove":
            work.log(f"{each.mark} '{each.volid}'")
            continue
        try:
            storages.free(each.volid)
            work.log(f"removed '{each.volid}'")
        except Error as exc:
            work.warn(f"can't remove '{each.volid}' - {exc}")
