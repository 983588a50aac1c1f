"""Changes of a running machine: devices come and go, links and limits change, media are swapped.

What a device looks like is rendered by the same code as the command line, so that a guest that was changed while it
ran is the same as one that was started with the change.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from corral.core.errors import Error, ParamError, TimedOut
from corral.guests.config_text import Change
from corral.guests.qemu import blockdev, drives
from corral.guests.qemu import config as vm
from corral.guests.qemu.args import Blockdev, Device, Item, Netdev, Object
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.devices import net as nets
from corral.guests.qemu.devices import usb
from corral.guests.qemu.devices.drive import Drive
from corral.guests.qemu.host import Host
from corral.guests.qemu.life.machines import Machine, Machines
from corral.guests.qemu.life.start import Starter, limits_of, tap_ranges
from corral.guests.qemu.life.volumes import read_size, show_size
from corral.guests.qemu.life.work import Unplug
from corral.guests.qemu.qmp import Event, Qmp, QmpError
from corral.guests.qemu.setup import Runtime, Setup, hotplug_features, set_up
from corral.system import cgroups, netlink
from corral.tasks.base import Work

UNPLUG_TIMEOUT: Final = 10.0
"""Seconds a guest has for letting go of a device."""

MEDIUM_ATTEMPTS: Final = 5

PLUGGABLE: Final = ("scsi", "virtio")
LIVE_DRIVE: Final = frozenset({"size", "backup", "replicate", "shared", "file"})
"""Keys of a drive that can change while it is in use (`file`: of a CD-ROM drive), besides its limits."""
LIVE_NET: Final = frozenset({"bridge", "tag", "trunks", "rate", "link_down", "firewall"})
LIMITS: Final = frozenset({
    f"{what}{part}{length}"
    for what in ("mbps", "bps", "iops") for part in ("", "_rd", "_wr") for length in ("", "_max", "_max_length")
})  # fmt: skip


@dataclass(frozen=True)
class _Live:
    """A running machine under change: its monitor, how it would be rendered with the change, and the task."""

    vmid: int
    qmp: Qmp
    setup: Setup
    work: Work


class HotPlug:
    """Changes running machines."""

    def __init__(self, machines: Machines, starter: Starter, host: Callable[[], Host]) -> None:
        self._machines = machines
        self._starter = starter
        self._host = host

    # --- deciding

    def can(self, config: VmConfig, change: Change) -> bool:
        """Whether an option can be changed in the running machine that was started with `config`; else it waits."""
        features = hotplug_features(config.options)
        key = change.key
        if key.startswith("net") and key[3:].isdigit():
            return self._can_net(change, features)
        if vm.is_drive(key):
            return self._can_drive(change, features)
        if key == "tablet":
            return "usb" in features
        if key == "balloon":
            return change.new not in (None, "0") and change.old != "0"
        if key == "vcpus":
            return "cpu" in features and change.new is not None
        return key in ("cpuunits", "cpulimit")

    def _can_net(self, change: Change, features: frozenset[str]) -> bool:
        if change.old is None or change.new is None:
            return "network" in features
        return "network" in features or _differing(change) <= LIVE_NET

    def _can_drive(self, change: Change, features: frozenset[str]) -> bool:
        bus = change.key.rstrip("0123456789")
        if any("snapshot=1" in (text or "") for text in (change.old, change.new)):
            return False  # QEMU makes temporary files for drives only when it starts
        if change.old is None or change.new is None:
            return "disk" in features and bus in PLUGGABLE
        old, new = _drives(change)
        if old.cdrom and new.cdrom:
            return _differing(change) <= LIVE_DRIVE
        if _differing(change) - {"file"} <= LIVE_DRIVE | LIMITS and old.file == new.file:
            return True
        # Another volume in the same place: out with the one, in with the other.
        return "disk" in features and bus in PLUGGABLE and old.file != new.file

    # --- doing

    def change(self, machine: Machine, change: Change, work: Work) -> None:
        """Make one change in the running machine; `Error` if it can't be made, and it is then as before."""
        vmid = machine.guest.vmid
        work.log(f"update VM {vmid}: {change.key}")
        with self._machines.processes.qmp(vmid) as qmp:
            live = _Live(vmid, qmp, self._setup(machine, change, qmp), work)
            if change.key.startswith("net") and change.key[3:].isdigit():
                self._change_net(live, change)
            elif vm.is_drive(change.key):
                self._change_drive(live, change)
            else:
                self._change_other(live, machine, change)

    def _setup(self, machine: Machine, change: Change, qmp: Qmp) -> Setup:
        """The machine as it would be rendered with the change, on the machine type that it runs on."""
        vmid = machine.guest.vmid
        config = machine.config.set({change.key: change.new})
        kind = str(qmp.call("qom-get", {"path": "/machine", "property": "type"})).removesuffix("-machine")
        runtime = Runtime(sockets=self._machines.layout.guest(vmid), machine=kind)
        return set_up(vmid, config, self._host(), runtime, self._starter.locate(config))

    # --- drives

    def _change_drive(self, live: _Live, change: Change) -> None:
        key = change.key
        if change.old is None:
            self._plug_drive(live, key)
        elif change.new is None:
            self._unplug_drive(live, key)
        else:
            old, new = _drives(change)
            if old.cdrom and new.cdrom:
                self._change_medium(live, key, new)
            elif old.file != new.file:
                self._unplug_drive(live, key)
                self._plug_drive(live, key)
            else:
                self._throttle(live, key, new)

    def _plug_drive(self, live: _Live, key: str) -> None:
        drive = dict(drives.all_drives(live.setup))[key]
        with live.work.undo() as undo:
            undo.before(Unplug(vmid=live.vmid, key=key))
            for item in drives.controllers(live.setup, key, drive):
                if not _exists(live.qmp, item):
                    _add(live.qmp, item)
            for item in blockdev.items(live.setup, key, drive):
                _add(live.qmp, item)
            _add(live.qmp, drives.device(live.setup, key, drive))

    def _unplug_drive(self, live: _Live, key: str) -> None:
        _unplug(live.qmp, key)
        _drop_nodes(live.qmp, key)
        if key.startswith("scsi") and live.setup.options.scsihw == "virtio-scsi-single":
            _unplug(live.qmp, f"virtioscsi{key[4:]}")
        for name in (f"iothread-{key}", f"iothread-virtioscsi{key[4:]}"):
            with contextlib.suppress(QmpError):
                live.qmp.call("object-del", {"id": name})

    def _throttle(self, live: _Live, key: str, drive: Drive) -> None:
        """Set all limits; those that are not set are lifted."""
        given = blockdev.limits(drive)
        names = ("bps-total", "bps-read", "bps-write", "iops-total", "iops-read", "iops-write")
        wanted = {f"{name}{part}": given.get(f"{name}{part}", 0) for name in names for part in ("", "-max")}
        wanted |= {f"{name}-max-length": given.get(f"{name}-max-length", 1) for name in names}
        path = f"/objects/{blockdev.throttle_group(key)}"
        live.qmp.call("qom-set", {"path": path, "property": "limits", "value": wanted})

    # --- media

    def _change_medium(self, live: _Live, key: str, drive: Drive) -> None:
        self._eject(live.qmp, key)
        if blockdev.has_medium(drive):
            self._insert(live, key, drive)
        live.qmp.call("blockdev-close-tray", {"id": key})

    def _eject(self, qmp: Qmp, key: str) -> None:
        for attempt in range(MEDIUM_ATTEMPTS):
            qmp.call("blockdev-open-tray", {"id": key, "force": True})
            try:
                qmp.call("blockdev-remove-medium", {"id": key})
            except QmpError:
                if attempt == MEDIUM_ATTEMPTS - 1:
                    raise
            else:
                break
        _drop_nodes(qmp, key)

    def _insert(self, live: _Live, key: str, drive: Drive) -> None:
        for item in blockdev.items(live.setup, key, drive):
            _add(live.qmp, item)
        for attempt in range(MEDIUM_ATTEMPTS):
            # A guest may close the tray at any moment, as firmware does while it looks for something to boot.
            live.qmp.call("blockdev-open-tray", {"id": key, "force": True})
            try:
                live.qmp.call("blockdev-insert-medium", {"id": key, "node-name": blockdev.top_node(key)})
            except QmpError:
                if attempt == MEDIUM_ATTEMPTS - 1:
                    raise
            else:
                break

    @contextlib.contextmanager
    def without_medium(self, machine: Machine, key: str) -> Iterator[None]:
        """While the block runs, the CD-ROM drive `key` of a running machine is open and empty: its file may change."""
        with self._machines.processes.qmp(machine.guest.vmid) as qmp:
            self._eject(qmp, key)
            try:
                yield
            finally:
                nothing = Change(key, machine.config.raw[key], machine.config.raw[key])
                live = _Live(machine.guest.vmid, qmp, self._setup(machine, nothing, qmp), _NO_WORK)
                self._insert(live, key, dict(drives.all_drives(live.setup))[key])
                qmp.call("blockdev-close-tray", {"id": key})

    # --- network cards

    def _change_net(self, live: _Live, change: Change) -> None:
        index = int(change.key[3:])
        if change.old is None:
            self._plug_net(live, index)
        elif change.new is None:
            self._unplug_net(live, index)
        elif _differing(change) <= LIVE_NET and _has_bridge(change.old) == _has_bridge(change.new):
            self._change_link(live, index, change)
        else:
            self._unplug_net(live, index)
            self._plug_net(live, index)

    def _plug_net(self, live: _Live, index: int) -> None:
        card = live.setup.options.net[index]
        with live.work.undo() as undo, contextlib.ExitStack() as ours:
            undo.before(Unplug(vmid=live.vmid, key=f"net{index}"))
            netdev = nets.netdev(live.setup, index, card)
            if card.bridge:
                netdev = self._with_tap(live, index, card, ours)
            live.qmp.call("netdev_add", netdev.arguments())
            _add(live.qmp, nets.device(live.setup, index, card))
            if card.link_down:
                live.qmp.call("set_link", {"name": f"net{index}", "up": False})

    def _with_tap(self, live: _Live, index: int, card: nets.Net, ours: contextlib.ExitStack) -> Netdev:
        """The host's side of a card on a tap whose descriptors are handed over by name."""
        tap = self._starter.make_tap(live.vmid, index, card, live.work)
        names = []
        for number, descriptor in enumerate(tap.descriptors):
            ours.callback(os.close, descriptor)
            names.append(f"net{index}-{number}")
            live.qmp.call("getfd", {"fdname": names[-1]}, fds=[descriptor])
        return Netdev("tap", f"net{index}", {"fd" if len(names) == 1 else "fds": ":".join(names)})

    def _unplug_net(self, live: _Live, index: int) -> None:
        _unplug(live.qmp, f"net{index}")
        with contextlib.suppress(QmpError):
            live.qmp.call("netdev_del", {"id": f"net{index}"})
        _until(lambda: not netlink.exists(self._machines.layout.tap(live.vmid, index)), self._machines)

    def _change_link(self, live: _Live, index: int, change: Change) -> None:
        card = live.setup.options.net[index]
        differing = _differing(change)
        if card.bridge and differing & {"bridge", "tag", "trunks"}:
            tap = self._machines.layout.tap(live.vmid, index)
            for warning in netlink.attach(tap, card.bridge, tag=card.tag, trunks=tap_ranges(card.trunks)):
                live.work.warn(warning)
        if card.bridge and "rate" in differing:
            for warning in netlink.limit_rate(self._machines.layout.tap(live.vmid, index), card.rate):
                live.work.warn(warning)
        if "link_down" in differing:
            live.qmp.call("set_link", {"name": f"net{index}", "up": not card.link_down})

    # --- the rest

    def _change_other(self, live: _Live, machine: Machine, change: Change) -> None:
        config = machine.config.set({change.key: change.new})
        match change.key:
            case "balloon":
                live.qmp.call("balloon", {"value": (config.options.balloon or 0) << 20})
            case "cpuunits" | "cpulimit":
                limits = limits_of(config)
                unlimited = cgroups.Limits(limits.cpu_weight, limits.cpu_cores or 0)
                self._machines.processes.scopes.limit(self._machines.processes.scope(live.vmid), unlimited)
            case "tablet":
                wanted = [item for item in usb.render_tablet(live.setup) if getattr(item, "id", "") == "tablet"]
                _unplug(live.qmp, "tablet")
                for item in wanted:
                    _add(live.qmp, item)
            case "vcpus":
                self._set_cpus(live.qmp, config.options.vcpus or 1)
            case key:
                raise Error(f"'{key}' can't be changed while the guest runs")

    def _set_cpus(self, qmp: Qmp, wanted: int) -> None:
        """Plug CPUs until there are `wanted`, or take out those that were plugged."""
        slots = sorted(qmp.call("query-hotpluggable-cpus"), key=lambda slot: sorted(slot["props"].items()))
        present = [slot for slot in slots if "qom-path" in slot]
        if wanted > len(slots):
            raise Error(f"the guest was started with room for {len(slots)} CPUs")
        for slot in [slot for slot in slots if "qom-path" not in slot][: max(0, wanted - len(present))]:
            name = f"cpu{slots.index(slot) + 1}"
            qmp.call("device_add", {"driver": slot["type"], "id": name, **slot["props"]})
        for slot in reversed(present[wanted:]):
            _unplug(qmp, str(slot["qom-path"]).rpartition("/")[2], must=True)

    # --- undoing

    def undo_plug(self, step: Unplug) -> None:
        """Take out what was being plugged, as far as it is there."""
        if not self._machines.processes.running(step.vmid):
            return
        with self._machines.processes.qmp(step.vmid) as qmp:
            _unplug(qmp, step.key)
            if step.key.startswith("net"):
                with contextlib.suppress(QmpError):
                    qmp.call("netdev_del", {"id": step.key})
            else:
                _drop_nodes(qmp, step.key)

    # --- sizes

    def new_size(self, config: VmConfig, key: str, text: str) -> tuple[str, int]:
        """The volume behind a drive, and the size in bytes that it shall have."""
        volume = dict(config.volumes()).get(key)
        if volume is None or volume.volid is None:
            raise ParamError({"disk": f"disk '{key}' does not exist"})
        if isinstance(volume, Drive) and volume.cdrom:
            raise Error("you can't resize a cdrom")
        now = self._machines.storages.info(volume.volid).size
        try:
            wanted = read_size(text.removeprefix("+"))
        except ValueError as exc:
            raise ParamError({"size": str(exc)}) from exc
        size = now + wanted if text.startswith("+") else wanted
        size = -(-size // 512) * 512
        if size < now:
            raise Error("shrinking disks is not supported")
        return volume.volid, size

    def resized(self, config: VmConfig, key: str, size: int) -> VmConfig:
        """The configuration with a drive's new size noted."""
        volume: Any = dict(config.volumes())[key]
        return config.set({key: msgspec.structs.replace(volume, size=show_size(size))})


class _NoWork:
    """For changes that take back nothing and have nothing to tell."""

    def __getattr__(self, name: str) -> Any:  # Any: stands for all of Work
        raise AssertionError(f"a change of medium needs no {name}")


_NO_WORK: Any = _NoWork()


def _drives(change: Change) -> tuple[Drive, Drive]:
    old, new = vm.value_of(change.key, change.old or ""), vm.value_of(change.key, change.new or "")
    assert isinstance(old, Drive)
    assert isinstance(new, Drive)
    return old, new


def _differing(change: Change) -> frozenset[str]:
    """The keys of a property string that differ."""
    old = msgspec.structs.asdict(vm.value_of(change.key, change.old or ""))
    new = msgspec.structs.asdict(vm.value_of(change.key, change.new or ""))
    return frozenset(key for key in {*old, *new} if old.get(key) != new.get(key))


def _has_bridge(text: str) -> bool:
    return bool(re.search(r"(^|,)bridge=", text))


def _exists(qmp: Qmp, item: Item) -> bool:
    """Whether a device or object of that id is there."""
    folder = "/objects" if isinstance(item, Object) else "/machine/peripheral"
    names = {each["name"] for each in qmp.call("qom-list", {"path": folder})}
    return getattr(item, "id", None) in names


def _add(qmp: Qmp, item: Item) -> None:
    """Add what a command line would have brought."""
    match item:
        case Blockdev(node):
            qmp.call("blockdev-add", dict(node), timeout=60)
        case Object():
            if not _exists(qmp, item):
                qmp.call("object-add", item.arguments())
        case Device():
            qmp.call("device_add", item.arguments(), timeout=30)
        case _:
            raise AssertionError(f"{item} can't be hot-plugged")


def _unplug(qmp: Qmp, name: str, *, must: bool = False) -> None:
    """Take a device out and wait until the guest has let go of it; fine if it is not there (unless it `must` be)."""
    try:
        qmp.call("device_del", {"id": name})
    except QmpError as exc:
        if exc.kind == "DeviceNotFound" and not must:
            return
        # A second request while the first is under way is no problem: its end is waited for.
        if "is already in the process of unplug" not in exc.description:
            raise

    def over(event: Event) -> bool:
        ends = ("DEVICE_DELETED", "DEVICE_UNPLUG_GUEST_ERROR")
        return event.name in ends and event.data.get("device") == name

    try:
        event = qmp.wait(over, timeout=UNPLUG_TIMEOUT, purpose="device_del")
    except TimedOut as exc:
        raise TimedOut(f"error on hot-unplugging device '{name}': the guest does not let go of it") from exc
    if event.name != "DEVICE_DELETED":
        raise Error(f"error on hot-unplugging device '{name}': the guest refuses")


def _drop_nodes(qmp: Qmp, key: str) -> None:
    """Remove a drive's nodes and its throttle group, as far as they are there."""
    for command, arguments in (
        ("blockdev-del", {"node-name": blockdev.top_node(key)}),
        ("object-del", {"id": blockdev.throttle_group(key)}),
    ):
        with contextlib.suppress(QmpError):
            qmp.call(command, arguments)


def _until(condition: Callable[[], bool], machines: Machines, timeout: float = 2.0) -> None:
    end = machines.clock.monotonic() + timeout
    while not condition() and machines.clock.monotonic() < end:
        machines.clock.sleep(0.01)
