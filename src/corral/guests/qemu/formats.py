"""Scalar grammars of virtual machines' options, under the names clients know them by."""

from __future__ import annotations

import re
from collections.abc import Callable

from corral.schema import formats
from corral.schema.fields import Format, split_list

DRIVE_COUNTS = {"ide": 4, "scsi": 31, "virtio": 16, "sata": 6}
DRIVE_KEYS = tuple(f"{bus}{index}" for bus, count in DRIVE_COUNTS.items() for index in range(count))
STATE_KEYS = ("efidisk0", "tpmstate0")

_BOOTABLE = re.compile(r"(net|usb|hostpci)([0-9]|[1-9][0-9])", re.ASCII)
_BOOT_COUNTS = {"net": 32, "usb": 14, "hostpci": 16}

HOTPLUG_WORDS = ("network", "disk", "cpu", "memory", "usb", "cloudinit")
HOTPLUG_DEFAULT = ("network", "disk", "usb")


def _matching(name: str, regex: str, text: str, *, maximum: int = 4096) -> Format:
    compiled = re.compile(regex, re.ASCII)

    def check(value: str) -> str:
        if len(value) > maximum or not compiled.fullmatch(value):
            raise ValueError(text)
        return value

    return Format(name, check)


def _bootdev(value: str) -> str:
    match = _BOOTABLE.fullmatch(value)
    if value in DRIVE_KEYS or (match and int(match[2]) < _BOOT_COUNTS[match[1]]):
        return value
    raise ValueError(f"'{value}' is no bootable device")


def _bootdevs(value: str) -> str:
    for word in split_list(value):
        _bootdev(word)
    return value


def _bootdisk(value: str) -> str:
    if value not in DRIVE_KEYS:
        raise ValueError("invalid boot disk")
    return value


def _hotplug(value: str) -> str:
    if value not in ("0", "1"):
        for word in split_list(value):
            if word not in HOTPLUG_WORDS:
                raise ValueError(f"unknown hotplug feature '{word}'")
    return value


def _startup(value: str) -> str:
    for part in value.split(","):
        if not re.fullmatch(r"\s*(?:(?:order|up|down)=)?[0-9]{1,9}\s*", part, re.ASCII):
            raise ValueError("unable to parse startup options")
    return value


def _each(name: str, check: Callable[[str], object]) -> Format:
    """The text of a list, kept as it stands, each item checked."""

    def check_all(value: str) -> str:
        for word in split_list(value):
            check(word)
        return value

    return Format(name, check_all)


def _ip_config(name: str, words: tuple[str, ...], cidr: Format) -> Format:
    def check(value: str) -> str:
        if value in words:
            return value
        try:
            cidr.check(value)
        except ValueError as exc:
            raise ValueError(f"value is none of {', '.join(words)} and no network address") from exc
        return value

    return Format(name, check)


def _phys_bits(value: str) -> str:
    if value == "host" or (re.fullmatch(r"[0-9]{1,2}", value, re.ASCII) and 8 <= int(value) <= 64):
        return value
    raise ValueError("value must be an integer from 8 to 64, or 'host'")


def _config_ids(value: str) -> str:
    """Names of options, as `delete` and `revert` take them."""
    for word in split_list(value):
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_-]+", word, re.ASCII):
            raise ValueError(f"invalid configuration ID '{word}'")
    return value


BOOT_DEVICES = Format("pve-qm-bootdev-list", _bootdevs)
BOOT_DISK = Format("pve-qm-bootdisk", _bootdisk)
HOTPLUG = Format("pve-hotplug-features", _hotplug)
STARTUP = Format("pve-startup-order", _startup)
IPV4_CONFIG = _ip_config("pve-ipv4-config", ("dhcp", "manual"), formats.CIDRV4)
IPV6_CONFIG = _ip_config("pve-ipv6-config", ("auto", "dhcp", "manual"), formats.CIDRV6)
PHYS_BITS = Format("pve-phys-bits", _phys_bits)
ADDRESSES = _each("address-list", formats.ADDRESS.check)
TAGS = _each("pve-tag-list", formats.TAG.check)
CONFIG_IDS = Format("pve-configid-list", _config_ids)
DISK_SIZE = _matching(
    "disk-size", r"\d+(\.\d+)?([KMGT](iB)?)?", "value does not look like a valid disk size", maximum=40
)
CPU_TYPE = _matching("pve-cpu-type", r"[a-zA-Z0-9._-]+", "value does not look like a CPU model", maximum=80)
