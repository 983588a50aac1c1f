"""Virtual machines of this node: the service that handlers, tasks and daemons use."""

from __future__ import annotations

import logging
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from corral.core.clock import Clock
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.guests.qemu.devices.drive import Efi
from corral.guests.qemu.host import Host
from corral.guests.qemu.life import work
from corral.guests.qemu.life.bulk import BulkPower
from corral.guests.qemu.life.change import Changer
from corral.guests.qemu.life.clouddrive import CloudDrives
from corral.guests.qemu.life.consoles import Consoles
from corral.guests.qemu.life.create import Creator
from corral.guests.qemu.life.destroy import Destroyer
from corral.guests.qemu.life.facts import HostFacts
from corral.guests.qemu.life.guestagent import GuestAgents
from corral.guests.qemu.life.hooks import Hooks
from corral.guests.qemu.life.hotplug import HotPlug
from corral.guests.qemu.life.machines import Machine, Machines
from corral.guests.qemu.life.monitor import Monitor
from corral.guests.qemu.life.power import Power
from corral.guests.qemu.life.processes import Processes
from corral.guests.qemu.life.start import Starter
from corral.guests.qemu.life.status import Row, current_of, row_of, stopped
from corral.guests.qemu.life.suspend import Suspender
from corral.guests.qemu.life.template import Templates
from corral.guests.qemu.life.volumes import Volumes
from corral.guests.qemu.life.watch import GuestWatcher
from corral.guests.qemu.swtpm import Swtpm
from corral.metrics.board import GuestStatus, StatusBoard
from corral.storage.service import Storages
from corral.store.base import Store, Tree
from corral.system import files
from corral.system.run import Arg, Run
from corral.tasks.base import Draws, Ended, Requester, TaskType, UndoType
from corral.tasks.runner import TaskRunner
from corral.tasks.upid import Upid

log = logging.getLogger(__name__)

BOOTED = "booted"
"""File in the run directory, which a reboot empties: the guests of this boot have been started."""
_CRYPTED = re.compile(r"\$(?:5|6|y|2[aby])\$")


