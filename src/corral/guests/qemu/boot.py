"""Boot order, in its present and its legacy spelling."""

from __future__ import annotations

from typing import Annotated, ClassVar

from corral.guests.qemu.formats import BOOT_DEVICES
from corral.schema.fields import doc, pattern
from corral.schema.propstring import PropertyString


class Boot(PropertyString, frozen=True, kw_only=True):
    """The boot order: `order=scsi0;ide2;net0`."""

    default_key: ClassVar[str] = "legacy"

    legacy: (
        Annotated[
            str, pattern("[acdn]{1,4}"), doc("Legacy: (a) floppy, (c) disk, (d) CD-ROM, (n) network.", default="cdn")
        ]
        | None
    ) = None
    order: Annotated[str, BOOT_DEVICES, doc("Devices in the order they are tried; empty: none.")] | None = None
