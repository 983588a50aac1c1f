"""Network cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from corral.core.errors import Error
from corral.guests.qemu.args import Device, Item, Netdev
from corral.guests.qemu.boot import boot_index
from corral.schema import formats
from corral.schema.fields import between, doc, name, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

Model = Literal[
    "e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b", "i82559er",
    "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "virtio", "vmxnet3",
]  # fmt: skip


class Net(PropertyString, frozen=True, kw_only=True):
    """A network card: `virtio=BC:24:11:2C:69:EC,bridge=vmbr0,firewall=1`."""

    default_key: ClassVar[str] = "model"
    folded: ClassVar[tuple[str, str] | None] = ("model", "macaddr")

    model: Annotated[Model, doc("The card shown to the guest.")]
    macaddr: Annotated[str, formats.MAC, doc("MAC address; generated when not given.")] | None = None
    bridge: (
        Annotated[str, formats.BRIDGE_ID, doc("Bridge to attach to. Without one the guest gets user-mode networking.")]
        | None
    ) = None
    firewall: Annotated[bool, doc("Filter this card by the guest's firewall rules.")] | None = None
    host_tunnel: (
        Annotated[bool, name("host-tunnel"), doc("Offer offloads of tunneled traffic to the guest.")] | None
    ) = None
    link_down: Annotated[bool, doc("The cable is unplugged.")] | None = None
    mtu: Annotated[int, between(1, 65520), doc("MTU shown to the guest (virtio); 1: the bridge's.")] | None = None
    queues: Annotated[int, between(0, 64), doc("Number of queue pairs.")] | None = None
    rate: Annotated[float, between(0), doc("Limit in MB a second.")] | None = None
    tag: Annotated[int, between(1, 4094), doc("VLAN of all packets.")] | None = None
    trunks: (
        Annotated[str, pattern(r"(?:\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*)"), doc("VLANs to pass, as `2-4;10`.")] | None
    ) = None


# --- rendering -------------------------------------------------------------------------------------------------------

PXE_ROM: Final = {
    "e1000": "pxe-e1000.rom", "e1000-82540em": "pxe-e1000.rom", "ne2k_pci": "pxe-ne2k_pci.rom",
    "pcnet": "pxe-pcnet.rom", "rtl8139": "pxe-rtl8139.rom", "virtio": "pxe-virtio.rom", "vmxnet3": "pxe-vmxnet3.rom",
}  # fmt: skip
"""ROMs of the machine types whose names end in `.pxe`."""


def render_nets(setup: Setup) -> Iterator[Item]:
    """All cards, each after its host side."""
    for index, net in setup.options.net.items():
        yield from items(setup, index, net)


def items(setup: Setup, index: int, net: Net) -> tuple[Netdev, Device]:
    """One card: its host side, then what the guest sees."""
    return netdev(setup, index, net), device(setup, index, net)


def netdev(setup: Setup, index: int, net: Net) -> Netdev:
    """The host's side: a tap on a bridge, or user-mode networking without one."""
    if not net.bridge:
        return Netdev("user", f"net{index}", {"hostname": setup.options.name or f"vm{setup.vmid}"})
    props: dict[str, Any] = {}
    fds = setup.runtime.taps.get(index)
    if fds:
        # By descriptor: QEMU can't open devices itself under its sandbox.
        props["fd" if len(fds) == 1 else "fds"] = ":".join(str(fd) for fd in fds)
    else:
        props["ifname"] = setup.runtime.tap_names.get(index, f"tap{setup.vmid}i{index}")
        props |= _scripts(setup)
    vhost = setup.runtime.vhost.get(index)
    if net.model == "virtio" and setup.kvm and setup.host.vhost_net:
        props["vhost"] = True
        if vhost:
            props["vhostfd" if len(vhost) == 1 else "vhostfds"] = ":".join(str(fd) for fd in vhost)
    if net.queues and net.queues > 1 and net.model == "virtio" and not fds:
        props["queues"] = net.queues
    return Netdev("tap", f"net{index}", props)


def _scripts(setup: Setup) -> dict[str, Any]:
    if setup.host.flavour.readconfig:
        return {"script": "/var/lib/qemu-server/pve-bridge", "downscript": "/var/lib/qemu-server/pve-bridgedown"}
    return {"script": "no", "downscript": "no"}


def device(setup: Setup, index: int, net: Net) -> Device:
    """The card: the argument of `device_add`."""
    name = f"net{index}"
    driver = "virtio-net-pci" if net.model == "virtio" else net.model
    props: dict[str, Any] = {"mac": net.macaddr, "netdev": name}
    if net.model == "virtio":
        props |= _virtio(setup, index, net)
    props["bootindex"] = boot_index(setup, name)
    if setup.machine.pxe and net.model in PXE_ROM:
        props["romfile"] = PXE_ROM[net.model]
    if net.model != "ne2k_isa":
        props |= setup.at(name)
    return Device(driver, name, props)


def _virtio(setup: Setup, index: int, net: Net) -> dict[str, Any]:
    props: dict[str, Any] = {}
    if net.queues and net.queues > 1:
        # Two interrupts a queue pair, one for configuration changes, one for the control queue.
        props |= {"vectors": net.queues * 2 + 2, "mq": True}
        if setup.since(7, 1):
            props["packed"] = True
    if setup.since(7, 1):
        props |= {"rx_queue_size": 1024, "tx_queue_size": 256}
    props["host_mtu"] = mtu(setup, index, net)
    if setup.since(11, 0):
        props["host_tunnel"] = bool(net.host_tunnel)
    return props


def mtu(setup: Setup, index: int, net: Net) -> int | None:
    """MTU told to the guest. Newer machines always tell it: a migration target whose bridge differs must keep it."""
    if index in setup.runtime.host_mtu:
        return setup.runtime.host_mtu[index]
    bridge = setup.host.mtu(net.bridge) if net.bridge else 1500
    if net.mtu is None:
        return bridge if setup.since(10, 1) and net.bridge else None
    if net.mtu == 1:
        return bridge
    if net.mtu > bridge:
        raise Error(f"netdev net{index}: MTU '{net.mtu}' is bigger than the bridge MTU '{bridge}'")
    return net.mtu
