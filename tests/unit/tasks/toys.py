"""A toy service whose world is a set of names, workers that are threads, and a clock whose sleeps take no time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from corral.core.clock import Clock
from corral.core.errors import AlreadyExists, Error, NotFound
from corral.core.layout import Layout
from corral.store.base import Store, Write
from corral.store.memory import MemoryStore
from corral.tasks import work as working
from corral.tasks.base import Draws, Intent, Registry, Requester, TaskArgs, TaskType, Undo, UndoType, Work
from corral.tasks.journal import Journal
from corral.tasks.runner import Node, TaskRunner
from corral.tasks.upid import Counter
from corral.tasks.work import Stop

BY = Requester(user="alice@pve", endpoint="POST /toys")


class FakeClock:
    """The real time, but whoever sleeps wakes at once and finds the time gone."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.monotonic()

    def monotonic(self) -> float:
        return time.monotonic() + self.offset

    def sleep(self, seconds: float) -> None:
        self.offset += max(0.0, seconds)


class Build(TaskArgs, frozen=True, kw_only=True):
    """Make the toys `names` for guest `vmid`; `fail` names the toy that can't be made."""

    type = "toybuild"
    vmid: int | None = None
    names: tuple[str, ...] = ()
    fail: str = ""
    commits: bool = True

    def id(self) -> str:
        return str(self.vmid or "")


class Wait(TaskArgs, frozen=True, kw_only=True):
    """Hold `lock` until the gate opens or the task is cancelled; then answer `answer` or raise."""

    type = "toywait"
    lock: str = ""
    slot: str = ""
    answer: str = "done"
    error: str = ""
    warn: bool = False
    patient: bool = True


class RemoveToy(Undo, frozen=True, kw_only=True):
    """Remove a toy."""

    name = "RemoveToy"
    toy: str


class Shelf:
    """The service. `world` is what exists outside; `watch` hears of every moment at which it changes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.world: set[str] = set()
        self.gate = threading.Event()
        self.began: list[str] = []
        self.broken: set[str] = set()
        self.watch: Callable[[], None] = lambda: None

    def check_build(self, args: Build, draws: Draws) -> Intent:
        vmid = args.vmid or int(draws.draw("vmid", self._free))
        if self.store.get(f"guest/{vmid}"):
            raise AlreadyExists(f"VM {vmid} already exists")
        claim = Write(key=f"guest/{vmid}", text="lock: create\n", expect=0, header={"uuid": f"u{vmid}"})
        return Intent(claim=(claim,), locks=(f"guest/{vmid}",), slots=("node",), id=str(vmid))

    def _free(self) -> str:
        taken = {doc.key for doc in self.store.list("guest/")}
        return next(str(vmid) for vmid in range(100, 1000) if f"guest/{vmid}" not in taken)

    def build(self, args: Build, work: Work) -> dict[str, Any]:
        vmid = args.vmid or work.draws.known["vmid"]
        self.watch()
        with work.undo() as undo:
            for name in args.names:
                toy = f"{vmid}:{name}"
                number = undo.before(RemoveToy(toy=toy))
                work.check_cancelled()
                if toy in self.world:
                    undo.void(number)
                    raise AlreadyExists(f"toy {toy} already exists")
                if name == args.fail:
                    raise Error(f"can't make {toy}")
                self.watch()
                self.world.add(toy)
                self.watch()
                work.log(f"made {toy}")
            if args.commits:
                work.commit(Write(key=f"guest/{vmid}", text="\n".join(args.names) + "\n"), keep=undo)
                self.watch()
        return {"made": len(args.names)}

    def remove(self, step: RemoveToy) -> None:
        if step.toy in self.broken:
            raise Error(f"toy {step.toy} is stuck")
        self.world.discard(step.toy)
        self.watch()

    def check_wait(self, args: Wait, draws: Draws) -> Intent:
        if args.answer == "refuse":
            raise NotFound("refused by check")
        return Intent(locks=(args.lock,) if args.lock else (), slots=(args.slot,) if args.slot else ())

    def wait(self, args: Wait, work: Work) -> str:
        self.began.append(work.upid)
        work.progress(0.5, "half")
        if args.warn:
            work.warn("mind the gap")
        while not self.gate.wait(0.01):
            if args.patient:
                work.check_cancelled()
        if args.error:
            raise Error(args.error)
        return args.answer


class App:
    """What the toys need of an app."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.shelf = Shelf(store, clock)
        self.registry = Registry(
            [
                TaskType(Build, lambda app: app.shelf, Shelf.check_build, Shelf.build),
                TaskType(Wait, lambda app: app.shelf, Shelf.check_wait, Shelf.wait),
            ],
            [UndoType(RemoveToy, lambda app: app.shelf, Shelf.remove)],
        )


