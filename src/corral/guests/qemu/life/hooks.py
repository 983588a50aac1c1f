"""Hook scripts: a file on a storage that root has chosen to run at steps of a guest's life."""

from __future__ import annotations

from typing import Literal

from corral.core.errors import Error
from corral.guests.qemu.life.machines import Machine
from corral.storage.service import Storages
from corral.system.run import Run
from corral.tasks.base import Work

Phase = Literal["pre-start", "post-start", "pre-stop", "post-stop"]
TIMEOUT = 600.0


class Hooks:
    """Runs hook scripts with the VMID and the phase as arguments."""

    def __init__(self, storages: Storages, run: Run) -> None:
        self._storages = storages
        self._run = run

    def run(self, machine: Machine, phase: Phase, work: Work) -> None:
        """Run the guest's hook script, if it has one. A failure is an error before a start, else a warning."""
        volume = machine.config.options.hookscript
        if volume is None:
            return
        try:
            path = self._storages.path(volume)
            output = self._run([path, str(machine.guest.vmid), phase], timeout=TIMEOUT)
        except Error as exc:
            if phase == "pre-start":
                raise Error(f"hookscript error for {machine.guest.vmid} on pre-start: {exc}") from exc
            work.warn(f"hookscript error for {machine.guest.vmid} on {phase}: {exc}")
            return
        for line in output.stdout.splitlines():
            work.log(line)
