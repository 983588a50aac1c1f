"""The sampler: rates from counters, and nothing stops it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from corral.metrics.board import GuestStatus, StatusBoard, StorageStatus
from corral.metrics.sampler import Machine, Sampler, pressures
from corral.metrics.series import Metrics
from corral.system import proc
from corral.system.fakes import FakeClock
from corral.system.files import Space


class World:
    """A machine with one guest and one storage, whose counters run."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.guests_alive = True
        self.broken = False
        self.moved = True
        self.pid = 7

    def machine(self) -> Machine:
        now = self.clock.monotonic()
        busy = now * 0.5
        return Machine(
            cpu=proc.CpuTimes(busy, 0, 0, now * 2 - busy, 0, 0, 0, 0),
            cpus=2,
            memory=proc.Memory(1000, 100, 400, 0, 0, 0),
            load=proc.Load("0.50", "0.40", "0.30"),
            uptime=100 + now,
            traffic=proc.Traffic(int(now * 1000), int(now * 10)),
            disk=Space(100, 60, 40),
            pressure={"pressurecpusome": 1.5},
        )

    def guests(self) -> Iterable[GuestStatus]:
        if self.broken:
            raise OSError("no answer")
        now = self.clock.monotonic()
        if self.guests_alive:
            yield GuestStatus(
                vmid=100, node="n1", status="running", pid=self.pid, maxcpu=2, cpu_seconds=now, netin=int(now * 50)
            )

    def storages(self) -> Iterable[StorageStatus]:
        return [StorageStatus(storage="local", node="n1", total=10, used=4)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard()


@pytest.fixture
def metrics(tmp_path: Path, clock: FakeClock) -> Metrics:
    return Metrics(tmp_path, clock)


@pytest.fixture
def sampler(board: StatusBoard, metrics: Metrics, clock: FakeClock, world: World) -> Sampler:
    return Sampler(
        "n1",
        board,
        metrics,
        clock,
        machine=world.machine,
        guests=world.guests,
        storages=world.storages,
        elsewhere=lambda _: world.moved,
    )


def test_counters_become_fractions_and_rates(
    sampler: Sampler, board: StatusBoard, metrics: Metrics, clock: FakeClock
) -> None:
    sampler.sample()
    clock.advance(10)
    sampler.sample()
    node, guest = board.node("n1"), board.guest(100)
    assert node is not None
    assert guest is not None
    assert node.cpu == pytest.approx(0.25)
    assert guest.cpu == pytest.approx(0.5)
    row = metrics.fetch("node", "n1", "hour")[-1]
    assert row["netin"] == 1000
    assert row["pressurecpusome"] == 1.5
    assert metrics.fetch("guest", "100", "hour")[-1]["netin"] == 50
    sampler.sample_storages()
    assert metrics.fetch("storage", "n1:local", "hour")[-1]["used"] == 4


def test_a_guest_that_was_restarted_has_no_rate_yet(
    sampler: Sampler, board: StatusBoard, clock: FakeClock, world: World
) -> None:
    sampler.sample()
    clock.advance(10)
    world.pid = 8
    sampler.sample()
    guest = board.guest(100)
    assert guest is not None
    assert guest.cpu == 0


def test_a_guest_that_is_gone_leaves_the_board(
    sampler: Sampler, board: StatusBoard, clock: FakeClock, world: World
) -> None:
    sampler.sample()
    board.put(GuestStatus(vmid=200, node="n2"))
    world.guests_alive = False
    sampler.sample()
    assert [guest.vmid for guest in board.guests()] == [200]


@pytest.mark.parametrize("moved", [True, False])
def test_the_history_of_a_guest_goes_with_it_but_not_when_it_moves(
    sampler: Sampler, metrics: Metrics, clock: FakeClock, world: World, *, moved: bool
) -> None:
    sampler.sample()
    metrics.flush()
    world.guests_alive, world.moved = False, moved
    sampler.sample()
    assert any("cpu" in row for row in metrics.fetch("guest", "100", "hour")) == moved


def test_one_that_fails_leaves_the_others(sampler: Sampler, board: StatusBoard, clock: FakeClock, world: World) -> None:
    world.broken = True
    sampler.sample()
    sampler.sample_storages()
    assert board.node("n1")
    assert board.storage("n1", "local")
    assert board.guests() == []


def test_pressure_that_is_not_known_is_left_out() -> None:
    stall = proc.Stall(1.0, 2.0, 3.0, 4)
    assert pressures(proc.Pressure(stall, None), None, None) == {"pressurecpusome": 1.0, "pressurecpufull": 0.0}
