"""Starting a virtual machine: everything that QEMU needs is opened first, and handed to it; what fails is undone.

QEMU inherits the listening socket of its monitor. So the connection is made before the program runs, the greeting says
that it is ready, and its death ends the connection at once: nothing is polled.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from corral.core.errors import Error, TimedOut
from corral.guests.qemu.command import Command, command
from corral.guests.qemu.config import Section, VmConfig
from corral.guests.qemu.host import Host, Located
from corral.guests.qemu.life.clouddrive import CloudDrives, drive_of, noted
from corral.guests.qemu.life.hooks import Hooks
from corral.guests.qemu.life.machines import Machine, Machines, lock_of
from corral.guests.qemu.life.pending import launched_with, settled
from corral.guests.qemu.life.processes import ERRORS
from corral.guests.qemu.life.work import EndGuest, QmStart
from corral.guests.qemu.qmp import Gone, Qmp
from corral.guests.qemu.setup import Runtime
from corral.guests.qemu.swtpm import Swtpm
from corral.storage.service import FreeVolume
from corral.store.base import Write
from corral.system import files, netlink
from corral.system.cgroups import Limits
from corral.tasks.base import Draws, Intent, Work

READY_TIMEOUT = 30.0
"""Seconds from spawn to a ready monitor; a guest with much memory gets more."""
LOAD_TIMEOUT = 3600.0
BALLOON = "/machine/peripheral/balloon0"

# What a suspended guest's configuration carries until it runs again.
SUSPENDED = ("lock", "vmstate", "runningmachine", "runningcpu")


class Tap(NamedTuple):
    """A tap that was made for a card: its name and descriptors, one a queue."""

    name: str
    descriptors: tuple[int, ...]


class Starter:
    """Starts virtual machines. `host` answers what command lines depend on."""

    def __init__(
        self, machines: Machines, *, hooks: Hooks, clouds: CloudDrives, swtpm: Swtpm, host: Callable[[], Host]
    ) -> None:
        self._machines = machines
        self._processes = machines.processes
        self._hooks = hooks
        self._clouds = clouds
        self._swtpm = swtpm
        self._host = host

    def check(self, args: QmStart, _draws: Draws) -> Intent:
        """Refuse what can't run, and render the command line once, so that its errors and warnings come first."""
        machine = self._may_start(args)
        vmid = args.vmid
        suspended = machine.config.options.lock == "suspended"
        config = machine.config if suspended else settled(machine.config).config
        rendered = self._rendered(vmid, config, self._runtime(vmid, config, args))
        effects = [f"starts QEMU for VM {vmid}"]
        for index, card in config.options.net.items():
            if card.bridge:
                _need_bridge(card.bridge)
                effects.append(f"creates {self._machines.layout.tap(vmid, index)} on {card.bridge}")
        return Intent(
            locks=(lock_of(vmid),),
            writes=self.writes(machine),
            effects=tuple(effects),
            warnings=(*rendered.notes, *rendered.warnings),
            seconds=1.0,
        )

    def writes(self, machine: Machine) -> tuple[Write, ...]:
        """What a start changes in the record: pending changes are made, a saved memory is used up, the cloud-init
        drive is noted."""
        suspended = machine.config.options.lock == "suspended"
        config = without_state(machine.config) if suspended else settled(machine.config).config
        if drive_of(config) is not None:
            config = noted(config)
        return () if str(config) == machine.guest.text else (machine.guest.rewrite(str(config)),)

    def _may_start(self, args: QmStart) -> Machine:
        machine = self._machines.load(args.vmid)
        machine.refuse_template("start")
        machine.refuse_locked(skip=args.skiplock, but="suspended")
        if self._processes.running(args.vmid):
            raise Error(f"VM {args.vmid} already running")
        return machine

    def command_line(self, vmid: int) -> tuple[str, ...]:
        """The words that would start the guest with its present configuration, program first."""
        machine = self._machines.load(vmid)
        runtime = self._runtime(vmid, machine.config, QmStart(vmid=vmid))
        return self._rendered(vmid, machine.config, runtime).args

    def act(self, args: QmStart, work: Work) -> None:
        """Start the guest; pending changes take effect."""
        machine = self._apply_pending(self._may_start(args), work)
        if self._machines.layout.guest(args.vmid).exists():
            self._processes.clean(args.vmid)  # what an earlier one left; looking for it takes a while
        machine = self._clouds.refresh(machine, work)
        self._hooks.run(machine, "pre-start", work)
        with work.undo() as undo, ExitStack() as stack:
            undo.before(EndGuest(vmid=args.vmid))
            qmp = stack.enter_context(self._launch(machine, args, work))
            self._prepare(machine.config, qmp)
            if machine.config.options.lock == "suspended":
                self._load_state(machine, qmp)
                self._machines.commit(work, args.vmid, lambda found: without_state(found.config), keep=undo)
            if not machine.config.options.freeze:
                qmp.call("cont")
        if machine.config.options.lock != "suspended":
            # The record may have been changed since we read it, for a machine that seemed not to run.
            self._machines.commit(work, args.vmid, lambda found: launched_with(machine.config, found.config))
        self._free_state(machine, work)
        self._hooks.run(machine, "post-start", work)

    def end(self, step: EndGuest) -> None:
        """Undo a start: kill and remove whatever there is of it."""
        self._processes.clean(step.vmid)

    def _apply_pending(self, machine: Machine, work: Work) -> Machine:
        if machine.config.options.lock == "suspended":
            return machine  # what goes on from saved memory must be the machine that was saved
        result = settled(machine.config)
        if result.config.pending.raw == machine.config.pending.raw:
            return machine
        machine = self._machines.commit(work, machine.guest.vmid, lambda found: settled(found.config).config)
        for volid in result.freed:
            if self._machines.volumes.owned(machine.guest.vmid, volid):
                work.log(f"freeing volume '{volid}'")
                self._machines.storages.free(volid)
        return machine

    # --- the process

    def _launch(self, machine: Machine, args: QmStart, work: Work) -> Qmp:
        """Spawn QEMU and wait until its monitor answers. Our copies of its descriptors are closed again."""
        vmid, config = machine.guest.vmid, machine.config
        directory = files.ensure_dir(self._machines.layout.guest(vmid), mode=0o700)
        with ExitStack() as ours:
            sockets = {name: ours.enter_context(_listen(directory / name)) for name in ("qmp", "event")}
            taps = self._taps(machine, work, ours)
            self._start_tpm(config, directory)
            runtime = self._runtime(vmid, config, args, sockets, taps)
            rendered = self._rendered(vmid, config, runtime)
            for note in rendered.notes:
                # Said, not counted: clients take `WARNINGS: 1` for a failure, and a node without KVM notes each start.
                work.log(f"WARN: {note}")
            for warning in rendered.warnings:
                work.warn(warning)
            descriptors = [each.fileno() for each in sockets.values()]
            descriptors += [number for tap in taps.values() for number in tap.descriptors]
            if rendered.copy_vars:
                files.atomic_write(directory / "efivars", files.read_bytes(Path(rendered.copy_vars[0])), mode=0o600)
            pid = self._spawn(rendered, directory / ERRORS, descriptors)
        self._processes.scopes.place(self._processes.scope(vmid), pid, limits_of(config))
        try:
            return Qmp.connect(
                directory / "qmp", vmid=vmid, timeout=args.timeout or patience(config), clock=self._machines.clock
            )
        except Gone:
            raise self._died(vmid, work) from None
        except TimedOut as exc:
            raise TimedOut(f"start failed: QEMU of VM {vmid} does not answer - got timeout") from exc

    def _runtime(
        self,
        vmid: int,
        config: VmConfig,
        args: QmStart,
        sockets: Mapping[str, socket.socket] | None = None,
        taps: Mapping[int, Tap] | None = None,
    ) -> Runtime:
        suspended = config.options.lock == "suspended"
        return Runtime(
            sockets=self._machines.layout.guest(vmid),
            fds={name: each.fileno() for name, each in (sockets or {}).items()},
            taps={index: tap.descriptors for index, tap in (taps or {}).items()},
            tap_names={index: self._machines.layout.tap(vmid, index) for index in config.options.net},
            paused=True,
            incoming="defer" if suspended else "",
            machine=args.machine or (suspended and config.options.runningmachine) or "",
            cpu=args.cpu or (suspended and config.options.runningcpu) or "",
        )

    def _rendered(self, vmid: int, config: VmConfig, runtime: Runtime) -> Command:
        """The command line; `Error` for one that no program can be given."""
        rendered = command(vmid, config, self._host(), runtime, self.locate(config))
        if any("\0" in word for word in rendered.args):
            raise Error("an option holds a NUL character, which can't be passed to QEMU")
        return rendered

    def _spawn(self, rendered: Command, errors: Path, descriptors: list[int]) -> int:
        prefix = ["taskset", "-c", rendered.affinity] if rendered.affinity else []
        with files.appending(errors, mode=0o600) as output:
            return self._machines.run.spawn([*prefix, *rendered.args], pass_fds=descriptors, output=output).pid

    def _died(self, vmid: int, work: Work) -> Error:
        """What QEMU said before it ended."""
        lines = self._processes.said(vmid).splitlines()
        for line in lines[-20:]:
            work.log(line)
        reason = _reason(lines)
        return Error(f"start failed: QEMU exited: {reason}" if reason else "start failed: QEMU exited without a word")

    def _prepare(self, config: VmConfig, qmp: Qmp) -> None:
        """What can't be said on the command line."""
        # QEMU ends with the guest, whether or not somebody watches.
        qmp.call("set-action", {"shutdown": "poweroff"})
        for index, card in config.options.net.items():
            if card.link_down:
                qmp.call("set_link", {"name": f"net{index}", "up": False})
        if config.options.balloon != 0:
            with contextlib.suppress(Error):  # some machine types have no balloon device
                qmp.call("qom-set", {"path": BALLOON, "property": "guest-stats-polling-interval", "value": 2})

    # --- what it is given

    def _taps(self, machine: Machine, work: Work, ours: ExitStack) -> dict[int, Tap]:
        made = {}
        for index, card in machine.config.options.net.items():
            if card.bridge is not None:
                made[index] = self.make_tap(machine.guest.vmid, index, card, work)
                for descriptor in made[index].descriptors:
                    ours.callback(os.close, descriptor)
        return made

    def make_tap(self, vmid: int, index: int, card: Any, work: Work) -> Tap:  # Any: devices.net.Net
        """A tap for a card, on its bridge; it lives as long as a descriptor of it. The caller closes those."""
        _need_bridge(card.bridge)
        name = self._machines.layout.tap(vmid, index)
        descriptors = netlink.open_tap(name, queues=max(1, card.queues or 1))
        try:
            warnings = netlink.attach(name, card.bridge, tag=card.tag, trunks=tap_ranges(card.trunks))
            if card.rate:
                warnings += netlink.limit_rate(name, card.rate)
        except BaseException:
            for descriptor in descriptors:
                os.close(descriptor)
            raise
        for warning in warnings:
            work.warn(warning)
        return Tap(name, descriptors)

    def _start_tpm(self, config: VmConfig, directory: Path) -> None:
        tpm = config.options.tpmstate0
        if tpm is not None and tpm.volid is not None:
            state = self._machines.storages.path(tpm.volid)
            self._swtpm.start(directory / "swtpm", state, tpm.version or "v1.2")

    def locate(self, section: Section) -> dict[str, Located]:
        """Every volume that the section uses, found on its storage, which is activated."""
        return {volid: self.located(volid) for _, each in section.volumes() if (volid := each.volid) is not None}

    def located(self, volid: str) -> Located:
        """One volume, found."""
        storage, name = self._machines.storages.locate(volid)
        self._machines.storages.usable(storage.id)
        path = self._machines.storages.path(volid)
        if not path.exists():
            raise Error(f"volume '{volid}' does not exist")
        form = name.format if name.format in ("raw", "qcow2", "vmdk") else "raw"
        return Located.at(str(path), form, block=storage.can.block)

    # --- from saved memory

    def _load_state(self, machine: Machine, qmp: Qmp) -> None:
        """Load the memory that a suspend saved; the guest stays halted."""
        volid = machine.config.options.vmstate
        if volid is None:
            raise Error(f"VM {machine.guest.vmid} is marked as suspended, but has no saved memory")
        descriptor = os.open(self._machines.storages.path(volid), os.O_RDONLY | os.O_CLOEXEC)
        try:
            qmp.call("getfd", {"fdname": "state"}, fds=[descriptor])
        finally:
            os.close(descriptor)
        enable_migration_events(qmp)
        qmp.call("migrate-incoming", {"uri": "fd:state"})
        wait_migrated(qmp, "loading the saved memory", timeout=LOAD_TIMEOUT)

    def _free_state(self, machine: Machine, work: Work) -> None:
        volid = machine.config.options.vmstate
        if machine.config.options.lock != "suspended" or volid is None:
            return
        with work.undo() as undo:
            # Nothing names the volume any more: if we die here, it is freed all the same.
            undo.before(FreeVolume(volid=volid))
            self._machines.storages.free(volid)


