"""The history: what goes in comes out, at every step, after crashes too, in bounded space."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.metrics.series import ARCHIVES, COLUMNS, Metrics
from corral.system.fakes import FakeClock

WEEK = 604800
START = 2900 * WEEK  # the beginning of a week, hence of every coarser step


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def metrics(tmp_path: Path, clock: FakeClock) -> Metrics:
    return Metrics(tmp_path, clock)


def _known(rows: list[dict[str, float | int]]) -> list[dict[str, float | int]]:
    return [row for row in rows if len(row) > 1]


def test_an_hour_is_sixty_rows_of_a_minute(metrics: Metrics, clock: FakeClock) -> None:
    metrics.update("storage", "n1:local", {"total": 100, "used": 5})
    rows = metrics.fetch("storage", "n1:local", "hour")
    assert len(rows) == 60
    assert rows[-1] == {"time": START, "total": 100, "used": 5}
    assert rows[-2] == {"time": START - 60}


def test_averages_and_maxima_of_a_minute(metrics: Metrics, clock: FakeClock) -> None:
    for used in (10, 20, 60):
        metrics.update("storage", "s", {"used": used})
        clock.advance(10)
    clock.advance(60)
    metrics.update("storage", "s", {"used": 1})
    assert _known(metrics.fetch("storage", "s", "hour"))[0] == {"time": START, "used": 30}
    assert _known(metrics.fetch("storage", "s", "hour", "MAX"))[0] == {"time": START, "used": 60}


def test_coarser_rows_come_from_finer_ones_and_survive_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    metrics = Metrics(tmp_path, clock)
    for minute in range(1440 + 2):
        metrics.update("guest", "100", {"cpu": 0.5 if minute % 2 else 0.25})
        clock.advance(60)
        if minute % 300 == 299:
            metrics = Metrics(tmp_path, clock)  # the minute under way is lost, no more
    week = _known(metrics.fetch("guest", "100", "week"))
    assert len(week) == 48
    assert all(abs(row["cpu"] - 0.375) < 0.005 for row in week)
    assert {row["cpu"] for row in _known(metrics.fetch("guest", "100", "week", "MAX"))} == {0.5}
    assert len(_known(metrics.fetch("guest", "100", "year"))) == 4


def test_a_week_of_the_decade(metrics: Metrics, clock: FakeClock) -> None:
    for _ in range(8 * 48 + 1):
        metrics.update("storage", "s", {"used": 7})
        clock.advance(1800)
    assert _known(metrics.fetch("storage", "s", "decade")) == [{"time": START, "used": 7}]


def test_an_outage_leaves_a_gap_and_nothing_old(metrics: Metrics, clock: FakeClock) -> None:
    metrics.update("storage", "s", {"used": 7})
    metrics.flush()
    clock.advance(1440 * 60)  # exactly once around the ring
    assert _known(metrics.fetch("storage", "s", "day")) == []


def test_space_is_bounded(tmp_path: Path, metrics: Metrics, clock: FakeClock) -> None:
    sizes = set()
    for _ in range(100):
        metrics.update("guest", "100", {"cpu": 0.1})
        metrics.flush()
        sizes.add((tmp_path / "guest/100").stat().st_size)
        clock.advance(86400)
    assert len(sizes) == 1
    assert sizes.pop() < 4096 + sum(archive.rows for archive in ARCHIVES) * (8 + 8 * len(COLUMNS["guest"])) + 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(noise=st.binary(min_size=1, max_size=200), place=st.floats(0, 0.99))
def test_a_damaged_file_is_read_without_wrong_figures(tmp_path: Path, noise: bytes, place: float) -> None:
    clock = FakeClock(START)
    metrics = Metrics(tmp_path, clock)
    for _ in range(30):
        metrics.update("storage", "s", {"used": 7})
        clock.advance(60)
    metrics.flush()
    path = tmp_path / "storage/s"
    data = bytearray(path.read_bytes())
    start = int(place * len(data))
    data[start : start + len(noise)] = noise[: len(data) - start]
    path.write_bytes(data)
    fresh = Metrics(tmp_path, clock)
    assert {row["used"] for row in _known(fresh.fetch("storage", "s", "day"))} <= {7}
    fresh.update("storage", "s", {"used": 7})
    fresh.flush()
    fresh.forget("storage", "s")


def test_names_stay_below_the_directory(metrics: Metrics) -> None:
    for ident in ("../x", "", ".hidden", "a/b"):
        with pytest.raises(Error):
            metrics.fetch("guest", ident, "hour")


def test_what_is_forgotten_is_gone(tmp_path: Path, metrics: Metrics) -> None:
    metrics.update("guest", "100", {"cpu": 0.1})
    metrics.flush()
    metrics.forget("guest", "100")
    assert not (tmp_path / "guest/100").exists()
    assert _known(metrics.fetch("guest", "100", "hour")) == []


def test_unknown_names_are_ignored_and_infinities_are_no_figures(metrics: Metrics) -> None:
    metrics.update("guest", "100", {"nonsense": 1, "cpu": float("inf"), "mem": 3})
    metrics.flush()
    assert _known(Metrics(metrics._directory, metrics._clock).fetch("guest", "100", "hour"))[0].keys() == {
        "time",
        "mem",
    }


def test_sizes_of_memory_stay_exact(metrics: Metrics, clock: FakeClock) -> None:
    metrics.update("guest", "100", {"maxmem": 536870912, "cpu": 0.1, "mem": 225361921})
    metrics.flush()
    row = _known(Metrics(metrics._directory, clock).fetch("guest", "100", "hour"))[0]
    assert row["maxmem"] == 536870912
    assert row["cpu"] == 0.1
    assert abs(row["mem"] - 225361921) < 32
