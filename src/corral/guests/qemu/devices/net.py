"""Network cards."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema import formats
from corral.schema.fields import between, doc, name, pattern
from corral.schema.propstring import PropertyString

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
    firewall: Annotated[bool, doc("Filter this card by the guest's firewall rules.", default=False)] | None = None
    host_tunnel: (
        Annotated[bool, name("host-tunnel"), doc("Offer offloads of tunneled traffic to the guest.")] | None
    ) = None
    link_down: Annotated[bool, doc("The cable is unplugged.", default=False)] | None = None
    mtu: Annotated[int, between(1, 65520), doc("MTU shown to the guest (virtio); 1: the bridge's.")] | None = None
    queues: Annotated[int, between(0, 64), doc("Number of queue pairs.")] | None = None
    rate: Annotated[float, between(0), doc("Limit in MB a second.")] | None = None
    tag: Annotated[int, between(1, 4094), doc("VLAN of all packets.")] | None = None
    trunks: (
        Annotated[str, pattern(r"(?:\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*)"), doc("VLANs to pass, as `2-4;10`.")] | None
    ) = None
