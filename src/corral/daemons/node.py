"""The supervisor: brings up a node in the foreground, restarts its daemons, and stops them without stopping guests."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import select
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from corral.cluster import pki
from corral.core.clock import Clock
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.daemons import logs
from corral.schema import formats
from corral.system import files, locks
from corral.system.clock import SystemClock
from corral.system.run import Process, Run, SystemRun

log = logging.getLogger(__name__)

USER = "corral"
HOSTS = Path("/etc/hosts")
READY_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
RESTART_LEAST = 0.5
RESTART_MOST = 10.0
STEADY = 20.0
PASSED_ON = ("CORRAL_DEBUG", "CORRAL_CALL_LOG", "PATH")


class Options(argparse.Namespace):
    """The command line."""

    root: str
    node: str
    host: str
    port: int


class Daemon:
    """One daemon and how to start it again. It writes its log to `log/<name>.log`."""

    def __init__(self, name: str, command: Sequence[str], layout: Layout, run: Run, clock: Clock) -> None:
        self.name = name
        self._command = command
        self._log = layout.log / f"{name}.log"
        self._run = run
        self._clock = clock
        self._process: Process | None = None
        self._started = 0.0
        self._wait = RESTART_LEAST
        self.due: float | None = None

    def start(self, environment: dict[str, str]) -> None:
        """Start it and wait until it serves; `Error` with the end of its log if it ends before, or takes too long."""
        reader, writer = os.pipe()
        self.due, self._started = None, self._clock.monotonic()
        with files.appending(self._log) as output:
            try:
                command = [sys.executable, "-m", *self._command, "--ready", str(writer)]
                self._process = self._run.spawn(command, pass_fds=[writer], env=environment, output=output)
            finally:
                os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            if not _answers(pipe):
                said = files.read_tail(self._log, limit=4000).strip().splitlines()
                self.stop(signal.SIGKILL)
                raise Error(f"{self.name} does not start: {said[-1] if said else 'it says nothing'} (see {self._log})")

    def look(self) -> None:
        """Notice its end and decide when it is started again: sooner after a long life, later after a short one."""
        if self._process is None or self._process.poll() is None:
            return
        lived = self._clock.monotonic() - self._started
        self._wait = RESTART_LEAST if lived > STEADY else min(self._wait * 2, RESTART_MOST)
        self.due = self._clock.monotonic() + self._wait
        log.error("%s ended with %s; it is started again in %g s", self.name, self._process.poll(), self._wait)
        self._process = None

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ask it to end, and insist after a while."""
        if self._process is None:
            return
        self._process.signal(number)
        try:
            self._process.wait(STOP_TIMEOUT)
        except Error:
            log.warning("%s does not end; it is killed", self.name)
            self._process.signal(signal.SIGKILL)
            self._process.wait(STOP_TIMEOUT)
        self._process = None

    @property
    def pid(self) -> int | None:
        """Its process, or None while there is none."""
        return self._process.pid if self._process else None


def _answers(pipe: IO[bytes]) -> bool:
    ready, _, _ = select.select([pipe], [], [], READY_TIMEOUT)
    return bool(ready) and bool(pipe.readline())


def main(argv: Sequence[str] | None = None) -> None:
    """`corral node`: run a node in the foreground until SIGTERM or Ctrl-C."""
    options = parser().parse_args(argv, Options())
    logs.to_stderr("corral")
    run, clock = SystemRun(), SystemClock()
    formats.NODE.check(options.node)
    if os.getuid() != 0:
        raise Error("a node must be started as root: it makes users, sockets and virtual machines")
    layout = prepare(Path(options.root), run)
    held = locks.try_lock(layout.run / "node.lock")
    if held is None:
        raise Error(f"a node runs on {layout.root} already")
    with held:
        supervise(options, layout, run, clock)


def parser() -> argparse.ArgumentParser:
    """The command line of `corral node`."""
    made = argparse.ArgumentParser("corral node", description="Run a node in the foreground.")
    made.add_argument("--root", default="/", help="directory below which all state is kept (default: /)")
    made.add_argument("--port", type=int, default=8006, help="TCP port of the API (default: 8006)")
    made.add_argument("--host", default="", help="address to listen on (default: all)")
    made.add_argument(
        "--node", default=socket.gethostname().partition(".")[0], help="name of the node (default: host's)"
    )
    return made


