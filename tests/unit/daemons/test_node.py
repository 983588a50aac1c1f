"""The supervisor: who is started again, and in which order."""

from __future__ import annotations

from pathlib import Path

from corral.core.errors import Error
from corral.core.layout import Layout
from corral.daemons.node import RESTART_MOST, Daemon, _look_after
from corral.system.fakes import FakeClock, FakeRun


class Told(Daemon):
    """A daemon that notes when it is started; `broken` ones do not come up."""

    broken = False

    def __init__(self, name: str, clock: FakeClock, started: list[str]) -> None:
        super().__init__(name, [], Layout(Path("/nowhere")), FakeRun(), clock)
        self.started = started

    def start(self, environment: dict[str, str]) -> None:
        self.started.append(self.name)
        if self.broken:
            raise Error(f"{self.name} does not start")
        self.due = None


def test_a_daemon_is_not_started_before_the_one_that_it_needs() -> None:
    clock, started = FakeClock(), list[str]()
    corrald, api = Told("corrald", clock, started), Told("corral-api", clock, started)
    corrald.due, api.due = clock.monotonic() + 2, clock.monotonic() + 1
    clock.advance(1.5)
    _look_after([corrald, api], {}, clock)
    assert started == []
    clock.advance(1)
    _look_after([corrald, api], {}, clock)
    assert started == ["corrald", "corral-api"]


def test_one_that_does_not_come_up_is_tried_again_later_and_the_other_waits() -> None:
    clock, started = FakeClock(), list[str]()
    corrald, api = Told("corrald", clock, started), Told("corral-api", clock, started)
    corrald.due = api.due = clock.monotonic()
    corrald.broken = True
    _look_after([corrald, api], {}, clock)
    assert started == ["corrald"]
    corrald.broken = False
    clock.advance(RESTART_MOST + 1)
    _look_after([corrald, api], {}, clock)
    assert started == ["corrald", "corrald", "corral-api"]
