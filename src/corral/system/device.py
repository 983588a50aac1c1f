"""One network device at a time, by ioctl and a single netlink message: what each start of a guest needs.

`netlink` can do more, but loads pyroute2 for it, which costs a fifth of a second in a worker that lives for one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from corral.core.errors import Error

_GETLINK, _NEWLINK, _ERROR, _REQUEST = 18, 16, 2, 1
_IFNAME, _MTU, _MASTER, _LINKINFO, _INFO_KIND, _INFO_DATA, _VLAN_FILTERING = 3, 4, 10, 18, 1, 2, 7
_NESTED = 0x8000
_GET_FLAGS, _SET_FLAGS, _SET_MTU, _ADD_PORT, _DROP_PORT, _UP = 0x8913, 0x8914, 0x8922, 0x89A2, 0x89A3, 1


class Device(NamedTuple):
    """A device as the kernel has it. `kind` is empty for hardware; `master` is the bridge it is on, or empty;
    `filters` says of a bridge that it filters VLANs."""

    name: str
    number: int
    kind: str
    mtu: int
    master: str
    filters: bool


def find(name: str) -> Device | None:
    """The device of the calling thread's network namespace, or None."""
    label = name.encode() + b"\0"
    attribute = struct.pack("=HH", 4 + len(label), _IFNAME) + label.ljust((len(label) + 3) & ~3, b"\0")
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute
    message = struct.pack("=IHHII", 16 + len(body), _GETLINK, _REQUEST, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(5)
        kernel.send(message)
        answer = kernel.recv(65536)
    kind = struct.unpack_from("=H", answer, 4)[0]
    if kind == _ERROR:
        number = -struct.unpack_from("=i", answer, 16)[0]
        if number == errno.ENODEV:
            return None
        raise Error(f"can't look at '{name}': {os.strerror(number)}")
    return parse(answer[16 : struct.unpack_from("=I", answer)[0]]) if kind == _NEWLINK else None


def parse(body: bytes) -> Device:
    """The device of a RTM_NEWLINK message's body."""
    number = struct.unpack_from("=i", body, 4)[0]
    found = dict(_attributes(body[16:]))
    info = dict(_attributes(found.get(_LINKINFO, b"")))
    settings = dict(_attributes(info.get(_INFO_DATA, b"")))
    master = struct.unpack("=I", found[_MASTER])[0] if _MASTER in found else 0
    return Device(
        name=_text(found.get(_IFNAME, b"")),
        number=number,
        kind=_text(info.get(_INFO_KIND, b"")),
        mtu=struct.unpack("=I", found[_MTU])[0] if _MTU in found else 0,
        master=socket.if_indextoname(master) if master else "",
        filters=settings.get(_VLAN_FILTERING, b"\0") != b"\0",
    )


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            return
        yield kind & ~_NESTED, data[at + 4 : at + length]
        at += (length + 3) & ~3


def _text(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")


def set_mtu(name: str, size: int) -> None:
    """Set the MTU in bytes."""
    _ioctl(f"set the MTU of '{name}' to {size}", _SET_MTU, struct.pack("16si", name.encode(), size))


def set_up(name: str) -> None:
    """Bring the device up."""
    purpose = f"bring '{name}' up"
    answer = _ioctl(purpose, _GET_FLAGS, struct.pack("16sh22x", name.encode(), 0))
    flags = struct.unpack_from("16sh", answer)[1]
    _ioctl(purpose, _SET_FLAGS, struct.pack("16sh22x", name.encode(), flags | _UP))


def put_on(device: Device, bridge: str) -> None:
    """Make the device a port of the bridge, taking it from another one; nothing if it is there already."""
    if device.master == bridge:
        return
    purpose = f"put '{device.name}' on bridge '{bridge}'"
    if device.master:
        _ioctl(purpose, _DROP_PORT, struct.pack("16si", device.master.encode(), device.number))
    _ioctl(purpose, _ADD_PORT, struct.pack("16si", bridge.encode(), device.number))


def _ioctl(purpose: str, request: int, argument: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as kernel:
        try:
            return fcntl.ioctl(kernel.fileno(), request, argument.ljust(40, b"\0"))
        except OSError as exc:
            raise Error(f"can't {purpose}: {exc.strerror}") from exc
