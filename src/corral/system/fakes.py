"""Stand-ins for the outside, with behaviour: used by tests and by the simulator."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corral.core.errors import Cancelled, CommandError, TimedOut
from corral.system.run import Arg, Output, Process, shown


@dataclass
class _Door:
    pattern: str
    output: Output
    raises: Exception | None
    times: int | None
    effect: Callable[[list[str]], str | None] | None


@dataclass
class FakeProcess:
    """A program that `FakeRun.spawn` pretends to have started: it runs until it gets a signal."""

    pid: int
    code: int | None = None
    signals: list[int] = field(default_factory=list)

    def poll(self) -> int | None:
        """The code it ended with."""
        return self.code

    def wait(self, timeout: float) -> int:
        """The code it ended with; `TimedOut` at once while it runs."""
        if self.code is None:
            raise TimedOut(f"process {self.pid} did not end within {timeout:g} s")
        return self.code

    def signal(self, number: int) -> None:
        """End it by that signal."""
        self.signals.append(number)
        self.code = -number if self.code is None else self.code


class FakeRun:
    """A `Run` that starts nothing: every command must have been announced by `expect`.

    `commands` holds what was run, pasteable; `inputs` what was fed to stdin, in the same order.
    """

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.inputs: list[str | None] = []
        self.processes: list[FakeProcess] = []
        self._doors: list[_Door] = []

    def expect(
        self,
        pattern: str,
        *,
        stdout: str = "",
        stderr: str = "",
        code: int = 0,
        raises: Exception | None = None,
        times: int | None = None,
        effect: Callable[[list[str]], str | None] | None = None,
    ) -> None:
        """Open one door: commands that match the glob get this answer, the latest announcement first.

        `effect` is called with the words and may answer another stdout; `times` closes the door after so many uses.
        """
        self._doors.insert(0, _Door(pattern, Output(code, stdout, stderr), raises, times, effect))

    def _answer(self, cmd: Sequence[Arg], given: str | bytes | None, ok: Container[int]) -> Output:
        line = shown(cmd)
        self.commands.append(line)
        self.inputs.append(given.decode() if isinstance(given, bytes) else given)
        for door in self._doors:
            if door.times == 0 or not fnmatch.fnmatchcase(line, door.pattern):
                continue
            if door.times is not None:
                door.times -= 1
            if door.raises:
                raise door.raises
            output = door.output
            if door.effect and (said := door.effect([str(word) for word in cmd])) is not None:
                output = output._replace(stdout=said)
            if output.code not in ok:
                raise CommandError([str(word) for word in cmd], output.code, output.stderr or output.stdout)
            return output
        raise AssertionError(f"unexpected command: {line}")

    def __call__(
        self,
        cmd: Sequence[Arg],
        *,
        timeout: float,
        ok: Container[int] = (0,),
        input: str | bytes | None = None,  # noqa: A002 - the name subprocess uses
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Output:
        """See `system.run.Run`."""
        return self._answer(cmd, input, ok)

    def lines(
        self,
        cmd: Sequence[Arg],
        report: Callable[[str], None],
        *,
        timeout: float,
        ok: Container[int] = (0,),
        cancelled: Callable[[], bool] = lambda: False,
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
    ) -> Output:
        """See `system.run.Run`."""
        output = self._answer(cmd, None, ok)
        for line in output.stdout.splitlines():
            if cancelled():
                raise Cancelled
            report(line)
        return output._replace(stdout="")

    def spawn(
        self,
        cmd: Sequence[Arg],
        *,
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        output: int | None = None,
        cwd: Path | None = None,
    ) -> Process:
        """See `system.run.Run`."""
        self._answer(cmd, None, range(256))
        process = FakeProcess(pid=100_000 + len(self.processes))
        self.processes.append(process)
        return process


class FakeClock:
    """A clock that stands still until it is told to move; `sleep` moves it."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._now = start
        self._origin = start

    def now(self) -> float:
        """The time it shows."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self._now - self._origin

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.advance(max(0.0, seconds))

    def advance(self, seconds: float) -> None:
        """Move on."""
        with self._lock:
            self._now += seconds
