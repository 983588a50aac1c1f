"""Readers of /proc and /sys: each parser is a pure function of the file's text; the functions below them read it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
HERTZ = os.sysconf("SC_CLK_TCK")
SECTOR = 512
PAGE = os.sysconf("SC_PAGE_SIZE")


class CpuTimes(NamedTuple):
    """Seconds that the machine's processors have spent since boot, all added up."""

    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    irq: float
    softirq: float
    steal: float

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self)

    @property
    def busy(self) -> float:
        """Neither idle nor waiting for a disk."""
        return self.total - self.idle - self.iowait


class Memory(NamedTuple):
    """Memory of the machine in bytes; `available` is what programs could get without swapping."""

    total: int
    free: int
    available: int
    swap_total: int
    swap_free: int
    shared: int
    arc: int = 0

    @property
    def used(self) -> int:
        """What is not available."""
        return self.total - self.available


class Load(NamedTuple):
    """Load averages as the kernel prints them."""

    one: str
    five: str
    fifteen: str


class Cpu(NamedTuple):
    """The processors: logical `cpus`, physical `cores`, `sockets`, MHz as text, flags of the first."""

    model: str
    vendor: str
    cpus: int
    cores: int
    sockets: int
    mhz: str
    flags: str

    @property
    def virtualization(self) -> bool:
        """Whether the processor says it can run guests (VT-x or AMD-V)."""
        words = self.flags.split()
        return "vmx" in words or "svm" in words


class PidStat(NamedTuple):
    """A process: its times in seconds, resident bytes, start in clock ticks since boot."""

    pid: int
    name: str
    state: str
    parent: int
    user: float
    system: float
    start: int
    resident: int

    @property
    def cpu(self) -> float:
        """Processor seconds used."""
        return self.user + self.system


class Stall(NamedTuple):
    """One line of pressure stall information: percentages over 10, 60 and 300 s, total in microseconds."""

    avg10: float
    avg60: float
    avg300: float
    total: int


class Pressure(NamedTuple):
    """Pressure on one resource; `full` is None where the kernel has no such line."""

    some: Stall
    full: Stall | None


class Traffic(NamedTuple):
    """Bytes and packets through a network device since it exists."""

    received: int
    sent: int
    packets_received: int = 0
    packets_sent: int = 0


class DiskIO(NamedTuple):
    """Work of a block device since boot: bytes and finished requests."""

    read: int
    written: int
    reads: int
    writes: int


class Mount(NamedTuple):
    """A line of the mount table."""

    source: str
    target: str
    kind: str
    options: tuple[str, ...]


def parse_stat(text: str) -> CpuTimes:
    """/proc/stat."""
    words = text.split("\n", 1)[0].split()
    times = [int(word) / HERTZ for word in words[1:9]]
    return CpuTimes(*times, *[0.0] * (8 - len(times)))


