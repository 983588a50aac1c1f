"""Changing a virtual machine's configuration.

A guest that does not run is changed at once. For one that runs, each changed option is either a matter of the record
alone, or can be changed in the running machine, or waits in the section of pending changes for the next start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from corral.core.errors import Error, ParamError
from corral.guests.config_text import Change, deletions
from corral.guests.qemu import cloudinit
from corral.guests.qemu import config as vm
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.clouddrive import CloudDrives, drive_of, noted
from corral.guests.qemu.life.create import generation, with_macs
from corral.guests.qemu.life.hotplug import HotPlug
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.options import refuse_both
from corral.guests.qemu.life.pending import Settled, drop_taken, is_record_only, keep_volumes
from corral.guests.qemu.life.volumes import Prepared
from corral.guests.qemu.life.work import QmCloudInit, QmConfig, QmResize
from corral.guests.qemu.setup import hotplug_features
from corral.storage.service import FreeVolume
from corral.tasks.base import Draws, Intent, VolumeChange, Work


@dataclass(frozen=True)
class Outcome:
    """What a change comes to.

    config   as it will be; what must wait is in its pending section
    hot      option changes to be made in the running machine first, each then applied in the record
    freed    volumes to be freed once nothing names them
    cloud    the cloud-init drive is to be written anew at once
    """

    config: VmConfig
    prepared: Prepared
    hot: tuple[Change, ...] = ()
    freed: tuple[str, ...] = ()
    cloud: bool = False

    @property
    def record_only(self) -> bool:
        """Whether one store transaction does it."""
        return not (self.prepared.new or self.hot or self.freed or self.cloud)


class Changer:
    """Changes configurations."""

    def __init__(self, machines: Machines, hotplug: HotPlug, clouds: CloudDrives) -> None:
        self._machines = machines
        self._hotplug = hotplug
        self._clouds = clouds

    # --- deciding

    def record_only(self, args: QmConfig, draws: Draws) -> bool:
        """Whether one store transaction does it, and no task is needed."""
        return self._outcome(self._machines.load(args.vmid), args, draws).record_only

    def rewrite(self, args: QmConfig, text: str, draws: Draws) -> str:
        """The configuration's text after a change that is a matter of the record alone."""
        guest = self._machines.load(args.vmid).guest._replace(text=text)
        outcome = self._outcome(Machine(guest, VmConfig.parse(text)), args, draws)
        return str(outcome.config)

    def _outcome(self, machine: Machine, args: QmConfig, draws: Draws) -> Outcome:
        machine.refuse_locked(skip=args.skiplock)
        machine.guest.check_digest(args.digest)
        refuse_both(args.options, args.delete, args.revert)
        self._refuse_protected(machine, args)
        options = with_macs(args.options, draws)
        if "vmgenid" in options:
            options["vmgenid"] = generation(options["vmgenid"], draws)
        prepared = self._machines.volumes.prepare(args.vmid, options, draws)
        return self.decide(machine, prepared, args)

    def _refuse_protected(self, machine: Machine, args: QmConfig) -> None:
        for key in args.delete:
            if vm.has_volume(key) or key.startswith("unused"):
                machine.refuse_protected(f"can't remove drive '{key}'")

    def decide(self, machine: Machine, prepared: Prepared, args: QmConfig) -> Outcome:
        """What the change comes to now."""
        config = machine.config.revert_pending(frozenset(args.revert))
        forced = frozenset(args.delete) if args.force else frozenset(key for key in args.delete if key[:6] == "unused")
        if not self._machines.processes.running(args.vmid):
            return self._stopped(config, prepared, args, forced)
        changes: dict[str, object] = {**prepared.options, **dict.fromkeys(args.delete)}
        noted = config.with_pending(changes, force=args.force)
        differing = noted.pending_changes()
        now = frozenset(key for key in differing if is_record_only(key))
        # Pending changes of earlier calls wait on: only what this call names is tried now.
        hot = tuple(
            each
            for key, each in differing.items()
            if key in changes and key not in now and self._hotplug.can(machine.config, each)
        )
        settled = _settled(noted, now, forced)
        cloud = any(cloudinit.concerns(key) for key in now) and drive_of(settled.config) is not None
        wants = "cloudinit" in hotplug_features(settled.config.options)
        return Outcome(settled.config, prepared, hot, self._own(args.vmid, settled.freed), cloud and wants)

    def _stopped(self, config: VmConfig, prepared: Prepared, args: QmConfig, forced: frozenset[str]) -> Outcome:
        """A machine that does not run: everything is done, with what was still pending."""
        changes: dict[str, object] = {**prepared.options, **dict.fromkeys(args.delete)}
        settled = _settled(config.with_pending(changes, force=args.force), None, forced)
        return Outcome(settled.config, prepared, (), self._own(args.vmid, settled.freed))

    def _own(self, vmid: int, volids: Iterable[str]) -> tuple[str, ...]:
        return tuple(volid for volid in volids if self._machines.volumes.owned(vmid, volid))

    def check(self, args: QmConfig, draws: Draws) -> Intent:
        """Decide; refuse what is locked, protected, changed since, or can't be."""
        machine = self._machines.load(args.vmid)
        outcome = self._outcome(machine, args, draws)
        config = outcome.config
        for change in outcome.hot:
            config = _settled(config, frozenset({change.key})).config
        if outcome.cloud:
            config = noted(config)
        changes = [each.change for each in outcome.prepared.new]
        changes += [VolumeChange(volid=volid, verb="free") for volid in outcome.freed]
        return Intent(
            writes=(machine.guest.rewrite(str(config)),),
            volumes=tuple(changes),
            locks=(lock_of(args.vmid), *outcome.prepared.sources),
            slots=outcome.prepared.slots,
            effects=tuple(f"changes {change.key} of running VM {args.vmid}" for change in outcome.hot),
            seconds=0.5,
        )

    # --- doing

    def act(self, args: QmConfig, work: Work) -> None:
        """Make volumes, change the record, then the running machine, then free what nothing names any more."""
        machine = self._machines.load(args.vmid)
        outcome = self._outcome(machine, args, work.draws)
        with work.undo() as undo:
            options = self._machines.volumes.make(outcome.prepared, work, undo, args.vmid)
            made = Prepared(options)

            def changed(machine: Machine) -> VmConfig:
                nonlocal outcome
                outcome = self.decide(machine, made, args)
                return outcome.config

            self._machines.commit(work, args.vmid, changed, keep=undo)
        freed = [*outcome.freed, *self._plug(args.vmid, outcome.hot, work)]
        self._free(freed, work)
        if outcome.cloud:
            self._write_cloud(args.vmid, work)

    def _plug(self, vmid: int, hot: tuple[Change, ...], work: Work) -> list[str]:
        """Change the running machine; what fails stays pending, and is told when the rest is done."""
        freed: list[str] = []
        errors: dict[str, str] = {}
        for change in hot:
            try:
                self._hotplug.change(self._machines.load(vmid), change, work)
            except Error as exc:
                errors[change.key] = f"hotplug problem - {exc}"
                continue

            def applied(machine: Machine, key: str = change.key) -> VmConfig:
                settled = _settled(machine.config, frozenset({key}))
                freed.extend(self._own(vmid, settled.freed))
                return settled.config

            self._machines.commit(work, vmid, applied)
        if errors:
            raise ParamError(errors)
        return freed

    def _free(self, volids: Iterable[str], work: Work) -> None:
        """Free volumes that no configuration names any more; also if we die meanwhile."""
        for volid in volids:
            with work.undo() as undo:
                undo.before(FreeVolume(volid=volid))
                work.log(f"removing volume '{volid}'")
                self._machines.storages.free(volid)

    # --- the cloud-init drive

    def check_cloudinit(self, args: QmCloudInit, _draws: Draws) -> Intent:
        """Refuses a guest without such a drive."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked()
        if (volid := drive_of(machine.config)) is None:
            raise Error(f"VM {args.vmid} has no cloud-init drive")
        return Intent(
            writes=(machine.guest.rewrite(str(noted(machine.config))),),
            volumes=(VolumeChange(volid=volid, verb="write"),),
            locks=(lock_of(args.vmid),),
            effects=(f"writes the cloud-init drive of VM {args.vmid}",),
        )

    def act_cloudinit(self, args: QmCloudInit, work: Work) -> None:
        """Write the drive anew."""
        self._machines.load(args.vmid).refuse_locked()
        self._write_cloud(args.vmid, work)

    def _write_cloud(self, vmid: int, work: Work) -> None:
        """Write the drive anew; a running guest finds the medium changed."""
        machine = self._machines.load(vmid)
        if not self._machines.processes.running(vmid):
            self._clouds.refresh(machine, work)
            return
        key = next(key for key, drive in machine.config.drives() if drive.cloudinit)
        with self._hotplug.without_medium(machine, key):
            self._clouds.refresh(machine, work)

    # --- growing a drive

    def check_resize(self, args: QmResize, _draws: Draws) -> Intent:
        """Refuse what does not exist, shrinks, or is locked."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        machine.guest.check_digest(args.digest)
        volid, size = self._hotplug.new_size(machine.config, args.disk, args.size)
        return Intent(
            volumes=(VolumeChange(volid=volid, verb="resize", size=size),),
            writes=(machine.guest.rewrite(str(self._hotplug.resized(machine.config, args.disk, size))),),
            locks=(lock_of(args.vmid),),
            effects=(f"grows {args.disk} of VM {args.vmid} to {size} bytes",),
            seconds=0.5,
        )

    def act_resize(self, args: QmResize, work: Work) -> None:
        """Grow the volume, by QEMU where it has it open; growing can't be taken back, and nothing needs it to be."""
        machine = self._machines.load(args.vmid)
        machine.refuse_locked(skip=args.skiplock)
        volid, size = self._hotplug.new_size(machine.config, args.disk, args.size)
        if self._machines.processes.running(args.vmid):
            with self._machines.processes.qmp(args.vmid) as qmp:
                qmp.call("block_resize", {"node-name": f"drive-{args.disk}", "size": size}, timeout=60)
        else:
            self._machines.storages.resize(volid, size)
        self._machines.commit(work, args.vmid, lambda machine: self._hotplug.resized(machine.config, args.disk, size))


def _settled(config: VmConfig, keys: frozenset[str] | None, forced: frozenset[str] = frozenset()) -> Settled:
    """Make pending changes current, mind the volumes, and drop notes of unused volumes that are in use again."""
    forced |= {key for key, force in deletions(config.pending.raw).items() if force}
    settled = keep_volumes(config, config.apply_pending(keys), forced)
    return Settled(drop_taken(settled.config), settled.freed)
