"""The node's shell, as a terminal or as pixels: a log-in prompt, or root's own shell for root@pam."""

from __future__ import annotations

import os
import secrets
import select
import socket
from pathlib import Path
from typing import Any, ClassVar, Literal

from corral.core.errors import Error, Forbidden
from corral.core.layout import Layout
from corral.node import glyphs
from corral.node.rfb import Server
from corral.node.screen import MAX_SIZE, Screen
from corral.system import files, relay
from corral.system.terminal import open_terminal
from corral.tasks.base import Draws, Intent, TaskArgs, TaskType, Work

CLIENT_TIMEOUT = 10.0
"""Seconds within which the client must come."""

Command = Literal["ceph_install", "login", "upgrade"]


class TermShell(TaskArgs, frozen=True, kw_only=True):
    """One session under the label `port`; `greeting` is what the client must say first: `user:ticket`."""

    type: ClassVar[str] = "termproxy"
    port: int
    greeting: str
    user: str
    command: Command = "login"


class VncShell(TermShell, frozen=True, kw_only=True):
    """The same as a graphical console of so many pixels; its client says nothing, the WebSocket's ticket is enough."""

    type: ClassVar[str] = "vncshell"
    width: int = 80 * glyphs.WIDTH
    height: int = 24 * glyphs.HEIGHT


class Shells:
    """Opens terminals on this node."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def socket(self, port: int, greeting: str) -> Path:
        """Where a session is reached."""
        return relay.session_socket(self._layout.consoles, port, greeting)

    def check(self, args: TermShell, draws: Draws) -> Intent:
        """Refuse commands that only root@pam may start without a log-in, and those that there are not."""
        if args.command != "login" and args.user != "root@pam":
            raise Forbidden("Permission check failed (user != root@pam)")
        if args.command == "ceph_install":
            raise Error("Ceph is not supported by this version")
        return Intent(effects=(f"opens a terminal on this node for {args.user}",))

    def act(self, args: TermShell, work: Work) -> None:
        """Wait for the client, check what it says, then pass bytes until one side leaves."""
        files.ensure_dir(self._layout.consoles, mode=0o711)
        listener = relay.Listener(self.socket(args.port, args.greeting), group=relay.daemon_group())
        with listener.accept(CLIENT_TIMEOUT) as client:
            first = relay.greet(client, lambda said: secrets.compare_digest(said.encode(), args.greeting.encode()))
            terminal = open_terminal(command_of(args), environment())
            try:
                relay.relay(client, relay.TerminalTarget(terminal.master), framed=True, first=first)
            finally:
                terminal.close()

    def act_vnc(self, args: VncShell, work: Work) -> None:
        """Wait for the client, then show it a terminal until one side leaves."""
        files.ensure_dir(self._layout.consoles, mode=0o711)
        listener = relay.Listener(self.socket(args.port, args.greeting), group=relay.daemon_group())
        with listener.accept(CLIENT_TIMEOUT) as client:
            terminal = open_terminal(command_of(args), {**environment(), "TERM": "linux"})
            try:
                show(
                    client,
                    relay.TerminalTarget(terminal.master),
                    max(20, args.width // glyphs.WIDTH),
                    max(5, args.height // glyphs.HEIGHT),
                )
            finally:
                terminal.close()


def show(client: socket.socket, terminal: relay.Target, columns: int, lines: int) -> None:
    """Serve one VNC client with the screen of a terminal or serial line, until one of them ends."""
    columns, lines = min(columns, MAX_SIZE), min(lines, MAX_SIZE)
    terminal.resize(columns, lines)
    master = terminal.fileno()

    def typed(data: bytes) -> None:
        os.write(master, data)

    screen = Screen(columns, lines, reply=typed)
    server = Server(screen, typed, "shell")
    poller = select.poll()
    poller.register(client, select.POLLIN)
    poller.register(master, select.POLLIN)
    client.settimeout(60)
    while True:
        client.sendall(server.outgoing())
        for descriptor, _ in poller.poll():
            try:
                data = os.read(descriptor, relay.CHUNK)
            except OSError:  # a pseudo terminal whose last process has ended answers EIO
                return
            if not data:
                return
            if descriptor == master:
                screen.feed(data)
            else:
                server.feed(data)


def command_of(args: TermShell) -> list[str]:
    """root@pam has proven who it is; everybody else logs in as a user of the machine."""
    if args.command == "upgrade":
        return ["sh", "-c", "apt-get update && apt-get dist-upgrade; exec bash -l"]
    return ["login", "-f", "root"] if args.user == "root@pam" else ["login"]


def environment() -> dict[str, str]:
    """What a shell is started with."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": "/root", "PATH": path}


def _shells(app: Any) -> Shells:  # Any: the app, which this room does not know
    shells: Shells = app.shells
    return shells


TASKS: tuple[TaskType[Any, Any], ...] = (
    TaskType(TermShell, _shells, Shells.check, Shells.act),
    TaskType(VncShell, _shells, Shells.check, Shells.act_vnc),
)
