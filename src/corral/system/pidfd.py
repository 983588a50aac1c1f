"""Processes that are not our children, held by a descriptor: a number that is reused can't mislead."""

from __future__ import annotations

import os
import select
import signal
from pathlib import Path
from types import TracebackType

from corral.core.errors import NotFound
from corral.system import files, proc


class Held:
    """A process held by its pidfd. Use as a context manager."""

    def __init__(self, pid: int) -> None:
        """Hold process `pid`; `NotFound` if there is none."""
        self.pid = pid
        try:
            self._descriptor = os.pidfd_open(pid)
        except ProcessLookupError as exc:
            raise NotFound(f"no such process: {pid}") from exc

    def alive(self) -> bool:
        """Whether it runs; a zombie has ended."""
        return not self.wait(0)

    def wait(self, timeout: float) -> bool:
        """Whether it has ended, waiting at most `timeout` seconds for that."""
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        return bool(poller.poll(max(0, timeout) * 1000))

    def fileno(self) -> int:
        """The descriptor: readable when the process has ended."""
        return self._descriptor

    def signal(self, number: int) -> None:
        """Send a signal to this process alone; nothing if it has ended."""
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Let it go; idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Held:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _exc: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.close()


def from_file(path: Path, *, program: str = "") -> Held | None:
    """The process a pid file names, or None if it has ended (or, with `program`, its command line lacks that word)."""
    try:
        held = Held(int(files.read_text(path, limit=64).strip()))
    except (NotFound, ValueError, OSError):
        return None
    if held.alive() and (not program or any(program in word for word in proc.command_line(held.pid))):
        return held
    held.close()
    return None
