"""Failed log-ins slow down whoever fails, and nobody else.

Three kinds of token buckets, each losing one token per failure and filling up again with time:

* account *and* address: the tight one, for somebody who guesses one password from one place;
* address (IPv6: its /64): for somebody who tries many accounts from one place;
* account: for somebody who guesses one password from many places.

A place from which the account logged in lately is bound by the tight bucket alone. So neither strangers who hammer an
account nor a neighbor behind the same address shut out its owner. An attempt takes its tokens before the password is
looked at and gets them back on success: attempts made side by side count too.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass

from corral.core.clock import Clock


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` failures at once, then one each `seconds`."""

    burst: float
    seconds: float


# More than the log-ins that corrald runs side by side (four): good ones would else refuse each other.
PAIR = Rate(burst=6, seconds=20.0)
ADDRESS = Rate(burst=40, seconds=3.0)
ACCOUNT = Rate(burst=30, seconds=6.0)
MOST_KEPT = 10_000
"""Buckets of each kind; the one unused longest makes room."""


class _Buckets:
    """Token buckets by name. Only those that are not full are kept."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def level(self, name: str, now: float) -> float:
        """Tokens in the bucket."""
        level, since = self._kept.get(name, (self._rate.burst, now))
        return min(self._rate.burst, level + max(0.0, now - since) / self._rate.seconds)

    def add(self, name: str, amount: float, now: float) -> None:
        """Put in or take out tokens."""
        level = min(self._rate.burst, self.level(name, now) + amount)
        self._kept.pop(name, None)
        if level < self._rate.burst:
            self._kept[name] = (level, now)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)


class Attempt:
    """A log-in that is under way: a failure, until `succeeded` is called."""

    def __init__(self, throttle: Throttle, account: str, place: str, *, known: bool) -> None:
        self._throttle = throttle
        self._account = account
        self._place = place
        self.known = known

    def succeeded(self) -> None:
        """The password was right: the attempt costs nothing, and the place is known for this account."""
        self._throttle._succeeded(self._account, self._place, known=self.known)


class Throttle:
    """Counts failed log-ins. Safe for threads, bounded in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pairs = _Buckets(PAIR)
        self._places = _Buckets(ADDRESS)
        self._accounts = _Buckets(ACCOUNT)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, account: str, address: str) -> Attempt | None:
        """Count an attempt; None when it is one too many: it must then be refused without looking at the password."""
        place = place_of(address)
        now = self._clock.monotonic()
        with self._lock:
            known = (account, place) in self._known
            buckets = self._buckets(account, place, known=known)
            if any(bucket.level(name, now) < 1.0 for bucket, name in buckets):
                return None
            for bucket, name in buckets:
                bucket.add(name, -1.0, now)
        return Attempt(self, account, place, known=known)

    def _buckets(self, account: str, place: str, *, known: bool) -> list[tuple[_Buckets, str]]:
        pair = (self._pairs, f"{account} {place}")
        return [pair] if known else [pair, (self._places, place), (self._accounts, account)]

    def _succeeded(self, account: str, place: str, *, known: bool) -> None:
        now = self._clock.monotonic()
        with self._lock:
            for bucket, name in self._buckets(account, place, known=known):
                bucket.add(name, PAIR.burst if bucket is self._pairs else 1.0, now)
            self._known[account, place] = None
            self._known.move_to_end((account, place))
            if len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)

    @property
    def size(self) -> int:
        """How many buckets are kept."""
        return len(self._pairs) + len(self._places) + len(self._accounts)


def place_of(address: str) -> str:
    """The address as far as it tells one customer from another: IPv6 hosts own a /64."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
