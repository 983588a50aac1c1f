"""Scopes: each guest's processes in a cgroup of their own, with limits and figures, whatever the machine offers.

`scopes()` probes: systemd (asked over D-Bus through `busctl`) where it is PID 1, else cgroup v2 with its controllers,
else v1, else nothing but the process's session. All verbs tolerate missing rights and controllers: a limit that can't
be set is logged and left out, never an error, as a guest without a limit is better than none.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from corral.core.errors import CommandError
from corral.system import proc
from corral.system.run import ANY, Run

log = logging.getLogger(__name__)

PERIOD = 100_000
"""Microseconds of one scheduling period of a CPU quota."""


class Limits(NamedTuple):
    """Limits of a scope; None leaves the machine's default. `cpu_weight` is 1..10000 with 100 as the usual one,
    `cpu_cores` may be fractional, `memory` is bytes."""

    cpu_weight: int | None = None
    cpu_cores: float | None = None
    memory: int | None = None
    pids: int | None = None


NO_LIMITS = Limits()


class Usage(NamedTuple):
    """What a scope has used; None where the machine does not tell. Seconds, bytes; the pressures are the scope's."""

    cpu: float | None = None
    memory: int | None = None
    read: int | None = None
    written: int | None = None
    cpu_pressure: proc.Pressure | None = None
    io_pressure: proc.Pressure | None = None
    memory_pressure: proc.Pressure | None = None


class Scopes(Protocol):
    """Where guests' processes live. `name` is like `corral-3f2a77c1-qemu-100`; every verb is idempotent."""

    kind: str

    def place(self, name: str, pid: int, limits: Limits = NO_LIMITS) -> None:
        """Make the scope if it is missing, put the process into it, set its limits."""
        ...

    def limit(self, name: str, limits: Limits) -> None:
        """Change limits; None leaves what is set."""
        ...

    def usage(self, name: str) -> Usage:
        """What it has used; all None if there is no such scope."""
        ...

    def pids(self, name: str) -> list[int]:
        """Its processes."""
        ...

    def kill(self, name: str) -> None:
        """Kill every process in it."""
        ...

    def remove(self, name: str) -> None:
        """Remove it; one that still holds processes stays (logged)."""
        ...


class NoScopes:
    """Machines without usable cgroups: nothing is limited, nothing is known."""

    kind = "none"

    def place(self, name: str, pid: int, limits: Limits = NO_LIMITS) -> None:
        """Nothing: the process has its own session at least."""

    def limit(self, name: str, limits: Limits) -> None:
        """Nothing."""

    def usage(self, name: str) -> Usage:
        """Nothing is known."""
        return Usage()

    def pids(self, name: str) -> list[int]:
        """Nothing is known."""
        return []

    def kill(self, name: str) -> None:
        """Nothing."""

    def remove(self, name: str) -> None:
        """Nothing."""


class V2Scopes:
    """Direct cgroup v2: `<mount>/corral/<name>`."""

    kind = "v2"

    def __init__(self, mount: Path) -> None:
        self.base = mount / "corral"
        for directory in (mount, self.base):
            _make(directory)
            offered = proc.read(directory / "cgroup.controllers").split()
            for controller in ("cpu", "memory", "io", "pids"):
                if controller in offered:
                    _write(directory / "cgroup.subtree_control", f"+{controller}")

    def place(self, name: str, pid: int, limits: Limits = NO_LIMITS) -> None:
        """See `Scopes`."""
        _make(self.base / name)
        _write(self.base / name / "cgroup.procs", str(pid))
        self.limit(name, limits)

    def limit(self, name: str, limits: Limits) -> None:
        """See `Scopes`."""
        set_limits_v2(self.base / name, limits)

    def usage(self, name: str) -> Usage:
        """See `Scopes`."""
        return read_usage_v2(self.base / name)

    def pids(self, name: str) -> list[int]:
        """See `Scopes`."""
        return _numbers(self.base / name / "cgroup.procs")

    def kill(self, name: str) -> None:
        """See `Scopes`."""
        if (self.base / name / "cgroup.kill").exists():
            _write(self.base / name / "cgroup.kill", "1")
        else:
            _kill_all(self, name)

    def remove(self, name: str) -> None:
        """See `Scopes`."""
        _remove(self.base / name)


