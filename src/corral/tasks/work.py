"""Doing a task, in the worker: the act with its journal, the undo of what failed, and of what a dead worker left."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from corral.core.clock import Clock
from corral.core.errors import Cancelled, Conflict, Error, NoQuorum, TimedOut, Unavailable
from corral.store.base import Cause, RecordClass, Revision, Store, Transaction, Write
from corral.tasks.base import Draws, Registry, Undo, UndoScope
from corral.tasks.journal import (
    Begin,
    Claim,
    End,
    Failing,
    Journal,
    Kept,
    Progress,
    State,
    Step,
    Undone,
    Void,
    kept_key,
    replay,
)
from corral.tasks.log import LogWriter
from corral.tasks.outcome import Outcome, decode, encoder, one_line

log = logging.getLogger(__name__)

PROGRESS_INTERVAL = 1.0
"""Seconds between two progress lines of a journal."""

UNDO_PAUSES = (1.0, 5.0)
"""Seconds before a failed undo step is tried again; then it is given up, and the task's end says so."""

PERSIST_PAUSES = (1.0, 2.0, 5.0, *(10.0,) * 30)
"""Seconds between tries to end a task on a full disk or without store: five minutes; then another worker goes on."""


class Surroundings(Protocol):
    """What a worker's app offers. Services are found through the task types."""

    @property
    def registry(self) -> Registry:
        """The task types and undo steps."""
        ...

    @property
    def store(self) -> Store:
        """The store, through corrald."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...


@dataclass(slots=True)
class Stop:
    """The wish that the task stops. `undoing` guards the undo against being interrupted in its turn."""

    requested: bool = False
    undoing: bool = False


class KeptRecord:
    """The record `kept/<upid>`: written by each transaction of a task, so that it is known which ones happened."""

    def __init__(self, store: Store, upid: str) -> None:
        self._store = store
        self._key = kept_key(upid)
        doc = store.get(self._key)
        self.kept = decode(doc.text.encode(), Kept) if doc else Kept()
        self._version = doc.version if doc else 0

    def commit(self, cause: Cause, writes: tuple[Write, ...], numbers: Iterable[int]) -> Revision:
        """One transaction that also says that these undo steps are void. Exactly once, whatever is lost on the way."""
        kept = Kept(commits=self.kept.commits + 1, numbers=(*self.kept.numbers, *numbers))
        mark = Write(
            key=self._key,
            text=encoder.encode(kept).decode(),
            expect=self._version,
            cls=RecordClass.ROOT,
            history=False,
        )
        try:
            revision = self._store.commit(Transaction(cause=cause, writes=(*writes, mark)))
        except (Conflict, NoQuorum, TimedOut, Unavailable):
            # The answer of an earlier try may have been lost with the transaction done; our mark then tells.
            doc = self._store.get(self._key)
            if doc is None or doc.text != mark.text:
                raise
            revision = Revision(self._store.revision.era, doc.version)
        self.kept, self._version = kept, revision.number
        return revision


class Scope:
    """The undo steps of a stretch of work."""

    def __init__(self, work: ActiveWork) -> None:
        self._work = work
        self.steps: dict[int, Undo] = {}

    def before(self, step: Undo) -> int:
        """See `UndoScope`."""
        number = self._work.note(step)
        self.steps[number] = step
        return number

    def void(self, number: int | None = None) -> None:
        """See `UndoScope`."""
        numbers = tuple(self.steps) if number is None else (number,)
        if numbers:
            self._work.void(numbers)
        for gone in numbers:
            self.steps.pop(gone, None)


class ActiveWork:
    """The `Work` of a worker."""

    def __init__(self, app: Surroundings, journal: Journal, state: State, logs: Path, stop: Stop) -> None:
        self.warnings = 0
        self.kept = KeptRecord(app.store, state.header.upid)
        self._app = app
        self._journal = journal
        self._state = state
        self._log = LogWriter(logs, state.header.upid)
        self._stop = stop
        self._draws = state.draws
        self._scopes: list[Scope] = []
        self._next = state.next_number
        self._progress_at = -PROGRESS_INTERVAL
        self._failed: BaseException | None = None

    @property
    def upid(self) -> str:
        """See `Work`."""
        return self._state.header.upid

    @property
    def user(self) -> str:
        """See `Work`."""
        return self._state.header.by.user

    @property
    def draws(self) -> Draws:
        """See `Work`."""
        return self._draws

    def log(self, line: str) -> None:
        """See `Work`."""
        self._log.write(line)

    def warn(self, line: str) -> None:
        """See `Work`."""
        self.warnings += 1
        self._log.write(f"WARN: {line}")

    def progress(self, fraction: float, text: str = "") -> None:
        """See `Work`. At most one each second is passed on, and the last."""
        now = self._app.clock.monotonic()
        if now - self._progress_at >= PROGRESS_INTERVAL or fraction >= 1:
            self._progress_at = now
            self._journal.note(Progress(fraction=min(1.0, max(0.0, fraction)), text=text))

    def cancelled(self) -> bool:
        """See `Work`."""
        return self._stop.requested

    def check_cancelled(self) -> None:
        """See `Work`."""
        if self._stop.requested:
            raise Cancelled

    @contextmanager
    def undo(self) -> Iterator[UndoScope]:
        """See `Work`."""
        scope = Scope(self)
        self._scopes.append(scope)
        try:
            yield scope
        except BaseException as exc:
            self._scopes.remove(scope)
            self.fail(exc)
            for number, step in sorted(scope.steps.items(), reverse=True):
                if run_step(self._app, self._journal, self._log, number, step):
                    self.warnings += 1
            self._stop.undoing = False
            raise
        self._scopes.remove(scope)
        if self._scopes:
            self._scopes[-1].steps |= scope.steps
        else:
            scope.void()

    def commit(self, *writes: Write, keep: UndoScope | None = None) -> Revision:
        """See `Work`."""
        numbers: list[int] = []
        if keep is not None:
            assert isinstance(keep, Scope)
            numbers += keep.steps
            keys = {write.key for write in writes}
            numbers += [claim.number for claim in self._state.header.claims if claim.write.key in keys]
        revision = self.kept.commit(cause_of(self._state), writes, numbers)
        if keep is not None:
            assert isinstance(keep, Scope)
            keep.steps.clear()
        return revision

    def note(self, step: Undo) -> int:
        """Journal an undo step; answers its number."""
        number, self._next = self._next, self._next + 1
        self._journal.append(Step(number=number, name=step.name, args=msgspec.Raw(encoder.encode(step))))
        return number

    def void(self, numbers: tuple[int, ...]) -> None:
        """Journal that these steps are void."""
        self._journal.append(Void(numbers=numbers))

    def fail(self, error: BaseException) -> None:
        """Journal that the act fails, before anything is undone. From here on a wish to stop changes nothing."""
        self._stop.undoing = True
        if error is not self._failed:
            self._failed = error
            self._journal.note(Failing(outcome=failure(error, self._stop)))


def failure(error: BaseException, stop: Stop) -> Outcome:
    """The outcome of an error: once a stop was asked for, whatever then fails is its consequence."""
    if stop.requested and not isinstance(error, Cancelled):
        log.info("error after the stop: %s", error)
        return Outcome.failure(Cancelled())
    if not isinstance(error, Error):
        log.error("a task failed by a bug", exc_info=error)
    return Outcome.failure(error)


def cause_of(state: State) -> Cause:
    """Whom and what the store's history names for a task's transactions."""
    return Cause(who=state.header.by.user, why=state.header.upid)


def act(app: Surroundings, journal: Journal, logs: Path, stop: Stop) -> Outcome:
    """Run the task that the journal describes, to its end; what fails is undone.

    Raises only where the undo could not be completed for now: the journal then has no end, and `undo` goes on.
    """
    state = _load(journal)
    journal.note(Begin(pid=os.getpid()))
    stop.requested |= state.cancelled_by is not None
    work = ActiveWork(app, journal, state, logs, stop)
    task = app.registry.tasks[state.header.task]
    try:
        args = decode(state.header.args, task.args)
        work.check_cancelled()
        outcome = Outcome.success(task.act(task.service(app), args, work), work.warnings)
    except BaseException as exc:
        work.fail(exc)
        outcome = _take_back(app, journal, LogWriter(logs, work.upid), failure(exc, stop), work.kept)
    stop.undoing = True
    _end(app, journal, outcome)
    return outcome


def undo(app: Surroundings, journal: Journal, logs: Path) -> Outcome:
    """Undo what a dead worker left, to the end. Raises where it could not be completed for now."""
    state = _load(journal)
    journal.note(Begin(pid=os.getpid(), undo=True))
    if state.failing is not None:
        outcome = state.failing
    elif state.cancelled_by is not None:
        outcome = Outcome.failure(Cancelled())
    else:
        outcome = Outcome.failure(Error("the worker process died"))
    kept = KeptRecord(app.store, state.header.upid)
    outcome = _take_back(app, journal, LogWriter(logs, state.header.upid), outcome, kept)
    _end(app, journal, outcome)
    return outcome


def _end(app: Surroundings, journal: Journal, outcome: Outcome) -> None:
    """Journal the end; on a full disk that may take a while."""
    persist(app.clock, lambda: journal.append(End(outcome=outcome)))


def persist(clock: Clock, deed: Callable[[], None]) -> None:
    """Try again what must succeed in the end: the disk may be full or the store away. Raises its last error."""
    for pause in PERSIST_PAUSES:
        try:
            return deed()
        except Error as exc:
            log.warning("trying again in %g s: %s", pause, exc)
        clock.sleep(pause)
    return deed()


def _load(journal: Journal) -> State:
    state = replay(journal.records())
    assert state is not None, "a worker was given a journal without header"
    return state


def _take_back(app: Surroundings, journal: Journal, lines: LogWriter, outcome: Outcome, kept: KeptRecord) -> Outcome:
    """Run the remaining undo steps, then give back the claim; the outcome names what could not be undone."""
    errors: dict[str, str] = {}
    for pause in (*UNDO_PAUSES, None):
        remaining = _load(journal).remaining(kept.kept)
        errors = {}
        for raw in remaining:
            kind = app.registry.undos.get(raw.name)
            if kind is None:
                errors[raw.name] = "no such kind of undo step"
                continue
            step = decode(raw.args, kind.step)
            if error := run_step(app, journal, lines, raw.number, step):
                errors[_shown(step)] = error
        if not errors:
            break
        if pause is not None:
            app.clock.sleep(pause)
    state = _load(journal)
    persist(app.clock, lambda: unclaim(app.store, state.unclaim(kept.kept), cause_of(state)))
    if errors:
        text = "; ".join(f"{step}: {error}" for step, error in errors.items())
        return msgspec.structs.replace(outcome, status=one_line(f"{outcome.status} (not undone: {text})"))
    return outcome


def run_step(app: Surroundings, journal: Journal, lines: LogWriter, number: int, step: Undo) -> str:
    """Undo one deed; answers why it failed, or ''."""
    kind = app.registry.undos[step.name]
    lines.write(f"undo: {_shown(step)}")
    try:
        kind.act(kind.service(app), step)
    except Exception as exc:
        if not isinstance(exc, Error):
            log.exception("undo step %s failed by a bug", step.name)
        error = one_line(str(exc) or type(exc).__name__)
        lines.write(f"WARN: undo failed: {error}")
        journal.note(Undone(number=number, error=error))
        return error
    journal.note(Undone(number=number))
    return ""


def _shown(step: Undo) -> str:
    values = ", ".join(f"{name}={getattr(step, name)}" for name in step.__struct_fields__)
    return f"{step.name}({values})"


def unclaim(store: Store, claims: Iterable[Claim], cause: Cause) -> None:
    """Give back claimed records in one transaction: remove those that the claim made, restore the others.

    A record that was replaced by another of the same name (told by the header's `uuid`) is left alone. Idempotent.
    """
    claims = tuple(claims)
    for _ in range(10):
        writes = [write for claim in claims if (write := _unclaiming(store, claim))]
        if not writes:
            return
        try:
            store.commit(Transaction(cause=cause, writes=tuple(writes)))
        except Conflict:
            continue
        return
    raise Conflict("records keep changing while a claim is given back")


def _unclaiming(store: Store, claim: Claim) -> Write | None:
    doc = store.get(claim.write.key)
    wanted = claim.write.header
    if doc is None or (wanted is not None and doc.header.get("uuid") != wanted.get("uuid")):
        return None
    if claim.before is None:
        return Write(key=doc.key, text=None, expect=doc.version)
    before = claim.before
    return Write(key=doc.key, text=before.text, expect=doc.version, cls=before.cls, header=before.header)
