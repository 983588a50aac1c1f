"""The runner: a task's whole life, with workers that are threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from corral.core.errors import AlreadyExists, Cancelled, Conflict, Error, NotFound, ParamError, TimedOut
from corral.store.base import Doc, Revision, Transaction
from corral.store.memory import MemoryStore
from corral.tasks import journal
from corral.tasks.base import Draws, Ended, Phase, Running, TaskEvent
from corral.tasks.claim import KEPT_FOR
from corral.tasks.log import Filter, LogWriter, log_path, read_log
from corral.tasks.queue import SlotSizes
from tests.unit.tasks.toys import BY, Bench, Build, FakeClock, Wait, keyed


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path, sizes=SlotSizes({"one": 1}, default=100)) as made:
        yield made


def test_a_task_that_succeeds_leaves_its_log_and_nothing_else(bench: Bench) -> None:
    upid = bench.spawn(Build(vmid=100, names=("a", "b")))
    assert bench.status(upid) == "OK"
    lines, total = read_log(bench.layout.task_logs, upid)
    assert [line.t for line in lines] == ["made 100:a", "made 100:b", "TASK OK"]
    assert total == 3
    doc = bench.store.get("guest/100")
    assert doc is not None
    assert doc.text == "a\nb\n"
    assert bench.shelf.world == {"100:a", "100:b"}
    assert bench.leftovers() == []


def test_errors_of_check_answer_the_call_and_leave_nothing(bench: Bench) -> None:
    with pytest.raises(NotFound, match="refused by check"):
        bench.spawn(Wait(answer="refuse"))
    assert bench.leftovers() == []
    assert bench.runner.running() == []


def test_a_plan_changes_nothing(bench: Bench) -> None:
    draws = Draws()
    intent = bench.runner.plan(Build(names=("a",)), draws)
    assert (intent.id, draws.known) == ("100", {"vmid": "100"})
    assert bench.store.list() == []
    assert bench.leftovers() == []


def test_what_fails_is_undone_and_the_claim_given_back(bench: Bench) -> None:
    upid = bench.spawn(Build(vmid=100, names=("a", "b", "c"), fail="c"))
    assert bench.status(upid) == "can't make 100:c"
    assert bench.shelf.world == set()
    assert bench.store.get("guest/100") is None
    assert bench.leftovers() == []
    lines, _ = read_log(bench.layout.task_logs, upid)
    assert lines[-1].t == "TASK ERROR: can't make 100:c"


def test_an_object_that_was_there_already_is_not_undone(bench: Bench) -> None:
    bench.shelf.world.add("100:b")
    upid = bench.spawn(Build(vmid=100, names=("a", "b")))
    assert bench.status(upid) == "toy 100:b already exists"
    assert bench.shelf.world == {"100:b"}


def test_deeds_without_a_record_stay_when_the_act_succeeds(bench: Bench) -> None:
    upid = bench.spawn(Build(vmid=100, names=("a",), commits=False))
    assert bench.status(upid) == "OK"
    assert bench.shelf.world == {"100:a"}


def test_a_failed_undo_step_is_tried_again_and_at_last_told(bench: Bench) -> None:
    bench.shelf.broken = {"100:a"}
    upid = bench.spawn(Build(vmid=100, names=("a", "b"), fail="b"))
    assert "not undone: RemoveToy(toy=100:a): toy 100:a is stuck" in bench.status(upid)
    assert bench.store.get("guest/100") is None
    assert bench.leftovers() == []


def test_a_dead_worker_s_task_is_undone_by_another_while_its_locks_are_held(bench: Bench) -> None:
    bench.spawner.lose = 1
    upid = bench.spawn(Build(vmid=100, names=("a",)))
    assert bench.status(upid) == "the worker process died"
    assert bench.spawner.spawned == [(upid, False), (upid, True)]
    assert bench.store.get("guest/100") is None
    assert bench.leftovers() == []


def test_an_undo_that_always_dies_is_given_up_and_its_journal_kept(bench: Bench) -> None:
    bench.spawner.lose = 100
    upid = bench.spawn(Build(vmid=100, names=("a",)))
    bench.until(lambda: bench.skip(20).runner.wait(upid, 0.01))
    assert bench.status(upid) == "the worker process died (undo given up: the claim)"
    assert [path.suffix for path in bench.layout.journals.iterdir()] == [".failed"]


def test_a_worker_that_can_t_be_started_is_started_later(bench: Bench) -> None:
    bench.spawner.refuse = 2
    upid = bench.spawn(Build(vmid=100))
    bench.until(lambda: bench.skip(1).runner.wait(upid, 0.01))
    assert bench.status(upid) == "OK"


def test_warnings_are_counted(bench: Bench) -> None:
    bench.shelf.gate.set()
    assert bench.status(bench.spawn(Wait(warn=True))) == "WARNINGS: 1"


# ---- awaited


def test_an_awaited_task_answers_its_result_and_is_not_listed(bench: Bench) -> None:
    assert bench.run(Build(vmid=100, names=("a",))) == {"made": 1}
    assert bench.runner.index.search(Filter()) == []
    assert not any(path.is_file() for path in bench.layout.task_logs.glob("?/*"))


def test_the_error_of_an_awaited_task_is_raised_with_its_class(bench: Bench) -> None:
    bench.shelf.world.add("100:a")
    with pytest.raises(AlreadyExists, match="toy 100:a already exists"):
        bench.run(Build(vmid=100, names=("a",)))


def test_an_awaited_task_is_withdrawn_when_its_caller_leaves_the_queue(bench: Bench) -> None:
    holder = bench.spawn(Wait(lock="x"))
    bench.until(lambda: bench.shelf.began)
    with pytest.raises(Cancelled):
        bench.run(Wait(lock="x"), gone=lambda: True)
    assert [task.upid for task in bench.runner.running()] == [holder]
    assert bench.shelf.began == [holder]


def test_an_awaited_task_that_has_begun_is_not_withdrawn(bench: Bench) -> None:
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(bench.run, Wait(answer="yes"), gone=lambda: True)
        bench.until(lambda: bench.shelf.began)
        threading.Event().wait(0.6)
        bench.shelf.gate.set()
        assert result.result(5) == "yes"


# ---- queue


def test_waiting_is_visible_with_its_reason(bench: Bench) -> None:
    first = bench.spawn(Wait(lock="guest/1"))
    bench.until(lambda: bench.shelf.began)
    second = bench.spawn(Wait(lock="guest/1"))
    reason = f"waiting for lock guest/1 held by {first}"
    bench.until(lambda: bench.runner.find(second) == Running(upid=second, user="alice@pve", waiting=reason))
    bench.until(lambda: read_log(bench.layout.task_logs, second)[0][0].t == reason)
    bench.shelf.gate.set()
    assert bench.status(second) == "OK"
    assert bench.shelf.began == [first, second]


def test_slots_bound_how_many_run_at_once(bench: Bench) -> None:
    upids = [bench.spawn(Wait(slot="one")) for _ in range(3)]
    bench.until(lambda: bench.shelf.began)
    phases = [task.phase for task in bench.runner.running()]
    assert phases == [Phase.RUNNING, Phase.WAITING, Phase.WAITING]
    bench.shelf.gate.set()
    assert [bench.status(upid) for upid in upids] == ["OK"] * 3


# ---- stopping


def test_a_waiting_task_that_is_stopped_never_begins_and_gives_back_its_claim(bench: Bench) -> None:
    holder = bench.spawn(Wait(lock="guest/100"))
    bench.until(lambda: bench.shelf.began)
    upid = bench.spawn(Build(vmid=100, names=("a",)))
    assert bench.store.get("guest/100") is not None
    bench.runner.cancel(upid, "root@pam")
    assert bench.status(upid) == "received interrupt"
    assert bench.store.get("guest/100") is None
    assert bench.runner.find(holder) is not None


def test_a_running_task_that_is_stopped_ends_as_interrupted(bench: Bench) -> None:
    upid = bench.spawn(Wait())
    bench.until(lambda: bench.shelf.began)
    bench.runner.cancel(upid, "root@pam")
    assert bench.status(upid) == "received interrupt"
    bench.runner.cancel(upid, "root@pam")  # it has ended: nothing happens


def test_stopping_what_never_was_is_an_error(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no such task"):
        bench.runner.cancel("UPID:n1:00000001:00000001:00000001:t::root@pam:", "root@pam")
    with pytest.raises(ParamError):
        bench.runner.cancel("nonsense", "root@pam")


# ---- claims and draws


def test_two_creates_of_one_guest_one_wins_and_the_other_hears_it(bench: Bench) -> None:
    barrier = threading.Barrier(8)

    def create(_: int) -> str:
        barrier.wait()
        try:
            return bench.spawn(Build(vmid=100))
        except AlreadyExists:
            return ""

    with ThreadPoolExecutor(8) as pool:
        upids = [upid for upid in pool.map(create, range(8)) if upid]
    assert len(upids) == 1
    assert bench.status(upids[0]) == "OK"


def test_creates_without_a_number_each_get_their_own(bench: Bench) -> None:
    with ThreadPoolExecutor(6) as pool:
        upids = list(pool.map(lambda _: bench.spawn(Build(names=("a",))), range(6)))
    assert {bench.status(upid) for upid in upids} == {"OK"}
    assert bench.shelf.world == {f"{vmid}:a" for vmid in range(100, 106)}


def test_a_draw_that_is_taken_refuses_an_apply_and_is_drawn_anew_otherwise() -> None:
    values = iter(["m2"])
    assert Draws({"mac": "m1"}).redraw("mac", lambda: next(values)) == "m2"
    bound = Draws({"mac": "m1"}, bound=True)
    with pytest.raises(Conflict, match="has been taken since the plan"):
        bound.redraw("mac", lambda: "m2")
    assert bound.known == {"mac": "m1"}


# ---- Idempotency-Key


def test_the_same_key_answers_the_same_task_while_it_runs_and_after_success(bench: Bench) -> None:
    by = keyed("k1")
    upid = bench.spawn(Wait(), by)
    assert bench.spawn(Wait(), by) == upid
    bench.shelf.gate.set()
    assert bench.status(upid) == "OK"
    assert bench.spawn(Wait(), by) == upid
    assert bench.spawn(Wait(), keyed("k1", user="bob@pve")) != upid
    assert bench.spawn(Wait(), keyed("k2")) != upid


def test_another_body_under_the_same_key_is_an_error(bench: Bench) -> None:
    bench.spawn(Wait(), keyed("k1", 1))
    with pytest.raises(ParamError):
        bench.spawn(Wait(), keyed("k1", 2))


def test_each_task_of_a_call_has_its_own_key(bench: Bench) -> None:
    by = keyed("k1")
    second = msgspec.structs.replace(by, part=1)
    assert bench.spawn(Wait(), by) != bench.spawn(Wait(), second)
    assert bench.spawn(Wait(), second) == bench.spawn(Wait(), second)


def test_after_failure_the_key_starts_anew(bench: Bench) -> None:
    bench.shelf.gate.set()
    by = keyed("k1")
    first = bench.spawn(Wait(error="no"), by)
    assert bench.status(first) == "no"
    second = bench.spawn(Wait(), by)
    assert second != first
    assert bench.status(second) == "OK"


def test_a_key_is_forgotten_after_a_day(bench: Bench) -> None:
    bench.shelf.gate.set()
    first = bench.spawn(Wait(), keyed("k1"))
    assert bench.status(first) == "OK"
    bench.clock.sleep(KEPT_FOR + 1)
    second = bench.spawn(Wait(), keyed("k1"))
    assert second != first
    assert bench.status(second) == "OK"
    bench.clock.sleep(KEPT_FOR + 1)
    bench.runner.housekeep()
    assert bench.store.list("idempotency/") == []


def test_an_awaited_call_with_a_key_answers_its_result_again(bench: Bench) -> None:
    by = keyed("k1")
    assert bench.run(Build(vmid=100, names=("a",)), by) == {"made": 1}
    assert bench.run(Build(vmid=100, names=("a",)), by) == {"made": 1}


def test_many_callers_with_one_key_make_one_task(bench: Bench) -> None:
    bench.shelf.gate.set()
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: bench.run(Build(vmid=100, names=("a",)), keyed("k")), range(8)))
    assert results == [{"made": 1}] * 8
    assert len(bench.spawner.spawned) == 1


# ---- events


def test_listeners_hear_every_phase_and_the_end_after_the_writes(bench: Bench) -> None:
    events: list[TaskEvent] = []
    with bench.runner.listening(events.append) as snapshot:
        assert snapshot == []
        upid = bench.spawn(Build(vmid=100, names=("a",)))
        bench.runner.wait(upid, 10)
    phases = [event.running.phase for event in events if event.running]
    assert phases[:2] == [Phase.WAITING, Phase.RUNNING]
    end = events[-1]
    assert isinstance(end.ended, Ended)
    doc = bench.store.get("guest/100")
    assert doc is not None
    assert end.revision is not None
    assert end.revision.number >= doc.version
    assert not end.hidden


def test_progress_is_passed_on(bench: Bench) -> None:
    upid = bench.spawn(Wait())

    def half() -> bool:
        found = bench.runner.find(upid)
        return isinstance(found, Running) and found.progress == 0.5 and found.text == "half"

    bench.until(half)


# ---- restarts


def test_waiting_tasks_wait_again_after_a_restart_in_their_order(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    # Never started: what it accepts stays in the queue, as if it had died at once.
    upids = [first.spawn(Build(vmid=100 + n, names=("a",))) for n in range(3)]
    with Bench(tmp_path, store=first.store) as second:
        assert [second.status(upid) for upid in upids] == ["OK"] * 3
        assert second.leftovers() == []


def test_waiting_tasks_of_an_earlier_boot_end_as_interrupted(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    upid = first.spawn(Build(vmid=100, names=("a",)))
    with Bench(tmp_path, store=first.store, boot="boot2") as second:
        assert second.status(upid) == "the host was rebooted before the task began"
        assert second.store.get("guest/100") is None
        assert second.leftovers() == []


def test_a_call_that_was_never_answered_leaves_no_task(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    upid = first.spawn(Build(vmid=100))
    empty = Bench(tmp_path / "other").store  # the claim did not reach this store
    with Bench(tmp_path, store=empty) as second:
        assert second.runner.find(upid) is None
        assert second.leftovers() == []
        assert not log_path(second.layout.task_logs, upid).exists()


class Doubtful(MemoryStore):
    """Does the next transactions, or not, but says nothing about it."""

    def __init__(self) -> None:
        super().__init__(FakeClock())
        self.lose: list[bool] = []
        self.silent = False

    def commit(self, txn: Transaction) -> Revision:
        if self.lose:
            if self.lose.pop(0):
                super().commit(txn)
            self.silent = True
            raise TimedOut("no answer")
        return super().commit(txn)

    def get(self, key: str) -> Doc | None:
        if self.silent and key.startswith("kept/"):
            raise TimedOut("no answer")
        return super().get(key)


@pytest.mark.parametrize("happened", [True, False])
def test_a_claim_of_unknown_outcome_is_settled_when_the_store_answers(tmp_path: Path, happened: bool) -> None:
    store = Doubtful()
    with Bench(tmp_path, store=store) as bench:
        store.lose = [happened]
        with pytest.raises(TimedOut):
            bench.spawn(Build(vmid=100, names=("a",)))
        assert bench.runner.running() == []
        bench.skip(2)
        store.silent = False
        bench.until(lambda: bench.skip(2).leftovers() == [])
        assert bench.shelf.world == ({"100:a"} if happened else set())


def test_an_awaited_task_that_waits_is_dropped_by_a_restart(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    task = first.runner._make(Build(vmid=100), Draws(), BY, awaited=True)
    with Bench(tmp_path, store=first.store) as second:
        assert second.runner.wait(task.upid, 10)
        assert second.runner.find(task.upid) is None
        assert second.store.get("guest/100") is None
        assert second.leftovers() == []


def test_a_running_worker_keeps_its_locks_over_a_restart(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.runner.start()
    upid = first.spawn(Wait(lock="guest/1"))
    first.until(lambda: first.shelf.began)
    first.runner.stop()
    second = Bench(tmp_path, store=first.store)
    second.shelf.gate.set()
    with second:
        other = second.spawn(Wait(lock="guest/1"))
        second.until(lambda: second.runner.running()[1].waiting)
        assert second.runner.running()[0].phase is Phase.RUNNING
        assert second.shelf.began == []
        first.shelf.gate.set()
        assert second.status(upid) == "OK"
        assert second.status(other) == "OK"


def test_an_end_that_was_not_put_away_is_put_away_once(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.shelf.gate.set()
    upid = first.spawn(Wait())
    path = journal.path_of(first.layout.journals, upid)
    opened = journal.Journal.take(path)
    assert opened is not None
    worker = first.spawner.spawn(opened.descriptor, upid, undo=False)
    opened.close()
    worker.close()
    first.runner.index.add(Ended(upid=upid, user="alice@pve", status="OK", endtime=1))
    with Bench(tmp_path, store=first.store) as second:
        assert second.status(upid) == "OK"
        assert second.leftovers() == []
        text = (second.layout.task_logs / "index").read_text()
        assert text.count(upid) == 1


def test_torn_files_of_a_crash_are_cleaned(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    upid = first.spawn(Build(vmid=100))
    (first.layout.journals / ".x.tmp").write_text("x")
    (first.layout.journals / f"{upid[:-1]}x:.journal").write_text("{")
    (first.layout.journals / "foreign.journal").write_text("")
    with Bench(tmp_path, store=first.store) as second:
        assert second.status(upid) == "OK"
        assert second.leftovers() == []


def test_a_log_without_index_entry_tells_its_status(bench: Bench) -> None:
    upid = "UPID:n1:00000001:00000001:0000000A:qmstart:100:root@pam:"
    LogWriter.create(bench.layout.task_logs, upid).write("x\nTASK ERROR: no such disk")
    found = bench.runner.find(upid)
    assert isinstance(found, Ended)
    assert found.status == "no such disk"


def test_a_bug_in_an_act_is_an_internal_error(bench: Bench) -> None:
    bench.shelf.world = None  # type: ignore[assignment]
    upid = bench.spawn(Build(vmid=100, names=("a",)))
    status = bench.status(upid)
    assert status.startswith("internal error - TypeError"), status
    assert isinstance(Error(status), Error)
