"""Boot order, in its present and its legacy spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from corral.guests.qemu.formats import BOOT_DEVICES
from corral.schema.fields import doc, pattern, split_list
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Boot(PropertyString, frozen=True, kw_only=True):
    """The boot order: `order=scsi0;ide2;net0`."""

    default_key: ClassVar[str] = "legacy"
    format_name: ClassVar[str] = "pve-qm-boot"

    legacy: (
        Annotated[
            str, pattern("[acdn]{1,4}"), doc("Legacy: (a) floppy, (c) disk, (d) CD-ROM, (n) network.", default="cdn")
        ]
        | None
    ) = None
    order: Annotated[str, BOOT_DEVICES, doc("Devices in the order they are tried; empty: none.")] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------

FIRST: Final = 100
STEP: Final = 100


def boot_index(setup: Setup, key: str) -> int | None:
    """QEMU's boot index of a device; None when it is not booted from."""
    return boot_indices(setup).get(key)


def boot_indices(setup: Setup) -> dict[str, int]:
    """Boot indices by device."""
    boot = setup.options.boot
    if boot is not None and boot.legacy is None:
        return {key: FIRST + number for number, key in enumerate(dict.fromkeys(split_list(boot.order or "")))}
    return _legacy(setup, (boot.legacy if boot else None) or "cdn")


def _legacy(setup: Setup, letters: str) -> dict[str, int]:
    """By kind of device: a hundred for each letter, counted within; of the disks only the boot disk is tried."""
    options = setup.options
    drives = [(f"{bus}{index}", drive) for bus in ("ide", "scsi", "virtio", "sata")
              for index, drive in getattr(options, bus).items()]  # fmt: skip
    kinds = {
        "c": [key for key, drive in drives if not drive.cdrom],
        "d": [key for key, drive in drives if drive.cdrom],
        "n": [f"net{index}" for index in options.net],
    }
    found: dict[str, int] = {}
    for position, letter in enumerate(letters):
        for number, key in enumerate(kinds.get(letter, [])):
            if letter != "c" or key == options.bootdisk:
                found[key] = FIRST + STEP * position + number
    return found
