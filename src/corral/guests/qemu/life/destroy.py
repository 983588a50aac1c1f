"""Removing a virtual machine: the record goes in one transaction, and what it owned is then freed, come what may."""

from __future__ import annotations

from corral.access.records import UserConfig
from corral.core.errors import Conflict, Error
from corral.guests import records
from corral.guests.qemu.life.create import USERS
from corral.guests.qemu.life.machines import COMMITS, Machine, Machines, lock_of
from corral.guests.qemu.life.work import FinishDestroy, QmDestroy
from corral.store.base import Write
from corral.tasks.base import Draws, Intent, UndoScope, VolumeChange, Work


class Destroyer:
    """Removes virtual machines."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def check(self, args: QmDestroy, _draws: Draws) -> Intent:
        """Refuses guests that run, are locked or protected."""
        machine = self._may_destroy(args)
        volumes = self._volumes(machine, args)
        return Intent(
            writes=(machine.guest.removal(), *self._users(args.vmid)),
            volumes=tuple(VolumeChange(volid=volid, verb="free") for volid in volumes),
            locks=(lock_of(args.vmid),),
            effects=(f"removes VM {args.vmid}",),
            seconds=1.0,
        )

    def _may_destroy(self, args: QmDestroy) -> Machine:
        machine = self._machines.load(args.vmid)
        machine.refuse_protected(f"can't remove VM {args.vmid}")
        machine.refuse_locked(skip=args.skiplock, but="suspended")
        if self._machines.processes.running(args.vmid):
            raise Error(f"VM {args.vmid} is running - destroy failed")
        return machine

    def _volumes(self, machine: Machine, args: QmDestroy) -> tuple[str, ...]:
        vmid = machine.guest.vmid
        found = self._machines.volumes.of_config(vmid, machine.config)
        if args.unreferenced:
            found += [volid for volid in self._bearing(vmid) if volid not in found]
        return tuple(found)

    def _bearing(self, vmid: int) -> list[str]:
        """Images that bear the guest's number, on every storage that can be used."""
        found = []
        for storage in self._machines.storages.ids():
            if not self._machines.storages.enabled(storage):
                continue
            rows = self._machines.storages.list(storage, vmid=vmid, contents=("images",))
            found += [volid for volid, row in rows if row.vmid == vmid]
        return found

    def _users(self, vmid: int) -> tuple[Write, ...]:
        """The write that takes the guest out of its pool and the access list: the next of its number starts clean."""
        doc = self._machines.tree.get(USERS)
        if doc is None:
            return ()
        text = str(UserConfig.parse(doc.text).without_guest(vmid))
        return () if text == doc.text else (Write(key=USERS, text=text, expect=doc.version),)

    def act(self, args: QmDestroy, work: Work) -> None:
        """Remove the record, then the volumes.

        A removal can't be taken back: killed before the transaction it has not begun, killed after it the undo step
        frees what is left.
        """
        machine = self._may_destroy(args)
        volumes = self._volumes(machine, args)
        self._machines.processes.clean(args.vmid)
        with work.undo() as undo:
            undo.before(FinishDestroy(vmid=args.vmid, uuid=machine.guest.uuid, volumes=volumes))
            self._remove(args, work, undo)
            for volid in volumes:
                work.log(f"removing volume '{volid}'")
                self._free(volid, work)

    def _remove(self, args: QmDestroy, work: Work, _undo: UndoScope) -> None:
        for attempt in range(COMMITS):
            guest = self._machines.load(args.vmid).guest
            try:
                work.commit(guest.removal(), *self._users(args.vmid))
            except Conflict:
                if attempt == COMMITS - 1:
                    raise
            else:
                return

    def _free(self, volid: str, work: Work) -> None:
        try:
            self._machines.storages.free(volid)
        except Error as exc:
            work.warn(f"Could not remove disk '{volid}', check manually: {exc}")

    def finish(self, step: FinishDestroy) -> None:
        """Finish a removal that was cut off; nothing if it had not begun."""
        guest = records.find(self._machines.tree, step.vmid)
        if guest is not None and guest.uuid == step.uuid:
            return
        for volid in step.volumes:
            self._machines.storages.free(volid)
