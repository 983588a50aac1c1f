"""Where devices sit on PCI: fixed by their name, so that a guest looks the same at every start and on every node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from corral.guests.qemu.args import Device

# Slots of what a PC has on its first bus and, on q35, on the first bridge.
_FIRST: Final = {
    "vga": 2, "balloon0": 3, "watchdog": 4, "scsihw0": 5, "scsihw1": 6, "ahci0": 7, "qga0": 8, "spice": 9,
    "virtio0": 10, "virtio1": 11, "virtio2": 12, "virtio3": 13, "virtio4": 14, "virtio5": 15,
    "hostpci0": 16, "hostpci1": 17, "net0": 18, "net1": 19, "net2": 20, "net3": 21, "net4": 22, "net5": 23,
    "vga1": 24, "vga2": 25, "vga3": 26, "hostpci2": 27, "hostpci3": 28,
}  # fmt: skip
_SECOND: Final = {
    **{f"net{index}": index - 5 for index in range(6, 32)},
    "xhci": 27, "audio0": 28, "rng0": 29, "ivshmem": 30, "pcieswitch": 31,
}  # fmt: skip
_THIRD: Final = {
    **{f"virtio{index}": index - 5 for index in range(6, 16)},
    **{f"hostpci{index}": index + 7 for index in range(4, 16)},
    "scsihw2": 25, "scsihw3": 26, "scsihw4": 27,
}  # fmt: skip
_FOURTH: Final = {f"virtioscsi{index}": index + 1 for index in range(31)}
_BRIDGES: Final = (_FIRST, _SECOND, _THIRD, _FOURTH)

# On q35 these sit on the root complex, where a display's ROM and the IOMMU are found.
_ROOT_Q35: Final = {"vga": 1}


def placed(name: str, kind: str) -> dict[str, str]:
    """Bus and address of the device `name` on a machine of a kind: `i440fx`, `q35`, `virt`."""
    if kind == "q35" and name in _ROOT_Q35:
        return {"bus": "pcie.0", "addr": hex(_ROOT_Q35[name])}
    for bridge, slots in enumerate(_BRIDGES):
        if name in slots:
            # The generic machine of other architectures has one root complex, and its devices go there.
            bus = "pcie.0" if kind == "virt" and bridge == 0 else f"pci.{bridge}"
            return {"bus": bus, "addr": hex(slots[name])}
    raise AssertionError(f"{name} has no place on PCI")


def root_port(index: int) -> dict[str, str]:
    """Where the PCI Express device of number `index` is plugged."""
    return {"bus": f"ich9-pcie-port-{index + 1}", "addr": "0x0"}


def bridges(devices: Iterable[Device], kind: str, *, single_scsi: bool) -> Iterator[Device]:
    """The bridges that the machine does not have by itself, and the root ports that these devices need.

    Bridges are there from the start, whether in use or not: none can be added while the guest runs, devices can.
    `single_scsi`: one controller for each SCSI disk, which have a bridge of their own.
    """
    if kind == "q35":
        yield from _q35({str(device.props.get("bus", "")) for device in devices}, single_scsi=single_scsi)
        return
    # The bridge for single SCSI controllers takes the place that a shared one leaves free.
    slots = {1: "0x1e", 2: "0x1f", **({3: "0x5"} if single_scsi else {})}
    driver, root = ("pcie-pci-bridge", "pcie.0") if kind == "virt" else ("pci-bridge", "pci.0")
    for number, slot in slots.items():
        chassis = {} if kind == "virt" else {"chassis_nr": number}
        yield Device(driver, f"pci.{number}", {**chassis, "bus": root, "addr": slot})


def _q35(buses: set[str], *, single_scsi: bool) -> Iterator[Device]:
    yield Device("i82801b11-bridge", "pcidmi", {"bus": "pcie.0", "addr": "0x1e"})
    for number in range(4 if single_scsi else 3):
        place = {"bus": "pcidmi", "addr": hex(number + 1)}
        yield Device("pci-bridge", f"pci.{number}", {"chassis_nr": number + 1, **place})
    for index in range(16):
        if f"ich9-pcie-port-{index + 1}" in buses:
            yield _root_port(index)


def _root_port(index: int) -> Device:
    # Four ports share slot 0x1c, as on real chipsets; more go to a slot of eight.
    slot, function = (0x1C, index) if index < 4 else (0x10 + (index - 4) // 8, (index - 4) % 8)
    props = {"x-speed": "16", "x-width": "32", "multifunction": True, "bus": "pcie.0"}
    return Device("pcie-root-port", f"ich9-pcie-port-{index + 1}", {
        **props, "addr": f"{slot:#x}.{function:#x}", "port": index + 1, "chassis": index + 1,
    })  # fmt: skip
