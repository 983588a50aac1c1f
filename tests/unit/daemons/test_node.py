"""The supervisor's view of one daemon."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.layout import Layout
from corral.daemons.node import Daemon, parser, prepare
from corral.system.fakes import FakeClock, FakeRun


def test_a_daemon_that_dies_young_is_started_later_and_later(tmp_path: Path) -> None:
    clock = FakeClock()
    daemon = Daemon("corrald", [], Layout(tmp_path), FakeRun(), clock)
    waits = []
    for lived in (1, 1, 1, 100, 1, *[1] * 8):
        _run_and_die(daemon, clock, lived)
        assert daemon.due is not None
        waits.append(daemon.due - clock.monotonic())
    assert waits[:5] == [1.0, 2.0, 4.0, 0.5, 1.0]
    assert max(waits) == 10.0


class _Ended:
    pid = 1

    def poll(self) -> int | None:
        return -9

    def wait(self, timeout: float) -> int:
        return -9

    def signal(self, number: int) -> None:
        raise AssertionError("it has ended")


def _run_and_die(daemon: Daemon, clock: FakeClock, lived: float) -> None:
    daemon._process, daemon._started, daemon.due = _Ended(), clock.monotonic(), None
    clock.advance(lived)
    daemon.look()


def test_the_command_line_has_what_the_readme_says() -> None:
    options = parser().parse_args(["--root", "/srv/x", "--port", "1", "--node", "n", "--host", "::1"])
    assert (options.root, options.port, options.node, options.host) == ("/srv/x", 1, "n", "::1")
    assert parser().parse_args([]).port == 8006


@pytest.mark.unfenced("files", why="it makes /run/corral")
def test_a_root_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    if not Path("/run/corral").exists():
        pytest.skip("no node has run here: /run/corral would be made")
    root = tmp_path / "root"
    root.mkdir(mode=0o700)
    run = FakeRun()
    run.expect("getent passwd corral")
    layout = prepare(root, run)
    assert root.stat().st_mode & 0o777 == 0o700
    assert layout.state.stat().st_mode & 0o777 == 0o700
    assert layout.pki.stat().st_mode & 0o777 == 0o700
    for directory in (layout.consoles, layout.run):
        directory.rmdir()
