"""/nodes/{node}/qemu/{vmid}: graphical and serial consoles, keys, QEMU's monitor."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.api import shapes
from corral.api.nodes.qemu.fields import ONE, VM, WAITING, SkipLock
from corral.app import Call
from corral.core.errors import Error
from corral.guests.qemu.life.consoles import make_password
from corral.guests.qemu.life.work import Console as Session
from corral.guests.qemu.life.work import QmMonitor, QmSendKey, TermConsole
from corral.rest import Console, Endpoint, endpoint, need, need_any, never
from corral.schema import between, doc, length, name
from corral.schema.types import VMID, NodeName
from corral.system.relay import draw_port

SEE = need(VM, "VM.Console")
_STREAM = never("a console is a stream that belongs to one moment")


@endpoint("POST", f"{ONE}/vncproxy", allow=SEE, runs="node", plan=_STREAM, example={"vmid": 101})
def vncproxy(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    websocket: Annotated[bool, doc("Accepted for compatibility; the proxy always speaks WebSocket.")] = False,
    generate_password: Annotated[
        bool, name("generate-password"), doc("Make a one-time password that VNC asks for.")
    ] = False,
) -> shapes.ConsoleSession:
    """Creates a VNC proxy connection for the guest's display."""
    password = make_password() if generate_password else ""
    target = call.app.qemu.consoles.display_of(vmid)
    session = Session(vmid=vmid, port=draw_port(), target=target, password=password)
    return _opened(call, vmid, session) | ({"password": password} if password else {})


@endpoint("POST", f"{ONE}/termproxy", allow=SEE, runs="node", plan=_STREAM, example={"vmid": 101})
def termproxy(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    serial: Annotated[
        Literal["serial0", "serial1", "serial2", "serial3"] | None,
        doc("The serial port; the display's, or the first one there is, when not given."),
    ] = None,
) -> shapes.ConsoleSession:
    """Creates a terminal proxy for a serial port."""
    target = call.app.qemu.consoles.serial_of(vmid, serial)
    opened = _opened(call, vmid, TermConsole(vmid=vmid, port=draw_port(), target=target))
    return {key: value for key, value in opened.items() if key != "cert"}


def _opened(call: Call, vmid: int, session: Session) -> dict[str, Any]:
    """Start the session's relay; what the client needs to reach it."""
    ticket = call.app.access.tickets.issue_console(call.who.full, f"/vms/{vmid}", session.port)
    greeting = f"{call.who.full}:{ticket}"
    upid = call.spawn(session.with_greeting(greeting))
    call.app.qemu.consoles.wait_open(call.app.qemu.consoles.socket(session.port, greeting))
    return {
        "user": call.who.full,
        "ticket": ticket,
        "port": session.port,
        "upid": upid,
        "cert": call.app.qemu.consoles.certificate(),
    }


@endpoint("GET", f"{ONE}/vncwebsocket", allow=SEE, runs="node")
def vncwebsocket(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    port: Annotated[int, between(5900, 5999), doc("The port that the proxy call answered.")],
    vncticket: Annotated[str, length(0, 512), doc("The ticket that the proxy call answered.")],
) -> Console:
    """Opens a WebSocket to a console session."""
    call.app.access.tickets.check_console(vncticket, call.who.full, f"/vms/{vmid}", port)
    return Console(call.app.qemu.consoles.socket(port, f"{call.who.full}:{vncticket}"))


@endpoint("POST", f"{ONE}/spiceproxy", allow=SEE, runs="node", plan=_STREAM)
def spiceproxy(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    proxy: Annotated[str | None, doc("Name or address of the proxy that the client shall use.")] = None,
) -> dict[str, Any]:
    """Returns a SPICE configuration to connect to the VM."""
    call.app.qemu.load(vmid)
    raise Error(f"VM {vmid}: this node offers no SPICE proxy; use the VNC console")


@endpoint("PUT", f"{ONE}/sendkey", allow=SEE, runs="node", pool=WAITING, example={"vmid": 101, "key": "ctrl-alt-f1"})
def sendkey(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    key: Annotated[str, doc("Keys pressed together, as `ctrl-alt-delete` (QEMU's names).")],
    skiplock: SkipLock = False,
) -> None:
    """Send key event to virtual machine."""
    call.run(QmSendKey(vmid=vmid, key=key, skiplock=skiplock))


@endpoint(
    "POST",
    f"{ONE}/monitor",
    allow=need_any(VM, "Sys.Audit", "Sys.Modify"),
    runs="node",
    pool=WAITING,
    example={"vmid": 101, "command": "info status"},
)
def monitor(call: Call, node: NodeName, vmid: VMID, *, command: Annotated[str, doc("The monitor's command.")]) -> str:
    """Execute commands of QEMU's monitor."""
    if not call.app.qemu.monitor.harmless(command):
        call.need("/", "Sys.Modify")
    answer: str = call.run(QmMonitor(vmid=vmid, command=command))
    return answer


ENDPOINTS: tuple[Endpoint, ...] = (vncproxy, termproxy, vncwebsocket, spiceproxy, sendkey, monitor)