def without_state(config: VmConfig) -> VmConfig:
    """The configuration of a guest that runs again."""
    return config.set(dict.fromkeys(SUSPENDED))


def enable_migration_events(qmp: Qmp) -> None:
    """Let QEMU tell how a migration goes, in place of being asked all the time."""
    qmp.call("migrate-set-capabilities", {"capabilities": [{"capability": "events", "state": True}]})


def wait_migrated(qmp: Qmp, purpose: str, *, timeout: float) -> None:
    """Wait for the end of a migration; `Error` if it failed."""
    ends = ("completed", "failed", "cancelled")
    event = qmp.wait(
        lambda event: event.name == "MIGRATION" and event.data.get("status") in ends, timeout=timeout, purpose=purpose
    )
    if event.data["status"] != "completed":
        reason = qmp.call("query-migrate").get("error-desc", "QEMU gives no reason")
        raise Error(f"{purpose} failed: {reason}")


def limits_of(config: VmConfig) -> Limits:
    """Limits of a guest's scope."""
    options = config.options
    return Limits(cpu_weight=min(10000, options.cpuunits or 100), cpu_cores=options.cpulimit or None)


def patience(config: VmConfig) -> float:
    """Seconds until a guest's monitor must answer: much memory takes time, hugepages most."""
    memory = config.options.memory.current if config.options.memory else 512
    return READY_TIMEOUT + memory / 1024 * (2 if config.options.hugepages else 0.5)


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.bind(os.fspath(path))
        listener.listen(8)
    except BaseException:
        listener.close()
        raise
    return listener


def _need_bridge(bridge: str) -> None:
    if not netlink.exists(bridge):
        raise Error(f"bridge '{bridge}' does not exist", hint="'corral net nat' makes one with DHCP")


def tap_ranges(text: str | None) -> list[tuple[int, int]]:
    """The ranges of VLANs in the option `trunks`."""
    ranges = []
    for part in (text or "").split(";"):
        first, _, last = part.partition("-")
        if first:
            ranges.append((int(first), int(last or first)))
    return ranges


def _reason(lines: list[str]) -> str:
    """The line that says why: QEMU repeats its name before each."""
    for line in reversed(lines):
        said = line.partition("qemu-system-")[2].partition(": ")[2] or line
        if said.strip() and not said.startswith("warning:"):
            return said.strip()
    return ""
