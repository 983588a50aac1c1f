"""The queue's decision: what holds for every state, and what waits for what in plain cases."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from corral.tasks.base import Intent
from corral.tasks.queue import Queue, Request, SlotSizes, decide

SIZES = SlotSizes({"s": 2, "t": 1})


def asks(upid: str, *locks: str, slots: tuple[str, ...] = ()) -> Request:
    return Request.of(upid, Intent(locks=locks, slots=slots))


def test_a_free_lock_is_granted_and_a_held_one_waited_for() -> None:
    decision = decide([asks("1", "a"), asks("2", "b")], [asks("0", "b")], SIZES)
    assert [request.upid for request in decision.grants] == ["1"]
    assert decision.waiting == {"2": "waiting for lock b held by 0"}


def test_a_later_request_does_not_overtake_on_a_lock() -> None:
    decision = decide([asks("1", "a", "b"), asks("2", "b")], [asks("0", "a")], SIZES)
    assert decision.grants == ()
    assert decision.waiting["2"] == "waiting for lock b behind 1"


def test_who_waits_for_a_lock_keeps_no_slot_from_others() -> None:
    decision = decide([asks("1", "a", slots=("t",)), asks("2", slots=("t",))], [asks("0", "a")], SIZES)
    assert [request.upid for request in decision.grants] == ["2"]


def test_who_waits_for_one_slot_keeps_its_others() -> None:
    waiting = [asks("1", slots=("s", "t")), asks("2", slots=("s",))]
    decision = decide(waiting, [asks("0", slots=("t",)), asks("9", slots=("s",))], SIZES)
    assert decision.grants == ()
    assert decision.waiting == {"1": "waiting for one of 1 slots of t", "2": "waiting for one of 2 slots of s"}


def test_sizes_are_found_by_name_then_by_first_word() -> None:
    sizes = SlotSizes({"storage": 3, "storage/slow": 1}, default=7)
    assert [sizes("storage/slow"), sizes("storage/fast"), sizes("node")] == [1, 3, 7]


def test_sizes_are_read_from_a_file_and_wrong_lines_left_out() -> None:
    sizes = SlotSizes.parse("# mine\nnode: 8\n\nstorage/slow: 1 # a disk\nstorage: many\n*: 2\nx: 0\n")
    assert [sizes("node"), sizes("storage/slow"), sizes("storage/fast"), sizes("x")] == [8, 1, 2, 2]


def test_asking_twice_for_the_same_counts_once() -> None:
    assert asks("1", "b", "a", "b", slots=("s", "s")) == Request("1", ("a", "b"), ("s",))


names = st.lists(st.sampled_from("abcd"), max_size=3)
requests = st.lists(st.tuples(names, st.lists(st.sampled_from(["s", "t"]), max_size=2)), max_size=12)


def made(wishes: list[tuple[list[str], list[str]]]) -> list[Request]:
    return [asks(str(number), *locks, slots=tuple(slots)) for number, (locks, slots) in enumerate(wishes)]


@given(requests)
def test_nothing_is_granted_twice_and_no_slot_overfilled(wishes: list[tuple[list[str], list[str]]]) -> None:
    decision = decide(made(wishes), [], SIZES)
    locks = Counter(lock for grant in decision.grants for lock in grant.locks)
    slots = Counter(slot for grant in decision.grants for slot in grant.slots)
    assert max(locks.values(), default=0) <= 1
    assert all(used <= SIZES(slot) for slot, used in slots.items())
    assert {grant.upid for grant in decision.grants}.isdisjoint(decision.waiting)
    assert len(decision.grants) + len(decision.waiting) == len(wishes)


@given(requests)
def test_the_oldest_always_begins_when_nobody_holds_anything(wishes: list[tuple[list[str], list[str]]]) -> None:
    waiting = made(wishes)
    decision = decide(waiting, [], SIZES)
    assert not waiting or decision.grants[0] == waiting[0]


@given(requests, st.data())
def test_everybody_begins_whoever_ends_first_and_in_order_for_each_lock(
    wishes: list[tuple[list[str], list[str]]], data: st.DataObject
) -> None:
    queue = Queue(SIZES)
    running: list[Request] = []
    began: list[str] = []
    coming = made(wishes)
    while coming or running or began != sorted(began, key=int):
        if coming and (not running or data.draw(st.booleans())):
            queue.enter(coming.pop(0))
        elif running:
            queue.release(running.pop(data.draw(st.integers(0, len(running) - 1))).upid)
        else:
            break
        grants = queue.turn().grants
        running += grants
        began += [grant.upid for grant in grants]
    assert sorted(began, key=int) == [request.upid for request in made(wishes)]
    for lock in "abcd":
        users = [request.upid for request in made(wishes) if lock in request.locks]
        assert [upid for upid in began if upid in users] == users


@given(requests, st.integers(0, 11))
def test_whoever_withdraws_holds_up_nobody(wishes: list[tuple[list[str], list[str]]], gone: int) -> None:
    queue = Queue(SIZES)
    for request in made(wishes):
        queue.enter(request)
    left = queue.withdraw(str(gone))
    assert left == (gone < len(wishes))
    began = []
    while grants := queue.turn().grants:
        for grant in grants:
            began.append(grant.upid)
            queue.release(grant.upid)
    assert sorted(began, key=int) == [request.upid for request in made(wishes) if request.upid != str(gone)]
