"""A storage that hangs costs its first caller the time-out, and everybody else nothing."""

from __future__ import annotations

import errno
import os
import threading
import time

import pytest

from corral.core.errors import Error, TimedOut
from corral.storage.health import Health
from corral.system.clock import SystemClock


def test_answers_and_errors_pass_through() -> None:
    health = Health(SystemClock())
    assert health.call("a", lambda: 7, 5) == 7
    with pytest.raises(Error, match="broken"):
        health.call("a", lambda: (_ for _ in ()).throw(Error("broken")), 5)
    assert health.hangs("a") is None


def test_a_mount_whose_server_is_gone_is_named() -> None:
    def gone() -> None:
        raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN), "/mnt/a")

    with pytest.raises(Error, match="storage 'a' is not online: Transport endpoint is not connected"):
        Health(SystemClock()).call("a", gone, 5)


def test_others_are_refused_at_once_while_it_hangs_and_served_again_after() -> None:
    health, gate = Health(SystemClock()), threading.Event()
    try:
        with pytest.raises(TimedOut, match="'a' is not online: no answer within"):
            health.call("a", gate.wait, 0.05)
        began = time.monotonic()
        for _ in range(100):
            with pytest.raises(TimedOut, match="'a' is not online: no answer for"):
                health.call("a", lambda: 7, 60)
        assert health.call("b", lambda: 8, 5) == 8
        assert time.monotonic() - began < 5
        assert health.hangs("a") is not None
    finally:
        gate.set()
    for thread in threading.enumerate():
        if thread.name == "storage-a":
            thread.join(10)
    assert health.call("a", lambda: 7, 5) == 7
