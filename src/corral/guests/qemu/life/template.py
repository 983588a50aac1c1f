"""Turning a virtual machine into a template: its disks become bases that clones stand on, and it never starts again."""

from __future__ import annotations

from typing import Any

import msgspec

from corral.core.errors import Error
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.work import QmTemplate
from corral.tasks.base import Draws, Intent, VolumeChange, Work


class Templates:
    """Makes templates."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def _may(self, args: QmTemplate) -> Machine:
        machine = self._machines.load(args.vmid)
        machine.refuse_locked()
        if machine.config.options.template and args.disk is None:
            raise Error("you can't convert a template to a template")
        if machine.config.snapshots:
            raise Error("unable to create template, because VM contains snapshots")
        if self._machines.processes.running(args.vmid):
            raise Error("you can't convert a VM to template if VM is running")
        return machine

    def _disks(self, machine: Machine, disk: str | None) -> dict[str, str]:
        """The guest's own disks that are no bases yet: option → volume."""
        found = {}
        for key, volume in machine.config.volumes():
            if volume.volid is None or (disk is not None and key != disk):
                continue
            if self._machines.volumes.owned(machine.guest.vmid, volume.volid) and not getattr(volume, "cdrom", False):
                storage, name = self._machines.storages.locate(volume.volid)
                if name.is_base:
                    continue
                if name.format not in storage.can.template:
                    raise Error(f"unable to create template: '{volume.volid}' can't be a base")
                found[key] = volume.volid
        if disk is not None and not found:
            raise Error(f"disk '{disk}' does not exist, or is a base already")
        return found

    def check(self, args: QmTemplate, _draws: Draws) -> Intent:
        """Refuses what runs, is locked or has snapshots."""
        machine = self._may(args)
        after = machine.config.set({"template": "1"})
        return Intent(
            writes=(machine.guest.rewrite(str(after)),),
            volumes=tuple(
                VolumeChange(volid=volid, verb="write") for volid in self._disks(machine, args.disk).values()
            ),
            locks=(lock_of(args.vmid),),
            effects=(f"turns VM {args.vmid} into a template",),
        )

    def act(self, args: QmTemplate, work: Work) -> None:
        """Mark the guest first, so that nobody starts it meanwhile; then disk by disk, each noted at once."""
        machine = self._may(args)
        self._machines.commit(work, args.vmid, lambda found: found.config.set({"template": "1"}))
        for key, volid in self._disks(machine, args.disk).items():
            base = self._machines.storages.make_base(volid)

            def renamed(found: Machine, key: str = key, base: str = base) -> Any:
                volume: Any = dict(found.config.volumes())[key]
                return found.config.set({key: msgspec.structs.replace(volume, file=base)})

            self._machines.commit(work, args.vmid, renamed)
