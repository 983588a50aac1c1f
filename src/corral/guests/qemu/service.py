"""Virtual machines of this node: the service that handlers, tasks and daemons use."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from corral.core.clock import Clock
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.guests.qemu.devices.drive import Efi
from corral.guests.qemu.host import Host
from corral.guests.qemu.life import work
from corral.guests.qemu.life.clouddrive import CloudDrives
from corral.guests.qemu.life.consoles import Consoles
from corral.guests.qemu.life.create import Creator
from corral.guests.qemu.life.destroy import Destroyer
from corral.guests.qemu.life.facts import HostFacts
from corral.guests.qemu.life.hooks import Hooks
from corral.guests.qemu.life.machines import Machine, Machines
from corral.guests.qemu.life.power import Power
from corral.guests.qemu.life.processes import Processes
from corral.guests.qemu.life.start import Starter
from corral.guests.qemu.life.status import Row, current_of, row_of, stopped
from corral.guests.qemu.life.volumes import Volumes
from corral.guests.qemu.life.watch import GuestWatcher
from corral.guests.qemu.swtpm import Swtpm
from corral.metrics.board import GuestStatus, StatusBoard
from corral.storage.service import Storages
from corral.store.base import Tree
from corral.system.run import Run
from corral.tasks.base import TaskType, UndoType

log = logging.getLogger(__name__)


class Qemu:
    """Virtual machines: reading, and the parts that change them as tasks.

    `group` is the group of the unprivileged daemon, which connects to console relays; `host` answers facts about this
    host (gathered and kept by itself when not given).
    """

    def __init__(
        self,
        *,
        node: str,
        tree: Tree,
        clock: Clock,
        layout: Layout,
        run: Run,
        storages: Storages,
        board: StatusBoard,
        group: int | None = None,
        host: Callable[[], Host] | None = None,
    ) -> None:
        self.board = board
        self.host = host or HostFacts(run, layout)
        self.machines = Machines(
            node=node,
            tree=tree,
            clock=clock,
            layout=layout,
            run=run,
            processes=Processes(layout, run, clock),
            volumes=Volumes(storages, self._efi_vars),
        )
        hooks = Hooks(storages, run)
        self.clouds = CloudDrives(self.machines)
        self.starter = Starter(self.machines, hooks=hooks, clouds=self.clouds, swtpm=Swtpm(run), host=self.host)
        self.creator = Creator(self.machines, self.starter.act, lambda: str(self.host().qemu))
        self.destroyer = Destroyer(self.machines)
        self.power = Power(self.machines, hooks, self.starter.act)
        self.consoles = Consoles(self.machines, group)

    def _efi_vars(self, disk: Efi, arch: str) -> Path:
        """The template of the EFI variables that a new EFI disk starts from."""
        firmware = self.host().firmware
        if arch == "aarch64":
            kind = "aarch64"
        else:
            kind = "4m" if disk.efitype == "4m" else "2m"
            kind += "-keys" if disk.pre_enrolled_keys and f"{kind}-keys" in firmware else ""
        found = firmware.get(kind) or next((each for name, each in firmware.items() if name.startswith(kind)), None)
        if found is None:
            raise Error("no UEFI firmware is installed on this node (Debian package 'ovmf')")
        return Path(found.vars)

    # --- reading

    def load(self, vmid: int) -> Machine:
        """A machine of this node; `NotFound` in the words that clients know."""
        return self.machines.load(vmid)

    def rows(self, *, full: bool = False) -> list[Row]:
        """All machines of this node as lists show them, with what the board knows."""
        return [row_of(machine, self.board.guest(machine.guest.vmid), full=full) for machine in self.machines.every()]

    def current(self, vmid: int) -> Row:
        """One machine now. Looks at the host: the board may be a moment behind."""
        return current_of(self.load(vmid), self.look(vmid))

    def look(self, vmid: int) -> GuestStatus:
        """The status of a machine now, with the board's figures where it has them."""
        machine = self.load(vmid)
        known = self.board.guest(vmid)
        pid = self.machines.processes.pid(vmid)
        if pid is None:
            return stopped(machine)
        if known is None or known.status != "running":
            known = replace(stopped(machine), status="running", pid=pid)
        try:
            word = self.power.status(vmid)
        except Error:
            word = known.qmpstatus or "unknown"
        if word == "stopped":
            return stopped(machine)
        return replace(known, qmpstatus=word, pid=pid)

    def watcher(self, ended: Callable[[int, bool], None] | None = None) -> GuestWatcher:
        """What keeps the board up to date; see `GuestWatcher`. One per corrald."""
        return GuestWatcher(self.machines, self.board, ended or (lambda _vmid, _restart: None))


Service = Callable[[Any], Qemu]


def tasks(service: Service) -> tuple[TaskType[Any, Any], ...]:
    """The task types of virtual machines."""

    def part(name: str) -> Callable[[Any], Any]:
        return lambda app: getattr(service(app), name)

    creator, destroyer, starter, power = part("creator"), part("destroyer"), part("starter"), part("power")
    consoles = part("consoles")
    return (
        TaskType(work.QmCreate, creator, Creator.check, Creator.act),
        TaskType(work.QmDestroy, destroyer, Destroyer.check, Destroyer.act),
        TaskType(work.QmStart, starter, Starter.check, Starter.act),
        TaskType(work.QmStop, power, Power.check_stop, Power.act_stop),
        TaskType(work.QmShutdown, power, Power.check_shutdown, Power.act_shutdown),
        TaskType(work.QmReboot, power, Power.check_reboot, Power.act_reboot),
        TaskType(work.QmReset, power, Power.check_reset, Power.act_reset),
        TaskType(work.QmPause, power, Power.check_pause, Power.act_pause),
        TaskType(work.QmResume, power, Power.check_resume, Power.act_resume),
        TaskType(work.Console, consoles, Consoles.check, Consoles.act),
        TaskType(work.TermConsole, consoles, Consoles.check, Consoles.act),
    )


def undos(service: Service) -> tuple[UndoType[Any, Any], ...]:
    """The undo steps of virtual machines."""
    return (
        UndoType(work.EndGuest, lambda app: service(app).starter, Starter.end),
        UndoType(work.FinishDestroy, lambda app: service(app).destroyer, Destroyer.finish),
    )


__all__ = ["Qemu", "tasks", "undos"]
