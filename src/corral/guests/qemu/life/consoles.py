"""Consoles of virtual machines: a relay for each session, which the client reaches under a port's number."""

from __future__ import annotations

import secrets
import string
from pathlib import Path

from corral.core.errors import Error
from corral.core.layout import Layout
from corral.guests.qemu.life.machines import Machines
from corral.guests.qemu.life.work import Console
from corral.system import files, relay
from corral.tasks.base import Draws, Intent, Work

FIRST_PORT, LAST_PORT = 5900, 5999
CLIENT_TIMEOUT = 10.0
"""Seconds within which the client must come."""
PASSWORD_LETTERS = string.ascii_letters + string.digits + "!#%&()*+-./:;<=>?@[]^_{|}~"


class Consoles:
    """Opens consoles of virtual machines. `group` is the group of the unprivileged daemon that connects to relays."""

    def __init__(self, machines: Machines, group: int | None) -> None:
        self._machines = machines
        self._group = group

    def check(self, args: Console, _draws: Draws) -> Intent:
        """Refuses a guest that does not run."""
        self._machines.load(args.vmid)
        self._machines.processes.need_running(args.vmid)
        return Intent(effects=(f"opens a console of VM {args.vmid}",))

    def act(self, args: Console, work: Work) -> None:
        """Wait for the client, then pass bytes until one side leaves."""
        if args.password:
            self._set_password(args)
        files.ensure_dir(self._machines.layout.consoles, mode=0o711)
        listener = relay.Listener(socket_of(self._machines.layout, args.port), group=self._group)
        with listener.accept(CLIENT_TIMEOUT) as client:
            first = b""
            if args.greeting:
                first = relay.greet(client, lambda said: secrets.compare_digest(said.encode(), args.greeting.encode()))
            target = relay.SocketTarget(self._machines.layout.guest_socket(args.vmid, args.target))
            relay.relay(client, target, framed=bool(args.greeting), first=first)

    def _set_password(self, args: Console) -> None:
        with self._machines.processes.qmp(args.vmid) as qmp:
            qmp.call("set_password", {"protocol": "vnc", "password": args.password})
            qmp.call("expire_password", {"protocol": "vnc", "time": "+30"})


def socket_of(layout: Layout, port: int) -> Path:
    """Where the session `port` is reached."""
    return layout.consoles / f"{port}.sock"


def free_port(layout: Layout) -> int:
    """A port whose number no session has; they are taken at random, since a session begins only after its answer."""
    for _ in range(200):
        port = FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT + 1)
        if not (layout.consoles / f"{port}.sock").exists():
            return port
    raise Error("unable to find free port (5900-5999)")


def make_password() -> str:
    """Eight printable characters: the most that VNC looks at."""
    return "".join(secrets.choice(PASSWORD_LETTERS) for _ in range(8))
