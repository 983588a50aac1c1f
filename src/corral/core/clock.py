"""Time as an argument: nobody below `system` asks the machine what time it is."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """A source of time. `system.clock.SystemClock` is the real one; tests and the simulator bring their own."""

    def now(self) -> float:
        """Seconds since the Unix epoch; may jump when the machine's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes back. For measuring spans only."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; at once for zero and below."""
        ...
