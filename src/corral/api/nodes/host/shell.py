"""`/nodes/{node}/termproxy`, `vncshell` and `vncwebsocket`: the node's shell."""

from __future__ import annotations

from typing import Annotated

from corral.api import shapes
from corral.app import Call
from corral.core.errors import ParamError
from corral.node.shell import Command, TermShell, VncShell
from corral.rest import Console, endpoint, need, never
from corral.schema import between, doc, length, name, requires
from corral.schema.types import NodeName
from corral.system import files, relay

_NO_PLAN = never("a session is made for the client that opens it at once")
_ALLOW = need("/nodes/{node}", "Sys.Console")


def _path(node: str) -> str:
    """What a console's ticket is for."""
    return f"/nodes/{node}"


Wanted = Annotated[Command, doc("What to run: a log-in, or for root@pam an upgrade of packages.")]
Options = Annotated[str, name("cmd-opts"), requires("cmd"), doc("No command here takes options.")]


@endpoint("POST", "/nodes/{node}/termproxy", allow=_ALLOW, runs="node", root=True, plan=_NO_PLAN)
def termproxy(call: Call, node: NodeName, *, cmd: Wanted = "login", cmd_opts: Options = "") -> shapes.ConsoleSession:
    """Open a terminal on the node."""
    _refuse_options(cmd, cmd_opts)
    port, ticket = _session(call, node)
    user = call.who.full
    # Only root@pam itself is let in without a log-in: not its tokens, which may be in many hands.
    upid = call.spawn(TermShell(port=port, greeting=f"{user}:{ticket}", user=user, command=cmd))
    return {"user": user, "ticket": ticket, "port": port, "upid": upid}


@endpoint("POST", "/nodes/{node}/vncshell", allow=_ALLOW, runs="node", root=True, plan=_NO_PLAN)
def vncshell(
    call: Call,
    node: NodeName,
    *,
    cmd: Wanted = "login",
    cmd_opts: Options = "",
    websocket: Annotated[bool, doc("Sessions are always reached through a WebSocket.")] = True,
    width: Annotated[int, between(16, 4096), doc("Width in pixels.")] = 640,
    height: Annotated[int, between(16, 2160), doc("Height in pixels.")] = 312,
) -> shapes.ConsoleSession:
    """Open a graphical terminal on the node."""
    _refuse_options(cmd, cmd_opts)
    if not websocket:
        raise ParamError({"websocket": "only WebSockets are served"})
    port, ticket = _session(call, node)
    user = call.who.full
    greeting = f"{user}:{ticket}"
    upid = call.spawn(VncShell(port=port, greeting=greeting, user=user, command=cmd, width=width, height=height))
    cert = files.read_text(call.app.layout.pki / "ca.pem")
    return {"user": user, "ticket": ticket, "port": port, "upid": upid, "cert": cert}


def _refuse_options(cmd: str, options: str) -> None:
    if options:
        raise ParamError({"cmd-opts": f"'{cmd}' takes no options here"})


def _session(call: Call, node: str) -> tuple[int, str]:
    """A session's label and ticket."""
    port = relay.draw_port()
    return port, call.app.access.tickets.issue_console(call.who.full, _path(node), port)


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
    return Console(call.app.shells.socket(port, f"{call.who.full}:{vncticket}"))


ENDPOINTS = (termproxy, vncshell, vncwebsocket)
