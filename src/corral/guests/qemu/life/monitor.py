"""QEMU's human monitor: keys, and commands for those who know what they do."""

from __future__ import annotations

import re

from corral.core.errors import Error, ParamError
from corral.guests.qemu.life.machines import Machines
from corral.guests.qemu.life.work import QmMonitor, QmSendKey
from corral.tasks.base import Draws, Intent, Work

_KEYS = re.compile(r"[a-zA-Z0-9_\-<>]{1,100}")


class Monitor:
    """Commands to the monitors of running guests."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    @staticmethod
    def harmless(command: str) -> bool:
        """Whether a command only looks."""
        return command.split()[:1] in (["info"], ["help"], ["?"]) and "\n" not in command

    def check_command(self, args: QmMonitor, _draws: Draws) -> Intent:
        """Refuses a guest that does not run."""
        self._machines.load(args.vmid)
        self._machines.processes.need_running(args.vmid)
        if "\n" in args.command:
            raise ParamError({"command": "one line at a time"})
        return Intent(effects=(f"runs the monitor command '{args.command}' in VM {args.vmid}",))

    def act_command(self, args: QmMonitor, work: Work) -> str:
        """Run it; what QEMU prints is the answer, errors too."""
        return self._run(args.vmid, args.command)

    def _run(self, vmid: int, command: str) -> str:
        with self._machines.processes.qmp(vmid) as qmp:
            said = qmp.call("human-monitor-command", {"command-line": command}, timeout=25)
        return str(said).replace("\r\n", "\n")

    def check_key(self, args: QmSendKey, _draws: Draws) -> Intent:
        """Refuses a guest that is locked or does not run, and what can't be keys."""
        self._machines.load(args.vmid).refuse_locked(skip=args.skiplock)
        self._machines.processes.need_running(args.vmid)
        if not _KEYS.fullmatch(args.key):
            raise ParamError({"key": "value does not look like keys"})
        return Intent(effects=(f"sends keys to VM {args.vmid}",))

    def act_key(self, args: QmSendKey, work: Work) -> None:
        """Press the keys."""
        said = self._run(args.vmid, f"sendkey {args.key}").strip()
        if said:
            raise Error(said)
