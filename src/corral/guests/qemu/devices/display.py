"""Displays: the graphics card, and what SPICE adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from corral.core.errors import Error
from corral.guests.qemu.args import Chardev, Device, Item, Option
from corral.guests.qemu.devices import hostpci
from corral.schema.fields import between, doc
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

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


# --- rendering -------------------------------------------------------------------------------------------------------

DRIVERS: Final = {
    "std": "VGA", "cirrus": "cirrus-vga", "vmware": "vmware-svga", "virtio": "virtio-vga", "virtio-gl": "virtio-vga-gl",
    "qxl": "qxl-vga",
}  # fmt: skip
QXL_RAM, QXL_VRAM = 64 * 2**20, 32 * 2**20
"""Bytes of memory of each further QXL card."""


def kind(setup: Setup) -> str:
    """The card, defaults filled in."""
    if setup.options.template or hostpci.has_primary_display(setup):
        return "none"
    asked = setup.options.vga.type if setup.options.vga else None
    return asked or ("virtio" if setup.arch == "aarch64" else "std")


def screens(setup: Setup) -> int:
    """Number of screens SPICE serves; 0 without SPICE."""
    card = kind(setup)
    if not card.startswith(("qxl", "virtio")):
        return 0
    return int(card[3:] or 1) if card.startswith("qxl") else 1


def with_spice(setup: Setup) -> bool:
    """Whether the guest's display is served by SPICE too."""
    return screens(setup) > 0 and setup.host.spice


def render_display(setup: Setup) -> Iterator[Item]:
    """The card, VNC, and SPICE where the card is made for it."""
    card = kind(setup)
    if card == "none":
        yield Option("vga", "none")
    if card == "none" or card.startswith("serial"):
        yield Option("nographic")
        return
    if card == "virtio-gl":
        yield Option("display", "egl-headless", {"gl": "core"})
    yield _card(setup, card)
    if card.startswith("qxl") and not setup.linux:
        for number in range(1, screens(setup)):
            props = {"ram_size": QXL_RAM, "vram_size": QXL_VRAM, **setup.at(f"vga{number}")}
            yield Device("qxl", f"vga{number}", props)
    yield Option("vnc", f"unix:{setup.socket('vnc')}", {"password": True})
    if setup.options.keyboard:
        yield Option("k", setup.options.keyboard)
    yield from _agent(setup)
    if with_spice(setup):
        yield _spice(setup)
    elif card.startswith("qxl"):
        setup.warn("SPICE is not available on this node, the display is served by VNC only")


def _card(setup: Setup, card: str) -> Device:
    base = "qxl" if card.startswith("qxl") else card
    driver = DRIVERS[base]
    if setup.machine.kind == "virt" and base.startswith("virtio"):
        driver = "virtio-gpu-gl" if base == "virtio-gl" else "virtio-gpu"
    props: dict[str, Any] = {}
    if base == "qxl" and setup.linux and setup.since(4, 1):
        # Linux drives several screens with one card.
        props["max_outputs"] = 4
    if driver == "VGA" and setup.windows and setup.options.bios != "ovmf":
        # Windows and the VGA BIOS don't agree on the modes EDID offers.
        props["edid"] = False
    return Device(driver, "vga", {**props, **_memory(setup, base), **setup.at("vga")})


def _memory(setup: Setup, base: str) -> dict[str, Any]:
    mib = setup.options.vga.memory if setup.options.vga else None
    if mib is None or base == "cirrus":
        return {}
    if base.startswith("virtio"):
        return {"max_hostmem": mib * 2**20}
    if base == "qxl":
        # What several screens of SPICE need: four times for commands, twice for pictures.
        return {"vgamem_mb": mib, "ram_size_mb": 4 * mib, "vram_size_mb": 2 * mib}
    return {"vgamem_mb": mib}


def _agent(setup: Setup) -> Iterator[Item]:
    """The channel of the agent that shares the clipboard."""
    clipboard = setup.options.vga.clipboard if setup.options.vga else None
    if clipboard:
        if not setup.since(6, 1):
            raise Error("clipboard over VNC needs machine version 6.1 or newer")
        chardev = Chardev("qemu-vdagent", "vdagent", {"name": "vdagent", "clipboard": True})
    elif with_spice(setup):
        chardev = Chardev("spicevmc", "vdagent", {"name": "vdagent"})
    else:
        return
    yield Device("virtio-serial", "spice", setup.at("spice"))
    yield chardev
    yield Device("virtserialport", props={"chardev": "vdagent", "name": "com.redhat.spice.0"})
    extra = setup.options.spice_enhancements
    if extra and extra.foldersharing and not clipboard:
        yield Chardev("spiceport", "foldershare", {"name": "org.spice-space.webdav.0"})
        yield Device("virtserialport", props={"chardev": "foldershare", "name": "org.spice-space.webdav.0"})


def _spice(setup: Setup) -> Option:
    extra = setup.options.spice_enhancements
    video = {"streaming-video": extra.videostreaming} if extra and extra.videostreaming else {}
    common = {"seamless-migration": True, **video}
    if setup.host.flavour.tls_spice:
        listen = {"tls-port": setup.runtime.spice_port, "addr": setup.runtime.address, "tls-ciphers": "HIGH"}
    else:
        # Reached through our own proxy, which has checked who asks; only root gets at the socket.
        listen = {"unix": True, "addr": setup.socket("spice"), "disable-ticketing": True}
    return Option("spice", props={**listen, **common})
