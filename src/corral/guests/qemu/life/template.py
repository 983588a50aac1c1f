"""Turning a virtual machine into a template: its disks become bases that clones stand on, and it never starts again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from corral.core.errors import Error
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.work import QmTemplate, Unbase
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
        bases = {key: (volid, base_of(volid)) for key, volid in self._disks(machine, args.disk).items()}
        volumes = [VolumeChange(volid=volid, verb="free") for volid, _ in bases.values()]
        volumes += [VolumeChange(volid=base, verb="create") for _, base in bases.values()]
        after = _renamed(machine, {key: base for key, (_, base) in bases.items()})
        return Intent(
            writes=(machine.guest.rewrite(str(after)),),
            volumes=tuple(volumes),
            locks=(lock_of(args.vmid),),
            effects=(f"turns VM {args.vmid} into a template",),
        )

    def act(self, args: QmTemplate, work: Work) -> None:
        """Rename the disks, then note all in one transaction; cut off before, they get their names back."""
        machine = self._may(args)
        bases = {}
        with work.undo() as undo:
            for key, volid in self._disks(machine, args.disk).items():
                undo.before(Unbase(volid=volid, base=base_of(volid)))
                bases[key] = self._machines.storages.make_base(volid)
            self._machines.commit(work, args.vmid, lambda found: _renamed(found, bases), keep=undo)

    def undo(self, step: Unbase) -> None:
        """Give a disk its own name back."""
        storages = self._machines.storages
        if not storages.exists(step.base):
            return
        if storages.exists(step.volid):
            storages.free(step.base)  # cut off between the two names
        else:
            storages.rename(step.base, step.volid)


def base_of(volid: str) -> str:
    """The name that a disk has as a template's."""
    head, slash, name = volid.rpartition("/")
    return f"{head}{slash}{name.replace('vm-', 'base-', 1)}" if slash else volid.replace(":vm-", ":base-", 1)


def _renamed(machine: Machine, bases: Mapping[str, str]) -> VmConfig:
    changes: dict[str, object] = {"template": "1"}
    volumes: dict[str, Any] = dict(machine.config.volumes())
    for key, base in bases.items():
        changes[key] = msgspec.structs.replace(volumes[key], file=base)
    return machine.config.set(changes)
