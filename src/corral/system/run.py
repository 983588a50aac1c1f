"""Running programs: the only importer of `subprocess`.

`SystemRun` is the real thing, `corral.system.fakes.FakeRun` stands in for it. Services take a `Run` in `__init__`:

    out = self.run(["zfs", "list", "-Hp", "-o", "name,used", "--", pool], timeout=10)
    self.run.lines(["qemu-img", "convert", "-p", …], report, timeout=3600, cancelled=work.cancelled)
    process = self.run.spawn(["qemu-system-x86_64", …], pass_fds=[tap])
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import selectors
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from corral.core.errors import Cancelled, CommandError, TimedOut
from corral.core.secret import Secret

log = logging.getLogger(__name__)

Arg = str | Path | Secret
"""One word of a command line; a `Secret` reaches the program but never a log or an error."""

ANY = range(256)
"""For `ok=`: every exit code is fine, death by a signal is not."""

_PR_SET_PDEATHSIG = 1
MAX_STDERR = 64 * 1024
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "HOME": "/root",
}
_PACKAGES = {
    "btrfs": "btrfs-progs",
    "dnsmasq": "dnsmasq-base",
    "hwclock": "util-linux-extra",
    "ip": "iproute2",
    "iscsiadm": "open-iscsi",
    "journalctl": "systemd",
    "lspci": "pciutils",
    "lsusb": "usbutils",
    "lvs": "lvm2",
    "mkfs.ext4": "e2fsprogs",
    "nft": "nftables",
    "ovs-vsctl": "openvswitch-switch",
    "qemu-img": "qemu-utils",
    "qemu-io": "qemu-utils",
    "qemu-nbd": "qemu-utils",
    "qemu-storage-daemon": "qemu-system-common",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-system-x86_64": "qemu-system-x86",
    "showmount": "nfs-common",
    "ss": "iproute2",
    "swtpm_setup": "swtpm-tools",
    "tc": "iproute2",
    "timedatectl": "systemd",
    "vgs": "lvm2",
    "zfs": "zfsutils-linux",
    "zpool": "zfsutils-linux",
}
"""Debian packages of programs whose package has another name; the hint of an error."""


class Output(NamedTuple):
    """What a program that ended left: its exit code (negative: the signal that killed it) and its texts."""

    code: int
    stdout: str
    stderr: str


class Process(Protocol):
    """A program started by `spawn`, which lives on when its starter ends."""

    @property
    def pid(self) -> int:
        """Its process id; not reused before `poll` or `wait` has reported its end."""
        ...

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        ...

    def wait(self, timeout: float) -> int:
        """Its exit code, waiting at most `timeout` seconds; then `TimedOut`."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to its process group; nothing happens if it has ended."""
        ...


class Run(Protocol):
    """Starts programs: list arguments, no shell, empty stdin, clean environment.

    Raises `CommandError` for an exit code not in `ok` and for a missing program, `TimedOut` (naming the command)
    after `timeout` seconds, when the program's whole process group has been killed.
    """

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
        """Run to its end and answer its output. `env` is added to the clean environment."""
        ...

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
        """Run to its end, handing each line of stdout and stderr to `report` as it comes.

        A carriage return ends a line too, as progress meters print it. When `cancelled` turns true (asked four times a
        second), the group gets SIGTERM, 5 s later SIGKILL, and `Cancelled` is raised. `stdout` is empty in the answer.
        """
        ...

    def spawn(
        self,
        cmd: Sequence[Arg],
        *,
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        output: int | None = None,
        cwd: Path | None = None,
    ) -> Process:
        """Start a program that outlives the caller, in a session of its own.

        stdout and stderr go to the descriptor `output`, else to nowhere. Put it into a scope by `cgroups.Scopes.place`.
        """
        ...


def shown(cmd: Sequence[Arg]) -> str:
    """The command as one would paste it into a shell, secrets masked."""
    return shlex.join(str(word) for word in cmd)


