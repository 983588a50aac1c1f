"""`/nodes/{node}/hardware`."""

from __future__ import annotations

from typing import Annotated, Any

from corral.api import shapes
from corral.app import Call
from corral.node import hardware
from corral.rest import anyone, endpoint, need, need_any
from corral.schema import doc, name, pattern
from corral.schema.fields import split_list
from corral.schema.types import NodeName

_PCI = need_any("/", "Sys.Audit", "Sys.Modify")
_PATH = "/nodes/{node}/hardware/pci/{pci-id-or-mapping}"
_ADDRESS = r"(?:(?:[0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-9a-fA-F])|([a-zA-Z][a-zA-Z0-9_-]+)"

Device = Annotated[str, name("pci-id-or-mapping"), pattern(_ADDRESS), doc("A PCI address, or the name of a mapping.")]


@endpoint("GET", "/nodes/{node}/hardware/pci", allow=_PCI, runs="node", root=True)
def pci(
    call: Call,
    node: NodeName,
    *,
    hidden: Annotated[
        str, name("pci-class-blacklist"), doc("Leave out devices of these classes: a list of hex prefixes.")
    ] = "05;06;0b",
    verbose: Annotated[bool, doc("Tell more than address and class.")] = True,
) -> shapes.PciDevices:
    """List PCI devices."""
    classes = tuple(word.lower().removeprefix("0x") for word in split_list(hidden))
    return hardware.pci_devices(hidden_classes=classes, verbose=verbose)


@endpoint("GET", _PATH, allow=anyone("an index shows no data"), runs="node")
def pci_index(call: Call, node: NodeName, device: Device) -> list[dict[str, Any]]:
    """List what there is of a PCI device."""
    return [{"method": "mdev"}]


@endpoint("GET", f"{_PATH}/mdev", allow=_PCI, runs="node", root=True)
def mdev(call: Call, node: NodeName, device: Device) -> list[dict[str, Any]]:
    """List the kinds of mediated devices that a PCI device can make."""
    return hardware.mediated_types(device)


@endpoint("GET", "/nodes/{node}/hardware/usb", allow=need("/", "Sys.Modify"), runs="node", root=True)
def usb(call: Call, node: NodeName) -> shapes.UsbDevices:
    """List USB devices."""
    return hardware.usb_devices()


ENDPOINTS = (pci, pci_index, mdev, usb)