class V1Scopes:
    """Direct cgroup v1: `<mount of each controller>/corral/<name>`."""

    kind = "v1"
    _WANTED = ("cpu", "cpuacct", "memory", "blkio", "pids", "freezer", "systemd")

    def __init__(self, mounts: dict[str, Path]) -> None:
        # Several controllers may share one mount; a directory is made once for each mount.
        self.mounts = {name: mounts[name] / "corral" for name in self._WANTED if name in mounts}
        for base in set(self.mounts.values()):
            _make(base)

    def _all(self, name: str) -> list[Path]:
        return sorted({base / name for base in self.mounts.values()})

    def place(self, name: str, pid: int, limits: Limits = NO_LIMITS) -> None:
        """See `Scopes`."""
        for path in self._all(name):
            _make(path)
            _write(path / "cgroup.procs", str(pid))
        self.limit(name, limits)

    def limit(self, name: str, limits: Limits) -> None:
        """See `Scopes`."""
        if limits.cpu_weight is not None and (path := self._at("cpu", name)):
            _write(path / "cpu.shares", str(max(2, limits.cpu_weight * 1024 // 100)))
        if limits.cpu_cores is not None and (path := self._at("cpu", name)):
            _write(path / "cpu.cfs_period_us", str(PERIOD))
            _write(path / "cpu.cfs_quota_us", str(int(limits.cpu_cores * PERIOD) if limits.cpu_cores > 0 else -1))
        if limits.memory is not None and (path := self._at("memory", name)):
            _write(path / "memory.limit_in_bytes", str(limits.memory or -1))
        if limits.pids is not None and (path := self._at("pids", name)):
            _write(path / "pids.max", str(limits.pids or "max"))

    def usage(self, name: str) -> Usage:
        """See `Scopes`."""
        cpu = _number(self._at("cpuacct", name), "cpuacct.usage")
        read, written = _blkio(proc.read((self._at("blkio", name) or Path("/")) / "blkio.throttle.io_service_bytes"))
        return Usage(
            cpu=None if cpu is None else cpu / 1e9,
            memory=_number(self._at("memory", name), "memory.usage_in_bytes"),
            read=read,
            written=written,
        )

    def pids(self, name: str) -> list[int]:
        """See `Scopes`."""
        for path in self._all(name):
            if found := _numbers(path / "cgroup.procs"):
                return found
        return []

    def kill(self, name: str) -> None:
        """See `Scopes`."""
        _kill_all(self, name)

    def remove(self, name: str) -> None:
        """See `Scopes`."""
        for path in self._all(name):
            _remove(path)

    def _at(self, controller: str, name: str) -> Path | None:
        base = self.mounts.get(controller)
        return base / name if base else None


class SystemdScopes:
    """Transient scopes of systemd in `corral.slice`; figures are read from the cgroup files they have."""

    kind = "systemd"
    _BUS = ("busctl", "--system", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
            "org.freedesktop.systemd1.Manager")  # fmt: skip

    def __init__(self, run: Run, mount: Path, unified: bool) -> None:
        self.run = run
        self.unified = unified
        slice_ = mount / "corral.slice" if unified else mount / "systemd" / "corral.slice"
        self.base = slice_

    def place(self, name: str, pid: int, limits: Limits = NO_LIMITS) -> None:
        """See `Scopes`."""
        if (self.base / f"{name}.scope").is_dir():
            _write(self.base / f"{name}.scope" / "cgroup.procs", str(pid))
            self.limit(name, limits)
            return
        properties = ["PIDs", "au", "1", str(pid), "Slice", "s", "corral.slice",
                      "CollectMode", "s", "inactive-or-failed", "TimeoutStopUSec", "t", "1000000"]  # fmt: skip
        words = systemd_limits(limits)
        count = 4 + len(words) // 3
        self._call(
            "StartTransientUnit", "ssa(sv)a(sa(sv))", f"{name}.scope", "fail", str(count), *properties, *words, "0"
        )
        # The call answers before the job is done; the cgroup is there within milliseconds.
        end = time.monotonic() + 5
        while not (self.base / f"{name}.scope").is_dir() and time.monotonic() < end:
            time.sleep(0.005)

    def limit(self, name: str, limits: Limits) -> None:
        """See `Scopes`."""
        if words := systemd_limits(limits):
            self._call("SetUnitProperties", "sba(sv)", f"{name}.scope", "true", str(len(words) // 3), *words)

    def usage(self, name: str) -> Usage:
        """See `Scopes`."""
        return read_usage_v2(self.base / f"{name}.scope") if self.unified else Usage()

    def pids(self, name: str) -> list[int]:
        """See `Scopes`."""
        return _numbers(self.base / f"{name}.scope" / "cgroup.procs")

    def kill(self, name: str) -> None:
        """See `Scopes`."""
        self._call("KillUnit", "ssi", f"{name}.scope", "all", str(int(signal.SIGKILL)))

    def remove(self, name: str) -> None:
        """See `Scopes`."""
        if (self.base / f"{name}.scope").is_dir():
            self._call("StopUnit", "ss", f"{name}.scope", "replace")

    def _call(self, method: str, *words: str) -> None:
        try:
            self.run([*self._BUS, method, *words], timeout=20)
        except CommandError as exc:
            log.warning("systemd refused %s: %s", method, exc)


def systemd_limits(limits: Limits) -> list[str]:
    """The limits as words of a busctl property list: name, type, value."""
    words: list[str] = []
    if limits.cpu_weight is not None:
        words += ["CPUWeight", "t", str(limits.cpu_weight)]
    if limits.cpu_cores is not None:
        unlimited = (1 << 64) - 1
        words += [
            "CPUQuotaPerSecUSec",
            "t",
            str(int(limits.cpu_cores * 1_000_000) if limits.cpu_cores > 0 else unlimited),
        ]
    if limits.memory is not None:
        words += ["MemoryMax", "t", str(limits.memory or (1 << 64) - 1)]
    if limits.pids is not None:
        words += ["TasksMax", "t", str(limits.pids or (1 << 64) - 1)]
    return words


def set_limits_v2(path: Path, limits: Limits) -> None:
    """Write limits into a v2 cgroup; 0 means unlimited for cores, memory and pids."""
    if limits.cpu_weight is not None:
        _write(path / "cpu.weight", str(limits.cpu_weight))
    if limits.cpu_cores is not None:
        _write(path / "cpu.max", f"{int(limits.cpu_cores * PERIOD) if limits.cpu_cores > 0 else 'max'} {PERIOD}")
    if limits.memory is not None:
        _write(path / "memory.max", str(limits.memory or "max"))
    if limits.pids is not None:
        _write(path / "pids.max", str(limits.pids or "max"))


def read_usage_v2(path: Path) -> Usage:
    """The figures of a v2 cgroup."""
    stat = dict(line.split() for line in proc.read(path / "cpu.stat").splitlines())
    read, written = _io_stat(proc.read(path / "io.stat"))
    return Usage(
        cpu=int(stat["usage_usec"]) / 1e6 if "usage_usec" in stat else None,
        memory=_number(path, "memory.current"),
        read=read,
        written=written,
        cpu_pressure=proc.parse_pressure(proc.read(path / "cpu.pressure")),
        io_pressure=proc.parse_pressure(proc.read(path / "io.pressure")),
        memory_pressure=proc.parse_pressure(proc.read(path / "memory.pressure")),
    )


def scopes(run: Run, mounts: Sequence[proc.Mount] | None = None) -> Scopes:
    """What this machine can do, found by probing."""
    table = proc.mounts() if mounts is None else mounts
    unified = next((Path(m.target) for m in table if m.kind == "cgroup2"), None)
    v1 = {option: Path(m.target) for m in table if m.kind == "cgroup" for option in m.options}
    if "name=systemd" in v1:
        v1["systemd"] = v1.pop("name=systemd")
    if Path("/run/systemd/system").is_dir() and proc.read("/proc/1/comm").strip() == "systemd":
        answer = run([*SystemdScopes._BUS[:2], "get-property", *SystemdScopes._BUS[3:5],
                      SystemdScopes._BUS[5], "Version"], timeout=10, ok=ANY)  # fmt: skip
        if answer.code == 0:
            pure = unified is not None and str(unified) == "/sys/fs/cgroup"
            return SystemdScopes(run, Path("/sys/fs/cgroup"), pure)
    if unified and {"cpu", "memory"} <= set(proc.read(unified / "cgroup.controllers").split()) and _writable(unified):
        return V2Scopes(unified)
    if {"cpu", "memory"} <= v1.keys() and _writable(v1["cpu"]):
        return V1Scopes(v1)
    return NoScopes()


def _writable(mount: Path) -> bool:
    return os.access(mount, os.W_OK)


def _make(path: Path) -> None:
    try:
        path.mkdir(exist_ok=True)
    except OSError as exc:
        log.warning("can't make cgroup %s: %s", path, exc.strerror)


def _write(path: Path, text: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError as exc:
        log.debug("can't open %s: %s", path, exc.strerror)
        return
    try:
        os.write(descriptor, text.encode())
    except OSError as exc:
        log.warning("can't write '%s' to %s: %s", text, path, exc.strerror)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    for attempt in range(50):
        try:
            path.rmdir()
        except FileNotFoundError:
            return
        except OSError as exc:
            # A killed process leaves its cgroup only when it has been reaped.
            if attempt == 49:
                log.warning("can't remove cgroup %s: %s", path, exc.strerror)
            time.sleep(0.01)
        else:
            return


def _numbers(path: Path) -> list[int]:
    return [int(word) for word in proc.read(path).split()]


def _number(path: Path | None, name: str) -> int | None:
    text = proc.read(path / name).strip() if path else ""
    return int(text) if text.isdigit() else None


def _blkio(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    sums = {"Read": 0, "Write": 0}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in sums:
            sums[words[1]] += int(words[2])
    return sums["Read"], sums["Write"]


def _io_stat(text: str) -> tuple[int | None, int | None]:
    if not text:
        return None, None
    pairs = [word.split("=", 1) for line in text.splitlines() for word in line.split()[1:]]
    return sum(int(v) for k, v in pairs if k == "rbytes"), sum(int(v) for k, v in pairs if k == "wbytes")


def _kill_all(scopes_: Scopes, name: str) -> None:
    for pid in scopes_.pids(name):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
