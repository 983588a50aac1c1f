"""Suspending to disk: the guest's memory goes to a volume, QEMU ends, and the next start goes on from there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import UTC, datetime

from corral.core.errors import Error
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.power import STOP_TIMEOUT, Power
from corral.guests.qemu.life.start import SUSPENDED, enable_migration_events, wait_migrated
from corral.guests.qemu.life.volumes import MIB
from corral.guests.qemu.life.work import Continue, QmSuspend
from corral.guests.qemu.qmp import Gone, Qmp
from corral.tasks.base import Draws, Intent, VolumeChange, Work

SAVE_TIMEOUT = 4 * 3600.0
OVERHEAD = 500 * MIB
"""Room for the state of devices, which may include video memory."""


class Suspender:
    """Suspends virtual machines to disk."""

    def __init__(self, machines: Machines, power: Power) -> None:
        self._machines = machines
        self._power = power

    def storage_of(self, vmid: int, wanted: str | None) -> str:
        """Where the memory will be saved: as asked, as configured, beside the guest's first disk, or `local`."""
        config = self._machines.load(vmid).config
        if wanted or config.options.vmstatestorage:
            return wanted or str(config.options.vmstatestorage)
        for _, drive in config.drives():
            if drive.volid is not None and not drive.cdrom:
                return drive.volid.partition(":")[0]
        return "local"

    def storages_of(self, vmids: Iterable[int]) -> set[str]:
        """Where the memory of those of these guests that run would be saved."""
        running = set(self._machines.processes.all_running())
        return {self.storage_of(vmid, None) for vmid in vmids if vmid in running and self._machines.find(vmid)}

    def _volume(self, args: QmSuspend, draws: Draws) -> tuple[str, int]:
        storage = self.storage_of(args.vmid, args.storage)
        day = draws.draw("day", lambda: f"{datetime.fromtimestamp(self._machines.clock.now(), UTC):%Y-%m-%d}")
        volid = self._machines.storages.draw_volname(
            draws, f"{args.vmid}.vmstate", storage=storage, vmid=args.vmid, form="raw", kind=f"state-suspend-{day}"
        )
        memory = self._machines.load(args.vmid).config.options.memory
        return volid, (memory.current if memory else 512) * MIB + OVERHEAD

    def check(self, args: QmSuspend, draws: Draws) -> Intent:
        """Refuses a guest that is locked or does not run, or that has devices whose state can't be saved."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        self._machines.processes.need_running(args.vmid)
        if machine.config.options.hostpci:
            raise Error("cannot suspend VM to disk due to passed-through PCI device(s)")
        volid, size = self._volume(args, draws)
        with self._machines.processes.qmp(args.vmid) as qmp:
            facts = self._running_facts(qmp, args.vmid)
        after = _marked(machine, {**facts, "vmstate": volid})
        return Intent(
            writes=(machine.guest.rewrite(str(after)),),
            volumes=(VolumeChange(volid=volid, verb="create", size=size),),
            locks=(lock_of(args.vmid),),
            slots=(f"storage/{volid.partition(':')[0]}",),
            effects=(f"saves the memory of VM {args.vmid}", f"ends QEMU of VM {args.vmid}"),
            seconds=5.0,
        )

    def act(self, args: QmSuspend, work: Work) -> None:
        """Halt the guest, save its memory, end it. An error before the memory is saved whole takes it all back."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        volid, size = self._volume(args, work.draws)
        with work.undo() as undo, self._machines.processes.qmp(args.vmid) as qmp:
            undo.before(Continue(vmid=args.vmid))
            self._machines.commit(work, args.vmid, lambda found: found.config.set({"lock": "suspending"}))
            with self._machines.storages.created(undo, volid):
                self._machines.storages.allocate(volid, size)
            qmp.call("stop")
            work.log(f"saving the memory to '{volid}'")
            self._save(qmp, volid)
            facts = self._running_facts(qmp, args.vmid)
            self._machines.commit(work, args.vmid, lambda found: _marked(found, {**facts, "vmstate": volid}), keep=undo)
        self._power.end(self._machines.load(args.vmid), work, timeout=STOP_TIMEOUT)

    def _save(self, qmp: Qmp, volid: str) -> None:
        descriptor = os.open(self._machines.storages.path(volid), os.O_WRONLY | os.O_CLOEXEC)
        try:
            qmp.call("getfd", {"fdname": "state"}, fds=[descriptor])
        finally:
            os.close(descriptor)
        enable_migration_events(qmp)
        # The usual limit is meant for networks.
        qmp.call("migrate-set-parameters", {"max-bandwidth": 64 << 30})
        qmp.call("migrate", {"uri": "fd:state"})
        wait_migrated(qmp, "saving the memory", timeout=SAVE_TIMEOUT)
        with contextlib.suppress(OSError):
            self._sync(volid)

    def _sync(self, volid: str) -> None:
        descriptor = os.open(self._machines.storages.path(volid), os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _running_facts(self, qmp: Qmp, vmid: int) -> dict[str, str]:
        """What a start from this memory must be given: the machine type and the CPU that QEMU was started with."""
        kind = str(qmp.call("qom-get", {"path": "/machine", "property": "type"})).removesuffix("-machine")
        words = self._machines.processes.words(vmid)
        cpu = words[words.index("-cpu") + 1] if "-cpu" in words else ""
        return {"runningmachine": kind} | ({"runningcpu": cpu} if cpu else {})

    def undo(self, step: Continue) -> None:
        """Take back a suspend: no lock, and the guest goes on."""
        with contextlib.suppress(Gone), self._machines.processes.qmp(step.vmid) as qmp:
            with contextlib.suppress(Error):
                qmp.call("migrate_cancel")
            qmp.call("cont")
        self._machines.unlock(step.vmid, SUSPENDED)


def _marked(machine: Machine, facts: dict[str, str]) -> VmConfig:
    return machine.config.set({"lock": "suspended", **facts})
