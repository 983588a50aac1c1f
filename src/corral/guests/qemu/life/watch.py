"""Watching the running guests: what QEMU tells by itself, and their ends, go to the status board.

One connection to each guest's `event` socket, kept by corrald. Guests do not depend on it: after a restart it is made
anew from what runs. All verbs may be called by any thread.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from corral.core.errors import Error
from corral.guests.qemu.life.machines import Machine, Machines
from corral.guests.qemu.life.status import stopped
from corral.guests.qemu.qmp import Event, Gone, Qmp
from corral.metrics.board import GuestStatus, StatusBoard
from corral.system import proc
from corral.system.pidfd import Held

log = logging.getLogger(__name__)

QUERY_TIMEOUT = 2.0
"""Seconds that a guest's monitor has for an answer; a slower one is shown with what is known."""

_WORDS = {"STOP": "paused", "RESUME": "running", "SUSPEND": "suspended", "WAKEUP": "running", "POWERDOWN": None}

Ended = Callable[[int, bool], None]
"""Told of a guest that ended by itself: its number, and whether it wanted to reboot and must be started again."""


@dataclass
class _Watched:
    """A running guest with its connection; `word` is QEMU's for what it does, `reason` why it is about to end."""

    vmid: int
    held: Held
    qmp: Qmp
    machine: str = ""
    word: str = "running"
    reason: str = ""
    failures: int = 0
    armed: bool = False

    def close(self) -> None:
        self.held.close()
        self.qmp.close()


