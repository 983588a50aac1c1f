"""Claims and keys: what a claim takes, gives back and leaves alone; what a key stands for."""

from __future__ import annotations

import msgspec
import pytest

from corral.core.errors import Error, ParamError
from corral.store.base import Cause, RecordClass, Transaction, Write
from corral.store.memory import MemoryStore
from corral.tasks.base import Intent, Requester
from corral.tasks.claim import KEPT_FOR, MAX_RESULT, Keys, claims_of, happened, key_of, transact
from corral.tasks.journal import Header, kept_key
from corral.tasks.outcome import Outcome
from corral.tasks.work import unclaim
from tests.unit.tasks.toys import FakeClock, keyed

ME = Cause(who="me")
UPID = "UPID:n1:00000001:00000001:00000001:t:100:alice@pve:"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


def put(store: MemoryStore, *writes: Write) -> None:
    store.commit(Transaction(cause=ME, writes=writes))


def header(store: MemoryStore, *claim: Write) -> Header:
    return Header(
        upid=UPID,
        task="T",
        args=msgspec.Raw(b"{}"),
        by=Requester(user="alice@pve"),
        boot="b",
        claims=claims_of(store, Intent(claim=claim)),
        transacted=True,
    )


def text(store: MemoryStore, key: str) -> str | None:
    doc = store.get(key)
    return doc.text if doc else None


def test_a_claim_is_all_or_nothing(store: MemoryStore) -> None:
    put(store, Write(key="b", text="there"))
    made = header(store, Write(key="a", text="mine", expect=0), Write(key="b", text="mine", expect=0))
    assert not transact(store, made, ())
    assert not happened(store, made)
    assert text(store, "a") is None


def test_a_claim_happens_with_its_mark(store: MemoryStore) -> None:
    made = header(store, Write(key="a", text="mine", expect=0))
    assert transact(store, made, ())
    assert happened(store, made)
    doc = store.get(kept_key(UPID))
    assert doc is not None
    assert doc.cls is RecordClass.ROOT
    assert not transact(store, made, ())


def test_a_record_that_changed_since_it_was_looked_at_is_not_claimed(store: MemoryStore) -> None:
    put(store, Write(key="a", text="old"))
    made = header(store, Write(key="a", text="mine"))
    put(store, Write(key="a", text="new"))
    assert not transact(store, made, ())


def test_what_is_given_back_is_as_before(store: MemoryStore) -> None:
    put(store, Write(key="a", text="old", header={"uuid": "1"}, cls=RecordClass.ROOT))
    before = store.get("a")
    made = header(store, Write(key="a", text="locked"), Write(key="b", text="mine", expect=0))
    assert transact(store, made, ())
    unclaim(store, made.claims, ME)
    after = store.get("a")
    assert before is not None
    assert after is not None
    assert (after.text, after.header, after.cls) == (before.text, before.header, before.cls)
    assert store.get("b") is None
    unclaim(store, made.claims[1:], ME)  # twice does no harm


def test_a_record_that_another_has_made_since_is_left_alone(store: MemoryStore) -> None:
    made = header(store, Write(key="a", text="mine", expect=0, header={"uuid": "1"}))
    assert transact(store, made, ())
    put(store, Write(key="a", text=None))
    put(store, Write(key="a", text="another", header={"uuid": "2"}))
    unclaim(store, made.claims, ME)
    assert text(store, "a") == "another"


# ---- keys


def test_the_same_caller_endpoint_and_key_are_the_same() -> None:
    assert key_of(keyed("k")) == key_of(keyed("k", body="other"))
    others = [keyed("l"), keyed("k", user="bob@pve"), keyed("k", user="alice@pve!ci")]
    others += [msgspec.structs.replace(keyed("k"), endpoint="POST /else"), msgspec.structs.replace(keyed("k"), part=1)]
    assert len({key_of(by) for by in [keyed("k"), *others]}) == 6


def test_a_key_stands_for_its_task_for_a_day(store: MemoryStore, clock: FakeClock) -> None:
    keys = Keys(store, clock)
    by = keyed("k")
    assert keys.look_up(by) == (0, None)
    put(store, *keys.remember(by, UPID, 0))
    found = keys.look_up(by).task
    assert found is not None
    assert found.upid == UPID
    with pytest.raises(ParamError):
        keys.look_up(keyed("k", body="other"))
    assert keys.expired() == ()
    clock.sleep(KEPT_FOR)
    version, gone = keys.look_up(keyed("k", body="other"))
    assert gone is None
    put(store, *keys.remember(by, UPID + "x", version))
    clock.sleep(KEPT_FOR)
    put(store, *keys.expired())
    assert store.list("idempotency/") == []


def test_failed_tasks_are_forgotten_and_results_remembered_unless_long(store: MemoryStore, clock: FakeClock) -> None:
    keys = Keys(store, clock)
    by = keyed("k")
    put(store, *keys.remember(by, UPID, 0))
    assert keys.ended(by, "UPID:another", Outcome.failure(Error("x"))) == ()
    assert keys.ended(by, UPID, Outcome.success("x" * MAX_RESULT, 0)) == ()
    put(store, *keys.ended(by, UPID, Outcome.success({"a": 1}, 0)))
    found = keys.look_up(by).task
    assert found is not None
    assert msgspec.json.decode(found.result) == {"a": 1}
    put(store, *keys.ended(by, UPID, Outcome.failure(Error("x"))))
    assert keys.look_up(by).task is None


def test_callers_without_a_key_leave_no_record(store: MemoryStore, clock: FakeClock) -> None:
    keys = Keys(store, clock)
    assert keys.remember(Requester(user="a@pve"), UPID, 0) == ()
    assert keys.ended(Requester(user="a@pve"), UPID, Outcome.success(None, 0)) == ()
