"""The node's services: as systemd units where systemd runs, else as the processes that the supervisor keeps.

The API has a fixed list of services with the field's names; each stands for a daemon of ours, a unit of the system, or
nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, get_args

from corral.core.errors import Error, NotFound
from corral.system import pidfd, proc
from corral.system.run import ANY, Run

ServiceName = Literal[
    "chrony", "corosync", "cron", "ksmtuned", "lxcfs", "postfix", "proxmox-firewall", "pve-cluster", "pve-firewall",
    "pve-ha-crm", "pve-ha-lrm", "pve-lxc-syscalld", "pvedaemon", "pvefw-logger", "pveproxy", "pvescheduler",
    "pvestatd", "qmeventd", "spiceproxy", "sshd", "syslog", "systemd-journald", "systemd-timesyncd",
]  # fmt: skip
NAMES: tuple[str, ...] = get_args(ServiceName)
Action = Literal["start", "stop", "restart", "reload"]

OURS = {
    "pveproxy": "corral-api",
    "pvedaemon": "corrald",
    "pvestatd": "corrald",
    "pvescheduler": "corrald",
    "qmeventd": "corrald",
    "pve-cluster": "corral-fs",
    "pve-ha-crm": "corral-ha",
    "pve-ha-lrm": "corral-ha",
}
"""Names of the field → our daemon that does it."""
_UNITS = {"syslog": "rsyslog", "sshd": "ssh", **OURS}
_WORDS = {
    "corral-api": "API server",
    "corrald": "privileged daemon: calls, tasks, status and timers",
    "corral-fs": "file view of the configuration",
    "corral-ha": "high availability",
}


class Service(NamedTuple):
    """A service in the wire's words."""

    service: str
    desc: str
    state: str
    active: str
    unit: str

    def wire(self) -> dict[str, str]:
        """As the API shows it."""
        return {
            "service": self.service,
            "name": self.service,
            "desc": self.desc,
            "state": self.state,
            "active-state": self.active,
            "unit-state": self.unit,
        }


class Services(Protocol):
    """What a node can say of its services and do with them."""

    def list(self) -> list[Service]:
        """All of them."""
        ...

    def get(self, name: str) -> Service:
        """One of them."""
        ...

    def refuse(self, name: str, action: Action) -> None:
        """`Error` if this can't be done, before anything is."""
        ...

    def act(self, name: str, action: Action) -> None:
        """Do it and wait until it is done."""
        ...


class SystemdServices:
    """Units of systemd."""

    _SHOWN = "Id,Description,SubState,ActiveState,UnitFileState,LoadState"

    def __init__(self, run: Run) -> None:
        self._run = run

    def list(self) -> list[Service]:
        """See `Services`."""
        units = [unit_of(name) for name in NAMES]
        output = self._run(["systemctl", "show", f"--property={self._SHOWN}", "--", *units], timeout=20, ok=ANY)
        return parse_units(output.stdout, NAMES)

    def get(self, name: str) -> Service:
        """See `Services`."""
        output = self._run(["systemctl", "show", f"--property={self._SHOWN}", "--", unit_of(name)], timeout=20, ok=ANY)
        return parse_units(output.stdout, [name])[0]

    def refuse(self, name: str, action: Action) -> None:
        """See `Services`."""
        if self.get(name).unit == "not-found":
            raise NotFound(f"service '{name}' is not installed on this node")
        if action == "stop" and name in ("pveproxy", "pvedaemon"):
            raise Error(
                f"service '{name}' can't be stopped through the API, which would be cut off; restart it instead"
            )

    def act(self, name: str, action: Action) -> None:
        """See `Services`."""
        verb = "reload-or-restart" if action == "reload" else action
        self._run(["systemctl", verb, "--", unit_of(name)], timeout=120)


class SupervisedServices:
    """Our daemons under the supervisor of one root directory; nothing else is known there."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def list(self) -> list[Service]:
        """See `Services`."""
        running = daemons(self._root)
        return [self._service(name, running) for name in NAMES]

    def get(self, name: str) -> Service:
        """See `Services`."""
        return self._service(name, daemons(self._root))

    def refuse(self, name: str, action: Action) -> None:
        """See `Services`. To start what runs, or stop what does not, is fine, as it is for systemd."""
        runs = OURS.get(name) in daemons(self._root)
        if action == "stop" and runs:
            raise Error(f"the supervisor keeps '{name}' running: it can be restarted, but not stopped")
        if action != "stop" and not runs:
            raise NotFound(f"service '{name}' does not run on this node")

    def act(self, name: str, action: Action) -> None:
        """See `Services`."""
        self.refuse(name, action)
        if action in ("start", "stop"):
            return
        with pidfd.Held(daemons(self._root)[OURS[name]]) as held:
            held.signal(signal.SIGTERM)
            if not held.wait(30):
                raise Error(f"service '{name}' does not end")

    @staticmethod
    def _service(name: str, running: Mapping[str, int]) -> Service:
        daemon = OURS.get(name)
        if daemon not in running or daemon is None:
            return Service(name, _WORDS.get(daemon or "", name), "dead", "inactive", "not-found")
        return Service(name, _WORDS[daemon], "running", "active", "enabled")


def unit_of(name: str) -> str:
    """The systemd unit that stands for a service."""
    return f"{_UNITS.get(name, name)}.service"


def parse_units(text: str, names: Iterable[str]) -> list[Service]:
    """`systemctl show`: one block a unit, in the order asked for."""
    blocks = [
        dict(pair for line in block.splitlines() if (pair := line.partition("=")[::2])) for block in text.split("\n\n")
    ]
    found = []
    for index, name in enumerate(names):
        block = blocks[index] if index < len(blocks) else {}
        missing = block.get("LoadState", "not-found") == "not-found"
        found.append(
            Service(
                service=name,
                desc=block.get("Description") or name,
                state=block.get("SubState") or "unknown",
                active=block.get("ActiveState") or "unknown",
                unit="not-found" if missing else block.get("UnitFileState") or "unknown",
            )
        )
    return found


def daemons(root: Path) -> dict[str, int]:
    """Our daemons that run for a root directory, found by their command lines: name → pid of the oldest."""
    found: dict[str, tuple[int, int]] = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        words = proc.command_line(int(entry))
        name = daemon_name(words, root)
        stat = proc.pid_stat(int(entry)) if name else None
        # Workers and the zygote are forks of corrald with its command line; the daemon itself is the oldest.
        if name and stat and (name not in found or (stat.start, stat.pid) < found[name]):
            found[name] = (stat.start, stat.pid)
    return {name: pid for name, (_, pid) in found.items()}


def daemon_name(words: list[str], root: Path) -> str | None:
    """Which daemon of which root a command line starts; None for any other program."""
    try:
        module = words[words.index("-m") + 1]
        where = words[words.index("--root") + 1]
    except (ValueError, IndexError):
        return None
    names = {"corral.daemons.corrald": "corrald", "corral.daemons.api": "corral-api"}
    return names.get(module) if where == str(root) else None