class GuestWatcher:
    """Knows which guests run. `turn` is called again and again by a thread of its own."""

    def __init__(self, machines: Machines, board: StatusBoard, ended: Ended) -> None:
        self._machines = machines
        self._board = board
        self._ended = ended
        self._lock = threading.RLock()
        self._watched: dict[int, _Watched] = {}
        self._ear, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.closed = False
        self._thread = threading.Thread(target=self._run, name="guest-watcher", daemon=True)

    def start(self) -> None:
        """Look once, then watch in a thread of its own until `close`."""
        self.sync()
        self._thread.start()

    def _run(self) -> None:
        while not self.closed:
            try:
                self.turn()
            except Exception:
                log.exception("watching guests failed")
                self._machines.clock.sleep(2)

    def turn(self, timeout: float = 2.0) -> None:
        """Wait at most `timeout` seconds for something to happen, take note of it, and look for new guests."""
        poll = select.poll()
        poll.register(self._ear, select.POLLIN)
        with self._lock:
            owners = {
                number: each for each in self._watched.values() for number in (each.qmp.fileno(), each.held.fileno())
            }
        for number in owners:
            poll.register(number, select.POLLIN)
        ready = {owners[number].vmid for number, _ in poll.poll(timeout * 1000) if number in owners}
        with contextlib.suppress(BlockingIOError):
            os.read(self._ear, 4096)
        for vmid in ready:
            self._take_events(vmid)
        self.sync()

    def poke(self) -> None:
        """Let a waiting `turn` go on at once."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._bell, b"x")

    def sync(self) -> None:
        """Connect to guests that were started since, let go of those that have ended."""
        running = set(self._machines.processes.all_running())
        with self._lock:
            known = set(self._watched)
        for vmid in running | known:
            if (vmid in running) != (vmid in known):
                self.look(vmid)

    def look(self, vmid: int) -> None:
        """Bring one guest up to date on the board, now: after a task that started or stopped it."""
        with self._lock:
            watched = self._watched.get(vmid)
            if watched is not None and not watched.held.alive():
                self._end(watched)
                watched = None
            if watched is None:
                watched = self._begin(vmid)
            if watched is not None:
                self._drain(watched)
            machine = self._machines.find(vmid)
            if machine is None:
                self._board.drop("guest", str(vmid))
            else:
                self._board.put(self._with_rate(self._status(machine, watched)))

    def _with_rate(self, status: GuestStatus) -> GuestStatus:
        """With the processor's use as the sampler last worked it out: one look can't tell a rate."""
        known = self._board.guest(status.vmid)
        same = known is not None and known.pid == status.pid and status.pid is not None
        return replace(status, cpu=known.cpu) if same and known is not None else status

    def _begin(self, vmid: int) -> _Watched | None:
        held = self._machines.processes.held(vmid)
        if held is None:
            return None
        try:
            qmp = self._machines.processes.qmp(vmid, socket="event", timeout=QUERY_TIMEOUT)
        except Error as exc:
            # It starts or ends just now; the next turn tells.
            log.debug("no events of VM %d yet: %s", vmid, exc)
            held.close()
            return None
        watched = _Watched(vmid, held, qmp)
        with contextlib.suppress(Error):
            kind = qmp.call("qom-get", {"path": "/machine", "property": "type"}, timeout=QUERY_TIMEOUT)
            watched.machine = str(kind).removesuffix("-machine")
            watched.word = qmp.call("query-status", timeout=QUERY_TIMEOUT)["status"]
        self._watched[vmid] = watched
        log.info("VM %d runs, process %d", vmid, held.pid)
        self.poke()
        return watched

    def _take_events(self, vmid: int) -> None:
        with self._lock:
            watched = self._watched.get(vmid)
            if watched is None:
                return
            self._drain(watched)
            if not watched.held.alive():
                self._end(watched)
            self._show(vmid, self._watched.get(vmid))

    def _drain(self, watched: _Watched) -> None:
        try:
            while (event := watched.qmp.next_event(0.001)) is not None:
                self._note(watched, event)
        except Gone:
            watched.held.wait(5)  # it has closed its monitor: its end is near

    def _note(self, watched: _Watched, event: Event) -> None:
        if event.name == "SHUTDOWN":
            watched.reason = str(event.data.get("reason", ""))
        elif event.name == "BLOCK_IO_ERROR":
            log.warning(
                "VM %d: I/O error on %s: %s", watched.vmid, event.data.get("device"), event.data.get("reason", "")
            )
        if (word := _WORDS.get(event.name)) is not None:
            watched.word = word

    def _end(self, watched: _Watched) -> None:
        del self._watched[watched.vmid]
        watched.close()
        log.info("VM %d has ended%s", watched.vmid, f" ({watched.reason})" if watched.reason else "")
        self._ended(watched.vmid, watched.armed and watched.reason == "guest-reset")

    def _show(self, vmid: int, watched: _Watched | None) -> None:
        machine = self._machines.find(vmid)
        known = self._board.guest(vmid)
        if machine is None:
            self._board.drop("guest", str(vmid))
        elif watched is None:
            self._board.put(stopped(machine))
        elif known is not None and known.status == "running":
            self._board.put(replace(known, qmpstatus=watched.word))
        else:
            self._board.put(self._with_rate(self._status(machine, watched)))

    # --- figures

    def statuses(self) -> list[GuestStatus]:
        """Every guest of this node as it is now; for the sampler."""
        return [self.status(machine) for machine in self._machines.every()]

    def status(self, machine: Machine) -> GuestStatus:
        """One guest as it is now."""
        with self._lock:
            return self._status(machine, self._watched.get(machine.guest.vmid))

    def _status(self, machine: Machine, watched: _Watched | None) -> GuestStatus:
        base = stopped(machine)
        stat = proc.pid_stat(watched.held.pid) if watched is not None else None
        if watched is None or stat is None:
            return base
        received, sent, nics = _traffic(machine, self._machines)
        usage = self._machines.processes.scopes.usage(self._machines.processes.scope(watched.vmid))
        status = replace(
            base,
            status="running",
            qmpstatus=watched.word,
            pid=watched.held.pid,
            uptime=max(0, int(proc.uptime() - stat.start / proc.HERTZ)),
            cpu_seconds=stat.cpu,
            mem=min(stat.resident, base.maxmem),
            memhost=usage.memory or stat.resident,
            netin=received,
            netout=sent,
            nics=nics or None,
            running_machine=watched.machine or None,
            running_qemu=".".join(str(part) for part in watched.qmp.version),
        )
        self._arm(machine, watched)
        return self._asked(status, watched)

    def _arm(self, machine: Machine, watched: _Watched) -> None:
        """Let a guest's own reboot end QEMU while changes are pending, so that they take effect when it is started."""
        wanted = bool(machine.config.pending.raw) and machine.config.options.reboot is not False
        if wanted == watched.armed:
            return
        with contextlib.suppress(Error):
            action = "shutdown" if wanted or machine.config.options.reboot is False else "reset"
            watched.qmp.call("set-action", {"reboot": action}, timeout=QUERY_TIMEOUT)
            watched.armed = wanted

    def _asked(self, status: GuestStatus, watched: _Watched) -> GuestStatus:
        """With what only QEMU knows. One that did not answer lately is asked ever less often."""
        if watched.failures and watched.failures % 8:
            watched.failures += 1
            return status
        try:
            watched.word = watched.qmp.call("query-status", timeout=QUERY_TIMEOUT)["status"]
            blocks = _block_statistics(watched.qmp)
            balloon = _balloon(watched.qmp)
        except Error as exc:
            watched.failures += 1
            log.debug("VM %d does not answer: %s", watched.vmid, exc)
            return status
        watched.failures = 0
        read = sum(each.get("rd_bytes", 0) for each in blocks.values())
        written = sum(each.get("wr_bytes", 0) for each in blocks.values())
        used = balloon.get("total_mem", 0) - balloon.get("free_mem", 0) if "free_mem" in balloon else None
        return replace(
            status,
            qmpstatus=watched.word,
            diskread=read,
            diskwrite=written,
            blockstat=blocks or None,
            balloon=balloon.get("actual"),
            ballooninfo=balloon or None,
            mem=used if used is not None and used > 0 else status.mem,
        )

    def close(self) -> None:
        """Let go of all guests, which go on."""
        self.closed = True
        self.poke()
        if self._thread.is_alive():
            self._thread.join(10)
        with self._lock:
            for watched in self._watched.values():
                watched.close()
            self._watched.clear()
            os.close(self._bell)
            os.close(self._ear)


