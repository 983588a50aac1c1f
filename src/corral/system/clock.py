"""The machine's own clock."""

from __future__ import annotations

import time


class SystemClock:
    """The real `core.clock.Clock`."""

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`; at once for zero and below."""
        if seconds > 0:
            time.sleep(seconds)