class SystemRun:
    """The real `Run`.

    `dies_with_parent` is for workers: what `__call__` and `lines` start is killed when the process that started it
    dies, be it by SIGKILL; `spawn` stays as it is. Only for processes of a single thread: it runs code after the fork.
    """

    def __init__(self, *, dies_with_parent: bool = False) -> None:
        self._dies = dies_with_parent

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
        """See `Run`."""
        data = input.encode() if isinstance(input, str) else input
        child = _start(
            cmd,
            stdin=subprocess.PIPE if data is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            env=env,
            cwd=cwd,
            dies=self._dies,
        )
        try:
            stdout, stderr = child.communicate(data, timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(child)
            raise TimedOut(f"command '{shown(cmd)}' timed out after {timeout:g} s") from None
        except BaseException:
            _end(child)
            raise
        return _checked(cmd, ok, Output(child.returncode, _text(stdout), _text(stderr)))

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
        """See `Run`."""
        child = _start(
            cmd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            env=env,
            dies=self._dies,
        )
        said: list[str] = []
        try:
            for line in _streamed(child, cmd, time.monotonic() + timeout, timeout, cancelled):
                said.append(line)
                del said[:-100]
                report(line)
            code = child.wait(timeout=5)
        except BaseException:
            _end(child, gentle=True)
            raise
        finally:
            if child.stdout:
                child.stdout.close()
        return _checked(cmd, ok, Output(code, "", "\n".join(said)))

    def spawn(
        self,
        cmd: Sequence[Arg],
        *,
        pass_fds: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        output: int | None = None,
        cwd: Path | None = None,
    ) -> Process:
        """See `Run`."""
        sink = subprocess.DEVNULL if output is None else output
        return _Spawned(
            _start(cmd, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, pass_fds=pass_fds, env=env, cwd=cwd),
            shown(cmd),
        )


class _Child(subprocess.Popen[bytes]):
    """A child that may be forgotten: no warning, and no reaping behind our back, when its handle goes."""

    def __del__(self, *_: object) -> None:
        """Nothing: a spawned program is meant to outlive this object."""


class _Spawned:
    def __init__(self, child: _Child, name: str) -> None:
        self._child, self._name = child, name

    @property
    def pid(self) -> int:
        return self._child.pid

    def poll(self) -> int | None:
        return self._child.poll()

    def wait(self, timeout: float) -> int:
        try:
            return self._child.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise TimedOut(f"'{self._name}' did not end within {timeout:g} s") from None

    def signal(self, number: int) -> None:
        if self._child.poll() is None:
            _kill(self._child, number)


def _start(
    cmd: Sequence[Arg],
    *,
    stdin: int,
    stdout: int,
    stderr: int,
    pass_fds: Sequence[int],
    env: Mapping[str, str] | None,
    cwd: Path | None = None,
    dies: bool = False,
) -> _Child:
    log.debug("run: %s", shown(cmd))
    words = [word.reveal() if isinstance(word, Secret) else str(word) for word in cmd]
    try:
        return _Child(
            words,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            env={**_ENVIRONMENT, **(env or {})},
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_death_with(os.getpid()) if dies else None,
        )
    except FileNotFoundError as exc:
        if cwd is not None and not cwd.is_dir():
            raise CommandError([shown(cmd)], 127, f"no such directory: {cwd}") from exc
        program = os.path.basename(words[0])
        package = _PACKAGES.get(program, program)
        raise CommandError([shown(cmd)], 127, f"program '{program}' not found (Debian package '{package}')") from exc
    except PermissionError as exc:
        raise CommandError([shown(cmd)], 126, f"program '{words[0]}' may not be run") from exc


def _death_with(parent: int) -> Callable[[], None]:
    """For a child before its exec: SIGKILL when its parent dies."""

    def ask() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel knew of the wish
            os._exit(127)

    return ask


def _streamed(
    child: _Child, cmd: Sequence[Arg], deadline: float, timeout: float, cancelled: Callable[[], bool]
) -> Iterator[str]:
    assert child.stdout is not None
    descriptor = child.stdout.fileno()
    os.set_blocking(descriptor, False)
    rest = b""
    with selectors.DefaultSelector() as ready:
        ready.register(descriptor, selectors.EVENT_READ)
        while True:
            if cancelled():
                raise Cancelled
            if time.monotonic() > deadline:
                raise TimedOut(f"command '{shown(cmd)}' timed out after {timeout:g} s")
            if not ready.select(0.25):
                continue
            chunk = os.read(descriptor, 65536)
            *whole, rest = re.split(rb"[\r\n]", rest + chunk)
            for line in whole if chunk else [*whole, rest]:
                if line.strip():
                    yield _text(line)
            if not chunk:
                return


def _checked(cmd: Sequence[Arg], ok: Container[int], output: Output) -> Output:
    if output.code in ok:
        return output
    said = output.stderr or output.stdout
    if output.code < 0:
        said += f"\nkilled by signal {-output.code}"
    log.debug("ended with %d: %s", output.code, shown(cmd))
    raise CommandError([str(word) for word in cmd], output.code, said[-MAX_STDERR:])


def _end(child: _Child, *, gentle: bool = False) -> None:
    if gentle:
        _kill(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=5)
    _kill(child, signal.SIGKILL)
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        # A process in uninterruptible sleep (a dead NFS server) can't be reaped; it must not hold us.
        child.wait(timeout=1)


def _kill(child: _Child, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
