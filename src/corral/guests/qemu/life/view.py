"""Configurations as the API shows them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from corral.core.errors import Error, NotFound
from corral.guests.qemu import config as vm
from corral.guests.qemu.config import MASK, Section
from corral.guests.qemu.life.machines import Machine
from corral.schema.fields import Invalid
from corral.storage.service import Storages

Feature = Literal["snapshot", "clone", "copy"]


def shown(key: str, text: str) -> object:
    """One option's value: numbers and flags as such, secrets masked, everything else as its text."""
    if key == "cipassword":
        return MASK
    place = vm.places().get(key)
    if place is None or place.field.kind not in ("integer", "boolean", "number"):
        return text
    try:
        value: object = vm.value_of(key, text)
    except Invalid:
        return text
    return int(value) if isinstance(value, bool) else value


def shown_config(machine: Machine, *, current: bool, snapshot: str | None) -> dict[str, Any]:
    """A configuration with its digest: with pending changes (the default), without (`current`), or of a snapshot."""
    config: Section = machine.config
    if snapshot is not None:
        found = machine.config.snapshots.get(snapshot)
        if found is None:
            raise NotFound(f"snapshot '{snapshot}' does not exist")
        config = found
    elif not current:
        config = machine.config.apply_pending()
    return {**{key: shown(key, text) for key, text in config.raw.items()}, "digest": machine.guest.digest}


class PendingRow(msgspec.Struct, frozen=True, kw_only=True):
    """One option with what it is and what it will be; `delete` is 1, or 2 by force."""

    key: str
    value: object = None
    pending: object = None
    delete: int | None = None


def pending_of(machine: Machine) -> list[PendingRow]:
    """Every option with its pending change, and the digest."""
    rows = []
    for row in machine.config.pending_view():
        value = None if row.value is None else shown(row.key, row.value)
        then = None if row.pending is None else shown(row.key, row.pending)
        rows.append(PendingRow(key=row.key, value=value, pending=then, delete=row.delete or None))
    return [*rows, PendingRow(key="digest", value=machine.guest.digest)]


def feature_of(machine: Machine, storages: Storages, feature: Feature, snapshot: str | None) -> bool:
    """Whether all disks of a guest allow it."""
    section: Section = machine.config
    if snapshot is not None:
        found = machine.config.snapshots.get(snapshot)
        if found is None:
            raise NotFound(f"snapshot '{snapshot}' does not exist")
        section = found
    return all(_volume_can(storages, volid, feature) for volid in _disks(section))


def _disks(section: Section) -> list[str]:
    return [each.volid for _, each in section.volumes() if each.volid is not None and not getattr(each, "cdrom", False)]


def _volume_can(storages: Storages, volid: str, feature: Feature) -> bool:
    try:
        storage, name = storages.locate(volid)
    except Error:
        return False
    able = {"snapshot": storage.can.snapshot, "clone": storage.can.clone, "copy": storage.can.copy}[feature]
    return name.format in able and (feature != "clone" or name.is_base)
