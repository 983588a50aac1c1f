"""The emulated TPM: `swtpm` runs beside the guest and keeps the state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from corral.guests.qemu.args import Chardev, Device, Item, Option

if TYPE_CHECKING:
    from corral.guests.qemu.setup import Setup


def render_tpm(setup: Setup) -> Iterator[Item]:
    """The device, connected to the socket `swtpm`."""
    if setup.options.tpmstate0 is None:
        return
    yield Chardev("socket", "tpmchar", {"path": setup.socket("swtpm")})
    yield Option("tpmdev", "emulator", {"id": "tpmdev", "chardev": "tpmchar"})
    driver = "tpm-tis-device" if setup.machine.kind == "virt" else "tpm-tis"
    yield Device(driver, props={"tpmdev": "tpmdev"})
