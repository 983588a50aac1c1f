"""The host: what this node is, and its settings that live in files of the machine.

Reading answers at once; every change is a task (`TASKS`), most of them awaited: they replace one file in one step, so
there is nothing to undo.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal

from corral.core.clock import Clock
from corral.core.errors import Conflict, Error
from corral.core.layout import Layout
from corral.node import config, dns, facts, timezone
from corral.node.config import WakeOnLan
from corral.node.logs import Logs
from corral.node.scan import Scans
from corral.node.services import Action, Services, SupervisedServices, SystemdServices
from corral.system import files, proc
from corral.system.run import ANY, Run
from corral.tasks.base import Draws, Intent, TaskArgs, TaskType, Work

MAX_FILE = 1024 * 1024


class SetDns(TaskArgs, frozen=True, kw_only=True):
    """Replace the resolver's search domain and servers."""

    type: ClassVar[str] = "setdns"
    search: str
    servers: tuple[str, ...] = ()


class SetHosts(TaskArgs, frozen=True, kw_only=True):
    """Replace `/etc/hosts`, if its digest is still the one given."""

    type: ClassVar[str] = "sethosts"
    text: str
    digest: str | None = None


class SetTimezone(TaskArgs, frozen=True, kw_only=True):
    """Set the time zone."""

    type: ClassVar[str] = "settimezone"
    zone: str


class _ServiceArgs(TaskArgs, frozen=True, kw_only=True):
    type: ClassVar[str] = ""
    action: ClassVar[Action]
    service: str

    def id(self) -> str:
        """The service."""
        return self.service


class StartService(_ServiceArgs, frozen=True, kw_only=True):
    """Start a service."""

    type: ClassVar[str] = "srvstart"
    action: ClassVar[Action] = "start"


class StopService(_ServiceArgs, frozen=True, kw_only=True):
    """Stop a service."""

    type: ClassVar[str] = "srvstop"
    action: ClassVar[Action] = "stop"


class RestartService(_ServiceArgs, frozen=True, kw_only=True):
    """Restart a service."""

    type: ClassVar[str] = "srvrestart"
    action: ClassVar[Action] = "restart"


class ReloadService(_ServiceArgs, frozen=True, kw_only=True):
    """Reload a service."""

    type: ClassVar[str] = "srvreload"
    action: ClassVar[Action] = "reload"


class PowerNode(TaskArgs, frozen=True, kw_only=True):
    """Reboot or shut down the machine."""

    type: ClassVar[str] = "nodepower"
    command: Literal["reboot", "shutdown"]


class WakeNode(TaskArgs, frozen=True, kw_only=True):
    """Send the packet that wakes another node."""

    type: ClassVar[str] = "wakeonlan"
    node: str
    mac: str
    broadcast: str = "255.255.255.255"
    interface: str | None = None

    def id(self) -> str:
        """The node that is woken."""
        return self.node


