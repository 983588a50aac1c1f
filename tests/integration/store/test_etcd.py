"""The engine of clusters on three members with mutual TLS: what it keeps promising while members fail."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from pathlib import Path

import pytest

from corral.core.errors import Conflict, Error, NoQuorum, TimedOut
from corral.store.base import Batch, Cause, Reset, Revision, Store, Transaction, Write
from corral.store.etcd.cluster import Cluster
from corral.store.etcd.engine import EtcdStore
from corral.store.etcd.upkeep import Upkeep, database, status
from corral.system.clock import SystemClock
from corral.system.fakes import FakeClock
from tests.lab import etcd
from tests.lab.etcd import Etcd, Member

pytestmark = pytest.mark.skipif(etcd.PROGRAM is None, reason="etcd is not installed")

CAUSE = Cause(who="root@pam", why="test")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etcd]:
    with etcd.running(tmp_path_factory.mktemp("three"), 3, tls=True, linked=True) as cluster:
        yield cluster


@pytest.fixture
def cluster(three: Etcd) -> Iterator[Etcd]:
    """The shared cluster, healed after the test."""
    yield three
    for member in three.members:
        member.cut = False
        if member.runs:
            member.resume()
        else:
            three.restart(member)
    three.wait_ready()


Open = Callable[..., EtcdStore]


@pytest.fixture
def opened(cluster: Etcd, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens this test's store; the members named come first. All are closed at the end."""
    stores: list[EtcdStore] = []

    def open_(*first: Member) -> EtcdStore:
        endpoints = [cluster.endpoint(member) for member in first] or cluster.endpoints
        root = f"{request.node.name}/"
        stores.append(EtcdStore(Cluster(endpoints, cluster.tls), SystemClock(), root=root))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def put(store: Store, key: str, text: str, *, id_: str = "") -> Revision:
    return store.commit(Transaction(cause=CAUSE, writes=(Write(key=key, text=text),), id=id_))


class Writer:
    """Writes one record after the other until it is stopped; keeps what was acknowledged and when."""

    def __init__(self, store: EtcdStore) -> None:
        self._store = store
        self._stopped = threading.Event()
        self.answers: list[tuple[float, str, Revision]] = []
        self.errors: list[Exception] = []
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def _loop(self) -> None:
        number = 0
        while not self._stopped.is_set():
            try:
                # A commit that was carried out twice would find the record there.
                write = Write(key=f"w/{number}", text=str(number), expect=0)
                revision = self._store.commit(Transaction(cause=CAUSE, writes=(write,)))
            except Error as exc:
                self.errors.append(exc)
            else:
                self.answers.append((time.monotonic(), f"w/{number}", revision))
            number += 1

    def wait(self, count: int) -> None:
        deadline = time.monotonic() + 20
        wanted = len(self.answers) + count
        while len(self.answers) < wanted:
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.01)

    def stop(self) -> float:
        """End it; the longest time between two acknowledgements."""
        self._stopped.set()
        self._thread.join()
        times = [moment for moment, _key, _revision in self.answers]
        return max(after - before for before, after in pairwise(times))


def follow(store: EtcdStore) -> tuple[list[Batch | Reset], threading.Thread]:
    seen: list[Batch | Reset] = []
    watch = store.watch(store.revision)
    thread = threading.Thread(target=lambda: seen.extend(watch), daemon=True)
    thread.start()
    return seen, thread


