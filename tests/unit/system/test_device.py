"""Devices as one netlink message tells of them."""

from __future__ import annotations

import struct

import pytest

from corral.system import device


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data.ljust((len(data) + 3) & ~3, b"\0")


HEAD = struct.pack("=BxHiII", 0, 1, 7, 0, 0)


def test_a_bridge_that_filters() -> None:
    settings = _attribute(5, b"\1\0\0\0") + _attribute(7, b"\1")
    info = _attribute(1, b"bridge\0") + _attribute(2 | 0x8000, settings)
    body = HEAD + _attribute(3, b"vmbr0\0") + _attribute(4, struct.pack("=I", 9000)) + _attribute(18, info)
    assert device.parse(body) == device.Device("vmbr0", 7, "bridge", 9000, "", filters=True)


def test_hardware_without_further_words() -> None:
    assert device.parse(HEAD + _attribute(3, b"eth0\0")) == device.Device("eth0", 7, "", 0, "", filters=False)


@pytest.mark.parametrize("rest", [b"", b"\0\0\0\0", b"\xff", b"\x03\0\x03\0", b"\xff\xff\x03\0eth"])
def test_a_message_that_is_cut(rest: bytes) -> None:
    assert device.parse(HEAD + rest).number == 7


def test_loopback_is_there_and_nothing_is_not() -> None:
    found = device.find("lo")
    assert found is not None
    assert found.name == "lo"
    assert device.find("nothing-there") is None
    assert found in device.every()
    assert device.addresses().get(found.number, ["127.0.0.1/8"])[0] == "127.0.0.1/8"
