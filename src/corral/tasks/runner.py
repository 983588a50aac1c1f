"""The runner in corrald: checks and claims in the caller's thread; queues, starts workers and ends tasks in its own.

The journals are the truth, this object is their view: killed at any moment, another one made on the same directories
goes on where it stopped. One lock guards the memory; nothing that may block is done while it is held.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Cancelled, Conflict, Error, NoQuorum, NotFound, ParamError, TimedOut, Unavailable
from corral.core.layout import Layout
from corral.store.base import Cause, Store, Transaction, Write
from corral.system import files, locks
from corral.tasks import journal
from corral.tasks.base import Draws, Ended, Intent, Phase, Registry, Requester, Running, TaskArgs, TaskEvent
from corral.tasks.claim import Keys, Remembered, claims_of, happened, transact
from corral.tasks.journal import Cancel, End, Failing, Header, Journal, Kept, kept_key
from corral.tasks.live import AdoptedWorker, Listener, Listeners, Spawner, Task, Worker
from corral.tasks.log import Index, LogWriter, Retention, log_path, unindexed
from corral.tasks.loop import Loop
from corral.tasks.outcome import Outcome, encoder
from corral.tasks.queue import Queue, Request, Sizes, SlotSizes
from corral.tasks.upid import Counter, Upid, issue
from corral.tasks.work import cause_of, unclaim

log = logging.getLogger(__name__)

CLAIM_ATTEMPTS = 10
STOP_AGAIN = 2.5
STOP_KILL = 5.0
"""Seconds after a wish to stop until the act is interrupted where it stands, and until its process is killed."""
STOP_UNDO = 600.0
"""Seconds a stopped task has for its undo; then another process goes on with it."""
UNDO_ATTEMPTS = 12
UNDO_PAUSE = 60.0
"""Undo workers that may die before the undo is given up, and seconds between the later of them."""
FOLLOWERS = 64
"""Logs that may be followed at once; each takes a thread."""
POLL = 0.2
PROGRESS_POLL = 1.0


class Node(NamedTuple):
    """Where tasks run: the node's name, its layout, the text that tells this boot from others."""

    name: str
    layout: Layout
    boot: str


