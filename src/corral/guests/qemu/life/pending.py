"""Pending changes taking effect: what they leave behind of volumes."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.guests.config_text import deletions
from corral.guests.qemu import cloudinit
from corral.guests.qemu.config import VmConfig

RECORD_ONLY: Final = frozenset(
    {
        "autostart", "description", "hookscript", "hotplug", "lock", "migrate_downtime", "migrate_speed", "name",
        "onboot", "protection", "shares", "startup", "tags", "template", "vmstatestorage",
    }
)  # fmt: skip
"""Options that a running machine knows nothing of: they change at once."""


class Settled(NamedTuple):
    """A configuration whose pending changes were made current, and volumes to be freed then (removed by force)."""

    config: VmConfig
    freed: tuple[str, ...] = ()


def settled(config: VmConfig, keys: frozenset[str] | None = None) -> Settled:
    """Make pending changes current: all, or those of these options."""
    forced = {key for key, force in deletions(config.pending.raw).items() if force}
    return keep_volumes(config, config.apply_pending(keys), frozenset(forced))


def keep_volumes(before: VmConfig, after: VmConfig, forced: frozenset[str] = frozenset()) -> Settled:
    """Note each volume that `after` uses no more as unused; those of `forced` options are to be freed instead.

    Volumes that are no disk image of a guest (ISO images, the cloud-init drive) are not noted: the caller frees what
    is the guest's own of `freed`.
    """
    left = set(after.volids().values())
    freed = []
    for key, volid in before.volids().items():
        if volid in left or volid in freed:
            continue
        if key in forced or key.startswith("unused") or _is_generated(volid):
            freed.append(volid)
        elif _is_image(volid):
            after = after.with_unused(volid)
    kept_by_snapshots = {volid for snapshot in after.snapshots.values() for volid in snapshot.volids().values()}
    return Settled(after, tuple(volid for volid in freed if volid not in kept_by_snapshots))


def drop_taken(config: VmConfig) -> VmConfig:
    """Without the notes of unused volumes that a drive uses (again)."""
    used = set(config.volids(unused=False).values())
    taken = [f"unused{index}" for index, volume in config.options.unused.items() if volume.file in used]
    return config.set(dict.fromkeys(taken)) if taken else config


def _is_generated(volid: str) -> bool:
    name = volid.rpartition("/")[2].partition(".")[0]
    return name.startswith("vm-") and name.endswith("-cloudinit")


def _is_image(volid: str) -> bool:
    return not volid.partition(":")[2].startswith(("iso/", "import/", "snippets/", "vztmpl/", "backup/"))


def is_record_only(key: str) -> bool:
    """Whether a running machine knows nothing of an option."""
    return key in RECORD_ONLY or key.startswith("unused") or cloudinit.concerns(key)


def launched_with(launched: VmConfig, now: VmConfig) -> VmConfig:
    """`now`, with what was changed while a machine was being started with `launched` noted as pending."""
    keys = {key for key in {*launched.raw, *now.raw} if launched.raw.get(key) != now.raw.get(key)}
    late = {key: now.raw.get(key) for key in keys if not is_record_only(key)}
    if not late:
        return now
    return now.set({key: launched.raw.get(key) for key in late}).with_pending(late)
