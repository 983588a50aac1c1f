"""Work in a worker: scopes, commits that happen once, cancelling, progress, what fails at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from corral.core.errors import Cancelled, Conflict, Error, TimedOut
from corral.store.base import Doc, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.tasks import journal, work
from corral.tasks.base import Draws, Intent, Registry, Requester, TaskArgs, TaskType, Undo, UndoType
from corral.tasks.base import Work as WorkProtocol
from corral.tasks.claim import transact
from corral.tasks.journal import Claim, Header, Journal, Kept, Progress
from corral.tasks.log import LogWriter, read_log
from corral.tasks.outcome import Outcome, encoder
from corral.tasks.work import PERSIST_PAUSES, KeptRecord, Stop, persist
from tests.unit.tasks.toys import FakeClock

UPID = "UPID:n1:00000001:00000001:00000001:scripted:100:alice@pve:"


class Scripted(TaskArgs, frozen=True, kw_only=True):
    """A task whose act is given by the test."""

    type = "scripted"


class Erase(Undo, frozen=True, kw_only=True):
    """Undo of a thing."""

    name = "Erase"
    thing: str


class LosingStore(MemoryStore):
    """Loses its answers: `lost` says for the next transactions whether they are done before that."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.lost: list[bool] = []

    def commit(self, txn: Transaction) -> Revision:
        if self.lost:
            if self.lost.pop(0):
                super().commit(txn)
            raise TimedOut("the answer was lost")
        return super().commit(txn)


class Stage:
    """An app with one task, its journal and its log."""

    def __init__(self, root: Path) -> None:
        self.clock = FakeClock()
        self.store = LosingStore(self.clock)
        self.things: list[str] = []
        self.broken = False
        self.script: Callable[[WorkProtocol], Any] = lambda _work: None
        self.registry = Registry(
            [TaskType(Scripted, lambda app: app, Stage.check, Stage.act)],
            [UndoType(Erase, lambda app: app, Stage.erase)],
        )
        self.logs = root / "logs"
        self.stop = Stop()
        self.path = journal.path_of(root / "journals", UPID)
        claim = Claim(number=-1, write=Write(key="guest/100", text="lock: create\n", expect=0))
        self.header = Header(
            upid=UPID,
            task="Scripted",
            args=msgspec.Raw(b"{}"),
            by=Requester(user="alice@pve"),
            boot="b",
            claims=(claim,),
            transacted=True,
        )
        Journal.create(self.path, self.header)
        LogWriter.create(self.logs, UPID)
        assert transact(self.store, self.header, ())

    def check(self, _args: Scripted, _draws: Draws) -> Intent:
        return Intent()

    def act(self, _args: Scripted, now: WorkProtocol) -> Any:
        return self.script(now)

    def erase(self, step: Erase) -> None:
        if self.broken:
            raise Error("stuck")
        self.things.remove(step.thing)

    def make(self, scope: Any, thing: str) -> None:
        scope.before(Erase(thing=thing))
        self.things.append(thing)

    def run(self, script: Callable[[WorkProtocol], Any]) -> Outcome:
        self.script = script
        opened = Journal.take(self.path)
        assert opened is not None
        try:
            return work.act(self, opened, self.logs, self.stop)
        finally:
            opened.close()

    def undo(self) -> Outcome:
        opened = Journal.take(self.path)
        assert opened is not None
        try:
            return work.undo(self, opened, self.logs)
        finally:
            opened.close()

    @property
    def guest(self) -> Doc | None:
        return self.store.get("guest/100")

    @property
    def log(self) -> list[str]:
        return [line.t for line in read_log(self.logs, UPID)[0]]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


FINAL = Write(key="guest/100", text="memory: 64\n")


