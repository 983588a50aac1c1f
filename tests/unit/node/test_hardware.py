"""PCI and USB devices, from directories that look like sysfs."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.errors import NotFound
from corral.node import hardware

IDS = """# comment
8086  Intel Corporation
\t1533  I210 Gigabit Network Connection
1af4  Red Hat, Inc.
C 00  Unclassified
"""


def _put(directory: Path, **files: str) -> None:
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text + "\n")


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    base = tmp_path / "bus/pci/devices"
    _put(base / "0000:01:00.0", vendor="0x8086", device="0x1533", subsystem_vendor="0x1af4", **{"class": "0x020000"})
    _put(base / "0000:00:00.0", vendor="0x8086", device="0x9999", **{"class": "0x060000"})
    _put(base / "0000:01:00.0/mdev_supported_types/kind-1", name="one", description="d", available_instances="3")
    (tmp_path / "groups/17").mkdir(parents=True)
    (base / "0000:01:00.0/iommu_group").symlink_to(tmp_path / "groups/17")
    usb = tmp_path / "bus/usb/devices"
    _put(usb / "usb1", busnum="1", devnum="1", bDeviceClass="09", idVendor="1d6b", idProduct="0002", speed="480")
    _put(
        usb / "1-2.4",
        busnum="1",
        devnum="5",
        bDeviceClass="00",
        idVendor="0951",
        idProduct="1666",
        speed="480",
        product="Stick",
    )
    _put(usb / "1-2.4:1.0", bInterfaceClass="08")
    return tmp_path


def test_pci_devices_have_names_groups_and_mediated_types(sys: Path, tmp_path: Path) -> None:
    (tmp_path / "pci.ids").write_text(IDS)
    (device,) = hardware.pci_devices(hidden_classes=("05", "06", "0b"), sys=sys, names=tmp_path / "pci.ids")
    assert device == {
        "id": "0000:01:00.0", "class": "0x020000", "vendor": "0x8086", "device": "0x1533", "iommugroup": 17,
        "subsystem_vendor": "0x1af4", "mdev": True, "vendor_name": "Intel Corporation",
        "device_name": "I210 Gigabit Network Connection", "subsystem_vendor_name": "Red Hat, Inc.",
    }  # fmt: skip
    assert len(hardware.pci_devices(sys=sys, verbose=False)) == 2
    assert hardware.pci_devices(sys=tmp_path / "none") == []


def test_mediated_types(sys: Path) -> None:
    kinds = hardware.mediated_types("01:00.0", sys=sys)
    assert kinds == [{"type": "kind-1", "name": "one", "description": "d", "available": 3}]
    assert hardware.mediated_types("0000:00:00.0", sys=sys) == []


@pytest.mark.parametrize("address", ["0000:ff:00.0", "../../etc", "gpu-mapping", ""])
def test_a_device_that_is_not_there(sys: Path, address: str) -> None:
    with pytest.raises(NotFound):
        hardware.mediated_types(address, sys=sys)


def test_usb_devices(sys: Path) -> None:
    stick, hub = sorted(hardware.usb_devices(sys=sys), key=lambda row: -row["level"])
    assert (stick["usbpath"], stick["port"], stick["level"], stick["product"]) == ("2.4", 4, 2, "Stick")
    assert (hub["class"], hub["level"]) == (9, 0)
    assert "usbpath" not in hub
