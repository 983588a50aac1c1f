"""The loop: descriptors, times, turns, and that a bug stops nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from corral.tasks.loop import AFTER_BUG, Loop
from tests.unit.tasks.toys import FakeClock


class Spun:
    """A loop that runs, and what happened in it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.turns = 0
        self.did: list[str] = []
        self.loop = Loop("test", self.clock, self.turn, lambda: None)

    def turn(self) -> None:
        self.turns += 1
        if self.turns == 2:
            raise ValueError("a bug in a turn")

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + 5
        while not true():
            assert time.monotonic() < end
            time.sleep(0.001)

    def skip(self, seconds: float) -> None:
        self.clock.sleep(seconds)
        self.loop.ring()


@pytest.fixture
def spun() -> Iterator[Spun]:
    made = Spun()
    made.loop.soon(lambda: made.did.append("before"))
    made.loop.start()
    yield made
    made.loop.stop()
    made.loop.stop()


def test_deeds_are_done_at_their_time_and_turns_go_on_after_a_bug(spun: Spun) -> None:
    spun.until(lambda: spun.did == ["before"])
    spun.loop.soon(lambda: spun.did.append("later"), 10)
    spun.loop.soon(lambda: spun.did.append("now"))
    spun.until(lambda: spun.did == ["before", "now"])
    spun.skip(11)
    spun.until(lambda: spun.did == ["before", "now", "later"])
    spun.loop.ring()
    spun.until(lambda: spun.turns > 3)


def test_a_deed_that_fails_is_done_again(spun: Spun) -> None:
    tries: list[int] = []

    def fail_once() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("a bug")

    spun.loop.soon(fail_once)
    spun.until(lambda: tries)
    spun.until(lambda: spun.skip(AFTER_BUG) or len(tries) == 2)  # type: ignore[func-returns-value]


def test_a_descriptor_that_can_be_read_is_told_of(spun: Spun) -> None:
    reader, writer = os.pipe()
    read = threading.Event()
    tries: list[int] = []

    def take() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("a bug")
        spun.loop.unwatch(reader)
        read.set()

    spun.loop.soon(lambda: spun.loop.watch(reader, take))
    os.write(writer, b"x")
    spun.until(lambda: spun.skip(AFTER_BUG) or read.is_set())  # type: ignore[func-returns-value]
    assert len(tries) == 2
    os.close(reader)
    os.close(writer)
