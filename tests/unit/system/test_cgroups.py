"""Which kind of scopes is chosen, and what is written into them; on directories that look like cgroups."""

from __future__ import annotations

from pathlib import Path

from corral.system import cgroups
from corral.system.cgroups import Limits, Usage
from corral.system.fakes import FakeRun
from corral.system.proc import Mount


def _files(path: Path, *names: str) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / name).touch()


def test_v2_is_chosen_when_it_has_the_controllers(tmp_path: Path) -> None:
    _files(tmp_path, "cgroup.subtree_control")
    (tmp_path / "cgroup.controllers").write_text("cpu memory io pids\n")
    table = [Mount("cgroup2", str(tmp_path), "cgroup2", ("rw",))]
    assert cgroups.scopes(FakeRun(), table).kind == "v2"


def test_v1_is_chosen_when_v2_is_empty(tmp_path: Path) -> None:
    for name in ("unified", "cpu", "memory"):
        _files(tmp_path / name)
    table = [
        Mount("cgroup2", str(tmp_path / "unified"), "cgroup2", ("rw",)),
        Mount("cgroup", str(tmp_path / "cpu"), "cgroup", ("rw", "cpu", "cpuacct")),
        Mount("cgroup", str(tmp_path / "memory"), "cgroup", ("rw", "memory")),
    ]
    scopes = cgroups.scopes(FakeRun(), table)
    assert scopes.kind == "v1"
    scopes.place("corral-x-qemu-100", 1)
    assert (tmp_path / "cpu/corral/corral-x-qemu-100").is_dir()


def test_without_cgroups_nothing_fails() -> None:
    scopes = cgroups.scopes(FakeRun(), [])
    scopes.place("a", 1)
    assert scopes.kind == "none"
    assert scopes.usage("a") == Usage()


def test_v2_limits_are_written(tmp_path: Path) -> None:
    _files(tmp_path, "cpu.weight", "cpu.max", "memory.max", "pids.max")
    cgroups.set_limits_v2(tmp_path, Limits(200, 1.5, 1 << 20, 0))
    assert [(tmp_path / name).read_text() for name in ("cpu.weight", "cpu.max", "memory.max", "pids.max")] == [
        "200", "150000 100000", "1048576", "max",
    ]  # fmt: skip


def test_v1_limits_are_written(tmp_path: Path) -> None:
    scopes = cgroups.V1Scopes({"cpu": tmp_path / "cpu", "memory": tmp_path / "memory"} if _dirs(tmp_path) else {})
    _files(tmp_path / "cpu/corral/g", "cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us")
    _files(tmp_path / "memory/corral/g", "memory.limit_in_bytes")
    scopes.limit("g", Limits(100, 0, 1 << 20))
    assert (tmp_path / "cpu/corral/g/cpu.shares").read_text() == "1024"
    assert (tmp_path / "cpu/corral/g/cpu.cfs_quota_us").read_text() == "-1"
    assert (tmp_path / "memory/corral/g/memory.limit_in_bytes").read_text() == "1048576"


def _dirs(path: Path) -> bool:
    (path / "cpu").mkdir()
    (path / "memory").mkdir()
    return True


def test_v2_usage_is_read(tmp_path: Path) -> None:
    _files(tmp_path)
    (tmp_path / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (tmp_path / "memory.current").write_text("4096\n")
    (tmp_path / "io.stat").write_text("8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2\n")
    usage = cgroups.read_usage_v2(tmp_path)
    assert (usage.cpu, usage.memory, usage.read, usage.written) == (2.5, 4096, 11, 22)


def test_systemd_gets_its_limits_as_properties() -> None:
    assert cgroups.systemd_limits(Limits(300, 2.0, None, 100)) == [
        "CPUWeight", "t", "300", "CPUQuotaPerSecUSec", "t", "2000000", "TasksMax", "t", "100",
    ]  # fmt: skip


def test_systemd_makes_a_transient_scope(tmp_path: Path) -> None:
    run = FakeRun()
    scopes = cgroups.SystemdScopes(run, tmp_path, unified=True)

    def made(_: list[str]) -> None:
        (tmp_path / "corral.slice/a.scope").mkdir(parents=True)

    run.expect("busctl --system call * StartTransientUnit *", effect=made)
    scopes.place("a", 77, Limits(memory=1 << 30))
    assert "PIDs au 1 77" in run.commands[0]
    assert "MemoryMax t 1073741824" in run.commands[0]
    run.expect("busctl * StopUnit *")
    scopes.remove("a")
    assert run.commands[-1].endswith("StopUnit ss a.scope replace")