def _block_statistics(qmp: Qmp) -> dict[str, dict[str, int]]:
    found = {}
    for each in qmp.call("query-blockstats", timeout=QUERY_TIMEOUT):
        name = str(each.get("device") or each.get("qdev", "").rpartition("/peripheral/")[2].partition("/")[0])
        if name:
            numbers = {key: value for key, value in each["stats"].items() if type(value) is int}
            found[name.removeprefix("drive-")] = numbers
    return found


def _balloon(qmp: Qmp) -> dict[str, int]:
    """Figures of the balloon device; what the guest's driver does not tell is left out."""
    try:
        actual = int(qmp.call("query-balloon", timeout=QUERY_TIMEOUT)["actual"])
        path = {"path": "/machine/peripheral/balloon0", "property": "guest-stats"}
        said: dict[str, Any] = qmp.call("qom-get", path, timeout=QUERY_TIMEOUT)["stats"]
    except Gone:
        raise
    except Error:
        return {}
    names = {"stat-free-memory": "free_mem", "stat-total-memory": "total_mem", "stat-available-memory": "available_mem"}
    # The driver tells what it does not know as the largest number.
    known = {names[key]: value for key, value in said.items() if key in names and 0 < value < 1 << 62}
    return {"actual": actual, **known}


def _traffic(machine: Machine, machines: Machines) -> tuple[int, int, dict[str, dict[str, int]]]:
    """Bytes that the guest has received and sent, and per tap. What a tap receives, the guest has sent."""
    if not any(card.bridge for card in machine.config.options.net.values()):
        return 0, 0, {}
    counters = proc.traffic()
    nics = {}
    for index in machine.config.options.net:
        found = counters.get(machines.layout.tap(machine.guest.vmid, index))
        if found is not None:
            nics[f"tap{machine.guest.vmid}i{index}"] = {"netin": found.sent, "netout": found.received}
    return sum(each["netin"] for each in nics.values()), sum(each["netout"] for each in nics.values()), nics
