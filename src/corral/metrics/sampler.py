"""The sampler: every ten seconds corrald has it look at the machine, its guests and storages.

It fills the status board and the history. What guests and storages are doing it asks of two functions that it is given,
as it knows neither room.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from corral.core.clock import Clock
from corral.metrics.board import GuestStatus, NodeStatus, StatusBoard, StorageStatus
from corral.metrics.series import Metrics
from corral.system import files, proc

log = logging.getLogger(__name__)

T = TypeVar("T")

PERIOD = 10.0
"""Seconds between samples."""

_PHYSICAL = re.compile(r"(eth|en|ib|wl|ww)\w*")


class Machine(NamedTuple):
    """The machine at one moment: counters since boot, bytes."""

    cpu: proc.CpuTimes
    cpus: int
    memory: proc.Memory
    load: proc.Load
    uptime: float
    traffic: proc.Traffic
    disk: files.Space
    pressure: dict[str, float]


def read_machine(root: Path) -> Machine:
    """The real machine; `disk` is the file system that holds `root`."""
    devices = [traffic for name, traffic in proc.traffic().items() if _PHYSICAL.fullmatch(name)]
    return Machine(
        cpu=proc.cpu_times(),
        cpus=proc.cpu().cpus,
        memory=proc.memory(),
        load=proc.load(),
        uptime=proc.uptime(),
        traffic=proc.Traffic(sum(each.received for each in devices), sum(each.sent for each in devices)),
        disk=files.free_space(root),
        pressure=pressures(proc.pressure("cpu"), proc.pressure("io"), proc.pressure("memory")),
    )


def pressures(cpu: proc.Pressure | None, io: proc.Pressure | None, memory: proc.Pressure | None) -> dict[str, float]:
    """Pressure as the wire names it, percent over ten seconds; what is not known is left out."""
    out = {}
    for word, found in (("cpu", cpu), ("io", io), ("memory", memory)):
        if found is not None:
            out[f"pressure{word}some"] = found.some.avg10
            out[f"pressure{word}full"] = found.full.avg10 if found.full else 0.0
    return out


class _Before(NamedTuple):
    """A sample to compare the next one with."""

    time: float
    machine: Machine | None
    guests: dict[int, GuestStatus]


class Sampler:
    """One node's sampler. `sample` is called by one thread, `sample_storages` by another.

    guests    the status of every guest on this node, with `cpu_seconds` and counters since its start; not `cpu`
    storages  the status of every storage on this node
    about     completes the node's status
    elsewhere whether a guest that is not here any more still exists: the history of one that does not is dropped
    """

    def __init__(
        self,
        node: str,
        board: StatusBoard,
        metrics: Metrics,
        clock: Clock,
        *,
        machine: Callable[[], Machine],
        guests: Callable[[], Iterable[GuestStatus]],
        storages: Callable[[], Iterable[StorageStatus]],
        about: Callable[[NodeStatus], NodeStatus] = lambda status: status,
        elsewhere: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self._node = node
        self._board = board
        self._metrics = metrics
        self._clock = clock
        self._machine = machine
        self._guests = guests
        self._storages = storages
        self._about = about
        self._elsewhere = elsewhere
        self._before = _Before(0.0, None, {})

    def sample(self) -> None:
        """Look at node and guests once. What fails is logged and the rest goes on."""
        now = self._clock.monotonic()
        span = now - self._before.time
        machine = self._guarded(self._machine)
        if machine is not None:
            self._sample_node(machine, span)
        guests = self._sample_guests(span)
        self._before = _Before(now, machine or self._before.machine, guests)

    def _sample_node(self, machine: Machine, span: float) -> None:
        before = self._before.machine
        busy = wait = received = sent = 0.0
        if before is not None and (total := machine.cpu.total - before.cpu.total) > 0:
            busy = max(0.0, (machine.cpu.busy - before.cpu.busy) / total)
            wait = max(0.0, (machine.cpu.iowait - before.cpu.iowait) / total)
            received = _rate(before.traffic.received, machine.traffic.received, span)
            sent = _rate(before.traffic.sent, machine.traffic.sent, span)
        memory, disk = machine.memory, machine.disk
        status = NodeStatus(
            node=self._node,
            cpu=busy,
            wait=wait,
            maxcpu=machine.cpus,
            mem=memory.used,
            maxmem=memory.total,
            memavailable=memory.available,
            swap=memory.swap_total - memory.swap_free,
            maxswap=memory.swap_total,
            arcsize=memory.arc,
            disk=disk.used,
            maxdisk=disk.total,
            uptime=int(machine.uptime),
            loadavg=(machine.load.one, machine.load.five, machine.load.fifteen),
            netin=machine.traffic.received,
            netout=machine.traffic.sent,
            pressure=machine.pressure,
        )
        self._board.put(self._about(status))
        figures = {
            "loadavg": float(machine.load.one),
            "maxcpu": machine.cpus,
            "memtotal": memory.total,
            "memused": memory.used,
            "memavailable": memory.available,
            "swaptotal": memory.swap_total,
            "swapused": memory.swap_total - memory.swap_free,
            "roottotal": disk.total,
            "rootused": disk.used,
            "arcsize": memory.arc,
            **machine.pressure,
        }
        if before is not None:
            figures |= {"cpu": busy, "iowait": wait, "netin": received, "netout": sent}
        self._metrics.update("node", self._node, figures)

    def _sample_guests(self, span: float) -> dict[int, GuestStatus]:
        found = self._guarded(lambda: list(self._guests()))
        if found is None:
            return self._before.guests
        seen = {}
        for raw in found:
            before = self._before.guests.get(raw.vmid)
            status = self._with_cpu(raw, before, span)
            seen[raw.vmid] = status
            self._board.put(status)
            self._metrics.update("guest", str(raw.vmid), _guest_figures(status, before, span))
        for known in self._board.guests():
            if known.node == self._node and known.vmid not in seen:
                self._board.drop("guest", known.id)
                if not self._elsewhere(known.vmid):
                    self._metrics.forget("guest", known.id)
        return seen

    @staticmethod
    def _with_cpu(status: GuestStatus, before: GuestStatus | None, span: float) -> GuestStatus:
        if before is None or before.pid != status.pid or span <= 0 or not status.maxcpu:
            return status
        used = max(0.0, status.cpu_seconds - before.cpu_seconds)
        return replace(status, cpu=used / span / status.maxcpu)

    def sample_storages(self) -> None:
        """Look at the storages once. Apart from `sample`, and by another thread, since a storage may hang."""
        found = self._guarded(lambda: list(self._storages()))
        if found is None:
            return
        seen = set()
        for status in found:
            seen.add(status.id)
            self._board.put(status)
            if status.active:
                figures = {"total": float(status.total), "used": float(status.used)}
                self._metrics.update("storage", storage_series(status.node, status.storage), figures)
        for known in self._board.storages():
            if known.node == self._node and known.id not in seen:
                self._board.drop("storage", known.id)
                self._metrics.forget("storage", storage_series(known.node, known.storage))

    @staticmethod
    def _guarded(ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except Exception:
            log.exception("sampling failed")
            return None


def storage_series(node: str, storage: str) -> str:
    """The name of a storage's history."""
    return f"{node}:{storage}"


def _guest_figures(status: GuestStatus, before: GuestStatus | None, span: float) -> dict[str, float]:
    figures: dict[str, float] = {
        "maxcpu": status.maxcpu,
        "maxmem": status.maxmem,
        "maxdisk": status.maxdisk,
        "disk": status.disk,
    }
    if status.status != "running":
        return figures
    figures |= {"cpu": status.cpu, "mem": status.mem, "memhost": status.memhost, **status.pressure}
    if before is not None and before.pid == status.pid:
        for name in ("netin", "netout", "diskread", "diskwrite"):
            figures[name] = _rate(getattr(before, name), getattr(status, name), span)
    return figures


def _rate(before: int, now: int, span: float) -> float:
    """Per second; a counter that went back has begun anew and tells nothing."""
    return max(0, now - before) / span if span > 0 else 0.0
