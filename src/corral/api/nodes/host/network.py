"""`/nodes/{node}/network` (reading), and `/nodes/{node}/nat`: a bridge with DHCP for a fresh machine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.api import shapes
from corral.app import Call
from corral.core.errors import ParamError
from corral.network import interfaces
from corral.network.nat import NatDown, NatUp
from corral.rest import anyone, endpoint, need
from corral.schema import doc, formats, length, pattern
from corral.schema.types import NodeName, TaskId
from corral.system import netlink

_AUDIT = need("/nodes/{node}", "Sys.Audit")
_MODIFY = need("/nodes/{node}", "Sys.Modify")

Kind = Literal[
    "bridge", "bond", "eth", "alias", "vlan", "fabric", "OVSBridge", "OVSBond", "OVSPort", "OVSIntPort", "vnet",
    "any_bridge", "any_local_bridge", "include_sdn",
]  # fmt: skip


def _rows(call: Call) -> list[dict[str, Any]]:
    return interfaces.rows(interfaces.read(call.app.layout.root), netlink.links())


@endpoint(
    "GET", "/nodes/{node}/network", allow=anyone("names of bridges are needed to make guests"), runs="node", root=True
)
def index(
    call: Call, node: NodeName, *, type: Annotated[Kind, doc("Only interfaces of this kind.")] | None = None
) -> shapes.Interfaces:
    """List network interfaces."""
    return interfaces.of_type(_rows(call), type)


@endpoint("GET", "/nodes/{node}/network/{iface}", allow=_AUDIT, runs="node", root=True)
def read(
    call: Call, node: NodeName, iface: Annotated[str, formats.IFACE, length(2, 20), doc("The interface's name.")]
) -> shapes.OneInterface:
    """Get one network interface."""
    for row in _rows(call):
        if row["iface"] == iface:
            return {key: value for key, value in row.items() if key != "iface"}
    raise ParamError({"iface": "interface does not exist"})


@endpoint("GET", "/nodes/{node}/nat", allow=_AUDIT, runs="node", root=True)
def nat(call: Call, node: NodeName) -> shapes.NatState:
    """Say whether there is a NAT bridge."""
    state = call.app.nat.state()
    if state is None:
        return {"active": False}
    return {"active": call.app.nat.whole(), "bridge": state.bridge, "address": state.address}


@endpoint("POST", "/nodes/{node}/nat", allow=_MODIFY, runs="node", root=True, example={"bridge": "vmbr9"})
def nat_up(
    call: Call,
    node: NodeName,
    *,
    bridge: Annotated[str, pattern(r"[a-zA-Z][a-zA-Z0-9_]{1,14}"), doc("The bridge to make.")] = "vmbr0",
    address: (
        Annotated[str, formats.CIDRV4, doc("Its address, as `10.99.0.1/24`; else a free network is chosen.")] | None
    ) = None,
) -> TaskId:
    """Make a bridge with DHCP, DNS and address translation for guests."""
    return call.spawn(NatUp(bridge=bridge, address=address))


@endpoint("DELETE", "/nodes/{node}/nat", allow=_MODIFY, runs="node", root=True, example={})
def nat_down(call: Call, node: NodeName) -> TaskId:
    """Take the NAT bridge back."""
    return call.spawn(NatDown())


ENDPOINTS = (index, read, nat, nat_up, nat_down)
