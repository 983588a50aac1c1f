"""What the engine of clusters does besides what every engine promises: answers that get lost, long histories."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from corral.core.errors import ParamError
from corral.store.base import MAX_TEXT, Cause, Revision, Store, Transaction, Write
from corral.store.etcd.cluster import A as Answer
from corral.store.etcd.cluster import Cluster, Method
from corral.store.etcd.cluster import Q as Request
from corral.store.etcd.engine import EtcdStore
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock
from tests.unit.store import shared_etcd
from tests.unit.store.engines import Engine
from tests.unit.store.test_machine import test_an_engine_agrees_with_the_model as agree


class Lost(grpc.RpcError):
    """An answer that got lost."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.DEADLINE_EXCEEDED

    def details(self) -> str:
        return "lost"


class Forgetful(Cluster):
    """Carries every request out and loses the answer of every other one, so that it is sent again."""

    def __init__(self) -> None:
        super().__init__(shared_etcd.endpoints())
        self._turn = threading.local()

    def ask(
        self,
        endpoint: str,
        method: Method[Request, Answer],
        request: Request,
        timeout: float,
        *,
        require_leader: bool = True,
    ) -> Answer:
        answer = super().ask(endpoint, method, request, timeout, require_leader=require_leader)
        self._turn.odd = not getattr(self._turn, "odd", False)
        if self._turn.odd:
            raise Lost
        return answer

    def wait(self, seconds: float) -> bool:
        return super().wait(seconds / 100)


def put(store: Store, key: str, text: str | None, *, who: str = "root@pam", expect: int | None = None) -> Revision:
    write = Write(key=key, text=text, expect=expect)
    return store.commit(Transaction(cause=Cause(who=who, why="test"), writes=(write,)))


@pytest.fixture
def forgetful(tmp_path: Path, clock: FakeClock) -> Iterator[EtcdStore]:
    store = EtcdStore(Forgetful(), clock, root=f"forgetful{tmp_path}/")
    yield store
    store.close()


@pytest.fixture
def etcd_store(tmp_path: Path, clock: FakeClock) -> Iterator[EtcdStore]:
    store = EtcdStore(Cluster(shared_etcd.endpoints()), clock, root=f"corral{tmp_path}/")
    yield store
    store.close()


def test_a_request_whose_answer_was_lost_is_carried_out_once(forgetful: EtcdStore) -> None:
    start = forgetful.revision.number
    for number in range(10):
        assert put(forgetful, f"a/{number}", "x", expect=0).number == start + number + 1
    assert len(forgetful.history()) == 10
    lease = forgetful.lease("l", "one", 10)
    assert lease
    assert lease.renew()
    assert forgetful.lease("l", "two", 10) is None
    lease.release()
    assert forgetful.lease("l", "two", 10)


def test_lost_answers_change_nothing_that_is_promised(tmp_path: Path) -> None:
    agree(
        Engine(
            name="forgetful",
            open=lambda directory, clock: EtcdStore(Forgetful(), clock, root=f"forgetful{directory}/"),
            compact=lambda _store, _number: None,
            keeps=True,
            examples=3,
        ),
        tmp_path,
    )


def told_by(store: Store, key: str, at: Revision, *, exact: bool) -> list[object]:
    """All that a store tells about the time around a revision."""
    found: list[object] = [store.history(key, exact=exact, before=at, limit=20)]
    for who in ("", "u1@pve"):
        found.append(store.touches(key, exact=exact, who=who, before=at, limit=20))
        found.append(store.touches(key, exact=exact, who=who, after=at, limit=20))
    if at <= store.revision:
        found.append(store.as_of(at, key, exact=exact))
    return found


def test_a_long_history_is_told_as_by_memory(etcd_store: EtcdStore, clock: FakeClock) -> None:
    memory = MemoryStore(clock)
    for number in range(300):
        clock.advance(1)
        key = "rare" if number % 97 == 5 else f"often/{number % 3}"
        for store in (etcd_store, memory):
            put(store, key, None if number % 50 == 49 else f"{number}", who=f"u{number % 2}@pve")
    assert etcd_store.revision == memory.revision
    for key in ("rare", "often/1", "often/", ""):
        exact = key in ("rare", "often/1")
        for number in (1, 2, 7, 40, 103, 250, 299, 300, 301):
            told, known = (told_by(store, key, Revision(1, number), exact=exact) for store in (etcd_store, memory))
            assert told == known
    for second in (0, 1, 150, 400):
        moment = clock.now() - second
        assert etcd_store.moment(moment) == memory.moment(moment)


def test_a_transaction_that_is_too_large_for_etcd_is_refused_and_disturbs_no_other(etcd_store: EtcdStore) -> None:
    large = tuple(Write(key=f"a/{number}", text="x" * MAX_TEXT) for number in range(9))
    with pytest.raises(ParamError):
        etcd_store.commit(Transaction(cause=Cause(who="root@pam"), writes=large))
    assert etcd_store.list() == []
    put(etcd_store, "a", "1")
