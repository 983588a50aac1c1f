"""The zygote: a process forked from corrald before there are threads, which forks a worker for each task.

It has one thread, no loop, no descriptor but its socket and the pidfds of its children, and every module of the app
imported, so a worker begins within milliseconds. It ends when corrald does; its workers do not.

A message on the socket (SOCK_SEQPACKET) is one JSON text. To the zygote: `Order`, with the journal's descriptor. From
it: `Answer`, with a pidfd of the worker where there is one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import logging
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec

from corral.core.errors import Error, Unavailable
from corral.core.layout import Layout
from corral.daemons.worker import Build, serve
from corral.system import files
from corral.tasks.live import PidWorker

log = logging.getLogger(__name__)

MAX_MESSAGE = 4096
ANSWER_WITHIN = 10.0
"""Seconds the zygote has to fork; 2 ms are usual."""


class Order(msgspec.Struct, frozen=True):
    """Fork a worker for that task."""

    upid: str
    undo: bool


class Answer(msgspec.Struct, frozen=True):
    """The worker's pid, or why there is none."""

    pid: int = 0
    error: str = ""


class Zygote:
    """The `Spawner` of corrald: its end of the socket. `pid` is the zygote's.

    A lost zygote can't be replaced, as threads can't be forked: `lost` is called, which by default ends this process
    gently, so that its supervisor starts another one. The tasks are in their journals.
    """

    def __init__(self, pid: int, sock: socket.socket) -> None:
        self.pid = pid
        self.lost: Callable[[], None] = lambda: os.kill(os.getpid(), signal.SIGTERM)
        self._sock = sock
        self._lock = threading.Lock()

    @classmethod
    def fork(
        cls, layout: Layout, build: Build, preload: Sequence[str] = (), warm: Callable[[], None] = lambda: None
    ) -> Zygote:
        """Fork the zygote. To be called while this process has one thread, no event loop, and no open socket.

        `build` makes the worker's app, in the worker; importing all that it needs beforehand is what makes it fast.
        `preload` are modules that only workers need: the zygote imports them for itself, and then calls `warm`, which
        does once what each worker would else do first.
        """
        assert threading.active_count() == 1, "the zygote must be forked before there are threads"
        files.ensure_dir(layout.log)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _child(lambda: _zygote(theirs, layout, build, preload, warm))
        theirs.close()
        ours.settimeout(ANSWER_WITHIN)
        return cls(pid, ours)

    def spawn(self, descriptor: int, upid: str, *, undo: bool) -> PidWorker:
        """See `Spawner`. `Unavailable` once the zygote is lost."""
        with self._lock:
            if self._sock.fileno() < 0:
                raise Unavailable("the zygote is lost")
            try:
                data, descriptors = self._ask(Order(upid, undo), descriptor)
            except OSError as exc:
                log.critical("the zygote does not answer (%s): no task can begin before a restart", exc)
                self._sock.close()  # an answer that comes late must not be taken for the next one's
                self.lost()
                raise Unavailable(f"the zygote does not answer: {exc}") from exc
        answer = msgspec.json.decode(data, type=Answer)
        if answer.error or not descriptors:
            for each in descriptors:
                os.close(each)
            raise Error(f"can't start a worker: {answer.error or 'no pidfd'}")
        return PidWorker(answer.pid, descriptors[0])

    def _ask(self, order: Order, descriptor: int) -> tuple[bytes, list[int]]:
        socket.send_fds(self._sock, [msgspec.json.encode(order)], [descriptor])
        data, descriptors = _receive(self._sock)
        if not data:
            raise ConnectionError("it has ended")
        return data, descriptors

    def alive(self) -> bool:
        """Whether it can be asked for workers."""
        poller = select.poll()
        try:
            poller.register(self._sock, 0)
        except (ValueError, OSError):
            return False
        return not poller.poll(0)

    def close(self) -> None:
        """Let it end; workers go on. Idempotent."""
        self._sock.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    # MSG_CMSG_CLOEXEC: else a program that a worker starts would inherit the journal, and with it the lock.
    data, descriptors, _, _ = socket.recv_fds(sock, MAX_MESSAGE, 4, socket.MSG_CMSG_CLOEXEC)
    return data, descriptors


def _child(run: Callable[[], None]) -> NoReturn:
    """The life of a forked process: whatever happens, it does not return into its parent's code."""
    code = 1
    try:
        run()
        code = 0
    except BaseException:
        with contextlib.suppress(BaseException):
            log.exception("a forked process failed")
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _zygote(
    sock: socket.socket, layout: Layout, build: Build, preload: Iterable[str], warm: Callable[[], None]
) -> None:
    os.setsid()
    own_descriptors({sock.fileno()}, layout.log / "workers.log")
    be_called("corral-zygote")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends with corrald, by the socket
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        for name in preload:
            importlib.import_module(name)
        warm()
    except Exception:
        log.exception("workers begin more slowly than they could")  # no more than that: without a zygote nothing works
    gc.collect()
    gc.freeze()  # so that a worker's garbage collection does not copy every page
    children: dict[int, int] = {}
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor in children:
                poller.unregister(descriptor)
                _reap(children.pop(descriptor), descriptor)
                continue
            try:
                data, passed = _receive(sock)
            except ConnectionError:  # corrald was killed before it read our last answer
                return
            if not data:
                return
            if (born := _answer(sock, data, passed, layout, build)) is not None:
                pid, pidfd = born
                children[pidfd] = pid
                poller.register(pidfd, select.POLLIN)


def _reap(pid: int, pidfd: int) -> None:
    os.close(pidfd)
    with contextlib.suppress(ChildProcessError):
        _, status = os.waitpid(pid, 0)
        if code := os.waitstatus_to_exitcode(status):
            log.warning("worker %d ended with %d", pid, code)


def _answer(
    sock: socket.socket, data: bytes, passed: list[int], layout: Layout, build: Build
) -> tuple[int, int] | None:
    """Fork a worker and say so; its pid and our pidfd of it."""
    try:
        order = msgspec.json.decode(data, type=Order)
        journal = passed[0]
        pid = os.fork()
    except (msgspec.MsgspecError, IndexError, OSError) as exc:
        _close(passed)
        sock.send(msgspec.json.encode(Answer(error=str(exc))))
        return None
    if pid == 0:
        _child(lambda: _worker(journal, order, layout, build))
    _close(passed)
    # Our child is not reaped before we say so: the number can't have gone to another process.
    pidfd = os.pidfd_open(pid)
    with contextlib.suppress(OSError):
        socket.send_fds(sock, [msgspec.json.encode(Answer(pid=pid))], [pidfd])
    return pid, pidfd


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _worker(journal: int, order: Order, layout: Layout, build: Build) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    own_descriptors({journal}, layout.log / "workers.log")
    be_called("corral-task")
    serve(journal, layout, build, undo=order.undo)


def be_called(name: str) -> None:
    """The name that `ps` and `top` show for this process; at most 15 bytes."""
    with contextlib.suppress(OSError):
        descriptor = os.open("/proc/self/comm", os.O_WRONLY)
        try:
            os.write(descriptor, name.encode())
        finally:
            os.close(descriptor)


def own_descriptors(keep: set[int], output: Path) -> None:
    """Close everything but `keep`: nobody waits for the end of a pipe, or finds a port taken, because of us.

    Standard input becomes empty; standard output and error go to the end of the file `output`.
    """
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            with contextlib.suppress(OSError):
                os.close(int(name))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    with files.appending(output) as descriptor:
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