def prepare(root: Path, run: Run) -> Layout:
    """Make the directories and the user that daemons need; idempotent."""
    if not root.exists():  # whoever made it may have closed it to others, and it stays so
        files.ensure_dir(root.absolute(), mode=0o755)
    layout = Layout(root.resolve())
    made = run(["getent", "passwd", USER], timeout=10, ok=(0, 2))
    if made.code:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        run([*command, "--shell", "/usr/sbin/nologin", USER], timeout=30)
    files.ensure_dir(Path("/run/corral"), mode=0o711)
    files.ensure_dir(layout.run, mode=0o711)
    files.ensure_dir(layout.consoles, mode=0o711)
    for directory, mode in ((layout.etc, 0o755), (layout.state, 0o700), (layout.log, 0o750), (layout.pki, 0o700)):
        files.ensure_dir(directory, mode=mode)
    return layout


def supervise(options: Options, layout: Layout, run: Run, clock: Clock) -> None:
    """Start both daemons, say so, and keep them running."""
    # No look-ups of names: where no name server answers, each would hold up the start for half a minute.
    names = [name for name in (socket.gethostname(), options.host) if name]
    certificate = pki.ensure(layout, clock, node=options.node, names=names)
    common = ["--root", str(layout.root), "--node", options.node]
    daemons = [
        Daemon("corrald", ["corral.daemons.corrald", *common], layout, run, clock),
        Daemon(
            "corral-api",
            ["corral.daemons.api", *common, "--host", options.host, "--port", str(options.port)],
            layout,
            run,
            clock,
        ),
    ]
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    first = {**environment, "CORRAL_ADMIN_PASSWORD": os.environ.get("CORRAL_ADMIN_PASSWORD", "")}
    fresh = not layout.store_db.exists()
    stopping = _Stopping()
    try:
        for daemon in daemons:
            daemon.start(first)
        if fresh and layout.admin_password.exists():
            password = files.read_text(layout.admin_password).strip()
            print(
                f"first administrator: admin@pve  password: {password}  (kept in {layout.admin_password})", flush=True
            )
        print(f"ready https://{_reachable(options.host)}:{options.port} sha256:{certificate.fingerprint}", flush=True)
        while not stopping.wait(0.2):
            _look_after(daemons, environment, clock)
    finally:
        for daemon in reversed(daemons):
            daemon.stop()


def _reachable(host: str) -> str:
    """What to put into the URL: the name of the host where its hosts file knows it, else its address."""
    if host:
        return f"[{host}]" if ":" in host else host
    name = socket.gethostname()
    with contextlib.suppress(Error):
        if any(name in line.partition("#")[0].split()[1:] for line in files.read_text(HOSTS).splitlines()):
            return name
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
        probe.connect(("192.0.2.1", 9))  # sends nothing: it only asks which address such traffic would leave from
        address: str = probe.getsockname()[0]
        return address
    return "127.0.0.1"


def _look_after(daemons: Sequence[Daemon], environment: dict[str, str], clock: Clock) -> None:
    for daemon in daemons:
        daemon.look()
    for daemon in daemons:
        if daemon.due is None:
            continue
        if clock.monotonic() < daemon.due:
            return  # those after it are only ready when it is: waiting for them would keep it from being started
        try:
            daemon.start(environment)
        except Error as exc:
            log.error("%s", exc)
            daemon.due = clock.monotonic() + RESTART_MOST
            return


class _Stopping:
    """SIGTERM and SIGINT, turned into a flag that can be waited for."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: object) -> None:
        self._writer.send(b"!")

    def wait(self, seconds: float) -> bool:
        """Whether the signal came, waiting at most that long for it."""
        return bool(select.select([self._reader], [], [], seconds)[0])


if __name__ == "__main__":
    try:
        main()
    except Error as exc:
        sys.exit(f"corral node: {exc}")
