"""`/nodes/{node}/termproxy` and `/nodes/{node}/vncwebsocket`: the node's shell."""

from __future__ import annotations

from typing import Annotated, Any

from corral.app import Call
from corral.core.errors import ParamError
from corral.node.shell import Command, TermShell
from corral.rest import Console, endpoint, need, never
from corral.schema import between, doc, length, name, requires
from corral.schema.types import NodeName

_ALLOW = need("/nodes/{node}", "Sys.Console")


def _path(node: str) -> str:
    """What a console's ticket is for."""
    return f"/nodes/{node}"


@endpoint(
    "POST", "/nodes/{node}/termproxy", allow=_ALLOW, runs="node", root=True,
    plan=never("a session is made for the client that opens it at once"),
)  # fmt: skip
def termproxy(
    call: Call,
    node: NodeName,
    *,
    cmd: Annotated[Command, doc("What to run: a log-in, or for root@pam an upgrade of packages.")] = "login",
    cmd_opts: Annotated[str, name("cmd-opts"), requires("cmd"), doc("No command here takes options.")] = "",
) -> dict[str, Any]:
    """Open a terminal on the node."""
    if cmd_opts:
        raise ParamError({"cmd-opts": f"'{cmd}' takes no options here"})
    port = call.app.shells.free_port()
    user = call.who.full
    ticket = call.app.access.tickets.issue_console(user, _path(node), port)
    # Only root@pam itself is let in without a log-in: not its tokens, which may be in many hands.
    upid = call.spawn(TermShell(port=port, greeting=f"{user}:{ticket}", user=user, command=cmd))
    return {"user": user, "ticket": ticket, "port": port, "upid": upid}


@endpoint("GET", "/nodes/{node}/vncwebsocket", allow=_ALLOW, runs="node")
def vncwebsocket(
    call: Call,
    node: NodeName,
    *,
    port: Annotated[int, between(5900, 5999), doc("The session's number.")],
    vncticket: Annotated[str, length(0, 512), doc("The session's ticket.")],
) -> Console:
    """Connect a WebSocket to a session."""
    call.app.access.tickets.check_console(vncticket, call.who.full, _path(node), port)
    return Console(call.app.shells.socket(port))


ENDPOINTS = (termproxy, vncwebsocket)
