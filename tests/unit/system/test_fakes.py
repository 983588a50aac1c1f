"""The stand-ins behave like what they stand for."""

from __future__ import annotations

import pytest

from corral.core.errors import CommandError, TimedOut
from corral.core.secret import Secret
from corral.system.fakes import FakeClock, FakeRun
from corral.system.run import shown


def test_only_announced_commands_run() -> None:
    run = FakeRun()
    run.expect("zfs list *", stdout="tank\n")
    assert run(["zfs", "list", "-H"], timeout=1).stdout == "tank\n"
    with pytest.raises(AssertionError, match="unexpected command: zfs destroy"):
        run(["zfs", "destroy"], timeout=1)


def test_the_latest_announcement_comes_first_and_may_end() -> None:
    run = FakeRun()
    run.expect("ls", stdout="later")
    run.expect("ls", code=2, stderr="no", times=1)
    with pytest.raises(CommandError, match="command 'ls' failed: no"):
        run(["ls"], timeout=1)
    assert run(["ls"], timeout=1).stdout == "later"


def test_a_spawned_process_runs_until_it_gets_a_signal() -> None:
    run = FakeRun()
    run.expect("sleep *")
    process = run.spawn(["sleep", "1"])
    with pytest.raises(TimedOut):
        process.wait(1)
    process.signal(15)
    assert process.poll() == -15


def test_secrets_are_masked_in_what_is_shown() -> None:
    assert shown(["mount", "-o", Secret("hunter2"), "a b"]) == "mount -o '***' 'a b'"


def test_the_clock_moves_by_sleeping() -> None:
    clock = FakeClock(1000)
    clock.sleep(5)
    assert (clock.now(), clock.monotonic()) == (1005, 5)
