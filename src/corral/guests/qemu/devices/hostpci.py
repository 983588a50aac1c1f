"""PCI devices of the host passed through to the guest."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema import formats
from corral.schema.fields import doc, name, pattern
from corral.schema.propstring import PropertyString

_DEVICE = r"(?:[a-f0-9]{4,}:)?[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?"
_ID = r"0x[0-9a-fA-F]{4}"


class HostPci(PropertyString, frozen=True, kw_only=True):
    """A device of the host: `0000:01:00.0,pcie=1`; without a function, all functions of the device."""

    default_key: ClassVar[str] = "host"

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
