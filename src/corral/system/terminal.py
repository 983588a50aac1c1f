"""Programs that need a terminal of their own: shells of consoles."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from corral.core.errors import Error


class Terminal(NamedTuple):
    """A program on a pseudo terminal. `master` is our side of it; the program leads a session of its own."""

    pid: int
    master: int

    def close(self) -> None:
        """Hang up: our side is closed, the program's session gets SIGHUP, and what is left SIGKILL."""
        with contextlib.suppress(OSError):
            os.close(self.master)
        for number in (signal.SIGHUP, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def open_terminal(command: Sequence[str], environment: Mapping[str, str]) -> Terminal:
    """Start a program on a new terminal. Only for processes of a single thread: it forks.

    A program that can't be started says so on the terminal and ends with 127.
    """
    try:
        pid, master = pty.fork()
    except OSError as exc:
        raise Error(f"can't open a terminal - {exc.strerror}") from exc
    if pid == 0:
        try:
            os.execvpe(command[0], list(command), dict(environment))  # noqa: S606 - no shell on purpose
        except OSError as exc:
            os.write(2, f"{command[0]}: {exc.strerror}\r\n".encode())
        finally:
            os._exit(127)
    return Terminal(pid, master)