class TaskRunner:
    """The `Tasks` of corrald. `start` before use; may then be called from every thread.

    `app` answers the app whose services the task types name; it is called late, so that the app can hold the runner.
    Slot sizes are those of `etc/corral/slots.conf` unless given.
    """

    def __init__(
        self,
        node: Node,
        registry: Registry,
        app: Callable[[], Any],  # Any: the task types know what their services come from
        store: Store,
        *,
        spawner: Spawner,
        clock: Clock,
        sizes: Sizes | None = None,
        retention: Retention | None = None,
        counter: Counter | None = None,
    ) -> None:
        files.ensure_dir(node.layout.journals, mode=0o700)
        self.index = Index(node.layout.task_logs, retention)
        self._node = node
        self._registry = registry
        self._app = app
        self._store = store
        self._spawner = spawner
        self.clock = clock
        self._keys = Keys(store, clock)
        if counter is None:
            counter = Counter(files.ensure_dir(node.layout.run, mode=0o711) / "task-counter")
        self._counter = counter
        self._lock = threading.RLock()
        self._made = threading.Condition(self._lock)
        self._looked_at = 0.0
        self._tasks: dict[str, Task] = {}
        self._making: set[str] = set()
        self._queue = Queue(sizes or _configured_sizes(node.layout))
        self._listeners = Listeners()
        self._loop = Loop("tasks", clock, self._turn, self._patience)
        self.followers = threading.BoundedSemaphore(FOLLOWERS)

    # ---- for handlers

    def plan(self, args: TaskArgs, draws: Draws) -> Intent:
        """See `Tasks`."""
        task = self._registry.of(args)
        return task.check(task.service(self._app()), args, draws)

    def spawn(self, args: TaskArgs, draws: Draws, by: Requester) -> str:
        """See `Tasks`."""
        made = self._make(args, draws, by, awaited=False)
        return made.upid

    def run(self, args: TaskArgs, draws: Draws, by: Requester, *, gone: Callable[[], bool] | None = None) -> Any:
        """See `Tasks`."""
        made = self._make(args, draws, by, awaited=True)
        if isinstance(made, Task):
            return self._await(made, gone)
        task = self._entered(made.upid)
        if task is not None:
            return self._await(task, None)
        # It has ended since it was looked up, or long ago: its key tells the result.
        again = self._keys.look_up(by).task
        if again is None:
            raise Conflict("the first call with this Idempotency-Key has just failed; try again")
        return msgspec.json.decode(again.result)

    def _await(self, task: Task, gone: Callable[[], bool] | None) -> Any:
        while not task.done.wait(0.5):
            if self._loop.stopping:
                raise Unavailable("this node's daemon is being restarted; the task goes on")
            if gone is not None and gone() and self._withdraw(task):
                raise Cancelled("the caller has left")
        assert task.outcome is not None
        return task.outcome.value()

    def _entered(self, upid: str) -> Task | None:
        """The task, once the thread that makes it has entered it; None if it has ended."""
        with self._made:
            self._made.wait_for(lambda: upid not in self._making, timeout=30)
            return self._tasks.get(upid)

    # ---- for those who look on

    def running(self) -> list[Running]:
        """All tasks that have not ended, oldest first."""
        with self._lock:
            tasks = sorted(self._tasks.values(), key=lambda task: task.order)
            return [task.shown for task in tasks]

    def find(self, upid: str) -> Running | Ended | None:
        """A task, or None if there is (or was long ago) none of that name. ParamError for what is no UPID."""
        parsed = Upid.parse(upid)
        with self._lock:
            if task := self._tasks.get(upid):
                return task.shown
        if entry := self.index.find(upid):
            return Ended(upid=upid, user=parsed.user, status=entry.status, endtime=entry.endtime)
        if found := unindexed(self._node.layout.task_logs, upid):
            return Ended(upid=upid, user=parsed.user, status=found.status, endtime=found.endtime)
        return None

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[list[Running]]:
        """The tasks running now; every later change is told to `listener` until the context is left."""
        with self._lock:
            self._listeners.add(listener)
            snapshot = self.running()
        try:
            yield snapshot
        finally:
            with self._lock:
                self._listeners.remove(listener)

    def wait(self, upid: str, timeout: float) -> bool:
        """Whether the task has ended, waiting at most `timeout` seconds for it."""
        with self._lock:
            task = self._tasks.get(upid)
        return task is None or task.done.wait(timeout)

    def cancel(self, upid: str, by: str) -> None:
        """Ask a task to stop: a waiting one ends now; a running one is interrupted, killed after 5 s and undone.

        Nothing happens to one that has ended or is being undone. `NotFound` for one that never was.
        """
        with self._lock:
            task = self._tasks.get(upid)
            waiting = task is not None and task.phase is Phase.WAITING and self._queue.withdraw(upid)
        if task is None:
            if self.find(upid) is None:
                raise NotFound("no such task")
        elif waiting:
            self._end_unbegun(task, Outcome.failure(Cancelled()), by)
        elif task.phase is Phase.RUNNING:
            with contextlib.suppress(OSError):  # also on a full disk it must be possible to stop
                journal.append(task.path, Cancel(by=by))
            with self._lock:
                task.stop_at = self.clock.monotonic() if task.stop_at is None else task.stop_at
                self._stop_worker(task)
            self._loop.ring()

    def housekeep(self) -> None:
        """Forget old tasks and keys. To be called every hour or so."""
        self.index.prune(self.clock.now())
        if expired := self._keys.expired():
            with contextlib.suppress(Conflict):
                self._store.commit(Transaction(cause=Cause(who="root@pam", why="idempotency"), writes=expired[:1000]))

    # ---- life

    def start(self) -> None:
        """Take over what an earlier runner left, then work."""
        for leftover in self._node.layout.journals.glob(".*.tmp"):
            files.remove_file(leftover)
        paths = self._node.layout.journals.glob(f"*{journal.SUFFIX}")
        for path in sorted(paths, key=_order):
            self._recover(path)
        self._loop.start()

    def stop(self) -> None:
        """Stop working; workers go on. Callers that wait for a task get `Unavailable`."""
        self._loop.stop()

    # ---- making a task, in the caller's thread

    def _make(self, args: TaskArgs, draws: Draws, by: Requester, *, awaited: bool) -> Task | Remembered:
        for _ in range(CLAIM_ATTEMPTS):
            earlier = self._keys.look_up(by)
            if earlier.task is not None:
                return earlier.task
            trial = Draws(dict(draws.known), bound=draws.bound)
            intent = self.plan(args, trial)
            header = self._header(args, trial, by, intent, awaited=awaited)
            with self._making_of(header.upid):
                task = Task(header, journal.path_of(self._node.layout.journals, header.upid))
                remember = self._keys.remember(by, header.upid, earlier.version)
                if self._claimed(task, remember):
                    draws.known.update(trial.known)
                    return self._enter(task)
        raise Conflict("what the task claims keeps changing; try again")

    def _claimed(self, task: Task, remember: tuple[Write, ...]) -> bool:
        """Journal the task and claim what it needs; False, and nothing is left, where somebody was faster."""
        try:
            Journal.create(task.path, task.header)
            LogWriter.create(self._node.layout.task_logs, task.upid)
            claimed = not task.header.transacted or transact(self._store, task.header, remember)
        except (NoQuorum, TimedOut, Unavailable):
            # It may have happened. The call fails; once the store answers, the task begins or has never been.
            self._later_settle(task.path)
            raise
        except BaseException as exc:
            self._erase(task.path)
            if isinstance(exc, OSError):
                raise Error(f"can't write the task's log - {exc.strerror}") from exc
            raise
        if not claimed:
            self._erase(task.path)  # check says what is wrong now, or draws anew
        return claimed

    def _later_settle(self, path: Path) -> None:
        def settle() -> None:
            try:
                self._recover(path)
            except Error as exc:
                log.warning("still in doubt about the claim of %s: %s", path.name, exc)
                self._later_settle(path)

        self._loop.soon(settle, 1.0)

    def _erase(self, path: Path) -> None:
        """Remove what there is of a task that was never answered."""
        with contextlib.suppress(ParamError, OSError):
            files.remove_file(log_path(self._node.layout.task_logs, path.name.removesuffix(journal.SUFFIX)))
        files.remove_file(path)

    def _header(self, args: TaskArgs, draws: Draws, by: Requester, intent: Intent, *, awaited: bool) -> Header:
        upid = issue(
            self._counter, self.clock, node=self._node.name, kind=args.type, of=intent.id or args.id(), user=by.user
        )
        wants = Request.of(str(upid), intent)
        return Header(
            upid=str(upid),
            task=type(args).__name__,
            args=msgspec.Raw(encoder.encode(args)),
            by=by,
            boot=self._node.boot,
            draws=draws.known,
            bound=draws.bound,
            locks=wants.locks,
            slots=wants.slots,
            claims=claims_of(self._store, intent),
            transacted=bool(intent.claim or by.key),
            awaited=awaited,
        )

    @contextlib.contextmanager
    def _making_of(self, upid: str) -> Iterator[None]:
        with self._lock:
            self._making.add(upid)
        try:
            yield
        finally:
            with self._made:
                self._making.discard(upid)
                self._made.notify_all()

    def _enter(self, task: Task) -> Task:
        with self._lock:
            self._tasks[task.upid] = task
            self._queue.enter(task.request)
            self._tell(task)
        self._loop.ring()
        return task

    # ---- after a restart

    def _recover(self, path: Path) -> None:
        state = journal.read(path)
        if locks.is_held(path):
            if state is not None:
                self._adopt(state)
        elif state is None or (state.begin is None and not happened(self._store, state.header)):
            # Its call was never answered: it does not exist.
            self._erase(path)
        elif state.end is None and state.begin is None and not state.steps:
            self._recover_unbegun(state)
        else:
            task = self._known(state, Phase.UNDOING)
            task.attempts = state.undo_attempts
            self._loop.soon(lambda: self._after_death(task))

    def _adopt(self, state: journal.State) -> None:
        undoing = state.begin is not None and state.begin.undo
        task = self._known(state, Phase.UNDOING if undoing else Phase.RUNNING)
        task.progress = state.progress
        if state.cancelled_by is not None and not undoing:
            task.stop_at = self.clock.monotonic()
        self._watch(task, AdoptedWorker(task.path))

    def _recover_unbegun(self, state: journal.State) -> None:
        header = state.header
        task = Task(header, journal.path_of(self._node.layout.journals, header.upid))
        LogWriter.create(self._node.layout.task_logs, header.upid)
        if state.cancelled_by is not None:
            outcome = Outcome.failure(Cancelled())
        elif header.awaited:
            outcome, task.withdrawn = Outcome.failure(Cancelled("the caller has left")), True
        elif header.boot != self._node.boot:
            outcome = Outcome.failure(Error("the host was rebooted before the task began"))
        else:
            self._enter(task)
            return
        with self._lock:
            self._tasks[task.upid] = task
        self._loop.soon(lambda: self._end_unbegun(task, outcome, ""))

    def _known(self, state: journal.State, phase: Phase) -> Task:
        """A task that holds its locks already."""
        task = Task(state.header, journal.path_of(self._node.layout.journals, state.header.upid), phase)
        LogWriter.create(self._node.layout.task_logs, task.upid)  # a crash may have taken it
        with self._lock:
            self._tasks[task.upid] = task
            self._queue.adopt(task.request)
            self._tell(task)
        return task

    # ---- the loop, in its own thread

    def _turn(self) -> None:
        self._look_around()
        self._grant()

    def _patience(self) -> float | None:
        """Seconds until running workers want to be looked at."""
        with self._lock:
            workers = [task for task in self._tasks.values() if task.worker is not None]
            if any(task.stop_at is not None or task.worker.fileno() is None for task in workers if task.worker):
                return POLL
            return PROGRESS_POLL if workers else None

    def _look_around(self) -> None:
        """What running workers need from time to time."""
        now = self.clock.monotonic()
        if now - self._looked_at < POLL:
            return
        self._looked_at = now
        with self._lock:
            tasks = [task for task in self._tasks.values() if task.worker is not None]
        for task in tasks:
            if task.worker is not None and task.worker.fileno() is None:
                self._check_ended(task)
            if task.worker is not None and task.stop_at is not None:
                self._press(task, task.worker, task.stop_at)
            changed = [record for record in task.tail.news() if isinstance(record, journal.Progress)]
            if changed:
                task.progress = changed[-1]
                with self._lock:
                    self._tell(task)

    def _grant(self) -> None:
        with self._lock:
            decision = self._queue.turn()
            granted = [self._tasks[request.upid] for request in decision.grants]
            for task in granted:
                task.phase = Phase.RUNNING
                self._tell(task)
            waiting = [(self._tasks[upid], reason) for upid, reason in decision.waiting.items()]
        for task in granted:
            self._begin(task)
        for task, reason in waiting:
            if task.waiting != reason:
                if not task.waiting:
                    LogWriter(self._node.layout.task_logs, task.upid).write(reason)
                task.waiting = reason
                with self._lock:
                    self._tell(task)

    def _begin(self, task: Task) -> None:
        # By itself, so that a bug met with one task does not keep the others from beginning.
        self._loop.soon(lambda: self._start(task))

    def _start(self, task: Task) -> None:
        """Start the worker that the task needs now; if that fails, try again later."""
        try:
            opened = self._take(task)
            try:
                worker = self._spawner.spawn(opened.descriptor, task.upid, undo=task.phase is Phase.UNDOING)
            finally:
                opened.close()
        except NotFound:
            self._after_death(task)
            return
        except (Error, OSError) as exc:
            log.warning("can't start a worker for %s: %s", task.upid, exc)
            self._loop.soon(lambda: self._start(task), 1.0)
            return
        self._watch(task, worker)

    def _take(self, task: Task) -> Journal:
        if (opened := Journal.take(task.path)) is None:
            raise Unavailable("its journal is locked")
        return opened

    def _watch(self, task: Task, worker: Worker) -> None:
        with self._lock:
            task.worker = worker
        descriptor = worker.fileno()
        if descriptor is not None:
            self._loop.watch(descriptor, lambda: self._check_ended(task))

    # ---- stopping

    def _stop_worker(self, task: Task) -> None:
        if task.worker is not None:
            task.stops += 1
            task.worker.terminate()

    def _press(self, task: Task, worker: Worker, stop_at: float) -> None:
        """Stop with more force as time goes by, but leave an undo its time."""
        since = self.clock.monotonic() - stop_at
        if task.stops == 0 or (since >= STOP_AGAIN and task.stops == 1):
            self._stop_worker(task)
        if since < STOP_KILL:
            return
        state = journal.read(task.path)
        undoing = state is not None and (state.failing is not None or state.end is not None)
        if not undoing or since >= STOP_UNDO:
            worker.kill()

    def _withdraw(self, task: Task) -> bool:
        with self._lock:
            if task.phase is not Phase.WAITING or not self._queue.withdraw(task.upid):
                return False
        task.withdrawn = True
        self._end_unbegun(task, Outcome.failure(Cancelled("the caller has left")), task.header.by.user)
        return True

    def _end_unbegun(self, task: Task, outcome: Outcome, by: str) -> None:
        """End a task that no worker has seen: nothing but its claim is to be given back."""
        try:
            opened = self._take(task)
            try:
                opened.append(Cancel(by=by))
                state = journal.replay(opened.records())
                assert state is not None
                unclaim(self._store, state.unclaim(Kept()), cause_of(state))
                opened.append(End(outcome=outcome))
            finally:
                opened.close()
        except NotFound:
            log.warning("the journal of %s is missing", task.upid)
        except (Error, OSError) as exc:
            log.warning("can't end %s now: %s", task.upid, exc)
            self._loop.soon(lambda: self._end_unbegun(task, outcome, by), 1.0)
            return
        self._put_away(task, outcome)

    # ---- ends

    def _check_ended(self, task: Task) -> None:
        worker = task.worker
        if worker is None or not worker.ended():
            return
        descriptor = worker.fileno()
        if descriptor is not None:
            self._loop.unwatch(descriptor)
        worker.close()
        with self._lock:
            task.worker, task.stop_at = None, None
            task.attempts += task.phase is Phase.UNDOING
        self._after_death(task)

    def _after_death(self, task: Task) -> None:
        """Its process is gone: put the task away, or have what it left undone."""
        try:
            self._settle(task)
        except (Error, OSError) as exc:
            log.warning("can't settle %s now: %s", task.upid, exc)
            self._loop.soon(lambda: self._after_death(task), 1.0)

    def _settle(self, task: Task) -> None:
        state = journal.read(task.path)
        if state is None:
            self._put_away(task, Outcome.failure(Error("its journal is missing")))
            return
        if state.end is not None:
            self._put_away(task, state.end)
            return
        if task.attempts > UNDO_ATTEMPTS:
            self._give_up(task, state)
            return
        if state.failing is None and state.cancelled_by is None and state.header.boot != self._node.boot:
            why = Outcome.failure(Error("interrupted by a reboot of the host"))
            journal.append(task.path, Failing(outcome=why))
        log.warning("worker of %s died; undoing %d steps", task.upid, len(state.steps))
        with self._lock:
            task.phase = Phase.UNDOING
            self._tell(task)
        pause = 0.0 if task.attempts == 0 else min(UNDO_PAUSE, 2.0 ** (task.attempts - 1))
        self._loop.soon(lambda: self._start(task), pause)

    def _give_up(self, task: Task, state: journal.State) -> None:
        steps = ", ".join(step.name for step in state.remaining(Kept())) or "the claim"
        why = state.failing.status if state.failing else "the worker process died"
        saved = task.path.with_suffix(".failed")
        files.atomic_write(saved, files.read_bytes(task.path), mode=0o600)
        log.error("the undo of %s was given up (%s); its journal is kept as %s", task.upid, steps, saved)
        outcome = Outcome.failure(Error(f"{why} (undo given up: {steps})"))
        journal.append(task.path, End(outcome=outcome))
        self._put_away(task, outcome)

    def _put_away(self, task: Task, outcome: Outcome) -> None:
        """Enter the end everywhere, then release what the task held. Each part may be repeated after a crash."""
        hidden = task.withdrawn or (task.header.awaited and outcome.ok)
        ended = Ended(upid=task.upid, user=task.header.by.user, status=outcome.status, endtime=int(self.clock.now()))
        try:
            if hidden:
                files.remove_file(log_path(self._node.layout.task_logs, task.upid))
            else:
                LogWriter(self._node.layout.task_logs, task.upid).close(outcome.closing_line)
                self.index.add(ended)
            self._forget(task.header, outcome)
            files.remove_file(task.path)
        except (Error, OSError) as exc:
            log.warning("can't put %s away now: %s", task.upid, exc)
            self._loop.soon(lambda: self._put_away(task, outcome), 1.0)
            return
        event = TaskEvent(upid=task.upid, ended=ended, hidden=hidden, revision=self._store.revision)
        with self._lock:
            self._tasks.pop(task.upid, None)
            self._queue.release(task.upid)
            task.outcome = outcome
            self._listeners.tell(event)
            task.done.set()
        self._loop.ring()

    def _forget(self, header: Header, outcome: Outcome) -> None:
        for _ in range(CLAIM_ATTEMPTS):
            kept = self._store.get(kept_key(header.upid))
            writes = list(self._keys.ended(header.by, header.upid, outcome))
            if kept is not None:
                writes.append(Write(key=kept.key, text=None, history=False))
            if not writes:
                return
            with contextlib.suppress(Conflict):
                cause = Cause(who=header.by.user, why=header.upid)
                self._store.commit(Transaction(cause=cause, writes=tuple(writes)))
                return

    def _tell(self, task: Task) -> None:
        self._listeners.tell(TaskEvent(upid=task.upid, running=task.shown))


def _configured_sizes(layout: Layout) -> SlotSizes:
    """What `etc/corral/slots.conf` says, if there is one."""
    try:
        return SlotSizes.parse(files.read_text(layout.etc / "slots.conf"))
    except NotFound:
        return SlotSizes({})


def _order(path: Path) -> tuple[int, int, int]:
    try:
        return Upid.parse(path.name.removesuffix(journal.SUFFIX)).order
    except Error:
        return (0, 0, 0)
