"""Programs, scopes and the KVM probe on the real machine."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from corral.core.errors import Cancelled, CommandError, TimedOut
from corral.core.secret import Secret
from corral.system import accel, cgroups, pidfd
from corral.system.run import SystemRun

run = SystemRun()


def test_output_input_and_a_clean_environment() -> None:
    output = run(["sh", "-c", "cat; echo $LC_ALL $SECRET; echo oops >&2"], timeout=5, input="hi\n", env={"SECRET": "x"})
    assert output == (0, "hi\nC.UTF-8 x\n", "oops\n")
    assert set(run(["env"], timeout=5).stdout.split("=")[0:1]) <= {"PATH", "LC_ALL", "HOME"}


def test_a_bad_exit_code_names_command_and_cause() -> None:
    with pytest.raises(CommandError, match="failed: broken") as caught:
        run(["sh", "-c", "echo broken >&2; exit 3"], timeout=5)
    assert caught.value.code == 3
    assert run(["sh", "-c", "exit 3"], timeout=5, ok=(0, 3)).code == 3


def test_a_missing_program_names_its_package() -> None:
    with pytest.raises(CommandError, match=r"not found .*'no-such-program'"):
        run(["no-such-program"], timeout=5)


def test_secrets_reach_the_program_and_no_error() -> None:
    with pytest.raises(CommandError) as caught:
        run(["sh", "-c", 'test "$0" = hunter2 && exit 9', Secret("hunter2")], timeout=5)
    assert caught.value.code == 9
    assert "***" in str(caught.value)
    assert caught.value.cmd[-1] == "***"


def test_a_time_out_kills_the_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with pytest.raises(TimedOut, match=r"timed out after 0\.3 s"):
        run(["sh", "-c", f"sleep 60 & echo $! > {note}; wait"], timeout=0.3)
    end = time.monotonic() + 5
    while time.monotonic() < end and _alive(int(note.read_text())):
        time.sleep(0.02)
    assert not _alive(int(note.read_text()))


def test_what_a_worker_runs_dies_with_it(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "from corral.system.run import SystemRun\n"
        f"SystemRun(dies_with_parent=True)(['sh', '-c', 'echo $$ > {note}; exec sleep 60'], timeout=60)"
    )
    worker = run.spawn([sys.executable, "-c", script], env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    end = time.monotonic() + 20
    while time.monotonic() < end and not (note.exists() and note.read_text()):
        time.sleep(0.02)
    worker.signal(9)
    while time.monotonic() < end and _alive(int(note.read_text())):
        time.sleep(0.02)
    assert not _alive(int(note.read_text()))


def _alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_lines_come_as_they_are_printed_and_cancel_ends_it() -> None:
    seen: list[str] = []
    run.lines(["sh", "-c", r"printf '10%%\r20%%\r'; echo done; printf rest"], seen.append, timeout=5)
    assert seen == ["10%", "20%", "done", "rest"]
    with pytest.raises(Cancelled):
        run.lines(["sleep", "60"], seen.append, timeout=30, cancelled=lambda: True)
    with pytest.raises(TimedOut):
        run.lines(["sleep", "60"], seen.append, timeout=0.3)
    with pytest.raises(CommandError, match="bad"):
        run.lines(["sh", "-c", "echo bad >&2; exit 1"], seen.append, timeout=5)


def test_a_spawned_process_is_held_and_ended_by_its_pidfd(tmp_path: Path) -> None:
    process = run.spawn(["sleep", "60"])
    (tmp_path / "pid").write_text(f"{process.pid}\n")
    while not Path(f"/proc/{process.pid}/cmdline").read_text():
        time.sleep(0.01)  # its words appear shortly after the exec
    with pidfd.from_file(tmp_path / "pid", program="sleep") or pytest.fail("not found") as held:
        assert held.alive()
        held.signal(9)
        assert held.wait(5)
    assert process.wait(5) == -9
    assert pidfd.from_file(tmp_path / "pid") is None


def test_a_scope_holds_limits_measures_and_goes() -> None:
    scopes = cgroups.scopes(run)
    if scopes.kind == "none" or os.geteuid():
        pytest.skip("this machine has no cgroups that can be written")
    name = f"corral-test-{os.getpid()}"
    process = run.spawn(["sleep", "60"])
    try:
        scopes.place(name, process.pid, cgroups.Limits(cpu_weight=200, cpu_cores=0.5, memory=64 << 20, pids=20))
        assert scopes.pids(name) == [process.pid]
        assert scopes.usage(name).cpu is not None
        scopes.kill(name)
        assert process.wait(5) == -9
    finally:
        process.signal(9)
        scopes.remove(name)
    assert scopes.pids(name) == []


def test_the_probe_guest_itself_works(tmp_path: Path) -> None:
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("qemu-system-x86_64 is not installed")
    image = tmp_path / "probe.img"
    image.write_bytes(accel.boot_image())
    assert run(accel.command(image, "tcg", "max"), timeout=30, ok=(85,)).code == 85


def test_the_probe_gives_a_verdict_in_time(tmp_path: Path) -> None:
    begun = time.monotonic()
    verdict = accel.probe(run, tmp_path)
    assert verdict.kvm or verdict.reason
    assert time.monotonic() - begun < accel.TIMEOUT + 5
