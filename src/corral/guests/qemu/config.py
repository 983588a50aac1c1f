"""A virtual machine's configuration: an immutable value over its text, with typed views of each section.

config = VmConfig.parse(text)
config.options.memory          # Memory(current=2048) or None
config = config.replace(memory=Memory(current=4096), balloon=None)
str(config)                    # the text again; unknown options are still in it
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from corral.core.errors import ParamError
from corral.guests import config_text
from corral.guests.config_text import Change, GuestText, deletions, show_deletions
from corral.guests.qemu.devices.drive import Drive, Efi, Tpm, Volume
from corral.guests.qemu.formats import DRIVE_KEYS, STATE_KEYS
from corral.guests.qemu.options import VmFile
from corral.schema.fields import Field, Invalid, show, struct_fields
from corral.schema.propstring import FALSE, TRUE

SPECIAL: Final = frozenset({"cloudinit", "fleecing"})
MASK: Final = "**********"

# Options of the current section that are facts about it, no settings: a snapshot does not carry them over.
NOT_IN_SNAPSHOTS: Final = frozenset({"lock", "parent", "template", "protection", "onboot", "startup", "autostart"})


class Pending(NamedTuple):
    """One row of the view of pending changes; `delete`: 0 no, 1 yes, 2 by force."""

    key: str
    value: str | None
    pending: str | None
    delete: int


@dataclass(frozen=True)
class Section:
    """One section: the current state, the pending changes, or a snapshot. `raw`: option → text."""

    raw: Mapping[str, str]

    @cached_property
    def options(self) -> VmFile:
        """The options as values; what this version can't read is left out here, not in `raw`."""
        values: dict[str, Any] = {}
        for key, text in self.raw.items():
            place, value = _read(key, text)
            if place is None or isinstance(value, Invalid):
                continue
            if place.number is None:
                values[place.field.attr] = value
            else:
                values.setdefault(place.field.attr, {})[place.number] = value
        return VmFile(**{attr: _in_order(value) for attr, value in values.items()})

    @property
    def digest(self) -> str:
        """What clients of the API see as the version: SHA-1 of the text."""
        text = str(GuestText(current=self.raw))
        return hashlib.sha1(text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    def drives(self) -> Iterator[tuple[str, Drive]]:
        """Disks and CD-ROM drives by name: IDE, SCSI, virtio, SATA, each by number."""
        for bus in ("ide", "scsi", "virtio", "sata"):
            for index, drive in getattr(self.options, bus).items():
                yield f"{bus}{index}", drive

    def volumes(self) -> Iterator[tuple[str, Volume]]:
        """Everything backed by a volume or path, by option name: drives, EFI variables, TPM state; not unused ones."""
        yield from self.drives()
        if self.options.efidisk0 is not None:
            yield "efidisk0", self.options.efidisk0
        if self.options.tpmstate0 is not None:
            yield "tpmstate0", self.options.tpmstate0

    def volids(self, *, unused: bool = True) -> dict[str, str]:
        """Option name → volume id, for all volumes the section names, the saved memory of a snapshot too."""
        found = {key: volume.volid for key, volume in self.volumes() if volume.volid is not None}
        if self.options.vmstate:
            found["vmstate"] = self.options.vmstate
        if unused:
            found.update({f"unused{index}": volume.file for index, volume in self.options.unused.items()})
        return found


@dataclass(frozen=True)
class VmConfig(Section):
    """The current section, with pending changes, special sections and snapshots beside it.

    faults   what `parse` could not read: place → text
    """

    pending: Section
    special: Mapping[str, Mapping[str, str]]
    snapshots: Mapping[str, Section]
    faults: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, *, strict: bool = False) -> VmConfig:
        """Read a text. Tolerant by default: faulty values and unknown sections are left out and noted in `faults`.

        Options, and keys of property strings, that this version does not know are kept. `strict` raises `Invalid`.
        """
        parts, faults = config_text.parse(text, _fault, special=SPECIAL, strict=strict)
        return cls._of(parts, faults)

    @classmethod
    def _of(cls, parts: GuestText, faults: Mapping[str, str]) -> VmConfig:
        return cls(
            raw=_with_cdrom(parts.current),
            pending=Section(_with_cdrom(parts.pending)),
            special=parts.special,
            snapshots={name: Section(_with_cdrom(raw)) for name, raw in parts.snapshots.items()},
            faults=faults,
        )

    def __str__(self) -> str:
        snapshots = {name: section.raw for name, section in self.snapshots.items()}
        return str(GuestText(self.raw, self.pending.raw, self.special, snapshots))

    @property
    def digest(self) -> str:
        """What clients of the API see as the version: SHA-1 of the whole text."""
        return hashlib.sha1(str(self).encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    # --- changes: each answers a new value ---------------------------------------------------------------------------

    def replace(self, **values: object) -> VmConfig:
        """Set current options by attribute; None removes one, a mapping replaces a whole family."""
        return self.set(_by_wire(values))

    def set(self, changes: Mapping[str, object]) -> VmConfig:
        """Set current options by wire name (`net0`) to a value or its text; None removes. Bad ones: `ParamError`."""
        return replace(self, raw=_changed(self.raw, changes))

    def with_current(self, raw: Mapping[str, str]) -> VmConfig:
        """Take the current section from another one, as it stands there: for rollback, clone and restore."""
        return replace(self, raw=dict(raw))

    def with_special(self, name: str, options: Mapping[str, str]) -> VmConfig:
        """Replace a special section; empty removes it."""
        others = {key: value for key, value in self.special.items() if key != name}
        return replace(self, special={**others, name: dict(options)} if options else others)

    def with_snapshot(self, name: str, options: Mapping[str, str] | None) -> VmConfig:
        """Add or replace a snapshot by its raw options; None removes it."""
        others = {key: value for key, value in self.snapshots.items() if key != name}
        return replace(self, snapshots=others if options is None else {**others, name: Section(dict(options))})

    def with_unused(self, volid: str) -> VmConfig:
        """Note a volume that is no drive any more, at the lowest free number; no change if it is noted or in use."""
        if volid in self.volids().values():
            return self
        free = next((index for index in range(256) if f"unused{index}" not in self.raw), None)
        if free is None:
            raise ParamError({"unused": "too many unused volumes (256)"})
        return self.set({f"unused{free}": volid})

    # --- pending changes ---------------------------------------------------------------------------------------------

    def with_pending(self, changes: Mapping[str, object], *, force: bool = False) -> VmConfig:
        """Note changes to be made when the guest stops: a value or its text, None removes (with `force` by force).

        What comes to the same as the current state is not noted, and takes back what was noted before.
        """
        deleted = deletions(self.pending.raw)
        pending = {key: text for key, text in self.pending.raw.items() if key != "delete"}
        pending = _changed(pending, changes)
        for key, value in changes.items():
            deleted.pop(key, None)
            if value is None and key in self.raw:
                deleted[key] = force
        return self._pending(pending, deleted)

    def revert_pending(self, keys: frozenset[str]) -> VmConfig:
        """Drop the pending changes of these options."""
        pending = {key: text for key, text in self.pending.raw.items() if key not in {"delete", *keys}}
        deleted = {key: forced for key, forced in deletions(self.pending.raw).items() if key not in keys}
        return self._pending(pending, deleted)

    def apply_pending(self, keys: frozenset[str] | None = None) -> VmConfig:
        """Make pending changes current: all, or those of these options. Freed volumes stay the caller's."""
        deleted = deletions(self.pending.raw)
        noted = {key: text for key, text in self.pending.raw.items() if key != "delete"}
        chosen = {*noted, *deleted} if keys is None else keys
        raw = {key: text for key, text in self.raw.items() if not (key in deleted and key in chosen)}
        raw.update({key: text for key, text in noted.items() if key in chosen})
        left = {key: text for key, text in noted.items() if key not in chosen}
        return replace(self, raw=raw)._pending(left, {key: deleted[key] for key in deleted if key not in chosen})

    def pending_changes(self) -> dict[str, Change]:
        """What applying all pending changes would change."""
        after = self.apply_pending().raw
        return {change.key: change for change in config_text.differences(self.raw, after)}

    def pending_view(self) -> list[Pending]:
        """One row per option that is set or will be, by name, passwords masked."""
        deleted = deletions(self.pending.raw)
        noted = {key: text for key, text in self.pending.raw.items() if key != "delete"}
        rows = []
        for key in sorted({*self.raw, *noted}):
            flag = 0 if key not in deleted else 2 if deleted[key] else 1
            rows.append(Pending(key, _masked(key, self.raw.get(key)), _masked(key, noted.get(key)), flag))
        return rows

    def _pending(self, noted: Mapping[str, str], deleted: Mapping[str, bool]) -> VmConfig:
        """With these pending changes, less those that change nothing."""
        pending = {key: text for key, text in noted.items() if self.raw.get(key) != text}
        gone = {key: forced for key, forced in deleted.items() if key in self.raw}
        if gone:
            pending["delete"] = show_deletions(gone)
        return replace(self, pending=Section(pending))


EMPTY: Final = VmConfig(raw={}, pending=Section({}), special={}, snapshots={}, faults={})


def differences(old: Section, new: Section) -> list[Change]:
    """What turns one section into the other, option by option."""
    return list(config_text.differences(old.raw, new.raw))


# --- options by name -------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """Where an option lives in `VmFile`: its field, and its number in a family."""

    field: Field
    number: int | None


@lru_cache(maxsize=1)
def places() -> dict[str, Place]:
    """Every option by wire name, families spelled out: `net0` to `net31`."""
    found: dict[str, Place] = {}
    for each in struct_fields(VmFile):
        if each.alias is not None:
            continue
        if each.indexes is None:
            found[each.wire] = Place(each, None)
        else:
            found.update({f"{each.wire}{index}": Place(each.numbered(index), index) for index in range(each.indexes)})
    return found


def is_drive(key: str) -> bool:
    """Whether an option is a disk or CD-ROM drive."""
    return key in _DRIVES


def has_volume(key: str) -> bool:
    """Whether an option is backed by a volume and in use: drives, EFI variables, TPM state."""
    return key in _DRIVES or key in STATE_KEYS


_DRIVES: Final = frozenset(DRIVE_KEYS)


@lru_cache(maxsize=16384)
def _read(key: str, text: str) -> tuple[Place | None, Any]:
    """The place and value of one line; the value is an `Invalid` if it can't be read."""
    place = places().get(key)
    if place is None:
        return None, None
    try:
        return place, _convert(place.field, text)
    except Invalid as exc:
        return place, exc


def _convert(field: Field, text: str) -> Any:
    if field.prop is not None and field.format is None:
        return field.prop.parse(text, keep_unknown=True)
    if field.kind == "boolean":
        # Files written by hand or by old tools spell booleans in more ways than the API takes.
        if text.lower() in TRUE:
            return True
        if text.lower() in FALSE:
            return False
    return field.convert(text)


def _fault(key: str, text: str) -> str | None:
    """What is wrong with a line of a file; nothing is, if the option is not known here."""
    if key == "cdrom":
        key = "ide2"
    value = _read(key, text)[1]
    return str(value) if isinstance(value, Invalid) else None


def value_of(key: str, text: str) -> Any:
    """The value of an option's text as files have it; `Invalid` if it can't be read, None if it is unknown."""
    value = _read(key, text)[1]
    if isinstance(value, Invalid):
        raise value
    return value


def text_of(key: str, value: object) -> str:
    """The text of an option's value; a text is checked and stays as it is."""
    place = places().get(key)
    if place is None:
        raise Invalid("unknown option")
    text = value if isinstance(value, str) else show(place.field, value)
    if key != "description":
        if not text.isprintable() or text != text.strip() or not text:
            raise Invalid("value is empty, or has control characters or blanks at its ends")
        if isinstance(value, str):
            place.field.convert(text)
    return text.rstrip("\n")


def _changed(raw: Mapping[str, str], changes: Mapping[str, object]) -> dict[str, str]:
    out = dict(raw)
    errors: dict[str, str] = {}
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
            continue
        try:
            out[key] = text_of(key, value)
        except Invalid as exc:
            errors[key] = str(exc)
    if errors:
        raise ParamError(errors)
    return out


def _by_wire(values: Mapping[str, object]) -> dict[str, object]:
    """Attributes of `VmFile` → wire names, families spelled out."""
    fields = {each.attr: each for each in struct_fields(VmFile)}
    out: dict[str, object] = {}
    for attr, value in values.items():
        each = fields[attr]
        if each.indexes is None:
            out[each.wire] = value
        else:
            members = value if isinstance(value, Mapping) else {}
            out.update({f"{each.wire}{index}": members.get(index) for index in range(each.indexes)})
    return out


def wire_changes(old: VmFile, new: VmFile) -> dict[str, object]:
    """What turns `old` into `new`, by wire name; None removes."""
    before, after = _by_wire(msgspec.structs.asdict(old)), _by_wire(msgspec.structs.asdict(new))
    return {key: value for key, value in after.items() if value != before[key]}


def _in_order(value: Any) -> Any:
    return dict(sorted(value.items())) if isinstance(value, dict) else value


def _with_cdrom(raw: Mapping[str, str]) -> Mapping[str, str]:
    """Old files say `cdrom` for `ide2`."""
    if "cdrom" not in raw:
        return raw
    return {"ide2": raw["cdrom"]} | {key: text for key, text in raw.items() if key != "cdrom"}


def _masked(key: str, text: str | None) -> str | None:
    return MASK if text is not None and key == "cipassword" else text


__all__ = ["EMPTY", "Efi", "Pending", "Section", "Tpm", "VmConfig", "differences", "has_volume", "is_drive", "value_of"]
