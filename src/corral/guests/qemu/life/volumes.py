"""Volumes that a configuration asks for: which ones are new, under which names, and their making and unmaking.

`STORAGE:32` allocates 32 GiB, `STORAGE:0,import-from=…` copies an image, `STORAGE:cloudinit` is the generated drive;
EFI variables and TPM state have sizes of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from corral.core.errors import AlreadyExists, Error, ParamError
from corral.guests.qemu import config as vm
from corral.guests.qemu.config import Section
from corral.guests.qemu.devices.drive import Drive, Efi, Tpm, Volume
from corral.schema.fields import Invalid
from corral.storage.service import Storages
from corral.tasks.base import Draws, UndoScope, VolumeChange, Work

GIB: Final = 1 << 30
MIB: Final = 1 << 20
CLOUDINIT_SIZE: Final = 4 * MIB
TPM_SIZE: Final = 4 * MIB

_ALLOCATE = re.compile(r"([a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]):(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)(?:iB)?", re.ASCII)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True, slots=True)
class NewVolume:
    """A volume to be made for the option `key`. Without `source` it is empty and has `size` bytes."""

    key: str
    volid: str
    size: int | None = None
    source: str | Path | None = None

    @property
    def draw(self) -> str:
        """The name of the draw of its name."""
        return f"{self.key}.volname"

    @property
    def change(self) -> VolumeChange:
        """How a plan shows it."""
        return VolumeChange(volid=self.volid, verb="import" if self.source else "create", size=self.size)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Options with the names of the volumes that they will have, and the volumes still to be made.

    `sources` are the queue's locks for images that an upload may replace while they are read.
    """

    options: Mapping[str, str]
    new: Sequence[NewVolume] = field(default=())
    sources: tuple[str, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        """The queue's slots for the storages that work."""
        return tuple(sorted({f"storage/{each.volid.partition(':')[0]}" for each in self.new}))


def asks_for_new(file: str) -> bool:
    """Whether the `file` of a drive asks for a volume that does not exist yet."""
    return bool(_ALLOCATE.fullmatch(file)) or file.endswith(":cloudinit")


class Volumes:
    """Makes and frees guests' volumes. `efi_vars` answers the template of a guest's EFI variables."""

    def __init__(self, storages: Storages, efi_vars: Callable[[Efi, str], Path]) -> None:
        self.storages = storages
        self._efi_vars = efi_vars

    def prepare(self, vmid: int, options: Mapping[str, str], draws: Draws, *, arch: str = "x86_64") -> Prepared:
        """Work out names and sizes. Changes nothing; `ParamError` for what can't be, per option."""
        out, new = dict(options), list[NewVolume]()
        errors: dict[str, str] = {}
        for key, text in options.items():
            if not vm.has_volume(key):
                continue
            try:
                value: Any = vm.value_of(key, text)
                made = self._prepare_one(vmid, key, value, draws, arch)
            except (Error, Invalid) as exc:
                errors[key] = str(exc)
                continue
            out[key] = str(made[0])
            if made[1]:
                new.append(made[1])
        if errors:
            first = next(iter(errors.values()))
            raise ParamError(errors, f"Parameter verification failed. {first}" if len(errors) == 1 else _FAILED)
        return Prepared(out, tuple(new), tuple(sorted({lock for each in new for lock in self._source_locks(each)})))

    def _source_locks(self, each: NewVolume) -> list[str]:
        """ISO images are not looked into when they are uploaded; others are, and many imports may read one at once."""
        if not isinstance(each.source, str) or self.storages.locate(each.source)[1].vtype != "iso":
            return []
        return [self.storages.lock_name(each.source)]

    def _prepare_one(self, vmid: int, key: str, value: Any, draws: Draws, arch: str) -> tuple[Volume, NewVolume | None]:
        file = value.file
        if file.endswith(":cloudinit"):
            return self._cloudinit(vmid, key, value, draws)
        match = _ALLOCATE.fullmatch(file)
        if not match:
            if value.import_from:
                raise Error("'import-from' needs a new volume: 'STORAGE:0'")
            return self._existing(vmid, key, value), None
        storage, gib = match[1], float(match[2])
        source = self._source(value.import_from)
        if isinstance(value, Efi) and source is None:
            source = self._efi_vars(value, arch)
        size = self._size(key, value, gib, source)
        form = "raw" if isinstance(value, Tpm) and value.format is None else value.format
        volid = self.storages.draw_volname(draws, f"{key}.volname", storage=storage, vmid=vmid, form=form)
        made = msgspec.structs.replace(
            value, file=volid, size=show_size(size) if size else None, import_from=None, format=None
        )
        return made, NewVolume(key, volid, size or None, source)

    def _source(self, text: str | None) -> str | Path | None:
        if text is None:
            return None
        return Path(text) if text.startswith("/") else text

    def _size(self, key: str, value: Volume, gib: float, source: str | Path | None) -> int:
        if source is not None:
            return self.storages.inspect(source).size
        if isinstance(value, Tpm):
            return TPM_SIZE
        if gib <= 0:
            raise Error(f"size of the new volume for '{key}' must be larger than 0")
        return int(gib * GIB)

    def _cloudinit(self, vmid: int, key: str, value: Drive, draws: Draws) -> tuple[Volume, NewVolume]:
        storage = value.file.partition(":")[0]
        known = self.storages.get(storage).can.formats
        form = value.format or ("qcow2" if "qcow2" in known else self.storages.default_format(storage))
        volid = self.storages.draw_volname(
            draws, f"{key}.volname", storage=storage, vmid=vmid, form=form, kind="cloudinit"
        )
        made = msgspec.structs.replace(value, file=volid, media="cdrom", format=None, size=show_size(CLOUDINIT_SIZE))
        return made, NewVolume(key, volid, CLOUDINIT_SIZE)

    def _existing(self, vmid: int, key: str, value: Volume) -> Volume:
        """A volume that is there: of this guest, or a file that any guest may have in a drive."""
        if value.volid is None:
            return value
        storage, name = self.storages.locate(value.volid)
        info = self.storages.info(value.volid)
        if name.vmid is not None and name.vmid != vmid:
            raise Error(f"volume '{value.volid}' belongs to guest {name.vmid}")
        if name.vtype == "iso" and not (isinstance(value, Drive) and value.cdrom):
            raise Error(f"'{value.volid}' is an ISO image: it needs 'media=cdrom'")
        if name.vtype not in ("images", "iso"):
            raise Error(f"'{value.volid}' is no disk image")
        storage_content = "iso" if name.vtype == "iso" else "images"
        self.storages.need_enabled(storage.id, storage_content)
        return (
            msgspec.structs.replace(value, size=show_size(info.size))
            if name.vtype == "images"
            else _with_iso_size(value, info.size)
        )

    # --- doing it ----------------------------------------------------------------------------------------------------

    def make(self, prepared: Prepared, work: Work, undo: UndoScope, vmid: int) -> dict[str, str]:
        """Make the new volumes, each journalled first; answers the options with the names that they got."""
        options = dict(prepared.options)
        for number, each in enumerate(prepared.new):
            work.check_cancelled()
            work.log(f"{each.key}: {'importing' if each.source else 'creating'} volume '{each.volid}'")

            def report(fraction: float, number: int = number, key: str = each.key) -> None:
                work.progress((number + fraction) / len(prepared.new), f"importing {key}")

            done = self._make_one(each, work, undo, vmid, report)
            value: Any = vm.value_of(each.key, options[each.key])
            size = self.storages.info(done).size
            options[each.key] = str(msgspec.structs.replace(value, file=done, size=show_size(size)))
        return options

    def _make_one(
        self, each: NewVolume, work: Work, undo: UndoScope, vmid: int, report: Callable[[float], None]
    ) -> str:
        volid = each.volid
        for _ in range(100):
            try:
                with self.storages.created(undo, volid):
                    if each.source is None:
                        self.storages.allocate(volid, each.size or 0)
                    else:
                        self.storages.import_into(volid, each.source, on_progress=report, cancelled=work.cancelled)
            except AlreadyExists:
                volid = self._redraw(each, work.draws, vmid)
            else:
                return volid
        raise Error(f"no free name for the volume of '{each.key}'")

    def _redraw(self, each: NewVolume, draws: Draws, vmid: int) -> str:
        storage, name = self.storages.locate(each.volid)
        others = Draws({key: value for key, value in draws.known.items() if key != each.draw})
        kind = "cloudinit" if name.name.rpartition(".")[0].endswith("-cloudinit") else "disk"
        return draws.redraw(
            each.draw,
            lambda: self.storages.draw_volname(
                others, each.draw, storage=storage.id, vmid=vmid, form=name.format, kind=kind
            ),
        )

    def owned(self, vmid: int, volid: str) -> bool:
        """Whether a volume is one of the guest's own, that goes with it; ISO images and others' disks are not."""
        try:
            _, name = self.storages.locate(volid)
        except Error:
            return False
        return name.vtype == "images" and name.vmid == vmid

    def of_config(self, vmid: int, config: vm.VmConfig) -> list[str]:
        """Every volume of its own that any section of a configuration names."""
        sections: list[Section] = [config, config.pending, *config.snapshots.values()]
        found = {volid for section in sections for volid in section.volids().values()}
        return sorted(volid for volid in found if self.owned(vmid, volid))


_FAILED = "Parameter verification failed."


def _with_iso_size(value: Volume, size: int) -> Volume:
    return msgspec.structs.replace(value, size=show_size(size))


def show_size(size: int) -> str:
    """A size in the largest unit that says it exactly: `32G`, `528K`."""
    for unit in ("T", "G", "M", "K"):
        if size and size % _UNITS[unit] == 0:
            return f"{size // _UNITS[unit]}{unit}"
    return str(size)


def read_size(text: str) -> int:
    """The inverse, in bytes; fractions are rounded down. ValueError for anything else."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"unable to parse size '{text}'")
    return int(float(match[1]) * _UNITS[match[2]]) if "." in match[1] else int(match[1]) * _UNITS[match[2]]