class Host:
    """This node's machine. `systemd` tells whether systemd runs it."""

    def __init__(self, layout: Layout, run: Run, clock: Clock, node: str, *, systemd: bool | None = None) -> None:
        self.layout = layout
        self.node = node
        self._run = run
        self._clock = clock
        booted = Path("/run/systemd/system").is_dir() and proc.read("/proc/1/comm").strip() == "systemd"
        self.systemd = booted if systemd is None else systemd
        self.scans = Scans(run)

    @cached_property
    def services(self) -> Services:
        """The node's services: units on an installed node, else what the supervisor keeps."""
        if self.systemd and not self.layout.private:
            return SystemdServices(self._run)
        return SupervisedServices(self.layout.root)

    @cached_property
    def logs(self) -> Logs:
        """The node's logs."""
        installed = self.systemd and not self.layout.private
        system = () if self.layout.private else (Path("/var/log/syslog"), Path("/var/log/messages"))
        return Logs(self._run, self.layout.log, system, journal=installed)

    # --- reading ------------------------------------------------------------------------------------------------

    def status(self, *, busy: float = 0.0, wait: float = 0.0, disk: files.Space | None = None) -> dict[str, Any]:
        """The node now. `disk` None: look at the root directory (only root may, where that is private)."""
        return facts.status(
            cpu=proc.cpu(),
            kernel=facts.kernel(),
            memory=proc.memory(),
            disk=disk or files.free_space(self.layout.root),
            load=proc.load(),
            uptime=int(proc.uptime()),
            busy=busy,
            wait=wait,
        )

    def dns(self) -> dns.Dns:
        """The resolver's settings."""
        return dns.parse(self._text("etc/resolv.conf"))

    def hosts(self) -> tuple[str, str]:
        """The text of the hosts file, and its digest."""
        text = self._text("etc/hosts")
        return text, hosts_digest(text)

    def time(self) -> dict[str, Any]:
        """The node's time: `time` in UTC seconds, `localtime` the same with the zone's offset added."""
        zone, now = timezone.read(self.layout.root), self._clock.now()
        return {"timezone": zone, "time": int(now), "localtime": int(now) + timezone.offset(zone, now)}

    def report(self) -> str:
        """A text for those who help: versions, memory, disks, network, services. Contains no secret."""
        kernel = facts.kernel()
        parts = [
            ("version", " ".join(f"{key}={value}" for key, value in facts.version().items())),
            ("kernel", " ".join(kernel)),
            ("uptime", f"{proc.uptime():.0f} s, load {' '.join(proc.load())}"),
            ("cpu", str(proc.cpu()._replace(flags=""))),
            ("memory", str(proc.memory())),
            ("dns", str(self.dns())),
            ("services", "\n".join(str(service) for service in self.services.list())),
        ]
        for words in (["df", "-h", "-T"], ["ip", "-br", "address"], ["qemu-system-x86_64", "--version"]):
            parts.append((" ".join(words), self._said(words)))
        return "".join(f"==== {title} ====\n{text.strip()}\n\n" for title, text in parts)

    def _said(self, words: list[str]) -> str:
        try:
            output = self._run(words, timeout=10, ok=ANY)
        except Error as exc:
            return str(exc)
        return output.stdout or output.stderr

    def _path(self, name: str) -> Path:
        return self.layout.root / name

    def _text(self, name: str) -> str:
        """A file of this node; of the machine where the node has none of its own yet."""
        for path in (self._path(name), Path("/") / name):
            if path.is_file():
                return files.read_text(path, limit=MAX_FILE)
        return ""

    # --- tasks --------------------------------------------------------------------------------------------------

    def check_dns(self, args: SetDns, draws: Draws) -> Intent:
        """Nothing to refuse."""
        return Intent(locks=("node/dns",), effects=(f"writes {self._path('etc/resolv.conf')}",))

    def act_dns(self, args: SetDns, work: Work) -> None:
        """Write it."""
        text = dns.render(self._text("etc/resolv.conf"), dns.Dns(args.search, args.servers))
        self._write("etc/resolv.conf", text)

    def check_hosts(self, args: SetHosts, draws: Draws) -> Intent:
        """Refuse a text that others have changed meanwhile."""
        self._compare_hosts(args)
        return Intent(locks=("node/hosts",), effects=(f"writes {self._path('etc/hosts')}",))

    def act_hosts(self, args: SetHosts, work: Work) -> None:
        """Compare again, now under the lock, and write it."""
        self._compare_hosts(args)
        self._write("etc/hosts", args.text)

    def _compare_hosts(self, args: SetHosts) -> None:
        if args.digest and args.digest != self.hosts()[1]:
            raise Conflict(config.CHANGED)

    def _write(self, name: str, text: str) -> None:
        path = self._path(name)
        files.ensure_dir(path.parent)
        # Where the name is a link (systemd-resolved's stub, say), its owner would write over what we put there.
        files.atomic_write(path.resolve() if path.is_symlink() and not self.layout.private else path, text)

    def check_timezone(self, args: SetTimezone, draws: Draws) -> Intent:
        """Refuse a zone that there is not."""
        timezone.check(args.zone)
        return Intent(locks=("node/time",), effects=(f"sets the time zone to {args.zone}",))

    def act_timezone(self, args: SetTimezone, work: Work) -> None:
        """Set it."""
        timezone.write(self.layout.root, timezone.check(args.zone))

    def check_service(self, args: _ServiceArgs, draws: Draws) -> Intent:
        """Refuse what can't be done with the service."""
        self.services.refuse(args.service, args.action)
        return Intent(locks=(f"node/service/{args.service}",), effects=(f"{args.action}s service {args.service}",))

    def act_service(self, args: _ServiceArgs, work: Work) -> None:
        """Do it."""
        work.log(f"{args.action} {args.service}")
        self.services.act(args.service, args.action)

    def check_power(self, args: PowerNode, draws: Draws) -> Intent:
        """Refuse it for a node that shares its machine with others."""
        if self.layout.private:
            raise Error(
                f"node '{self.node}' runs below {self.layout.root}: its machine is not its own to {args.command}"
            )
        return Intent(
            locks=("node/power",), effects=(f"{args.command}s the machine",), warnings=("guests are stopped",)
        )

    def act_power(self, args: PowerNode, work: Work) -> None:
        """Ask the machine to."""
        words = ["systemctl", "reboot" if args.command == "reboot" else "poweroff"]
        if not self.systemd:
            words = ["shutdown", "-r" if args.command == "reboot" else "-h", "now"]
        self._run(words, timeout=30)

    def check_wake(self, args: WakeNode, draws: Draws) -> Intent:
        """Nothing to refuse."""
        return Intent(effects=(f"sends a wake-up packet for {args.mac} to {args.broadcast}",))

    def act_wake(self, args: WakeNode, work: Work) -> str:
        """Send it; answers the MAC address."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if args.interface:
                sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, args.interface.encode())
            try:
                sender.sendto(magic_packet(args.mac), (args.broadcast, 9))
            except OSError as exc:
                raise Error(f"can't send the wake-up packet - {exc.strerror}") from exc
        return args.mac


def hosts_digest(text: str) -> str:
    """The digest of the hosts file: SHA-1 of its text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def magic_packet(mac: str) -> bytes:
    """What a sleeping network card waits for: six bytes of ones and its address sixteen times."""
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


def wake_of(options: WakeOnLan, node: str) -> WakeNode:
    """The task that wakes a node with these settings."""
    return WakeNode(
        node=node, mac=options.mac, broadcast=options.broadcast or "255.255.255.255", interface=options.bind
    )


def _host(app: Any) -> Host:  # Any: the app, which this room does not know
    host: Host = app.host
    return host


_SERVICE: tuple[Callable[..., Intent], Callable[..., None]] = (Host.check_service, Host.act_service)

TASKS: tuple[TaskType[Any, Any], ...] = (
    TaskType(SetDns, _host, Host.check_dns, Host.act_dns),
    TaskType(SetHosts, _host, Host.check_hosts, Host.act_hosts),
    TaskType(SetTimezone, _host, Host.check_timezone, Host.act_timezone),
    TaskType(StartService, _host, *_SERVICE),
    TaskType(StopService, _host, *_SERVICE),
    TaskType(RestartService, _host, *_SERVICE),
    TaskType(ReloadService, _host, *_SERVICE),
    TaskType(PowerNode, _host, Host.check_power, Host.act_power),
    TaskType(WakeNode, _host, Host.check_wake, Host.act_wake),
)
