"""Whoever fails to log in is slowed down; nobody else is."""

from __future__ import annotations

import pytest

from corral.access.throttle import ACCOUNT, ADDRESS, MOST_KEPT, PAIR, Throttle, place_of
from corral.system.fakes import FakeClock


@pytest.fixture
def throttle(clock: FakeClock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, account: str, address: str, times: int) -> int:
    """How many of some failing attempts were looked at."""
    return sum(throttle.begin(account, address) is not None for _ in range(times))


def test_guessing_one_password_from_one_place_is_slowed_down(throttle: Throttle, clock: FakeClock) -> None:
    assert fail(throttle, "joe@pve", "10.0.0.1", 100) == PAIR.burst
    clock.advance(PAIR.seconds)
    assert fail(throttle, "joe@pve", "10.0.0.1", 100) == 1


def test_the_same_account_from_elsewhere_and_others_from_there_go_on(throttle: Throttle) -> None:
    fail(throttle, "joe@pve", "10.0.0.1", 100)
    assert throttle.begin("joe@pve", "10.0.0.2") is not None
    assert throttle.begin("eve@pve", "10.0.0.1") is not None


def test_trying_many_accounts_from_one_place_is_slowed_down(throttle: Throttle) -> None:
    assert sum(throttle.begin(f"u{number}@pve", "10.0.0.1") is not None for number in range(500)) == ADDRESS.burst
    assert throttle.begin("joe@pve", "10.0.0.2") is not None


def test_guessing_from_many_places_is_slowed_down(throttle: Throttle) -> None:
    tried = sum(throttle.begin("joe@pve", f"10.0.{number // 250}.{number % 250}") is not None for number in range(500))
    assert tried == ACCOUNT.burst


def test_strangers_do_not_lock_out_an_owner_who_logged_in_from_here(throttle: Throttle) -> None:
    attempt = throttle.begin("joe@pve", "10.9.9.9")
    assert attempt is not None
    attempt.succeeded()
    for number in range(500):
        throttle.begin("joe@pve", f"10.0.{number // 250}.{number % 250}")
        throttle.begin(f"u{number}@pve", "10.9.9.9")
    assert throttle.begin("joe@pve", "10.9.9.9") is not None


def test_success_costs_nothing(throttle: Throttle) -> None:
    for _ in range(1000):
        attempt = throttle.begin("joe@pve", "10.0.0.1")
        assert attempt is not None
        attempt.succeeded()
    assert throttle.size == 0


def test_attempts_side_by_side_count(throttle: Throttle) -> None:
    """None of them has failed yet when the last one begins."""
    begun = [throttle.begin("joe@pve", "10.0.0.1") for _ in range(50)]
    assert sum(attempt is not None for attempt in begun) == PAIR.burst


def test_memory_is_bounded(throttle: Throttle) -> None:
    for number in range(MOST_KEPT + 500):
        throttle.begin(f"u{number}@pve", f"2001:db8:{number:x}::1")
    assert throttle.size <= 3 * MOST_KEPT


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_an_address_tells_one_customer(address: str, place: str) -> None:
    assert place_of(address) == place
