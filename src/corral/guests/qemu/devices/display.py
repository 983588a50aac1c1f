"""Displays: the graphics card, and what SPICE adds to it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema.fields import between, doc
from corral.schema.propstring import PropertyString

VgaType = Literal[
    "cirrus", "qxl", "qxl2", "qxl3", "qxl4", "none", "serial0", "serial1", "serial2", "serial3", "std", "virtio",
    "virtio-gl", "vmware",
]  # fmt: skip


class Vga(PropertyString, frozen=True, kw_only=True):
    """The graphics card: `qxl,memory=32`."""

    default_key: ClassVar[str] = "type"

    type: Annotated[VgaType, doc("The card; `serialN` makes a serial port the console.", default="std")] | None = None
    clipboard: Annotated[Literal["vnc"], doc("Share the clipboard over VNC.")] | None = None
    memory: Annotated[int, between(4, 512), doc("Video memory in MiB.")] | None = None


class SpiceEnhancements(PropertyString, frozen=True, kw_only=True):
    """Additional features of SPICE."""

    foldersharing: Annotated[bool, doc("Share a folder of the client with the guest.", default=False)] | None = None
    videostreaming: (
        Annotated[Literal["off", "all", "filter"], doc("Detect and compress video.", default="off")] | None
    ) = None
