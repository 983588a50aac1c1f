"""What corral-api answers itself: it does so on its event loop, so that everybody waits for it."""

from __future__ import annotations

import inspect

from corral import api
from corral.daemons.api import served_here


def test_nothing_that_may_hang_is_answered_on_the_loop_of_corral_api() -> None:
    here = [made for made in api.endpoints() if served_here(made)]
    assert here
    pooled = [made.pair for made in here if made.pool]
    assert not pooled, "a call with a pool of its own may hang: declare it with root=True"
    words = ("app.run(", ".fetcher(", "call.run(")
    waiting = [made.pair for made in here if any(word in inspect.getsource(made.handler) for word in words)]
    assert not waiting, "this waits for a program or a server: declare it with root=True"