def test_the_steps_of_an_inner_scope_belong_to_the_outer_one_once_it_is_left(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        with now.undo() as outer:
            stage.make(outer, "a")
            with now.undo() as inner:
                stage.make(inner, "b")
            raise Error("later")

    assert stage.run(script).status == "later"
    assert stage.things == []
    assert [line for line in stage.log if "undo" in line] == ["undo: Erase(thing=b)", "undo: Erase(thing=a)"]


def test_a_scope_that_fails_inside_another_is_undone_alone(stage: Stage) -> None:
    def in_vain(now: WorkProtocol) -> None:
        with now.undo() as inner:
            stage.make(inner, "b")
            raise Error("tried in vain")

    def script(now: WorkProtocol) -> None:
        with now.undo() as outer:
            stage.make(outer, "a")
            with pytest.raises(Error):
                in_vain(now)
            now.commit(FINAL, keep=outer)

    assert stage.run(script).ok
    assert stage.things == ["a"]


def test_deeds_after_a_commit_are_undone_and_those_before_it_stay(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        with now.undo() as scope:
            stage.make(scope, "kept")
            now.commit(FINAL, keep=scope)
            stage.make(scope, "late")
            raise Error("after all")

    assert stage.run(script).status == "after all"
    assert stage.things == ["kept"]
    assert stage.guest is not None
    assert stage.guest.text == FINAL.text


def test_a_claim_is_taken_back_although_the_task_has_changed_its_record(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        now.commit(Write(key="guest/100", text="lock: create\nmemory: 64\n"))
        raise Error("no")

    assert stage.run(script).status == "no"
    assert stage.guest is None


@pytest.mark.parametrize("done", [True, False])
def test_a_commit_whose_answer_is_lost_happened_or_not_and_the_task_knows(stage: Stage, done: bool) -> None:
    def script(now: WorkProtocol) -> None:
        with now.undo() as scope:
            stage.make(scope, "a")
            stage.store.lost = [done]
            now.commit(FINAL, keep=scope)

    outcome = stage.run(script)
    assert outcome.ok == done
    assert stage.things == (["a"] if done else [])
    assert (stage.guest is not None) == done


def test_a_conflict_is_the_act_s_own_and_can_be_tried_again(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        with now.undo() as scope:
            with pytest.raises(Conflict):
                now.commit(Write(key="guest/100", text="x", expect=4711), keep=scope)
            now.commit(FINAL, keep=scope)

    assert stage.run(script).ok


def test_kept_counts_the_transactions_of_a_task(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        with now.undo() as scope:
            number = scope.before(Erase(thing="a"))
            now.commit(Write(key="x", text="1"))
            now.commit(FINAL, keep=scope)
            assert KeptRecord(stage.store, UPID).kept == Kept(commits=2, numbers=(number, -1))

    assert stage.run(script).ok


def test_history_names_the_user_and_the_task(stage: Stage) -> None:
    stage.run(lambda now: now.commit(FINAL))
    newest = stage.store.history("guest/100")[0]
    assert (newest.cause.who, newest.cause.why) == ("alice@pve", UPID)


def test_a_stopped_task_ends_as_interrupted_whatever_breaks_by_that(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        assert not now.cancelled()
        stage.stop.requested = True
        assert now.cancelled()
        with pytest.raises(Cancelled):
            now.check_cancelled()
        raise Error("the program was killed")

    assert stage.run(script).status == "received interrupt"


def test_a_task_that_was_stopped_before_it_began_does_nothing(stage: Stage) -> None:
    journal.append(stage.path, journal.Cancel(by="root@pam"))
    assert stage.run(lambda _now: stage.things.append("x")).status == "received interrupt"
    assert stage.things == []


def test_progress_is_told_once_a_second_and_at_the_end(stage: Stage) -> None:
    def script(now: WorkProtocol) -> None:
        for percent in range(101):
            now.progress(percent / 100, f"{percent} %")

    stage.run(script)
    found = [record for record in journal.parse(stage.path.read_bytes()) if isinstance(record, Progress)]
    assert found[0].fraction == 0
    assert found[-1] == Progress(fraction=1.0, text="100 %")
    assert len(found) <= 3


def test_arguments_that_can_t_be_read_are_an_error_of_the_task(stage: Stage) -> None:
    stage.path.unlink()
    Journal.create(stage.path, msgspec.structs.replace(stage.header, args=msgspec.Raw(b"[]")))
    assert stage.run(lambda _now: None).status.startswith("internal error - ValidationError")
    assert stage.guest is None


def test_undo_steps_of_a_kind_that_is_gone_are_named(stage: Stage) -> None:
    opened = Journal.take(stage.path)
    assert opened is not None
    opened.append(journal.Step(number=1, name="Gone", args=msgspec.Raw(encoder.encode({}))))
    opened.close()
    assert stage.undo().status == "the worker process died (not undone: Gone: no such kind of undo step)"


def test_what_must_succeed_is_tried_for_minutes(stage: Stage) -> None:
    tries: list[int] = []

    def deed() -> None:
        tries.append(1)
        if len(tries) < 20:
            raise Error("the disk is full")

    persist(stage.clock, deed)
    assert len(tries) == 20
    assert sum(PERSIST_PAUSES) >= 300

    def never() -> None:
        raise Error("still full")

    with pytest.raises(Error, match="still full"):
        persist(stage.clock, never)
