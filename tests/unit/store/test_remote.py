"""The store of a worker: the same answers and errors as the store behind it, whatever breaks on the way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corral.core.errors import Conflict, NotFound, NotImplementedCall, ParamError, Unavailable
from corral.store import calls
from corral.store.base import Cause, RecordClass, Store, Transaction, Write
from corral.store.frames import Splitter, frame
from corral.store.memory import MemoryStore
from corral.store.remote import PATIENCE, RemoteStore
from corral.store.serve import answer
from corral.store.sqlite import SqliteStore
from corral.system.fakes import FakeClock


class Line:
    """A connection that breaks on demand: each entry of `troubles` is met by one call."""

    def __init__(self, store: Callable[[], Store], troubles: list[str]) -> None:
        self._store = store
        self._troubles = troubles

    def __call__(self) -> Line:
        if self._troubles[:1] == ["refused"]:
            self._troubles.pop(0)
            raise ConnectionRefusedError("refused")
        return self

    def call(self, payload: bytes) -> bytes:
        trouble = self._troubles.pop(0) if self._troubles else ""
        if trouble == "lost request":
            raise BrokenPipeError("lost request")
        reply = answer(self._store(), payload)
        if trouble == "lost answer":
            raise ConnectionResetError("lost answer")
        return reply

    def close(self) -> None:
        pass


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def troubles() -> list[str]:
    return []


@pytest.fixture
def remote(store: MemoryStore, clock: FakeClock, troubles: list[str]) -> RemoteStore:
    return RemoteStore(Line(lambda: store, troubles), clock)


def txn(*writes: Write) -> Transaction:
    return Transaction(cause=Cause(who="root@pam", why="UPID:x"), writes=writes)


def test_it_answers_as_the_store_behind_it(store: MemoryStore, remote: RemoteStore, clock: FakeClock) -> None:
    revision = remote.commit(txn(Write(key="a", text="1", cls=RecordClass.ROOT, header={"k": "v"})))
    remote.commit(txn(Write(key="a", text="2"), Write(key="b/c", text="ü", history=False)))
    assert remote.revision == store.revision
    assert remote.get("a") == store.get("a")
    assert remote.get("missing") is None
    assert remote.list() == store.list()
    assert remote.list("b/") == store.list("b/")
    assert remote.view("b/") == store.view("b/")
    assert list(remote.history()) == list(store.history())
    assert remote.history("a", limit=1, before=store.revision, exact=True)[0].revision == revision
    assert remote.as_of(revision) == remote.as_of(revision, "a", exact=True) == {"a": ("1", RecordClass.ROOT)}
    assert list(remote.touches("a", exact=True, who="root@pam")) == list(store.touches("a"))
    assert remote.moment(0) is None
    assert remote.moment(clock.now()) == store.moment(clock.now()) == store.revision
    image = remote.snapshot()
    assert image == store.snapshot()
    assert remote.restore(image) == store.revision
    assert remote.prune(older_than=1e12, max_bytes=0) == 2


def test_errors_come_through(remote: RemoteStore) -> None:
    remote.commit(txn(Write(key="a", text="1")))
    with pytest.raises(Conflict, match="'a' exists already"):
        remote.commit(txn(Write(key="a", text="2", expect=0)))
    with pytest.raises(ParamError) as caught:
        remote.commit(txn(Write(key="../a", text="2")))
    assert "key" in caught.value.errors
    with pytest.raises(NotFound):
        remote.as_of(remote.revision._replace(number=99))
    with pytest.raises(NotImplementedCall):
        remote.watch(remote.revision)


def test_leases_over_the_wire(remote: RemoteStore, clock: FakeClock) -> None:
    lease = remote.lease("l", "me", 10)
    assert lease
    assert remote.lease("l", "you", 10) is None
    assert lease.renew()
    assert remote.held("l", "me")
    assert remote.held("l", "you") is None
    clock.advance(11)
    assert not lease.renew()
    lease = remote.lease("l", "you", 10)
    assert lease
    lease.release()
    lease.release()
    assert remote.lease("l", "me", 10)


@pytest.mark.parametrize("trouble", ["refused", "lost request", "lost answer"])
def test_a_call_is_repeated_and_applied_once(
    store: MemoryStore, remote: RemoteStore, troubles: list[str], trouble: str
) -> None:
    remote.commit(txn(Write(key="a", text="0")))
    remote.close()
    troubles += [trouble] * 3
    before = store.revision
    revision = remote.commit(txn(Write(key="a", text="1", expect=before.number)))
    assert revision.number == before.number + 1
    assert store.revision == revision
    assert len(store.history("a")) == 2


def test_patience_ends(remote: RemoteStore, troubles: list[str], clock: FakeClock) -> None:
    troubles += ["refused"] * 2000
    start = clock.monotonic()
    with pytest.raises(Unavailable, match="refused"):
        remote.get("a")
    assert PATIENCE <= clock.monotonic() - start < PATIENCE + 2


def test_a_restore_is_not_repeated(remote: RemoteStore, troubles: list[str]) -> None:
    image = remote.snapshot()
    troubles.append("lost answer")
    with pytest.raises(Unavailable):
        remote.restore(image)


def test_it_outlives_a_restart_of_the_store(tmp_path: Path, clock: FakeClock) -> None:
    path = tmp_path / "store.db"
    stores = [SqliteStore(path, clock)]
    troubles: list[str] = []

    def behind() -> Store:
        return stores[-1]

    remote = RemoteStore(Line(behind, troubles), clock)
    revision = remote.commit(txn(Write(key="a", text="1")))
    lease = remote.lease("l", "me", 10)
    assert lease
    stores[-1].close()  # a call now is answered by `Unavailable`, as by a daemon that is stopping

    class Restarting(FakeClock):
        def sleep(self, seconds: float) -> None:
            stores.append(SqliteStore(path, clock))

    remote = RemoteStore(Line(behind, troubles), Restarting())
    assert remote.commit(txn(Write(key="a", text="2", expect=revision.number))).number == revision.number + 1
    held = remote.held("l", "me")
    assert held
    assert held.renew()
    stores[-1].close()


def test_rubbish_is_answered_with_an_error(store: MemoryStore) -> None:
    for payload in (b"", b"\xc1", b"\x81\xa4type\xa4none"):
        with pytest.raises(Exception, match="can't be read"):
            calls.result(answer(store, payload), bool)


@pytest.fixture
def served(store: MemoryStore, tmp_path: Path) -> Iterator[Path]:
    """A socket as `corrald` would serve it, that drops every third connection's answer."""
    path = tmp_path / "s"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    stop = threading.Event()

    def serve() -> None:
        answered = 0
        while not stop.is_set():
            connection, _address = listener.accept()
            splitter = Splitter()
            with connection:
                while data := connection.recv(65536):
                    for payload in splitter.feed(data):
                        reply = answer(store, payload)
                        answered += 1
                        if answered % 3:
                            connection.sendall(frame(reply))
                        else:
                            connection.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=serve)
    thread.start()
    yield path
    stop.set()
    with socket.socket(socket.AF_UNIX) as last:
        last.connect(str(path))
    thread.join()
    listener.close()


def test_over_a_real_socket(served: Path, store: MemoryStore, clock: FakeClock) -> None:
    remote = RemoteStore.at(served, clock)
    for number in range(20):
        doc = remote.get("a")
        remote.commit(txn(Write(key="a", text=f"{number}" * 50_000, expect=doc.version if doc else 0)))
    assert store.revision.number == 20
    remote.close()


def test_without_a_socket_it_is_unavailable(tmp_path: Path, clock: FakeClock) -> None:
    with pytest.raises(Unavailable, match="can't be reached"):
        RemoteStore.at(tmp_path / "none", clock, patience=1).get("a")
