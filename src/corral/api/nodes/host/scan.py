"""`/nodes/{node}/scan`: what storage could be used from here."""

from __future__ import annotations

from typing import Annotated, Any

from corral.app import Call
from corral.core.secret import Secret
from corral.rest import endpoint, need
from corral.schema import between, doc, formats, length, pattern
from corral.schema.types import NodeName

_ALLOW = need("/storage", "Datastore.Allocate")

Server = Annotated[str, formats.ADDRESS, doc("The server's name or address.")]


@endpoint("GET", "/nodes/{node}/scan/nfs", allow=_ALLOW, runs="node", root=True, pool="scan")
def nfs(call: Call, node: NodeName, *, server: Server) -> list[dict[str, Any]]:
    """List the exports of an NFS server."""
    return [dict(row) for row in call.app.host.scans.nfs(server)]


@endpoint("GET", "/nodes/{node}/scan/cifs", allow=_ALLOW, runs="node", root=True, pool="scan")
def cifs(
    call: Call,
    node: NodeName,
    *,
    server: Server,
    username: Annotated[str, pattern(r"[^\s%\\-][^\s%\\]*"), doc("The user's name there.")] | None = None,
    password: Annotated[Secret, doc("The user's password there.")] | None = None,
    domain: Annotated[str, pattern(r"[A-Za-z0-9._][A-Za-z0-9._-]*"), doc("The user's domain.")] | None = None,
) -> list[dict[str, Any]]:
    """List the shares of an SMB server."""
    return [dict(row) for row in call.app.host.scans.cifs(server, username, password, domain)]


@endpoint("GET", "/nodes/{node}/scan/iscsi", allow=_ALLOW, runs="node", root=True, pool="scan")
def iscsi(
    call: Call,
    node: NodeName,
    *,
    portal: Annotated[str, pattern(r"[A-Za-z0-9\[][A-Za-z0-9.:\[\]-]*"), doc("`HOST` or `HOST:PORT`.")],
) -> list[dict[str, Any]]:
    """List the targets behind an iSCSI portal."""
    return [dict(row) for row in call.app.host.scans.iscsi(portal)]


@endpoint("GET", "/nodes/{node}/scan/lvm", allow=_ALLOW, runs="node", root=True, pool="scan")
def lvm(call: Call, node: NodeName) -> list[dict[str, Any]]:
    """List volume groups."""
    return [dict(row) for row in call.app.host.scans.lvm()]


@endpoint("GET", "/nodes/{node}/scan/lvmthin", allow=_ALLOW, runs="node", root=True, pool="scan")
def lvmthin(
    call: Call,
    node: NodeName,
    *,
    vg: Annotated[str, length(0, 100), pattern(r"[a-zA-Z0-9.+_][a-zA-Z0-9.+_-]+"), doc("The volume group.")],
) -> list[dict[str, Any]]:
    """List thin pools of a volume group."""
    return [dict(row) for row in call.app.host.scans.lvmthin(vg)]


@endpoint("GET", "/nodes/{node}/scan/zfs", allow=_ALLOW, runs="node", root=True, pool="scan")
def zfs(call: Call, node: NodeName) -> list[dict[str, Any]]:
    """List ZFS pools."""
    return [dict(row) for row in call.app.host.scans.zfs()]


@endpoint("GET", "/nodes/{node}/scan/pbs", allow=_ALLOW, runs="node", root=True, pool="scan")
def pbs(
    call: Call,
    node: NodeName,
    *,
    server: Server,
    username: Annotated[str, doc("User or token there.")],
    password: Annotated[Secret, doc("Password or token there.")],
    fingerprint: (
        Annotated[str, pattern("([A-Fa-f0-9]{2}:){31}[A-Fa-f0-9]{2}"), doc("SHA-256 of its certificate.")] | None
    ) = None,
    port: Annotated[int, between(1, 65535), doc("TCP port.")] = 8007,
) -> list[dict[str, Any]]:
    """List the datastores of a backup server."""
    return [dict(row) for row in call.app.host.scans.pbs()]


ENDPOINTS = (nfs, cifs, iscsi, lvm, lvmthin, zfs, pbs)
