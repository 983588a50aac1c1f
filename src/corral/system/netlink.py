"""Network devices: taps, bridges, VLANs, rates, through the kernel's netlink (pyroute2).

pyroute2 is loaded by the first call, not by the import: it costs a fifth of a second, and most processes need none.
All names are device names of the calling thread's network namespace.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corral.core.errors import AlreadyExists, Error, NotFound
from corral.system import device

if TYPE_CHECKING:
    from pyroute2 import IPRoute

log = logging.getLogger(__name__)

MAX_NAME = 15
"""Longest name of a device; the kernel cuts longer ones silently."""

_TUNSETIFF, _IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR, _IFF_MULTI_QUEUE = 0x400454CA, 0x0002, 0x1000, 0x4000, 0x0100
_TUNSETVNETHDRSZ, _VNET_HEADER = 0x400454D8, 12
_ROOT, _INGRESS, _ALL_PROTOCOLS = 0x10000, 0xFFFF0000, 3


class Link(NamedTuple):
    """A network device: `kind` as the kernel names it (bridge, bond, vlan, veth, tun, …), empty for hardware."""

    name: str
    kind: str
    up: bool
    mtu: int
    mac: str
    master: str
    addresses: tuple[str, ...]


def check_name(name: str) -> str:
    """The name, or `Error` if the kernel would not keep it as it is."""
    if not name or len(name) > MAX_NAME or "/" in name or any(c.isspace() for c in name) or name in (".", ".."):
        raise Error(f"invalid network device name '{name}' (at most {MAX_NAME} characters)")
    return name


def open_tap(name: str, *, queues: int = 1, vnet_header: bool = True) -> tuple[int, ...]:
    """Make a tap device; one descriptor for each queue, inheritable by `pass_fds` only.

    The device lives as long as one of its descriptors is open: when QEMU ends, nothing is left. `AlreadyExists` if
    there is a device of that name.
    """
    if exists(check_name(name)):
        raise AlreadyExists(f"network device '{name}' already exists")
    flags = _IFF_TAP | _IFF_NO_PI | (_IFF_VNET_HDR if vnet_header else 0) | (_IFF_MULTI_QUEUE if queues > 1 else 0)
    opened: list[int] = []
    try:
        for _ in range(queues):
            descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            opened.append(descriptor)
            fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
            if vnet_header:
                fcntl.ioctl(descriptor, _TUNSETVNETHDRSZ, struct.pack("i", _VNET_HEADER))
    except OSError as exc:
        for descriptor in opened:
            os.close(descriptor)
        raise Error(f"can't make tap device '{name}' - {exc.strerror}") from exc
    with contextlib.suppress(OSError):
        # The host must not speak IPv6 on a guest's cable.
        _put(Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1")
    return tuple(opened)


def exists(name: str) -> bool:
    """Whether there is such a device."""
    try:
        return socket.if_nametoindex(name) > 0
    except OSError:
        return False


def ports(bridge: str) -> list[str]:
    """The devices on a bridge."""
    return sorted(link.name for link in links() if link.master == bridge)


def mtu(name: str) -> int:
    """The device's MTU in bytes; `NotFound` if there is none."""
    if (found := device.find(name)) is None:
        raise NotFound(f"network device '{name}' does not exist")
    return found.mtu


def links() -> list[Link]:
    """Every device with its addresses, by name."""
    try:
        found, addresses = device.every(), device.addresses()
    except OSError as exc:
        raise Error(f"can't list network devices: {exc.strerror}") from exc
    return sorted(
        Link(each.name, each.kind, each.up, each.mtu, each.mac, each.master, tuple(addresses.get(each.number, ())))
        for each in found
    )


def add_bridge(name: str, *, address: str = "", mac: str = "", vlans: bool = False) -> None:
    """Make a bridge (no forwarding delay, no STP), give it an address as `10.0.0.1/24`, bring it up."""
    if exists(check_name(name)):
        raise AlreadyExists(f"network device '{name}' already exists")
    with _route(f"make bridge '{name}'") as route:
        # A bridge takes the MTU of its smallest port unless its own was changed once: so make it with another.
        settings: dict[str, object] = {"br_stp_state": 0, "br_forward_delay": 0, "mtu": 1280}
        if vlans:
            settings["br_vlan_filtering"] = 1
        if mac:
            # A bridge without a fixed address takes that of its lowest port, and changes it as guests come and go.
            settings["address"] = mac.lower()
        route.link("add", ifname=name, kind="bridge", **settings)
        index = _index(route, name)
        if address:
            host, _, length = address.partition("/")
            route.addr("add", index=index, address=host, prefixlen=int(length))
        route.link("set", index=index, mtu=1500, state="up")


def delete(name: str) -> bool:
    """Remove a device; False if there was none."""
    with _route(f"remove '{name}'") as route:
        found = route.link_lookup(ifname=name)
        if not found:
            return False
        route.link("del", index=found[0])
    return True


