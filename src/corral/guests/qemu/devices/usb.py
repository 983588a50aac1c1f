"""USB devices: the host's, mapped ones, and SPICE redirection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from corral.core.errors import Error
from corral.guests.qemu.args import Chardev, Device, Item, Option
from corral.guests.qemu.boot import boot_index
from corral.schema import formats
from corral.schema.fields import doc, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

_HOST = r"(0x)?[0-9A-Fa-f]{4}:(0x)?[0-9A-Fa-f]{4}|\d+-\d+(\.\d+)*|[Ss][Pp][Ii][Cc][Ee]"


class Usb(PropertyString, frozen=True, kw_only=True):
    """A USB device: `host=1234:abcd`, `host=1-14`, `spice`, `mapping=key`."""

    default_key: ClassVar[str] = "host"

    host: (
        Annotated[str, pattern(_HOST), doc("The host's device as `VENDOR:PRODUCT` or `BUS-PORT`, or `spice`.")] | None
    ) = None
    mapping: (
        Annotated[str, formats.CONFIG_ID, doc("Name of a mapping that stands for a device on each node.")] | None
    ) = None
    usb3: Annotated[bool, doc("Attach it to a USB 3 bus (older machine versions only).", default=False)] | None = None

    @property
    def spice(self) -> bool:
        """Whether a SPICE client redirects its own devices here."""
        return (self.host or "").lower() == "spice"


# --- rendering -------------------------------------------------------------------------------------------------------

OLD_COUNT: Final = 5
"""Devices that machines before 7.1 can have."""


def modern(setup: Setup) -> bool:
    """Whether all devices hang on one xHCI controller, each at a port of its own."""
    return setup.since(7, 1) and (setup.linux or setup.windows > 7)


def render_controllers(setup: Setup) -> Iterator[Item]:
    """USB controllers: what the tablet hangs on, and what the devices need."""
    if setup.machine.kind == "q35":
        yield from _ich9(setup, "pve-q35-4.0.cfg", {"bus": "pcie.0"})
    elif setup.machine.kind == "i440fx":
        yield Device("piix3-usb-uhci", "uhci", {"bus": "pci.0", "addr": "0x1.0x2"})
        if not modern(setup) and any(not usb.usb3 for usb in setup.options.usb.values()):
            yield from _ich9(setup, "pve-usb.cfg", {"bus": "pci.0"})
    else:
        yield Device("usb-ehci", "ehci", {"bus": "pcie.0", "addr": "0x1"})


def _ich9(setup: Setup, file: str, place: dict[str, str]) -> Iterator[Item]:
    """A USB 2 controller with its companions for slower devices."""
    if setup.host.flavour.readconfig:
        yield Option("readconfig", f"{setup.host.flavour.readconfig}/{file}")
        return
    slot = "0x1d"
    yield Device("ich9-usb-ehci1", "ehci", {"multifunction": True, **place, "addr": f"{slot}.0x7"})
    for number in range(3):
        props = {"multifunction": True, **place, "addr": f"{slot}.{number:#x}", "masterbus": "ehci.0"}
        yield Device(f"ich9-usb-uhci{number + 1}", f"uhci-{number + 1}", {**props, "firstport": number * 2})


def render_tablet(setup: Setup) -> Iterator[Item]:
    """The tablet, and on machines without PS/2 a keyboard."""
    bus = "uhci.0" if setup.machine.kind == "i440fx" else "ehci.0"
    if _wants_tablet(setup):
        yield Device("usb-tablet", "tablet", {"bus": bus, "port": "1"})
    if setup.machine.kind == "virt":
        yield Device("usb-kbd", "keyboard", {"bus": bus, "port": "2"})


def _wants_tablet(setup: Setup) -> bool:
    if setup.options.tablet is not None:
        return setup.options.tablet
    vga = setup.options.vga.type if setup.options.vga else None
    # SPICE has a pointer of its own, and a serial console needs none.
    return vga is None or not (vga.startswith(("qxl", "virtio", "serial")))


def render_usbs(setup: Setup) -> Iterator[Item]:
    """All USB devices, with the controller for those that need a newer one."""
    usbs = setup.options.usb
    if usbs and max(usbs) >= OLD_COUNT and not modern(setup):
        raise Error(f"using usb{max(usbs)} is only possible with machine type >= 7.1 and ostype l26 or windows > 7")
    if usbs and modern(setup):
        yield xhci(setup)
    elif any(usb.usb3 for usb in usbs.values()):
        yield Device("nec-usb-xhci", "xhci", setup.at("xhci"))
    for index, usb in usbs.items():
        yield from items(setup, index, usb)


def xhci(setup: Setup) -> Device:
    """The controller with a port for each device there can be."""
    return Device("qemu-xhci", "xhci", {"p2": 15, "p3": 15, **setup.at("xhci")})


def items(setup: Setup, index: int, usb: Usb) -> Iterator[Item]:
    """One device, with its stream if a SPICE client redirects it."""
    if usb.spice:
        if not setup.host.spice:
            setup.warn(f"usb{index}: SPICE is not available on this node, leaving the device out")
            return
        yield Chardev("spicevmc", f"usbredirchardev{index}", {"name": "usbredir"})
        redirected = {"chardev": f"usbredirchardev{index}", **_bus(setup, index, usb)}
        yield Device("usb-redir", f"usbredirdev{index}", {**redirected, "bootindex": boot_index(setup, f"usb{index}")})
    else:
        yield device(setup, index, usb)


def device(setup: Setup, index: int, usb: Usb) -> Device:
    """A device of the host: the argument of `device_add`."""
    text = usb.host or setup.host.mappings.get(f"usb/{usb.mapping}")
    if text is None:
        raise Error(f"usb{index}: no mapping '{usb.mapping}' for this node")
    props: dict[str, Any] = _bus(setup, index, usb)
    if ":" in text:
        vendor, _, product = text.partition(":")
        props |= {"vendorid": f"0x{vendor.removeprefix('0x')}", "productid": f"0x{product.removeprefix('0x')}"}
    else:
        bus, _, port = text.partition("-")
        props |= {"hostbus": int(bus), "hostport": port}
    return Device("usb-host", f"usb{index}", {**props, "bootindex": boot_index(setup, f"usb{index}")})


def _bus(setup: Setup, index: int, usb: Usb) -> dict[str, Any]:
    if modern(setup):
        return {"bus": "xhci.0", "port": str(index + 1)}
    return {"bus": "xhci.0" if usb.usb3 else "ehci.0"}
