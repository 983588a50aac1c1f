"""The guest agent's channel."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema.fields import doc, name
from corral.schema.propstring import PropertyString


class Agent(PropertyString, frozen=True, kw_only=True):
    """How to talk to the QEMU guest agent: `1,fstrim_cloned_disks=1`."""

    default_key: ClassVar[str] = "enabled"
    aliases: ClassVar[dict[str, str]] = {"freeze-fs-on-backup": "freeze-fs", "guest-fsfreeze": "freeze-fs"}

    enabled: Annotated[bool, doc("Whether the guest runs an agent.", default=False)]
    freeze_fs: (
        Annotated[
            bool, name("freeze-fs"), doc("Freeze the guest's file systems for backups and snapshots.", default=True)
        ]
        | None
    ) = None
    fstrim_cloned_disks: (
        Annotated[bool, doc("Trim the guest's file systems after its disks were moved or cloned.", default=False)]
        | None
    ) = None
    type: Annotated[Literal["virtio", "isa"], doc("The kind of channel.", default="virtio")] | None = None
