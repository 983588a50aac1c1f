"""Calls to a guest's agent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from corral.core.errors import Error, ParamError
from corral.guests.qemu.agent import FREEZE_TIMEOUT, MAX_WRITE, NOT_RUNNING, Agent
from corral.guests.qemu.life.machines import Machines
from corral.guests.qemu.life.work import QmAgent
from corral.tasks.base import Draws, Intent, Work

ANY: Final = "VM.GuestAgent.Unrestricted"
_AUDIT = ("VM.GuestAgent.Audit", ANY)
_FILES = ("VM.GuestAgent.FileSystemMgmt", ANY)
_POWER = ("VM.PowerMgmt", ANY)

ASKING: Final = frozenset({
    "get-fsinfo", "get-host-name", "get-memory-block-info", "get-memory-blocks", "get-osinfo", "get-time",
    "get-timezone", "get-users", "get-vcpus", "info", "network-get-interfaces",
})  # fmt: skip
"""Commands that only ask."""

PRIVILEGES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(ASKING, _AUDIT),
    "ping": _AUDIT,
    "fsfreeze-status": ("VM.GuestAgent.Audit", "VM.GuestAgent.FileSystemMgmt", ANY),
    "fsfreeze-freeze": _FILES,
    "fsfreeze-thaw": _FILES,
    "fstrim": _FILES,
    "shutdown": _POWER,
    "suspend-disk": _POWER,
    "suspend-hybrid": _POWER,
    "suspend-ram": _POWER,
    "file-read": ("VM.GuestAgent.FileRead", ANY),
    "file-write": ("VM.GuestAgent.FileWrite", ANY),
}
"""Command → privileges of which one is needed on the guest."""

_SILENT = frozenset({"shutdown", "suspend-disk", "suspend-hybrid", "suspend-ram"})


class GuestAgents:
    """Speaks with agents of running guests."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def connect(self, vmid: int) -> Agent:
        """A connection; `Error` in the words clients know where the guest has no agent, or none that answers."""
        machine = self._machines.load(vmid)
        configured = machine.config.options.agent
        if configured is None or not configured.enabled:
            raise Error("No QEMU guest agent configured")
        if not self._machines.processes.running(vmid):
            raise Error(f"VM {vmid} is not running")
        try:
            return self._machines.processes.agent(vmid)
        except Error as exc:
            raise Error(NOT_RUNNING) from exc

    def ask(self, vmid: int, command: str) -> Any:  # Any: JSON of the guest
        """What the agent answers to a command without arguments."""
        with self.connect(vmid) as agent:
            return agent.call(f"guest-{command}", timeout=10)

    def exec_status(self, vmid: int, pid: int) -> dict[str, Any]:
        """How a program that was started in the guest stands."""
        with self.connect(vmid) as agent:
            status = agent.exec_status(pid)
        flags = ("exited", "out-truncated", "err-truncated")
        return {key: int(bool(value)) if key in flags else value for key, value in status.items()}

    def read_file(self, vmid: int, path: str, *, offset: int, count: int, decode: bool) -> dict[str, Any]:
        """A file's content, as text or base64, and whether it was cut."""
        with self.connect(vmid) as agent:
            content, cut = agent.read_file(path, offset=offset, count=count)
        text = content.decode("utf-8", "replace") if decode else base64.b64encode(content).decode()
        return {"content": text, "bytes-read": len(content)} | ({"truncated": 1} if cut else {})

    def check(self, args: QmAgent, _draws: Draws) -> Intent:
        """Refuses guests without an agent; whether it answers is seen later."""
        machine = self._machines.load(args.vmid)
        configured = machine.config.options.agent
        if configured is None or not configured.enabled:
            raise Error("No QEMU guest agent configured")
        if not self._machines.processes.running(args.vmid):
            raise Error(f"VM {args.vmid} is not running")
        # One at a time: QEMU serves a single client.
        effects = (f"asks the agent of VM {args.vmid} for {args.command}",)
        return Intent(locks=(f"agent/{args.vmid}",), effects=effects)

    def act(self, args: QmAgent, work: Work) -> Any:  # Any: JSON of the guest
        """Run the command."""
        with self.connect(args.vmid) as agent:
            match args.command:
                case "exec":
                    return self._execute(agent, args)
                case "file-write":
                    return self._write(agent, args)
                case "set-user-password":
                    return self._password(agent, args)
                case command if command in _SILENT:
                    # `guest-shutdown` needs to be told; the others take no arguments.
                    agent.say(f"guest-{command}", {"mode": "powerdown"} if command == "shutdown" else None)
                    return {}
                case command:
                    slow = command.startswith("fsfreeze") or command == "fstrim"
                    return agent.call(f"guest-{command}", timeout=FREEZE_TIMEOUT if slow else 10)

    def _execute(self, agent: Agent, args: QmAgent) -> int:
        if not args.words:
            raise ParamError({"command": "the program to run is missing"})
        given = args.arguments.get("input")
        return agent.exec(args.words, None if given is None else str(given).encode())

    def _write(self, agent: Agent, args: QmAgent) -> None:
        text = str(args.arguments["content"])
        try:
            content = text.encode() if args.arguments.get("encode", True) else base64.b64decode(text, validate=True)
        except binascii.Error as exc:
            raise ParamError({"content": "value is not base64"}) from exc
        if len(content) > MAX_WRITE:
            raise ParamError({"content": f"value may only be {MAX_WRITE} bytes long"})
        agent.write_file(str(args.arguments["path"]), content)

    def _password(self, agent: Agent, args: QmAgent) -> Any:
        password = base64.b64encode(str(args.arguments["password"]).encode()).decode()
        return agent.call(
            "guest-set-user-password",
            {
                "username": args.arguments["username"],
                "password": password,
                "crypted": bool(args.arguments.get("crypted")),
            },
        )
