"""Parameters that several calls on virtual machines share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.app import Call
from corral.guests.qemu.formats import DRIVE_KEYS
from corral.guests.qemu.permissions import Rules
from corral.schema import doc, formats, name, root_only
from corral.schema.fields import Format

BASE = "/nodes/{node}/qemu"
ONE = f"{BASE}/{{vmid}}"
VM = "/vms/{vmid}"
WAITING = "guest/{vmid}"
"""The pool of calls that wait for a task: one guest that is busy for hours must not use up the threads of all."""

SkipLock = Annotated[bool, root_only, doc("Ignore locks; for root@pam only.")]
Timeout = Annotated[int | None, doc("Wait at most this many seconds.")]
ForceStop = Annotated[bool, name("forceStop"), doc("Stop the guest when it has not shut down in time.")]
KeepActive = Annotated[bool, name("keepActive"), doc("Leave storage volumes active (they always are).")]
Delete = Annotated[tuple[Annotated[str, formats.CONFIG_ID], ...], doc("Options to remove, in a list.")]
Revert = Annotated[
    tuple[Annotated[str, formats.CONFIG_ID], ...], doc("Options whose pending changes are dropped, in a list.")
]


def _drive(value: str) -> str:
    if value not in _GROWABLE:
        raise ValueError("no such drive")
    return value


_GROWABLE = frozenset({*DRIVE_KEYS, "efidisk0", "tpmstate0"})
DRIVE = Format("pve-drive", _drive)
Part = Literal["user", "network", "meta"]


def rules(call: Call, vmid: int, pool: str | None = None) -> Rules:
    """The rules for what this caller may set on a guest."""
    return Rules(call, call.app.storage, vmid, pool=pool)


Json = dict[str, Any]
