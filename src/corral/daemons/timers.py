"""What corrald does by the clock: sampling, keys, housekeeping."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence

from corral.app import Duty

log = logging.getLogger(__name__)


class Timers:
    """Runs duties, each in a thread of its own. One that is still busy is not started again."""

    def __init__(self, duties: Sequence[Duty]) -> None:
        self._duties = duties
        self._busy: set[str] = set()
        self._handles: dict[str, asyncio.TimerHandle] = {}
        self._stopped = False

    def start(self) -> None:
        """Do everything once now, then by the clock."""
        for duty in self._duties:
            self._turn(duty)

    def stop(self) -> None:
        """Start nothing more."""
        self._stopped = True
        for handle in self._handles.values():
            handle.cancel()

    def _turn(self, duty: Duty) -> None:
        if self._stopped:
            return
        self._handles[duty.name] = asyncio.get_running_loop().call_later(duty.every, self._turn, duty)
        if duty.name in self._busy:
            log.warning("%s takes longer than %g seconds", duty.name, duty.every)
            return
        self._busy.add(duty.name)
        threading.Thread(target=self._do, args=(duty,), name=duty.name, daemon=True).start()

    def _do(self, duty: Duty) -> None:
        try:
            duty.do()
        except Exception:
            log.exception("%s failed", duty.name)
        finally:
            self._busy.discard(duty.name)
