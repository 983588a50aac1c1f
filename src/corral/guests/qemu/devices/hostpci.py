"""PCI devices of the host passed through to the guest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from corral.core.errors import Error
from corral.guests.qemu import pci
from corral.guests.qemu.args import Device, Item
from corral.guests.qemu.boot import boot_index
from corral.schema import formats
from corral.schema.fields import doc, name, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

_DEVICE = r"(?:[a-f0-9]{4,}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?"
_ID = r"0x[0-9a-fA-F]{4}"


class HostPci(PropertyString, frozen=True, kw_only=True):
    """A device of the host: `0000:01:00.0,pcie=1`; without a function, all functions of the device."""

    default_key: ClassVar[str] = "host"
    format_name: ClassVar[str] = "pve-qm-hostpci"

    host: (
        Annotated[str, pattern(rf"{_DEVICE}(;{_DEVICE})*"), doc("Addresses of the devices, separated by `;`.")] | None
    ) = None
    device_id: Annotated[str, name("device-id"), pattern(_ID), doc("Device id shown to the guest.")] | None = None
    driver: (
        Annotated[Literal["vfio", "keep"], doc("Bind the device to vfio-pci, or keep its driver.", default="vfio")]
        | None
    ) = None
    legacy_igd: (
        Annotated[bool, name("legacy-igd"), doc("Pass an Intel GPU as the primary one.", default=False)] | None
    ) = None
    mapping: (
        Annotated[str, formats.CONFIG_ID, doc("Name of a mapping that stands for a device on each node.")] | None
    ) = None
    mdev: Annotated[str, pattern(r"[^/\.:]+"), doc("Type of a mediated device to create.")] | None = None
    pcie: Annotated[bool, doc("Show it as a PCI Express device (q35).", default=False)] | None = None
    rombar: Annotated[bool, doc("Show the device's ROM to the guest.", default=True)] | None = None
    romfile: Annotated[str, pattern(r"[^,;]+"), doc("Use this ROM file of the host.")] | None = None
    sub_device_id: (
        Annotated[str, name("sub-device-id"), pattern(_ID), doc("Subsystem device id shown to the guest.")] | None
    ) = None
    sub_vendor_id: (
        Annotated[str, name("sub-vendor-id"), pattern(_ID), doc("Subsystem vendor id shown to the guest.")] | None
    ) = None
    vendor_id: Annotated[str, name("vendor-id"), pattern(_ID), doc("Vendor id shown to the guest.")] | None = None
    x_vga: Annotated[bool, name("x-vga"), doc("The device is the guest's display.", default=False)] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_hostpcis(setup: Setup) -> Iterator[Item]:
    """All devices of the host, function by function."""
    for index, device in setup.options.hostpci.items():
        yield from devices(setup, index, device)


def addresses(setup: Setup, index: int, device: HostPci) -> list[str]:
    """Addresses with domain and function of what an entry names; all functions where it names none."""
    text = device.host or setup.host.mappings.get(f"pci/{device.mapping}")
    if text is None:
        raise Error(f"hostpci{index}: no mapping '{device.mapping}' for this node")
    found: list[str] = []
    for part in text.split(";"):
        address = part if part.count(":") == 2 else f"0000:{part}"
        if "." in address:
            found.append(address)
        else:
            found += sorted(each for each in setup.host.pci_devices if each.startswith(f"{address}."))
    if not found:
        raise Error(f"hostpci{index}: no PCI device '{text}' on this node")
    return found


def mediated_uuid(vmid: int, index: int) -> str:
    """UUID of the mediated device that is created for `hostpci<index>` of a guest."""
    return f"{index:08d}-0000-0000-0000-{vmid:012d}"


def devices(setup: Setup, index: int, device: HostPci) -> Iterator[Device]:
    """One entry: one device, or one function of a multifunction device after the other."""
    if device.pcie and setup.machine.kind != "q35":
        raise Error(f"hostpci{index}: PCI Express needs the machine type q35")
    if device.mdev:
        props = {
            "sysfsdev": f"/sys/bus/mdev/devices/{mediated_uuid(setup.vmid, index)}",
            **_place(setup, index, device),
        }
        yield Device("vfio-pci", f"hostpci{index}", {**props, **_shown(setup, index, device, first=True)})
        return
    functions = addresses(setup, index, device)
    for number, address in enumerate(functions):
        several = len(functions) > 1
        yield Device(
            "vfio-pci",
            f"hostpci{index}.{number}" if several else f"hostpci{index}",
            {
                "host": address,
                **_place(setup, index, device, function=number if several else None),
                **_shown(setup, index, device, first=number == 0),
            },
        )


def _place(setup: Setup, index: int, device: HostPci, *, function: int | None = None) -> dict[str, Any]:
    if device.legacy_igd:
        # The driver of an integrated GPU expects it where it is on real machines.
        place = {"bus": "pci.0" if setup.machine.kind != "q35" else "pcie.0", "addr": "0x2"}
    else:
        place = pci.root_port(index) if device.pcie else setup.at(f"hostpci{index}")
    if function is None:
        return dict(place)
    return {**place, "addr": f"{place['addr']}.{function}", "multifunction": True if function == 0 else None}


def _shown(setup: Setup, index: int, device: HostPci, *, first: bool) -> dict[str, Any]:
    """What the guest sees; only the first function has ROM and display."""
    props: dict[str, Any] = {}
    if first:
        props |= {
            "x-vga": True if device.x_vga else None,
            "rombar": 0 if device.rombar is False else None,
            "romfile": f"/usr/share/kvm/{device.romfile}" if device.romfile else None,
            "x-igd-opregion": True if device.legacy_igd else None,
            "bootindex": boot_index(setup, f"hostpci{index}"),
        }
    for key in ("vendor", "device", "sub_vendor", "sub_device"):
        props[f"x-pci-{key.replace('_', '-')}-id"] = getattr(device, f"{key}_id")
    return props


def has_primary_display(setup: Setup) -> bool:
    """Whether a passed-through device is the guest's display."""
    return any(device.x_vga or device.legacy_igd for device in setup.options.hostpci.values())
