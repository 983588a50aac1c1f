"""Stopping, shutting down, resetting, halting and resuming virtual machines."""

from __future__ import annotations

import contextlib
import logging
import signal
from typing import Protocol

from corral.core.errors import Error, TimedOut
from corral.guests.qemu.life.hooks import Hooks
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.work import (
    QmPause,
    QmReboot,
    QmReset,
    QmResume,
    QmShutdown,
    QmStart,
    QmStop,
    QmTidy,
    VmTask,
)
from corral.guests.qemu.qmp import Gone
from corral.store.base import Write
from corral.tasks.base import Draws, Intent, Work

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT = 60
"""Seconds a guest has for shutting down, where neither caller nor configuration says."""
STOP_TIMEOUT = 30
"""Seconds QEMU has for writing out its caches and ending, before it gets a signal."""
TERM_TIMEOUT = 10


class Starts(Protocol):
    """What starts guests."""

    def act(self, args: QmStart, work: Work) -> None:
        """Start one."""
        ...

    def writes(self, machine: Machine) -> tuple[Write, ...]:
        """What a start changes in the record."""
        ...


class Power:
    """What the buttons of a machine do."""

    def __init__(self, machines: Machines, hooks: Hooks, starter: Starts) -> None:
        self._machines = machines
        self._processes = machines.processes
        self._hooks = hooks
        self._starter = starter

    # --- stop

    def check_stop(self, args: QmStop, _draws: Draws) -> Intent:
        """Refuses a locked guest. Stopping one that does not run is fine."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        effects = (f"ends QEMU of VM {args.vmid}",) if self._processes.running(args.vmid) else ()
        return Intent(locks=(lock_of(args.vmid),), effects=effects, seconds=1.0)

    def act_stop(self, args: QmStop, work: Work) -> None:
        """End QEMU and remove what it left."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        self.end(machine, work, timeout=STOP_TIMEOUT if args.timeout is None else args.timeout)

    def end(self, machine: Machine, work: Work, *, timeout: float) -> None:
        """End QEMU: asked to quit, then by signals. Runtime files are gone when this returns."""
        vmid = machine.guest.vmid
        held = self._processes.held(vmid)
        if held is not None:
            self._hooks.run(machine, "pre-stop", work)
            with held:
                with contextlib.suppress(Gone, TimedOut, Error), self._processes.qmp(vmid, timeout=5) as qmp:
                    qmp.call("quit", timeout=5)
                if not held.wait(timeout):
                    work.warn(f"VM {vmid} did not quit within {timeout:g} s - terminating now with SIGTERM")
                    held.signal(signal.SIGTERM)
                    if not held.wait(TERM_TIMEOUT):
                        work.warn("VM still running - terminating now with SIGKILL")
                        held.signal(signal.SIGKILL)
                        held.wait(TERM_TIMEOUT)
        self.ended(machine, work)

    def ended(self, machine: Machine, work: Work) -> None:
        """Clean up behind a guest that has ended."""
        was_there = self._machines.layout.guest(machine.guest.vmid).exists()
        self._processes.clean(machine.guest.vmid)
        if was_there:
            self._hooks.run(machine, "post-stop", work)

    def check_tidy(self, args: QmTidy, _draws: Draws) -> Intent:
        """Refuses nothing: the guest may run again, or be gone."""
        return Intent(locks=(lock_of(args.vmid),))

    def act_tidy(self, args: QmTidy, work: Work) -> None:
        """Clean up behind a guest that ended by itself, unless somebody has done so, or started it again."""
        machine = self._machines.find(args.vmid)
        if self._processes.running(args.vmid) or not self._machines.layout.guest(args.vmid).exists():
            return
        if machine is None:
            self._processes.clean(args.vmid)
            return
        self.ended(machine, work)
        if args.restart:
            self._starter.act(QmStart(vmid=args.vmid), work)

    # --- shutdown and reboot

    def check_shutdown(self, args: QmShutdown, _draws: Draws) -> Intent:
        """Refuses a locked guest."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        timeout = self._patience(machine, args.timeout)
        return Intent(
            locks=(lock_of(args.vmid),), effects=(f"asks VM {args.vmid} to shut down",), seconds=min(10.0, timeout)
        )

    def _patience(self, machine: Machine, timeout: int | None) -> float:
        if timeout is not None:
            return timeout
        return startup_of(machine.config.options.startup).get("down", SHUTDOWN_TIMEOUT)

    def act_shutdown(self, args: QmShutdown, work: Work) -> None:
        """Ask the guest, by its agent or the power button; wait for its end."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        if not self._processes.running(args.vmid):
            return self.ended(machine, work)
        self._refuse_paused(args)
        try:
            self.ask(machine, work, timeout=self._patience(machine, args.timeout))
        except TimedOut as exc:
            if not args.force:
                raise
            work.log(f"{exc} - stopping VM {args.vmid} now")
            return self.end(machine, work, timeout=STOP_TIMEOUT)
        return self.ended(machine, work)

    def _refuse_paused(self, args: QmShutdown | QmReboot) -> None:
        forced = isinstance(args, QmShutdown) and args.force
        if self.status(args.vmid) == "paused" and not forced:
            raise Error("VM is paused - cannot shutdown")

    def ask(self, machine: Machine, work: Work, *, timeout: float) -> None:
        """Ask the guest to shut down and wait for its end; `TimedOut` if it has not come."""
        vmid = machine.guest.vmid
        held = self._processes.held(vmid)
        if held is None:
            return
        with held:
            self.press(machine, work)
            end = self._machines.clock.monotonic() + timeout
            while not held.wait(min(1.0, max(0.0, end - self._machines.clock.monotonic()))):
                work.check_cancelled()
                if self._machines.clock.monotonic() >= end:
                    raise TimedOut("VM quit/powerdown failed - got timeout")

    def press(self, machine: Machine, work: Work) -> None:
        """Ask the guest to shut down, by its agent or the power button; does not wait."""
        if not self._ask_agent(machine, work):
            with contextlib.suppress(Gone), self._processes.qmp(machine.guest.vmid) as qmp:
                qmp.call("system_powerdown")

    def _ask_agent(self, machine: Machine, work: Work) -> bool:
        agent = machine.config.options.agent
        if agent is None or not agent.enabled:
            return False
        try:
            with self._processes.agent(machine.guest.vmid) as channel:
                channel.say("guest-shutdown", {"mode": "powerdown"})
        except Error as exc:
            work.log(f"{exc} - using the power button")
            return False
        return True

    def check_reboot(self, args: QmReboot, _draws: Draws) -> Intent:
        """Refuses a guest that is locked or does not run."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked()
        self._processes.need_running(args.vmid)
        self._refuse_paused(args)
        effects = (f"asks VM {args.vmid} to shut down", f"starts VM {args.vmid}")
        writes = self._starter.writes(machine)
        return Intent(writes=writes, locks=(lock_of(args.vmid),), effects=effects, seconds=15.0)

    def act_reboot(self, args: QmReboot, work: Work) -> None:
        """Shut down, then start: pending changes take effect."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked()
        self._processes.need_running(args.vmid)
        self.ask(machine, work, timeout=self._patience(machine, args.timeout))
        self.ended(machine, work)
        self._starter.act(QmStart(vmid=args.vmid), work)

    # --- reset, pause, resume

    def _check_running(self, args: QmReset | QmPause, effect: str) -> Intent:
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        self._processes.need_running(args.vmid)
        return Intent(locks=(lock_of(args.vmid),), effects=(effect,), seconds=0.1)

    def check_reset(self, args: QmReset, _draws: Draws) -> Intent:
        """Refuses a guest that is locked or does not run."""
        return self._check_running(args, f"resets VM {args.vmid}")

    def act_reset(self, args: QmReset, work: Work) -> None:
        """Press the reset button."""
        self._command(args, "system_reset")

    def check_pause(self, args: QmPause, _draws: Draws) -> Intent:
        """Refuses a guest that is locked or does not run."""
        return self._check_running(args, f"halts the CPUs of VM {args.vmid}")

    def act_pause(self, args: QmPause, work: Work) -> None:
        """Halt the CPUs."""
        self._command(args, "stop")

    def _command(self, args: VmTask, command: str) -> None:
        with self._processes.qmp(args.vmid) as qmp:
            qmp.call(command)

    def check_resume(self, args: QmResume, _draws: Draws) -> Intent:
        """Refuses a guest that neither is halted nor was suspended to disk."""
        machine = self._machines.load(args.vmid)
        suspended = machine.config.options.lock == "suspended"
        machine.refuse_locked(skip=args.skiplock, but="suspended")
        if not suspended:
            self._processes.need_running(args.vmid)
        effect = f"starts VM {args.vmid} from its saved memory" if suspended else f"resumes VM {args.vmid}"
        running = self._processes.running(args.vmid)
        writes = () if running else self._starter.writes(machine)
        return Intent(writes=writes, locks=(lock_of(args.vmid),), effects=(effect,), seconds=1.0)

    def act_resume(self, args: QmResume, work: Work) -> None:
        """Go on: from the saved memory, from sleep, or after a halt."""
        if not self._processes.running(args.vmid):
            return self._starter.act(QmStart(vmid=args.vmid, skiplock=args.skiplock), work)
        with self._processes.qmp(args.vmid) as qmp:
            if qmp.call("query-status")["status"] == "suspended":
                qmp.call("system_wakeup")
            else:
                qmp.call("cont")
        return None

    def status(self, vmid: int) -> str:
        """QEMU's word for what the guest does: `running`, `paused`, `prelaunch`, …; `stopped` if it does not run."""
        try:
            with self._processes.qmp(vmid, timeout=3) as qmp:
                return str(qmp.call("query-status", timeout=3)["status"])
        except Gone:
            return "stopped"


def startup_of(text: str | None) -> dict[str, int]:
    """`order`, `up` and `down` of the option `startup`, where they are set."""
    found = {}
    for part in (text or "").split(","):
        key, equals, value = part.strip().rpartition("=")
        if value.isdigit():
            found[key if equals else "order"] = int(value)
    return found