class Qemu:
    """Virtual machines: reading, and the parts that change them as tasks.

    `host` answers facts about this host (gathered and kept by itself when not given).
    """

    def __init__(
        self,
        *,
        node: str,
        tree: Tree,
        store: Store,
        clock: Clock,
        layout: Layout,
        run: Run,
        storages: Storages,
        board: StatusBoard,
        host: Callable[[], Host] | None = None,
    ) -> None:
        self.board = board
        self._watcher: GuestWatcher | None = None
        self.host = host or HostFacts(run, layout)
        self.machines = Machines(
            node=node,
            tree=tree,
            store=store,
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
        self.power = Power(self.machines, hooks, self.starter)
        self.consoles = Consoles(self.machines)
        self.hotplug = HotPlug(self.machines, self.starter, self.host)
        self.changer = Changer(self.machines, self.hotplug, self.clouds)
        self.suspender = Suspender(self.machines, self.power)
        self.agent = GuestAgents(self.machines)
        self.monitor = Monitor(self.machines)
        self.templates = Templates(self.machines)
        self.bulk = BulkPower(self.machines, self.starter, self.power, self.suspender)

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

    def hashed(self, options: Mapping[str, str], draws: Draws) -> dict[str, str]:
        """The options with the cloud-init password hashed (SHA-512 crypt), unless it is a hash already."""
        password = options.get("cipassword")
        if password is None or _CRYPTED.match(password):
            return dict(options)
        salt = draws.draw("cipassword.salt", lambda: secrets.token_hex(8))
        words: list[Arg] = ["openssl", "passwd", "-6", "-salt", salt, "-stdin"]
        return {**options, "cipassword": self.machines.run(words, input=password, timeout=10).stdout.strip()}

    # --- reading

    def load(self, vmid: int) -> Machine:
        """A machine of this node; `NotFound` in the words that clients know."""
        return self.machines.load(vmid)

    def rows(self, *, full: bool = False) -> list[Row]:
        """All machines of this node as lists show them, with what the board knows."""
        running = set(self.machines.processes.all_running())
        rows = []
        for machine in self.machines.every():
            vmid = machine.guest.vmid
            known = self.board.guest(vmid)
            behind = (known is not None and known.status == "running") != (vmid in running)
            rows.append(row_of(machine, self.look(vmid) if behind else known, full=full))
        return rows

    def current(self, vmid: int) -> Row:
        """One machine now. Looks at the host: the board may be a moment behind."""
        return current_of(self.load(vmid), self.look(vmid))

    def look(self, vmid: int) -> GuestStatus:
        """The status of a machine now: the board may be a moment behind."""
        machine = self.load(vmid)
        pid = self.machines.processes.pid(vmid)
        if pid is None:
            return stopped(machine)
        watcher = self._watcher if self._watcher is not None and not self._watcher.closed else None
        if watcher is not None:
            watcher.look(vmid)
        known = self.board.guest(vmid)
        if known is None or known.pid != pid:
            known = replace(stopped(machine), status="running", pid=pid)
            watcher = None
        return known if watcher is not None else replace(known, qmpstatus=self._word(vmid))

    def _word(self, vmid: int) -> str:
        try:
            return self.power.status(vmid)
        except Error:
            return "unknown"  # its monitor does not answer, which says nothing about the guest

    def ended_within(self, upid: str, seconds: float, runner: TaskRunner) -> str | None:
        """None if a task succeeds in that time, its error raised if it fails; else its UPID."""
        if not runner.wait(upid, seconds):
            return upid
        ended = runner.find(upid)
        if isinstance(ended, Ended) and not ended.status.startswith(("OK", "WARNINGS")):
            raise Error(ended.status)
        return None

    def overrule(self, vmid: int, runner: TaskRunner) -> None:
        """Stop the shutdowns of a guest that are under way, so that a stop does not wait for them."""
        for task in runner.running():
            upid = Upid.parse(task.upid)
            if upid.type == work.QmShutdown.type and upid.id == str(vmid):
                runner.cancel(task.upid, "root@pam")

    def watcher(self, runner: TaskRunner) -> GuestWatcher:
        """What keeps the board up to date, and cleans up behind guests that end by themselves. One per corrald."""

        def tidy(vmid: int, restart: bool) -> None:
            self.machines.clock.sleep(1)  # a task that stopped the guest does it itself
            if not self.machines.layout.guest(vmid).exists() or self.machines.processes.running(vmid):
                return
            try:
                runner.run(work.QmTidy(vmid=vmid, restart=restart), Draws(), Requester(user="root@pam"))
            except Error as exc:
                log.warning("can't clean up behind VM %d: %s", vmid, exc)

        def ended(vmid: int, restart: bool) -> None:
            threading.Thread(target=tidy, args=(vmid, restart), daemon=True).start()

        self._watcher = GuestWatcher(self.machines, self.board, ended)
        return self._watcher

    def start_on_boot(self, runner: TaskRunner) -> None:
        """Once per boot of the host: start the guests that want it, in their order."""
        mark = self.machines.layout.run / BOOTED
        if mark.exists():
            return
        files.atomic_write(mark, "", mode=0o600)
        if any(machine.config.options.onboot for machine in self.machines.every()):
            runner.spawn(work.StartAll(), Draws(), Requester(user="root@pam"))


Service = Callable[[Any], Qemu]


def tasks(service: Service) -> tuple[TaskType[Any, Any], ...]:
    """The task types of virtual machines."""

    def part(name: str) -> Callable[[Any], Any]:
        return lambda app: getattr(service(app), name)

    creator, destroyer, starter, power = part("creator"), part("destroyer"), part("starter"), part("power")
    consoles, changer, monitor, bulk = part("consoles"), part("changer"), part("monitor"), part("bulk")
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
        TaskType(work.QmTidy, power, Power.check_tidy, Power.act_tidy),
        TaskType(work.QmSuspend, part("suspender"), Suspender.check, Suspender.act),
        TaskType(work.QmConfig, changer, Changer.check, Changer.act),
        TaskType(work.QmResize, changer, Changer.check_resize, Changer.act_resize),
        TaskType(work.QmCloudInit, changer, Changer.check_cloudinit, Changer.act_cloudinit),
        TaskType(work.QmAgent, part("agent"), GuestAgents.check, GuestAgents.act),
        TaskType(work.QmMonitor, monitor, Monitor.check_command, Monitor.act_command),
        TaskType(work.QmSendKey, monitor, Monitor.check_key, Monitor.act_key),
        TaskType(work.QmTemplate, part("templates"), Templates.check, Templates.act),
        TaskType(work.StartAll, bulk, BulkPower.check_start, BulkPower.act_start),
        TaskType(work.StopAll, bulk, BulkPower.check_stop, BulkPower.act_stop),
        TaskType(work.SuspendAll, bulk, BulkPower.check_suspend, BulkPower.act_suspend),
        TaskType(work.Console, consoles, Consoles.check, Consoles.act),
        TaskType(work.TermConsole, consoles, Consoles.check, Consoles.act),
    )


def undos(service: Service) -> tuple[UndoType[Any, Any], ...]:
    """The undo steps of virtual machines."""
    return (
        UndoType(work.EndGuest, lambda app: service(app).starter, Starter.end),
        UndoType(work.Unplug, lambda app: service(app).hotplug, HotPlug.undo_plug),
        UndoType(work.Continue, lambda app: service(app).suspender, Suspender.undo),
        UndoType(work.Unbase, lambda app: service(app).templates, Templates.undo),
        UndoType(work.FinishDestroy, lambda app: service(app).destroyer, Destroyer.finish),
    )


__all__ = ["Qemu", "tasks", "undos"]