def until(condition: Callable[[], bool], seconds: float) -> float:
    """Wait; answers how long it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - start


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_a_killed_member_loses_no_acknowledged_write(
    cluster: Etcd, opened: Open, who: str, record_property: Callable[[str, object], None]
) -> None:
    store, other = opened(), opened()
    start = store.revision
    seen, _thread = follow(other)
    writer = Writer(store)
    writer.wait(20)
    victim = cluster.leader() if who == "leader" else cluster.followers()[0]
    victim.kill()
    writer.wait(50)
    gap = writer.stop()
    record_property("gap", gap)
    assert gap < 3.0
    assert not writer.errors
    assert [key for _time, key, _revision in writer.answers] == sorted(
        (doc.key for doc in store.list("w/")), key=lambda key: int(key[2:])
    )
    until(lambda: bool(seen) and seen[-1].revision == store.revision, 12)
    assert [item.revision.number for item in seen] == list(range(start.number + 1, store.revision.number + 1))
    assert all(isinstance(item, Batch) for item in seen)


def test_the_watch_leaves_a_member_that_is_cut_off(cluster: Etcd, opened: Open) -> None:
    alone = cluster.followers()[0]
    watcher, store = opened(alone), opened(*[member for member in cluster.members if member is not alone])
    seen, _thread = follow(watcher)
    put(store, "a", "1")
    until(lambda: len(seen) == 1, 5)
    alone.cut = True
    put(store, "a", "2")
    until(lambda: len(seen) == 2, 15)
    alone.cut = False
    put(store, "a", "3")
    until(lambda: len(seen) == 3, 5)
    assert [doc.text for item in seen if isinstance(item, Batch) for c in item.changes if (doc := c.doc)] == list("123")


def test_a_cut_off_leader_takes_no_write_that_is_lost(cluster: Etcd, opened: Open) -> None:
    leader = cluster.leader()
    store = opened(leader)
    writer = Writer(store)
    writer.wait(10)
    leader.cut = True
    writer.wait(20)
    gap = writer.stop()
    leader.cut = False
    assert gap < 6.0
    other = opened(*[member for member in cluster.members if member is not leader])
    assert {key for _time, key, _revision in writer.answers} <= {doc.key for doc in other.list("w/")}


def test_a_watch_behind_compaction_is_reset(cluster: Etcd, opened: Open) -> None:
    away = cluster.followers()[0]
    watcher, store = opened(away), opened(*[member for member in cluster.members if member is not away])
    first = put(store, "a", "1")
    until(lambda: watcher.revision == first, 5)
    seen, thread = follow(watcher)
    away.pause()
    for number in range(3):
        put(store, "a", str(number))
    clock = FakeClock()
    upkeep = Upkeep(store, clock, "one", kept=10)
    upkeep.turn()
    clock.advance(11)
    assert "compacted" in upkeep.turn()
    thread.join(15)
    assert not thread.is_alive()
    assert seen == [Reset(revision=store.revision)]
    again, _thread = follow(watcher)
    last = put(store, "a", "last")
    until(lambda: bool(again), 5)
    assert [item.revision for item in again] == [last]


def test_without_quorum_writes_are_refused_and_reads_answered(cluster: Etcd, opened: Open) -> None:
    store = opened()
    lease = store.lease("node/one", "one", 30)
    assert lease
    revision = put(store, "a", "1")
    survivor = cluster.followers()[0]
    for member in cluster.members:
        if member is not survivor:
            member.kill()
    for within in (5.0, 1.0):
        start = time.monotonic()
        with pytest.raises(NoQuorum) as refused:
            put(store, "a", "2")
        assert time.monotonic() - start < within
        assert all(
            f"{member.name} (127.0.0.1:{member.client_port})" in str(refused.value) for member in cluster.members
        )
    start = time.monotonic()
    found = store.get("a")
    assert found
    assert (found.text, store.revision) == ("1", revision)
    assert [doc.key for doc in store.list()] == ["a"]
    assert [past.after for past in store.history()] == ["1"]
    assert time.monotonic() - start < 3
    with pytest.raises(NoQuorum):
        lease.renew()
    told = status(store)
    assert (told.quorum, told.revision) == (False, revision)
    assert sum(not member.trouble for member in told.members) <= 1
    for member in cluster.members:
        if member is not survivor:
            cluster.restart(member)
    cluster.wait_ready()

    def writable() -> bool:
        try:
            return bool(put(store, "a", "3", id_="again"))
        except (NoQuorum, TimedOut):
            return False

    until(writable, 5)
    assert lease.renew()
    assert [past.after for past in store.history("a", exact=True)] == ["3", "1"]


def test_two_nodes_write_one_record_without_losing_a_change(opened: Open) -> None:
    stores = [opened(), opened()]

    def count(store: EtcdStore) -> None:
        done = 0
        while done < 30:
            doc = store.get("n")
            try:
                write = Write(key="n", text=str(int(doc.text) + 1 if doc else 1), expect=doc.version if doc else 0)
                store.commit(Transaction(cause=CAUSE, writes=(write,)))
            except Conflict:
                continue
            done += 1

    threads = [threading.Thread(target=count, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = stores[0].get("n")
    assert found
    assert found.text == "60"
    assert [past.after for past in stores[1].history("n", exact=True)] == [str(n) for n in range(60, 0, -1)]


def test_a_lease_holds_against_other_nodes_and_ends_by_itself(opened: Open) -> None:
    one, two = opened(), opened()
    lease = one.lease("a", "one", 2)
    assert lease
    assert two.lease("a", "two", 2) is None
    assert two.held("a", "one")
    assert lease.renew()
    until(lambda: two.lease("a", "two", 2) is not None, 8)
    assert not lease.renew()
    assert one.held("a", "one") is None
    lease.release()
    assert two.held("a", "two")


def test_a_restore_on_one_node_resets_the_others(opened: Open) -> None:
    one, two = opened(), opened()
    put(one, "a", "1")
    image = one.snapshot()
    put(two, "a", "2")
    seen, thread = follow(two)
    revision = one.restore(image)
    thread.join(5)
    assert seen == [Reset(revision=revision)]
    assert [doc.text for doc in two.list()] == ["1"]
    assert put(two, "a", "3") == Revision(revision.era, revision.number + 1)


def test_its_members_say_how_they_are(cluster: Etcd, opened: Open) -> None:
    store = opened()
    put(store, "a", "1")
    found = status(store)
    assert found.quorum
    assert not found.alarms
    assert found.revision == store.revision
    assert [member.name for member in found.members] == ["m0", "m1", "m2"]
    assert sum(member.leader for member in found.members) == 1
    assert all(member.version.startswith("3.") and member.size > 0 and not member.trouble for member in found.members)
    copy = b"".join(database(store))
    assert hashlib.sha256(copy[:-32]).digest() == copy[-32:]


def test_clients_without_a_certificate_are_refused(cluster: Etcd) -> None:
    with pytest.raises(NoQuorum):
        EtcdStore(Cluster([endpoint.replace("https", "http") for endpoint in cluster.endpoints]), SystemClock())


def fill(store: Store) -> None:
    for number in range(100):
        put(store, "volatile", f"{number}" * 300_000)


def test_a_full_database_refuses_writes_until_it_is_looked_after(tmp_path: Path) -> None:
    with etcd.running(tmp_path, options=[f"--quota-backend-bytes={16 * 1024 * 1024}"]) as small:
        store = EtcdStore(Cluster(small.endpoints), SystemClock())
        try:
            with pytest.raises(NoQuorum, match="full"):
                fill(store)
            assert status(store).alarms
            assert store.get("volatile")
            assert "full" in Upkeep(store, SystemClock(), "one").turn()
            assert not status(store).alarms
            put(store, "a", "1")
        finally:
            store.close()


def test_a_cluster_that_was_put_back_resets_who_watches(tmp_path: Path) -> None:
    with etcd.running(tmp_path) as single:
        store = EtcdStore(Cluster(single.endpoints), SystemClock())
        try:
            (member,) = single.members
            early = put(store, "a", "early")
            member.kill()
            shutil.copytree(tmp_path / member.name, tmp_path / "copy")
            single.restart(member)
            single.wait_ready()
            put(store, "a", "late")
            late = put(store, "a", "later")
            seen, thread = follow(store)
            member.kill()
            shutil.rmtree(tmp_path / member.name)
            (tmp_path / "copy").rename(tmp_path / member.name)
            single.restart(member)
            thread.join(15)
            assert seen == [Reset(revision=early)]
            assert late > early
            assert [doc.text for doc in store.list()] == ["early"]
        finally:
            store.close()


def test_upkeep_is_done_by_one_and_removes_what_nothing_refers_to(opened: Open) -> None:
    store, other, clock = opened(), opened(), FakeClock()
    put(store, "a", "1")
    upkeep = Upkeep(store, clock, "one", kept=100)
    store.restore(store.snapshot())
    assert len(store.strays()) == 1
    assert upkeep.turn() == "nothing was due"
    assert "another node" in Upkeep(other, clock, "two", kept=100).turn()
    clock.advance(101)
    assert "removed 1 spaces" in upkeep.turn()
    assert not store.strays()
    assert [doc.text for doc in other.list()] == ["1"]


def test_grpc_is_not_loaded_by_those_who_have_not_chosen_it() -> None:
    modules = ("corral.app", "corral.cli.main", "corral.cli.admin", "corral.store.move", "corral.store.remote")
    check = f"import sys, {', '.join(modules)}; sys.exit('grpc' in sys.modules or 'google.protobuf' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, timeout=30)


def test_batches_reach_another_node_at_once(opened: Open) -> None:
    one, two = opened(), opened()
    watch = two.watch(two.revision)
    delays: list[float] = []
    told = threading.Thread(target=lambda: delays.extend(time.monotonic() for _item in islice(watch, 50)), daemon=True)
    told.start()
    starts = []
    for number in range(50):
        put(one, "a", str(number))
        starts.append(time.monotonic())
    told.join(5)
    late = sorted(seen - start for start, seen in zip(starts, delays, strict=True))
    assert late[-1] < 0.5
