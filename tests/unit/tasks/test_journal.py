"""Journals: what survives, and that a task is consistent again whatever part of its journal survives a crash."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from corral.core.secret import Secret
from corral.store.base import Revision, Transaction
from corral.store.memory import MemoryStore
from corral.tasks import journal
from corral.tasks.base import Requester, TaskArgs
from corral.tasks.journal import Begin, Cancel, Failing, Header, Journal, Kept, Step, Tail, Undone, Void
from corral.tasks.outcome import Outcome, decode, encoder
from tests.unit.tasks.toys import Bench, Build, FakeClock

HEADER = Header(
    upid="UPID:n1:00000001:00000001:00000001:t::root@pam:",
    task="Build",
    args=msgspec.Raw(b"{}"),
    by=Requester(user="root@pam"),
    boot="b",
)


def step(number: int) -> Step:
    return Step(number=number, name="x", args=msgspec.Raw(b"{}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = journal.path_of(tmp_path / "tasks", HEADER.upid)
    Journal.create(made, HEADER)
    return made


def test_a_journal_is_root_s_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_steps_are_undone_last_first_without_the_void_done_and_kept_ones(path: Path) -> None:
    opened = Journal.take(path)
    assert opened is not None
    opened.append(Begin(pid=1), *(step(number) for number in range(1, 6)))
    opened.append(Void(numbers=(2,)), Undone(number=5), Undone(number=4, error="stuck"))
    opened.close()
    state = journal.read(path)
    assert state is not None
    assert [each.number for each in state.remaining(Kept(numbers=(1,)))] == [4, 3]
    assert state.next_number == 6


def test_only_one_holds_a_journal(path: Path) -> None:
    first = Journal.take(path)
    assert first is not None
    assert Journal.take(path) is None
    first.close()
    second = Journal.take(path)
    assert second is not None
    second.close()


def test_a_torn_line_is_no_line_and_does_not_spoil_the_next(path: Path) -> None:
    with path.open("ab") as file:
        file.write(encoder.encode(step(1))[:-3])
    journal.append(path, Cancel(by="root@pam"))
    opened = Journal.take(path)
    assert opened is not None
    opened.append(step(2))
    opened.close()
    state = journal.read(path)
    assert state is not None
    assert state.cancelled_by == "root@pam"
    assert list(state.steps) == [2]


def test_a_tail_reads_whole_lines_only(path: Path) -> None:
    tail = Tail(path)
    assert tail.news() == [HEADER]
    line = encoder.encode(Begin(pid=7)) + b"\n"
    with path.open("ab", buffering=0) as file:
        file.write(line[:5])
        assert tail.news() == []
        file.write(line[5:])
    assert tail.news() == [Begin(pid=7)]
    assert tail.news() == []


class WithSecret(TaskArgs, frozen=True, kw_only=True):
    type = "secretive"
    password: Secret
    path: Path


def test_secrets_and_paths_cross_to_the_worker() -> None:
    args = WithSecret(password=Secret("x"), path=Path("/a"))
    back = decode(encoder.encode(args), WithSecret)
    assert (back.password.reveal(), back.path) == ("x", Path("/a"))


def test_what_failed_first_is_told_after_a_crash_in_the_undo(path: Path) -> None:
    opened = Journal.take(path)
    assert opened is not None
    opened.append(Failing(outcome=Outcome.failure(ValueError("x"))))
    opened.close()
    state = journal.read(path)
    assert state is not None
    assert state.failing is not None
    assert state.failing.status == "internal error - ValueError: x"


# ---- any prefix


class Moment(NamedTuple):
    """How the outside looked when the journal was that long."""

    size: int
    world: frozenset[str]
    store: bytes


class NotingStore(MemoryStore):
    """Tells of each transaction that was done."""

    note: Callable[[], None] = staticmethod(lambda: None)

    def commit(self, txn: Transaction) -> Revision:
        done = super().commit(txn)
        self.note()
        return done


def moments(root: Path, args: Build) -> tuple[str, bytes, list[Moment]]:
    """Run a task and answer its journal, and the moments at which the outside changed."""
    store = NotingStore(FakeClock())
    bench = Bench(root, store=store)
    seen: list[Moment] = []
    path: list[Path] = []

    def note() -> None:
        seen.append(Moment(path[0].stat().st_size, frozenset(bench.shelf.world), bench.store.snapshot()))

    upid = bench.spawn(args)
    path.append(journal.path_of(bench.layout.journals, upid))
    note()
    bench.shelf.watch = store.note = note
    opened = Journal.take(path[0])
    assert opened is not None
    worker = bench.spawner.spawn(opened.descriptor, upid, undo=False)
    opened.close()
    worker.close()
    note()
    return upid, path[0].read_bytes(), seen


def crashed_at(size: int, upid: str, whole: bytes, moment: Moment, root: Path) -> None:
    """Start a runner on what a crash left: it must make a whole guest, or nothing."""
    store = MemoryStore(FakeClock())
    store.restore(moment.store)
    bench = Bench(root, store=store)
    bench.shelf.world = set(moment.world)
    journal.path_of(bench.layout.journals, upid).write_bytes(whole[:size])
    with bench:
        assert bench.runner.wait(upid, 20), size
    doc = store.get("guest/100")
    recorded = {f"100:{name}" for name in doc.text.split()} if doc else set()
    assert bench.shelf.world == recorded, f"half made after {size} bytes: {bench.shelf.world} {doc}"
    assert bench.leftovers() == []


@pytest.mark.parametrize("fail", ["", "b"])
def test_every_prefix_of_a_journal_leads_to_a_whole_guest_or_none(tmp_path: Path, fail: str) -> None:
    upid, whole, seen = moments(tmp_path / "first", Build(vmid=100, names=("a", "b"), fail=fail))
    ends = [position + 1 for position, byte in enumerate(whole) if byte == ord("\n")]
    begin = ends[0]
    tried = 0
    for size in range(begin, len(whole) + 1):
        # All torn lengths of a line are the same to a reader but for the line's end: a few of each suffice here,
        # the whole range runs with CORRAL_EXHAUSTIVE.
        near = any(abs(size - end) <= 2 for end in ends) or size % 23 == 0
        if not near and not os.environ.get("CORRAL_EXHAUSTIVE"):
            continue
        before = [moment for moment in seen if moment.size <= size]
        # A deed is done somewhere between its line and the next: the crash may be before or after it, unless the next
        # line has been begun.
        possible = [moment for moment in before if moment.size == size] or before[-1:]
        for moment in possible:
            tried += 1
            crashed_at(size, upid, whole, moment, tmp_path / f"{size}-{tried}")
    assert tried > 20
