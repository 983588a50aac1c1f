"""The balloon, by which the host takes memory back from a guest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from corral.guests.qemu.args import Device, Item

if TYPE_CHECKING:
    from corral.guests.qemu.setup import Setup


def render_balloon(setup: Setup) -> Iterator[Item]:
    """The device, unless it is turned off. Since 6.2 the guest also reports pages that it does not use."""
    if setup.options.balloon == 0:
        return
    reporting = {"free-page-reporting": True} if setup.since(6, 2) else {}
    yield Device("virtio-balloon-pci", "balloon0", {**setup.at("balloon0"), **reporting})