def parse_boot_time(text: str) -> int:
    """/proc/stat: when the machine booted, in Unix seconds."""
    found = re.search(r"^btime (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0


def parse_meminfo(text: str, arc: int = 0) -> Memory:
    """/proc/meminfo. `arc` is the part of ZFS's cache that can be freed, which counts as available."""
    values = {m[1]: int(m[2]) * 1024 for m in re.finditer(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    free = values.get("MemFree", 0)
    available = values.get("MemAvailable", free + values.get("Buffers", 0) + values.get("Cached", 0))
    total = values.get("MemTotal", 0)
    return Memory(
        total=total,
        free=free,
        available=min(total, available + arc),
        swap_total=values.get("SwapTotal", 0),
        swap_free=values.get("SwapFree", 0),
        shared=0,
        arc=arc,
    )


def parse_loadavg(text: str) -> Load:
    """/proc/loadavg."""
    words = text.split()
    return Load(*words[:3])


def parse_uptime(text: str) -> float:
    """/proc/uptime: seconds since boot."""
    return float(text.split()[0])


def parse_cpuinfo(text: str) -> Cpu:
    """/proc/cpuinfo of x86 and ARM; what the kernel does not say is 'unknown', or counts as one socket."""
    blocks = [dict(_pairs(block)) for block in text.split("\n\n") if re.search(r"^processor\s*:", block, re.MULTILINE)]
    first = blocks[0] if blocks else {}
    sockets = len({block["physical id"] for block in blocks if "physical id" in block}) or 1
    cores = len(
        {(block["physical id"], block["core id"]) for block in blocks if {"physical id", "core id"} <= block.keys()}
    )
    return Cpu(
        model=first.get("model name") or first.get("CPU part") or "unknown",
        vendor=first.get("vendor_id", "unknown"),
        cpus=len(blocks) or 1,
        cores=cores or len(blocks) or 1,
        sockets=sockets,
        mhz=first.get("cpu MHz", "0"),
        flags=first.get("flags") or first.get("Features") or "",
    )


def _pairs(block: str) -> Iterator[tuple[str, str]]:
    for line in block.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            yield name.strip(), value.strip()


def parse_pid_stat(text: str) -> PidStat:
    """/proc/PID/stat; the name may hold blanks and brackets."""
    head, _, tail = text.rpartition(")")
    pid, _, name = head.partition(" (")
    words = tail.split()
    return PidStat(
        pid=int(pid),
        name=name,
        state=words[0],
        parent=int(words[1]),
        user=int(words[11]) / HERTZ,
        system=int(words[12]) / HERTZ,
        start=int(words[19]),
        resident=int(words[21]) * PAGE,
    )


def parse_pressure(text: str) -> Pressure | None:
    """/proc/pressure/* or a cgroup's *.pressure; None if the text is no such thing."""
    lines: dict[str, Stall] = {}
    for line in text.splitlines():
        kind, *pairs = line.split()
        values = dict(pair.split("=", 1) for pair in pairs)
        if {"avg10", "avg60", "avg300", "total"} <= values.keys():
            stall = Stall(float(values["avg10"]), float(values["avg60"]), float(values["avg300"]), int(values["total"]))
            lines[kind] = stall
    return Pressure(lines["some"], lines.get("full")) if "some" in lines else None


def parse_net_dev(text: str) -> dict[str, Traffic]:
    """/proc/net/dev."""
    devices = {}
    for line in text.splitlines()[2:]:
        name, _, rest = line.rpartition(":")
        words = rest.split()
        devices[name.strip()] = Traffic(int(words[0]), int(words[8]), int(words[1]), int(words[9]))
    return devices


def parse_diskstats(text: str) -> dict[str, DiskIO]:
    """/proc/diskstats, partitions too."""
    devices = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 14:
            devices[words[2]] = DiskIO(int(words[5]) * SECTOR, int(words[9]) * SECTOR, int(words[3]), int(words[7]))
    return devices


def parse_mounts(text: str) -> list[Mount]:
    """/proc/self/mounts, octal escapes resolved."""
    mounts = []
    for line in text.splitlines():
        words = [re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), word) for word in line.split()]
        if len(words) >= 4:
            mounts.append(Mount(words[0], words[1], words[2], tuple(words[3].split(","))))
    return mounts


def parse_arc(text: str) -> int:
    """/proc/spl/kstat/zfs/arcstats: bytes of ZFS's cache that could be freed (size less c_min)."""
    values = {m[1]: int(m[2]) for m in re.finditer(r"^(size|c_min)\s+\d+\s+(\d+)$", text, re.MULTILINE)}
    return max(0, values.get("size", 0) - values.get("c_min", 0))


def read(path: str | Path) -> str:
    """A file of /proc or /sys; empty if it is missing or may not be read."""
    try:
        # These files are small but say size 0; read in one go, for a consistent picture.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        chunks = []
        while chunk := os.read(descriptor, 1 << 20):
            chunks.append(chunk)
        return b"".join(chunks).decode("utf-8", "replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)


def cpu_times() -> CpuTimes:
    """The machine's processor times now."""
    return parse_stat(read(PROC / "stat"))


def memory() -> Memory:
    """The machine's memory now; merged pages of KSM as `shared`."""
    found = parse_meminfo(read(PROC / "meminfo"), parse_arc(read(PROC / "spl/kstat/zfs/arcstats")))
    shared = read("/sys/kernel/mm/ksm/pages_sharing").strip()
    return found._replace(shared=int(shared) * PAGE if shared.isdigit() else 0)


def load() -> Load:
    """The machine's load now."""
    return parse_loadavg(read(PROC / "loadavg") or "0 0 0")


def uptime() -> float:
    """Seconds since boot."""
    return parse_uptime(read(PROC / "uptime") or "0")


def boot_id() -> str:
    """A text that is different after each boot."""
    return read(PROC / "sys/kernel/random/boot_id").strip()


def cpu() -> Cpu:
    """The machine's processors."""
    return parse_cpuinfo(read(PROC / "cpuinfo"))


def pressure(resource: str) -> Pressure | None:
    """Pressure on `cpu`, `io` or `memory`; None where the kernel does not tell."""
    return parse_pressure(read(PROC / "pressure" / resource))


def traffic() -> dict[str, Traffic]:
    """Counters of every network device."""
    return parse_net_dev(read(PROC / "net/dev"))


def disks() -> dict[str, DiskIO]:
    """Counters of every block device."""
    return parse_diskstats(read(PROC / "diskstats"))


def mounts() -> list[Mount]:
    """The mount table."""
    return parse_mounts(read(PROC / "self/mounts"))


def pid_stat(pid: int) -> PidStat | None:
    """A process, or None if there is none."""
    text = read(PROC / str(pid) / "stat")
    return parse_pid_stat(text) if text else None


def command_line(pid: int) -> list[str]:
    """A process's words; empty if there is none, or for a kernel thread or a zombie."""
    return [word for word in read(PROC / str(pid) / "cmdline").split("\0") if word]
