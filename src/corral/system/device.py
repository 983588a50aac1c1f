"""Network devices by ioctl and plain netlink messages: what lists and each start of a guest need.

`netlink` can do more, but loads pyroute2 for it: a fifth of a second in a worker that lives for one, and 20 MB.
"""

from __future__ import annotations

import errno
import fcntl
import ipaddress
import os
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from corral.core.errors import Error

_GETLINK, _GETADDR, _ERROR, _DONE, _REQUEST, _DUMP = 18, 22, 2, 3, 1, 0x300
_MAC, _IFNAME, _MTU, _MASTER, _LINKINFO, _INFO_KIND, _INFO_DATA, _VLAN_FILTERING = 1, 3, 4, 10, 18, 1, 2, 7
_ADDRESS, _LOCAL = 1, 2
_NESTED = 0x8000
_GET_FLAGS, _SET_FLAGS, _SET_MTU, _ADD_PORT, _DROP_PORT, _UP = 0x8913, 0x8914, 0x8922, 0x89A2, 0x89A3, 1
_ANY = struct.pack("=BxHiII", 0, 0, 0, 0, 0)


class Device(NamedTuple):
    """A device as the kernel has it. `kind` is empty for hardware; `master` is the bridge it is on, or empty;
    `filters` says of a bridge that it filters VLANs."""

    name: str
    number: int
    kind: str
    mtu: int
    master: str
    filters: bool
    up: bool = False
    mac: str = ""


def find(name: str) -> Device | None:
    """The device of the calling thread's network namespace, or None."""
    label = name.encode() + b"\0"
    attribute = struct.pack("=HH", 4 + len(label), _IFNAME) + label.ljust((len(label) + 3) & ~3, b"\0")
    try:
        return next((parse(body) for body in _ask(_GETLINK, _ANY + attribute)), None)
    except OSError as exc:
        if exc.errno == errno.ENODEV:
            return None
        raise Error(f"can't look at '{name}': {exc.strerror}") from exc


def every() -> list[Device]:
    """All devices of the calling thread's network namespace."""
    return [parse(body) for body in _ask(_GETLINK, _ANY, _DUMP)]


def addresses() -> dict[int, list[str]]:
    """The addresses of each device, by its number, as `10.0.0.1/24`."""
    found: dict[int, list[str]] = {}
    for body in _ask(_GETADDR, _ANY, _DUMP):
        _, length, _, _, number = struct.unpack_from("=BBBBI", body)
        parts = dict(_attributes(body[8:]))
        if raw := parts.get(_LOCAL) or parts.get(_ADDRESS):
            found.setdefault(number, []).append(f"{ipaddress.ip_address(raw)}/{length}")
    return found


def _ask(kind: int, body: bytes, flags: int = 0) -> Iterator[bytes]:
    """The bodies of the kernel's answers; OSError for an error that it answers."""
    message = struct.pack("=IHHII", 16 + len(body), kind, _REQUEST | flags, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(5)
        kernel.send(message)
        while True:
            answer, at = kernel.recv(262144), 0
            while at + 16 <= len(answer):
                length, said = struct.unpack_from("=IH", answer, at)
                if said == _DONE:
                    return
                if said == _ERROR:
                    number = -struct.unpack_from("=i", answer, at + 16)[0]
                    raise OSError(number, os.strerror(number))
                yield answer[at + 16 : at + length]
                at += (length + 3) & ~3
            if not flags:
                return


def parse(body: bytes) -> Device:
    """The device of a RTM_NEWLINK message's body."""
    number, flags = struct.unpack_from("=iI", body, 4)
    found = dict(_attributes(body[16:]))
    info = dict(_attributes(found.get(_LINKINFO, b"")))
    settings = dict(_attributes(info.get(_INFO_DATA, b"")))
    master = struct.unpack("=I", found[_MASTER])[0] if _MASTER in found else 0
    return Device(
        name=_text(found.get(_IFNAME, b"")),
        number=number,
        kind=_text(info.get(_INFO_KIND, b"")),
        mtu=struct.unpack("=I", found[_MTU])[0] if _MTU in found else 0,
        master=_name(master) if master else "",
        filters=settings.get(_VLAN_FILTERING, b"\0") != b"\0",
        up=bool(flags & _UP),
        mac=found.get(_MAC, b"").hex(":"),
    )


def _name(number: int) -> str:
    try:
        return socket.if_indextoname(number)
    except OSError:  # it went away meanwhile
        return ""


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
