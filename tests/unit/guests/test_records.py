"""Records of guests: who owns them, which numbers are free."""

from __future__ import annotations

import hashlib

import pytest

from corral.core.errors import AlreadyExists, Conflict, Error, NotFound
from corral.guests import records
from corral.store.base import Cause, Transaction, Write
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


def put(store: MemoryStore, *writes: Write) -> None:
    store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes))


def claim(vmid: int, **more: str) -> Write:
    wanted = {"kind": "qemu", "uuid": f"u{vmid}", "node": "n1", "text": "name: a\n", **more}
    return records.claim(vmid, **wanted)  # type: ignore[arg-type]  # a Literal among texts


def test_a_record_is_read_as_it_was_claimed(store: MemoryStore) -> None:
    put(store, claim(100))
    guest = records.load(store, 100, kind="qemu", node="n1")
    assert (guest.vmid, guest.kind, guest.uuid, guest.node, guest.generation) == (100, "qemu", "u100", "n1", 1)
    assert guest.digest == hashlib.sha1(b"name: a\n", usedforsecurity=False).hexdigest()


def test_a_guest_of_another_node_or_kind_does_not_exist_here(store: MemoryStore) -> None:
    put(store, claim(100, node="n2"), claim(101, kind="lxc"))
    text = "Configuration file 'nodes/n1/qemu-server/100.conf' does not exist"
    with pytest.raises(NotFound, match=text):
        records.load(store, 100, kind="qemu", node="n1")
    assert records.find(store, 101, kind="qemu") is None
    assert [guest.vmid for guest in records.every(store)] == [100, 101]
    assert [guest.vmid for guest in records.every(store, kind="qemu", node="n2")] == [100]


def test_a_number_is_claimed_once(store: MemoryStore) -> None:
    put(store, claim(100))
    with pytest.raises(Conflict):
        put(store, claim(100))
    with pytest.raises(AlreadyExists, match="unable to create VM 100 - VM 100 already exists on node 'n1'"):
        records.refuse_taken(store, 100)
    records.refuse_taken(store, 101)


def test_a_change_refuses_what_was_changed_meanwhile(store: MemoryStore) -> None:
    put(store, claim(100))
    guest = records.load(store, 100, kind="qemu", node="n1")
    put(store, guest.rewrite("name: b\n"))
    with pytest.raises(Conflict):
        put(store, guest.rewrite("name: c\n"))
    with pytest.raises(Conflict, match="detected modified configuration"):
        records.load(store, 100, kind="qemu", node="n1").check_digest(guest.digest)
    guest.check_digest(guest.digest)
    guest.check_digest(None)


def test_each_caller_of_nextid_is_told_another_number_for_a_minute(store: MemoryStore, clock: FakeClock) -> None:
    put(store, claim(101))
    assert [records.next_free(store, store) for _ in range(3)] == [100, 102, 103]
    clock.advance(61)
    assert records.next_free(store, store) == 100
    assert records.lowest_free(store) == 100  # a create is not steered by it


def test_numbers_run_out(store: MemoryStore) -> None:
    put(store, claim(100))
    with pytest.raises(Error, match="unable to get any free VMID"):
        records.lowest_free(store, lower=100, upper=100)
    assert records.lowest_free(store, lower=100, upper=102, but=(101,)) == 102