class ThreadWorker:
    """A worker that is a thread. Killing it only marks it; its act has to look."""

    def __init__(self, run: Callable[[Stop], None]) -> None:
        self._stop = Stop()
        self._ready, self._done = os.pipe()
        self._thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self._over = False
        self._thread.start()

    def _run(self, run: Callable[[Stop], None]) -> None:
        try:
            run(self._stop)
        finally:
            self._over = True
            os.close(self._done)

    def fileno(self) -> int | None:
        return self._ready

    def ended(self) -> bool:
        return self._over

    def terminate(self) -> None:
        self._stop.requested = True

    def kill(self) -> None:
        self._stop.requested = True

    def close(self) -> None:
        self._thread.join(10)
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1


class ThreadSpawner:
    """Starts thread workers on an app. `lose` lets the first workers die before they do anything."""

    def __init__(self, app: App, logs: Path) -> None:
        self.app = app
        self.logs = logs
        self.spawned: list[tuple[str, bool]] = []
        self.lose = 0
        self.refuse = 0

    def spawn(self, descriptor: int, upid: str, *, undo: bool) -> ThreadWorker:
        if self.refuse:
            self.refuse -= 1
            raise Error("no process can be made")
        mine = os.dup(descriptor)
        self.spawned.append((upid, undo))
        lost = self.lose > 0
        self.lose -= lost

        def run(stop: Stop) -> None:
            journal = Journal(mine)
            try:
                if lost:
                    return
                if undo:
                    working.undo(self.app, journal, self.logs)
                else:
                    working.act(self.app, journal, self.logs, stop)
            finally:
                journal.close()

        return ThreadWorker(run)


class Bench:
    """A runner with all that it needs, in a directory."""

    def __init__(self, root: Path, *, store: MemoryStore | None = None, boot: str = "boot1", **more: Any) -> None:
        self.clock = FakeClock()
        self.layout = Layout(root)
        self.store = store or MemoryStore(self.clock)
        self.app = App(self.store, self.clock)
        self.shelf = self.app.shelf
        self.spawner = ThreadSpawner(self.app, self.layout.task_logs)
        self.runner = TaskRunner(
            Node("n1", self.layout, boot),
            self.app.registry,
            lambda: self.app,
            self.store,
            spawner=self.spawner,
            clock=self.clock,
            counter=Counter(root / "counter"),
            **more,
        )

    def __enter__(self) -> Bench:
        self.runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shelf.gate.set()
        for task in self.runner.running():
            self.runner.wait(task.upid, 10)
        self.runner.stop()

    def spawn(self, args: TaskArgs, by: Requester = BY) -> str:
        return self.runner.spawn(args, Draws(), by)

    def run(self, args: TaskArgs, by: Requester = BY, **more: Any) -> Any:
        return self.runner.run(args, Draws(), by, **more)

    def until(self, true: Callable[[], Any], seconds: float = 10.0) -> None:
        """Wait for something that another thread brings about."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.002)

    def skip(self, seconds: float) -> Bench:
        """Let that time go by."""
        self.clock.sleep(seconds)
        self.runner._loop.ring()
        return self

    def status(self, upid: str) -> str:
        """The status that the ended task is listed with."""
        assert self.runner.wait(upid, 10)
        entry = self.runner.index.find(upid)
        return entry.status if entry else "hidden"

    def leftovers(self) -> list[str]:
        """What a task leaves when it was not put away wholly."""
        keys = [doc.key for doc in self.store.list("kept/")]
        return keys + [path.name for path in self.layout.journals.iterdir()]


def keyed(key: str, body: object = "b", user: str = "alice@pve") -> Requester:
    """A caller with an Idempotency-Key."""
    return msgspec.structs.replace(BY, user=user, key=key, body=str(body))
