"""A worker: the process of one task, forked by the zygote. It acts, or undoes what a dead one left, and is gone."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from types import FrameType

from corral.core.errors import Cancelled
from corral.core.layout import Layout
from corral.tasks import work
from corral.tasks.journal import Journal
from corral.tasks.work import Stop, Surroundings

log = logging.getLogger(__name__)

Build = Callable[[Layout], Surroundings]
"""Makes the app of a worker, in the worker: `corral.app.build_worker`."""


def serve(journal: int, layout: Layout, build: Build, *, undo: bool) -> None:
    """Do the task of a journal whose locked descriptor is ours; with `undo`, take back what its worker left.

    SIGTERM is the wish to stop, which the act asks for by `check_cancelled`; a second one interrupts it where it
    stands. Neither disturbs an undo.
    """
    stop = Stop()

    def on_term(_number: int, _frame: FrameType | None) -> None:
        if stop.undoing:
            return
        if stop.requested:
            raise Cancelled
        stop.requested = True

    signal.signal(signal.SIGTERM, signal.SIG_IGN if undo else on_term)
    opened = Journal(journal)
    app = build(layout)
    if undo:
        work.undo(app, opened, layout.task_logs)
    else:
        work.act(app, opened, layout.task_logs, stop)