def attach(
    port: str, bridge: str, *, tag: int | None = None, trunks: Sequence[tuple[int, int]] = (), size: int | None = None
) -> list[str]:
    """Put a device on a bridge and bring it up; answers warnings.

    `tag` is the guest's VLAN, `trunks` the ranges of further ones (first, last); `size` is the MTU, else the bridge's.
    A bridge that does not filter VLANs gets a sister `<bridge>v<tag>` over a VLAN device of each physical port.
    """
    target = device.find(bridge)
    if target is None or target.kind != "bridge":
        raise NotFound(f"bridge '{bridge}' does not exist", hint="'corral net nat' makes one with DHCP")
    if not target.filters and trunks:
        raise Error(f"bridge '{bridge}' is not VLAN-aware: trunks are not possible on it")
    if tag is not None and not target.filters:
        bridge = vlan_sister(bridge, tag)
    if (found := device.find(port)) is None:
        raise NotFound(f"network device '{port}' does not exist")
    warnings = []
    room = mtu(bridge)
    if size is not None and size > room:
        warnings.append(f"MTU {size} of '{port}' is larger than the {room} of bridge '{bridge}'")
        size = None
    if found.mtu != (size or room):
        device.set_mtu(port, size or room)
    device.put_on(found, bridge)
    if target.filters:
        with _route(f"set the VLANs of '{port}'") as route:
            _set_vlans(route, found.number, tag, trunks)
    device.set_up(port)
    return warnings


def vlan_sister(bridge: str, tag: int) -> str:
    """The bridge that carries one VLAN of a bridge without VLAN filtering; made if it is missing."""
    name = check_name(f"{bridge}v{tag}")
    if not exists(name):
        add_bridge(name)
    with _route(f"carry VLAN {tag} of bridge '{bridge}'") as route:
        for link in links():
            if link.master != bridge or link.kind not in ("", "bond"):
                continue
            port = link.name
            vlan = check_name(f"{port}.{tag}")
            if not exists(vlan):
                route.link("add", ifname=vlan, kind="vlan", link=_index(route, port), vlan_id=tag)
            route.link("set", index=_index(route, vlan), master=_index(route, name), state="up")
    return name


def limit_rate(name: str, megabytes: float | None) -> list[str]:
    """Limit a tap in both directions to so many MB/s (10^6 bytes); None lifts the limit. Answers warnings."""
    with _route(f"limit the rate of '{name}'") as route:
        index = _index(route, name)
        for handle in ("root", "ingress"):
            with contextlib.suppress(Exception):  # pyroute2's own exception tree; nothing to remove is fine
                route.tc("del", index=index, **({"root": True} if handle == "root" else {"kind": "ingress"}))
        if not megabytes:
            return []
        rate = int(megabytes * 1_000_000)
        burst = max(64 * 1024, min(1024 * 1024, rate // 10))
        # To the guest: shaped when it leaves the host. From the guest: dropped when it enters.
        route.tc("add", "tbf", index, _ROOT, rate=rate, burst=burst, latency="50ms")
        try:
            route.tc("add", "ingress", index, _INGRESS)
            route.tc("add-filter", "u32", index, parent=_INGRESS, prio=50, protocol=_ALL_PROTOCOLS, target=0x10000,
                     rate=f"{rate * 8}bit", burst=burst, limit=0, action="drop", keys=["0x0/0x0+12"])  # fmt: skip
        except Exception as exc:
            log.debug("no policing on %s: %r", name, exc)
            return [f"this kernel can't limit what the guest sends on '{name}'; only what it receives is limited"]
    return []


def _set_vlans(route: IPRoute, index: int, tag: int | None, trunks: Sequence[tuple[int, int]]) -> None:
    if tag is None and not trunks:
        # All VLANs pass, untagged frames are VLAN 1.
        wanted: list[dict[str, Any]] = [{"vid_start": 2, "vid_end": 4094}]
    else:
        with contextlib.suppress(Exception):  # VLAN 1 may not be set
            route.vlan_filter("del", index=index, vlan_info={"vid": 1})
        wanted = [{"vid_start": first, "vid_end": last} for first, last in trunks]
        if tag is not None:
            wanted.append({"vid": tag, "flags": ["pvid", "untagged"]})
    for vlan in wanted:
        if "vid" in vlan:
            route.vlan_filter("add", index=index, vlan_info=vlan)
        else:
            for vid in range(vlan["vid_start"], vlan["vid_end"] + 1):
                route.vlan_filter("add", index=index, vlan_info={"vid": vid})


def _index(route: IPRoute, name: str) -> int:
    found = route.link_lookup(ifname=name)
    if not found:
        raise NotFound(f"network device '{name}' does not exist")
    index: int = found[0]
    return index


@contextlib.contextmanager
def _route(purpose: str) -> Iterator[IPRoute]:
    from pyroute2 import IPRoute
    from pyroute2.netlink.exceptions import NetlinkError

    try:
        with IPRoute() as route:
            yield route
    except NetlinkError as exc:
        if exc.code == errno.EOPNOTSUPP:
            raise Error(f"can't {purpose}: this kernel does not support it") from exc
        raise Error(f"can't {purpose}: {os.strerror(exc.code)}") from exc


def _put(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
