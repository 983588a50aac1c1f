"""The tree of files as a view of the records."""

from __future__ import annotations

import pytest

from corral.core.errors import Conflict, NotFound, ParamError
from corral.store.base import Cause, RecordClass, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.paths import PathView
from corral.system.fakes import FakeClock

RECORDS = {
    "node/id-1": {"name": "pve1"},
    "node/pve2": {},
    "guest/100": {"kind": "qemu", "node": "id-1"},
    "guest/101": {"kind": "lxc", "node": "pve2"},
    "guest/999": {},
    "storage.cfg": {},
    "user.cfg": {},
    "shadow.cfg": {},
    "token.cfg": {},
    "priv/authkey": {},
    "priv/storage/nas.pw": {},
    "csrf": {},
    "firewall/100.fw": {},
    "kept/UPID:pve1:1:2:3:x:y:root@pam:": {},
    "nodes/pve1/config": {},
    "priv/shadow.cfg": {},
    "nodes/pve1/qemu-server/5000.conf": {},
    ".corral/x": {},
}


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    store = MemoryStore(clock)
    writes = tuple(Write(key=key, text=f"text of {key}", header=header) for key, header in RECORDS.items())
    store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes))
    return store


@pytest.fixture
def view(store: MemoryStore) -> PathView:
    return PathView(store, local="pve1", new_uuid=lambda: "some-uuid")


def test_records_are_where_users_look_for_them(view: PathView) -> None:
    assert {path: doc.key for path, doc in view.list()} == {
        "nodes/pve1/qemu-server/100.conf": "guest/100",
        "nodes/pve2/lxc/101.conf": "guest/101",
        "storage.cfg": "storage.cfg",
        "user.cfg": "user.cfg",
        "priv/shadow.cfg": "shadow.cfg",
        "priv/token.cfg": "token.cfg",
        "priv/authkey.key": "priv/authkey",
        "priv/storage/nas.pw": "priv/storage/nas.pw",
        "pve-www.key": "csrf",
        "firewall/100.fw": "firewall/100.fw",
        "nodes/pve1/config": "node/id-1",
        "nodes/pve2/config": "node/pve2",
        ".corral/nodes/pve1/config": "nodes/pve1/config",
        ".corral/guest/999": "guest/999",
        ".corral/kept/UPID:pve1:1:2:3:x:y:root@pam:": "kept/UPID:pve1:1:2:3:x:y:root@pam:",
        ".corral/priv/shadow.cfg": "priv/shadow.cfg",
        ".corral/nodes/pve1/qemu-server/5000.conf": "nodes/pve1/qemu-server/5000.conf",
        ".corral/.corral/x": ".corral/x",
    }


def test_every_path_finds_its_record(view: PathView, store: MemoryStore) -> None:
    for path, doc in view.list():
        assert view.find(path) == doc
        assert view.key(path) == doc.key
    assert [path for path, _doc in view.list()] == sorted(path for path, _doc in view.list())


def test_a_directory_lists_what_is_below(view: PathView) -> None:
    assert [path for path, _doc in view.list("nodes/pve1/")] == [
        "nodes/pve1/config",
        "nodes/pve1/qemu-server/100.conf",
    ]
    assert [path for path, _doc in view.list("/etc/pve/priv/storage")] == ["priv/storage/nas.pw"]
    assert [path for path, _doc in view.list("local/qemu-server")] == ["nodes/pve1/qemu-server/100.conf"]
    assert view.list("stor") == []


@pytest.mark.parametrize(
    "path", ["qemu-server/100.conf", "local/qemu-server/100.conf", "/etc/pve/nodes/pve1/qemu-server/100.conf"]
)
def test_other_names_of_a_guest(view: PathView, path: str) -> None:
    found = view.find(path)
    assert found
    assert found.key == "guest/100"


@pytest.mark.parametrize(
    "path", ["nodes/pve2/qemu-server/100.conf", "nodes/pve1/lxc/100.conf", "none", "guest/100", "node/pve2", "csrf"]
)
def test_no_record_is_found_elsewhere(view: PathView, path: str) -> None:
    assert view.find(path) is None


@pytest.mark.parametrize("path", ["", "..", "a/../b", "a//b", "/", "a b"])
def test_what_is_no_path_is_refused(view: PathView, path: str) -> None:
    with pytest.raises(ParamError):
        view.find(path)


def test_putting_a_text_compares_what_was_read(view: PathView, store: MemoryStore) -> None:
    doc = store.get("storage.cfg")
    assert doc
    assert view.put("storage.cfg", "new") == Write(key="storage.cfg", text="new", expect=doc.version)


def test_putting_a_new_guest_gives_it_a_header(view: PathView) -> None:
    assert view.put("nodes/pve1/qemu-server/200.conf", "cores: 1\n") == Write(
        key="guest/200",
        text="cores: 1\n",
        expect=0,
        cls=RecordClass.API,
        header={"kind": "qemu", "uuid": "some-uuid", "node": "id-1", "generation": "1"},
    )
    with pytest.raises(NotFound, match="'pve3'"):
        view.put("nodes/pve3/qemu-server/200.conf", "cores: 1\n")
    with pytest.raises(NotFound, match="nodes are not made"):
        view.put("nodes/pve3/config", "x: 1\n")


def test_putting_moves_no_guest(view: PathView) -> None:
    with pytest.raises(Conflict, match=r"nodes/pve1/qemu-server/100\.conf"):
        view.put("nodes/pve2/qemu-server/100.conf", "cores: 1\n")


def test_a_new_record_gets_the_class_of_its_place(view: PathView) -> None:
    assert view.put("priv/new.pw", "x").cls is RecordClass.ROOT
    assert view.put("datacenter.cfg", "x").cls is RecordClass.PUBLIC
    assert view.put("jobs.cfg", "x").cls is RecordClass.API
    assert view.put(".corral/queue/x", "x").key == "queue/x"


def test_no_hidden_record_is_made_by_its_key(view: PathView) -> None:
    for path in ("guest/300", "node/x", "token.cfg"):
        with pytest.raises((ParamError, Conflict, NotFound)):
            view.put(path, "x")
