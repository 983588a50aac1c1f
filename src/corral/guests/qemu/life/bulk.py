"""All guests of the node at once, in their order: started when it boots, shut down when it goes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby

import msgspec

from corral.core.errors import Error, TimedOut
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.power import STOP_TIMEOUT, Power, startup_of
from corral.guests.qemu.life.start import Starter
from corral.guests.qemu.life.suspend import Suspender
from corral.guests.qemu.life.work import Bulk, QmStart, QmSuspend, StartAll, StopAll, SuspendAll
from corral.tasks.base import Draws, Intent, Work

LAST = 1 << 30
"""The place of guests without an order: after all others."""


def order_of(machine: Machine) -> int:
    """A guest's place in the order of starts."""
    return startup_of(machine.config.options.startup).get("order", LAST)


class BulkPower:
    """Starts and stops many guests; what fails for one is a warning, and the others go on."""

    def __init__(self, machines: Machines, starter: Starter, power: Power, suspender: Suspender) -> None:
        self._machines = machines
        self._starter = starter
        self._power = power
        self._suspender = suspender

    def _chosen(self, args: Bulk, wanted: Callable[[Machine], bool]) -> list[Machine]:
        """The guests concerned, in their order."""
        known = [machine for machine in self._machines.every() if not args.vms or machine.guest.vmid in args.vms]
        return sorted(filter(wanted, known), key=lambda machine: (order_of(machine), machine.guest.vmid))

    def _running(self, machine: Machine) -> bool:
        return self._machines.processes.running(machine.guest.vmid)

    def _known(self, work: Work) -> list[Machine]:
        """The guests that `check` has chosen, and whose locks are held: others may have come since."""
        numbers = [int(text) for text in work.draws.known.get("vms", "").split(",") if text]
        return [machine for vmid in numbers if (machine := self._machines.find(vmid)) is not None]

    def _intent(self, machines: list[Machine], verb: str, draws: Draws) -> Intent:
        draws.draw("vms", lambda: ",".join(str(machine.guest.vmid) for machine in machines))
        return Intent(
            locks=tuple(lock_of(machine.guest.vmid) for machine in machines),
            effects=tuple(f"{verb} VM {machine.guest.vmid}" for machine in machines),
        )

    # --- start

    def _to_start(self, args: StartAll) -> list[Machine]:
        def wanted(machine: Machine) -> bool:
            options = machine.config.options
            asked = args.force or bool(options.onboot)
            return asked and not options.template and not self._running(machine)

        return self._chosen(args, wanted)

    def check_start(self, args: StartAll, draws: Draws) -> Intent:
        """Say which ones."""
        chosen = self._to_start(args)
        writes = tuple(write for machine in chosen for write in self._starter.writes(machine))
        return msgspec.structs.replace(self._intent(chosen, "starts", draws), writes=writes)

    def act_start(self, args: StartAll, work: Work) -> None:
        """Start them one after the other; `up` seconds pass before the next."""
        for machine in self._known(work):
            if self._running(machine):
                continue
            work.check_cancelled()
            work.log(f"Starting VM {machine.guest.vmid}")
            try:
                self._starter.act(QmStart(vmid=machine.guest.vmid), work)
            except Error as exc:
                work.warn(f"VM {machine.guest.vmid} did not start: {exc}")
                continue
            self._machines.clock.sleep(startup_of(machine.config.options.startup).get("up", 0))

    # --- stop

    def check_stop(self, args: StopAll, draws: Draws) -> Intent:
        """Say which ones."""
        return self._intent(self._chosen(args, self._running), "stops", draws)

    def act_stop(self, args: StopAll, work: Work) -> None:
        """Shut down, the last started first; those with the same place in the order at once."""
        for group in self._groups(work):
            for machine in group:
                work.log(f"Shutting down VM {machine.guest.vmid}")
                self._guarded(machine, work, lambda found: self._power.press(found, work))
            began = self._machines.clock.monotonic()
            for machine in group:
                self._guarded(machine, work, partial(self._await_end, args=args, began=began, work=work))

    def _groups(self, work: Work) -> Iterator[list[Machine]]:
        chosen = [machine for machine in reversed(self._known(work)) if self._running(machine)]
        for _, group in groupby(chosen, key=order_of):
            yield list(group)

    def _await_end(self, machine: Machine, *, args: StopAll, began: float, work: Work) -> None:
        patience = startup_of(machine.config.options.startup).get("down", args.timeout)
        left = began + patience - self._machines.clock.monotonic()
        if self._machines.processes.wait(machine.guest.vmid, max(0.0, left)):
            self._power.ended(machine, work)
        elif args.force_stop:
            work.log(f"VM {machine.guest.vmid} did not shut down in time - stopping it")
            self._power.end(machine, work, timeout=STOP_TIMEOUT)
        else:
            raise TimedOut(f"VM {machine.guest.vmid} did not shut down in time")

    def _guarded(self, machine: Machine, work: Work, action: Callable[[Machine], None]) -> None:
        work.check_cancelled()
        try:
            action(machine)
        except Error as exc:
            work.warn(f"VM {machine.guest.vmid}: {exc}")

    # --- suspend

    def check_suspend(self, args: SuspendAll, draws: Draws) -> Intent:
        """Say which ones; those that can't be suspended are left out, and told when it is done."""
        chosen = self._chosen(args, self._running)
        parts = []
        for machine in chosen:
            with contextlib.suppress(Error):
                parts.append(self._suspender.check(QmSuspend(vmid=machine.guest.vmid), draws))
        return msgspec.structs.replace(
            self._intent(chosen, "suspends", draws),
            writes=tuple(write for part in parts for write in part.writes),
            volumes=tuple(volume for part in parts for volume in part.volumes),
        )

    def act_suspend(self, args: SuspendAll, work: Work) -> None:
        """Suspend one after the other, the last started first."""
        for machine in [machine for machine in reversed(self._known(work)) if self._running(machine)]:
            work.log(f"Suspending VM {machine.guest.vmid}")
            self._guarded(machine, work, lambda found: self._suspender.act(QmSuspend(vmid=found.guest.vmid), work))
