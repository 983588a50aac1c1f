"""Consoles of virtual machines: a relay for each session, which the client reaches under a port's number."""

from __future__ import annotations

import contextlib
import secrets
import string
from pathlib import Path

from corral.core.errors import Error
from corral.guests.qemu.life.machines import Machines
from corral.guests.qemu.life.work import Console, TermConsole
from corral.node.shell import show
from corral.system import files, relay
from corral.tasks.base import Draws, Intent, Work

SERIAL_SIZE = (80, 25)
"""Columns and lines of a serial display shown to a VNC client: what its programs assume of a line without a size."""
CLIENT_TIMEOUT = 10.0
"""Seconds within which the client must come."""
PASSWORD_LETTERS = string.ascii_letters + string.digits + "!#%&()*+-./:;<=>?@[]^_{|}~"


class Consoles:
    """Opens consoles of virtual machines."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def check(self, args: Console, _draws: Draws) -> Intent:
        """Refuses a guest that does not run."""
        self._machines.load(args.vmid)
        self._machines.processes.need_running(args.vmid)
        return Intent(effects=(f"opens a console of VM {args.vmid}",))

    def display_of(self, vmid: int) -> str:
        """The socket of a guest's display: VNC, or a serial port where that is the display."""
        vga = self._machines.load(vmid).config.options.vga
        kind = vga.type if vga is not None else None
        return kind if kind is not None and kind.startswith("serial") else "vnc"

    def serial_of(self, vmid: int, wanted: str | None) -> str:
        """The socket of a serial port: the wanted one, the display's, or the first; `Error` if there is none."""
        options = self._machines.load(vmid).config.options
        shown = self.display_of(vmid)
        ports = [f"serial{index}" for index, port in options.serial.items() if port == "socket"]
        chosen = wanted or (shown if shown in ports else next(iter(ports), None))
        if chosen not in ports:
            raise Error(f"unable to find a serial interface{f' {wanted}' if wanted else ''}")
        return chosen

    def socket(self, port: int, greeting: str) -> Path:
        """Where a session is reached; `greeting` is its `user:ticket`."""
        return relay.session_socket(self._machines.layout.consoles, port, greeting)

    def wait_open(self, path: Path) -> None:
        """Wait until a session's relay can be reached, for two seconds at most."""
        end = self._machines.clock.monotonic() + 2
        while not path.exists() and self._machines.clock.monotonic() < end:
            self._machines.clock.sleep(0.005)

    def certificate(self) -> str:
        """The certificate by which clients know this node."""
        path = self._machines.layout.pki / "node.pem"
        return files.read_text(path) if path.exists() else ""

    def act(self, args: Console, work: Work) -> None:
        """Wait for the client, then pass bytes until one side leaves."""
        if args.target == "vnc":
            # Web clients answer VNC's question with the ticket where they were given no password.
            self._set_password(args.vmid, args.password or args.greeting.partition(":")[2])
        files.ensure_dir(self._machines.layout.consoles, mode=0o711)
        listener = relay.Listener(self.socket(args.port, args.greeting), group=relay.daemon_group())
        terminal = isinstance(args, TermConsole)
        with listener.accept(CLIENT_TIMEOUT) as client:
            first = b""
            if terminal:
                first = relay.greet(client, lambda said: secrets.compare_digest(said.encode(), args.greeting.encode()))
            path = self._machines.layout.guest_socket(args.vmid, args.target)
            with contextlib.closing(relay.SocketTarget(path)) as target:
                if not terminal and args.target != "vnc":
                    show(client, target, *SERIAL_SIZE)  # a VNC client before a serial display
                else:
                    relay.relay(client, target, framed=terminal, first=first)

    def _set_password(self, vmid: int, password: str) -> None:
        with self._machines.processes.qmp(vmid) as qmp:
            qmp.call("set_password", {"protocol": "vnc", "password": password})
            qmp.call("expire_password", {"protocol": "vnc", "time": "+30"})


def make_password() -> str:
    """Eight printable characters: the most that VNC looks at."""
    return "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(8))
