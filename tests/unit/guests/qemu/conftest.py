"""What the tests of virtual machines share."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.unit.guests.qemu.servers import OPEN


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close every connection to a scripted server when the test is over."""
    yield
    while OPEN:
        with contextlib.suppress(OSError):
            OPEN[-1].shutdown(socket.SHUT_RDWR)
        OPEN.pop().close()
