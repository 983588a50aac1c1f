"""Settings of a node: `/nodes/{node}/config`, `dns`, `hosts`, `time`, `subscription`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.api import shapes
from corral.app import Call
from corral.node import config
from corral.node.config import NodeOptions
from corral.node.service import SetDns, SetHosts, SetTimezone
from corral.rest import anyone, endpoint, need
from corral.schema import doc, formats, length, pattern, spread
from corral.schema.fields import split_list
from corral.schema.types import Digest, NodeName

_AUDIT = need("/nodes/{node}", "Sys.Audit")
_MODIFY = need("/nodes/{node}", "Sys.Modify")

Property = Literal[
    "acme", "acmedomain0", "acmedomain1", "acmedomain2", "acmedomain3", "acmedomain4", "acmedomain5",
    "ballooning-target", "description", "location", "startall-onboot-delay", "wakeonlan",
]  # fmt: skip
Server = Annotated[str, formats.IP, doc("Address of a name server.")]
_NUMBERS = ("ballooning-target", "startall-onboot-delay")


@endpoint("GET", "/nodes/{node}/config", allow=need("/", "Sys.Audit"), runs="node")
def read_config(
    call: Call, node: NodeName, *, property: Annotated[Property, doc("Only this option.")] | None = None
) -> shapes.NodeConfig:
    """Get the node's options."""
    record = call.tree.get(config.key_of(node))
    text = record.text if record else ""
    found: dict[str, Any] = dict(config.read(text).texts())
    found |= {key: int(found[key]) for key in _NUMBERS if found.get(key, "").isdigit()}
    if property is not None:
        return {key: value for key, value in found.items() if key == property}
    return {**found, "digest": config.digest(text)}


@endpoint(
    "PUT", "/nodes/{node}/config", allow=need("/", "Sys.Modify"), runs="node", root=True,
    example={"description": "a rack in the cellar", "wakeonlan": "BC:24:11:00:00:01"},
)  # fmt: skip
def write_config(
    call: Call,
    node: NodeName,
    *,
    options: Annotated[NodeOptions, spread],
    delete: Annotated[str, doc("Options to unset: a list.")] = "",
    digest: Annotated[str, length(0, 40), doc("Refuse the change if the options have changed since.")] | None = None,
) -> None:
    """Set options of the node."""
    names = tuple(split_list(delete))
    call.edit(config.key_of(node), lambda text: config.changed(text, options, names, digest))


@endpoint("GET", "/nodes/{node}/dns", allow=_AUDIT, runs="node", root=True)
def read_dns(call: Call, node: NodeName) -> shapes.DnsSettings:
    """Get the resolver's settings."""
    return call.app.host.dns().wire()


@endpoint(
    "PUT", "/nodes/{node}/dns", allow=_MODIFY, runs="node", root=True,
    example={"search": "example.com", "dns1": "192.0.2.53"},
)  # fmt: skip
def write_dns(
    call: Call,
    node: NodeName,
    *,
    search: Annotated[str, pattern(r"[A-Za-z0-9_.-]{1,253}"), doc("Search domain for host names.")],
    dns1: Server | None = None,
    dns2: Server | None = None,
    dns3: Server | None = None,
) -> None:
    """Set the resolver's search domain and name servers."""
    servers = tuple(server for server in (dns1, dns2, dns3) if server)
    call.run(SetDns(search=search, servers=servers))


@endpoint("GET", "/nodes/{node}/hosts", allow=need("/", "Sys.Audit"), runs="node", root=True)
def read_hosts(call: Call, node: NodeName) -> shapes.HostsFile:
    """Get the text of /etc/hosts."""
    text, digest = call.app.host.hosts()
    return {"data": text, "digest": digest}


@endpoint(
    "POST", "/nodes/{node}/hosts", allow=_MODIFY, runs="node", root=True,
    example={"data": "127.0.0.1 localhost\n192.0.2.1 node1.example.com node1\n"},
)  # fmt: skip
def write_hosts(
    call: Call,
    node: NodeName,
    *,
    data: Annotated[str, length(0, 1024 * 1024), doc("The text.")],
    digest: Digest | None = None,
) -> None:
    """Replace the text of /etc/hosts."""
    call.run(SetHosts(text=data, digest=digest))


@endpoint("GET", "/nodes/{node}/time", allow=_AUDIT, runs="node", root=True)
def read_time(call: Call, node: NodeName) -> shapes.TimeOfNode:
    """Get the node's time and time zone."""
    return call.app.host.time()


@endpoint("PUT", "/nodes/{node}/time", allow=_MODIFY, runs="node", root=True, example={"timezone": "Europe/Vienna"})
def write_time(call: Call, node: NodeName, *, timezone: Annotated[str, doc("Such as `Europe/Vienna`.")]) -> None:
    """Set the time zone."""
    call.run(SetTimezone(zone=timezone))


@endpoint("GET", "/nodes/{node}/subscription", allow=anyone("there is nothing to hide"), runs="node")
def subscription(call: Call, node: NodeName) -> dict[str, Any]:
    """Say that no subscription is needed."""
    # `notfound` is what clients and their dashboards take for a system without one; `active` would be a lie.
    return {"status": "notfound", "message": "Corral needs no subscription.", "url": ""}


@endpoint(
    "POST", "/nodes/{node}/subscription", allow=_MODIFY, runs="node", example={},
)  # fmt: skip
def check_subscription(
    call: Call, node: NodeName, *, force: Annotated[bool, doc("Has no effect here.")] = False
) -> None:
    """Accept the wish to check the subscription: there is nothing to check."""


ENDPOINTS = (
    read_config, write_config, read_dns, write_dns, read_hosts, write_hosts, read_time, write_time, subscription,
    check_subscription,
)  # fmt: skip
