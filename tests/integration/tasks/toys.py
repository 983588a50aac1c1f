"""Tasks whose deeds are files, and which die by SIGKILL where they are told to. Used by the daemon and its workers."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from corral.core.clock import Clock
from corral.core.errors import AlreadyExists, ParamError
from corral.core.layout import Layout
from corral.store.base import Store, Write
from corral.store.remote import RemoteStore
from corral.system.clock import SystemClock
from corral.tasks.base import Draws, Intent, Registry, TaskArgs, TaskType, Undo, UndoType, Work

STAGES = (
    "begin",
    "claimed",
    "step a journalled",
    "file a made",
    "step b journalled",
    "file b made",
    "committed",
    "scope left",
    "returning",
)
FAILING_STAGES = ("undo b", "undo a", "half undo a")


class Make(TaskArgs, frozen=True, kw_only=True):
    """Make the files a and b for a guest; die at a stage, in the undo only the first time."""

    type = "toymake"
    vmid: int
    die_at: str = ""
    fail: bool = False
    pause: float = 0.0

    def id(self) -> str:
        return str(self.vmid)


class Sleep(TaskArgs, frozen=True, kw_only=True):
    """Sleep: `deaf` looks for no wish to stop, `stubborn` ignores even the signal."""

    type = "toysleep"
    seconds: float = 60.0
    lock: str = ""
    deaf: bool = False
    stubborn: bool = False


class Ask(TaskArgs, frozen=True, kw_only=True):
    """Answer how long after `asked` (monotonic) the act began, and what the worker is like."""

    type = "toyask"
    asked: float = 0.0
    error: bool = False


class Fill(TaskArgs, frozen=True, kw_only=True):
    """Claim a guest and fill the disk."""

    type = "toyfill"
    vmid: int

    def id(self) -> str:
        return str(self.vmid)


class RemoveFile(Undo, frozen=True, kw_only=True):
    """Remove a file."""

    name = "RemoveFile"
    path: str
    die_at: str = ""


class Toys:
    """The service."""

    def __init__(self, layout: Layout, store: Store) -> None:
        self.world = layout.root / "world"
        self.store = store

    def check_make(self, args: Make, draws: Draws) -> Intent:
        if self.store.get(f"guest/{args.vmid}"):
            raise AlreadyExists(f"VM {args.vmid} already exists")
        claim = Write(key=f"guest/{args.vmid}", text="lock: create\n", expect=0)
        return Intent(claim=(claim,), locks=(f"guest/{args.vmid}",), slots=("node",))

    def make(self, args: Make, work: Work) -> str:
        def at(stage: str) -> None:
            time.sleep(args.pause)
            work.check_cancelled()
            if stage == args.die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        at("begin")
        at("claimed")
        with work.undo() as undo:
            for name in "ab":
                path = self.world / f"{args.vmid}-{name}"
                undo.before(RemoveFile(path=str(path), die_at=args.die_at))
                at(f"step {name} journalled")
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                work.log(f"made {name}")
                at(f"file {name} made")
            if args.fail:
                raise ParamError({"name": "is wrong"})
            work.commit(Write(key=f"guest/{args.vmid}", text="a b\n"), keep=undo)
            at("committed")
        at("scope left")
        at("returning")
        return "made"

    def check_fill(self, args: Fill, draws: Draws) -> Intent:
        claim = Write(key=f"guest/{args.vmid}", text="lock: create\n", expect=0)
        return Intent(claim=(claim,), locks=(f"guest/{args.vmid}",))

    def fill(self, args: Fill, work: Work) -> None:
        with work.undo() as undo:
            path = self.world / f"{args.vmid}-a"
            undo.before(RemoveFile(path=str(path)))
            with path.open("xb", buffering=0) as file:
                with suppress(OSError):
                    while True:
                        file.write(b"x" * 65536)
                while True:
                    file.write(b"x")

    def remove(self, step: RemoveFile) -> None:
        path = Path(step.path)
        died = self.world / f"died-{path.name}"
        name = path.name[-1]
        if step.die_at == f"undo {name}" and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        path.unlink(missing_ok=True)
        if step.die_at == f"half undo {name}" and not died.exists():
            died.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def check_sleep(self, args: Sleep, draws: Draws) -> Intent:
        return Intent(locks=(args.lock,) if args.lock else ())

    def sleep(self, args: Sleep, work: Work) -> str:
        work.log("sleeping")
        work.progress(0.25, "dozing")
        if args.stubborn:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        end = time.monotonic() + args.seconds
        while time.monotonic() < end:
            time.sleep(args.seconds if args.deaf else 0.05)
            if not args.deaf and not args.stubborn:
                work.check_cancelled()
        return "slept"

    def check_ask(self, args: Ask, draws: Draws) -> Intent:
        return Intent()

    def ask(self, args: Ask, work: Work) -> dict[str, Any]:
        if args.error:
            raise ParamError({"name": "is wrong"})
        descriptors = {name: os.readlink(f"/proc/self/fd/{name}") for name in ("0", "1", "2")}
        others = [target for name in os.listdir("/proc/self/fd") if (target := _target(name)).startswith("pipe:")]
        return {
            "delay": time.monotonic() - args.asked,
            "pid": os.getpid(),
            "session": os.getsid(0),
            "descriptors": descriptors,
            "pipes": others,
            "count": len(os.listdir("/proc/self/fd")),
            "chld": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
        }


def _target(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{name}")
    except OSError:
        return ""


@dataclass
class App:
    """What tasks need."""

    store: Store
    clock: Clock
    toys: Toys
    registry: Registry


def registry() -> Registry:
    """The toy tasks."""
    toys = lambda app: app.toys  # noqa: E731
    return Registry(
        [
            TaskType(Make, toys, Toys.check_make, Toys.make),
            TaskType(Sleep, toys, Toys.check_sleep, Toys.sleep),
            TaskType(Fill, toys, Toys.check_fill, Toys.fill),
            TaskType(Ask, toys, Toys.check_ask, Toys.ask),
        ],
        [UndoType(RemoveFile, toys, Toys.remove)],
    )


def build(layout: Layout, store: Store | None = None) -> App:
    """The app of the daemon, or with the store of corrald that of a worker."""
    clock = SystemClock()
    store = store or RemoteStore.at(layout.store_socket, clock)
    return App(store, clock, Toys(layout, store), registry())


build_worker = partial(build, store=None)
