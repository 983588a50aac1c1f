"""Locks on files (flock): between processes of one machine; the kernel frees them when the holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from corral.core.clock import Clock
from corral.core.errors import Locked
from corral.system.clock import SystemClock


class FileLock:
    """A lock held while this object is open. Not inherited by children; the file itself stays."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def release(self) -> None:
        """Give it up; idempotent."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> FileLock:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.release()


def try_lock(path: Path, *, shared: bool = False) -> FileLock | None:
    """Take the lock, or None while another holds it. Makes the file (0600) if missing."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return FileLock(descriptor)


def lock(path: Path, *, timeout: float, shared: bool = False, clock: Clock | None = None) -> FileLock:
    """Take the lock, waiting at most `timeout` seconds; then `Locked`."""
    clock = clock or SystemClock()
    end = clock.monotonic() + timeout
    pause = 0.002
    while (held := try_lock(path, shared=shared)) is None:
        if clock.monotonic() >= end:
            raise Locked(f"can't lock file '{path}' - got timeout")
        clock.sleep(pause)
        pause = min(pause * 2, 0.1)
    return held


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now; False when the file is missing. Free means its holder is dead."""
    if not path.exists():
        return False
    if (mine := try_lock(path)) is None:
        return True
    mine.release()
    return False
