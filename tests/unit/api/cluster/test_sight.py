"""What callers see of the cluster depends on their privileges, and follows them at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corral.api import access, cluster, pools
from corral.api.nodes import host
from corral.app import App
from corral.core.layout import Layout
from corral.metrics.board import GuestStatus, NodeStatus, StatusBoard, StorageStatus
from corral.metrics.resources import GuestRows, facts_of
from corral.node.service import Host
from corral.store.base import Batch, Cause, Change, RecordClass, Reset, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock, FakeRun
from tests.api import Client, make_app

exercises = pytest.mark.exercises


class Shelf:
    """Storages by name, all of them enabled directories."""

    names = ("local", "secret")

    def ids(self) -> tuple[str, ...]:
        return self.names

    def enabled(self, storage: str) -> bool:
        return storage in self.names


class Told(MemoryStore):
    """A store that tells listeners of its commits, as a mirror does."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.listeners: list[Callable[[Batch | Reset], None]] = []

    def commit(self, txn: Transaction) -> Revision:
        revision = super().commit(txn)
        changes = tuple(
            Change(key=each.key, cls=each.cls or RecordClass.API, doc=self.get(each.key)) for each in txn.writes
        )
        for listener in self.listeners:
            listener(Batch(revision=revision, changes=changes, cause=txn.cause))
        return revision


@pytest.fixture
def app(tmp_path: Path) -> App:
    clock = FakeClock()
    store, board = Told(clock), StatusBoard()
    for vmid in (100, 101, 102):
        write = Write(
            key=f"guest/{vmid}", text=f"name: g{vmid}\ntags: t{vmid}\n", header={"kind": "qemu", "node": "testnode"}
        )
        store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
        board.put(GuestStatus(vmid=vmid, node="testnode", status="running", maxcpu=2))
    board.put(NodeStatus(node="testnode", maxcpu=8, fingerprint="AA:BB"))
    for storage in Shelf.names:
        board.put(StorageStatus(storage=storage, node="testnode", total=10, used=1))
    return make_app(
        tmp_path,
        store=store,
        clock=clock,
        board=board,
        storage=Shelf(),
        host=Host(Layout(tmp_path), FakeRun(), clock, "testnode", systemd=False),
        rows=GuestRows(store, store.listeners.append, board, facts_of),
    )


@pytest.fixture
def root(app: App) -> Client:
    return Client.of(app, [*cluster.ENDPOINTS, *host.ENDPOINTS, *access.ENDPOINTS, *pools.ENDPOINTS])


@pytest.fixture
def joe(root: Client) -> Client:
    root.post("/access/users", userid="joe@pve", password="joes password")
    return root.by_password("joe@pve", "joes password")


def ids(client: Client, **params: Any) -> set[str]:
    return {row["id"] for row in client.get("/cluster/resources", **params)}


@exercises("GET /cluster/resources", "type")
def test_rows_follow_privileges_at_once(root: Client, joe: Client) -> None:
    assert ids(joe) == {"node/testnode"}
    root.put("/access/acl", path="/vms/101", users="joe@pve", roles="PVEVMUser")
    root.put("/access/acl", path="/storage/local", users="joe@pve", roles="PVEDatastoreUser")
    assert ids(joe) == {"node/testnode", "qemu/101", "storage/testnode/local"}
    root.post("/pools", poolid="lab")
    root.put("/pools", poolid="lab", vms="102")
    root.put("/access/acl", path="/pool/lab", users="joe@pve", roles="PVEVMUser,PVEPoolUser")
    assert ids(joe) == {"node/testnode", "qemu/101", "qemu/102", "storage/testnode/local", "/pool/lab"}
    assert {row.get("pool") for row in joe.get("/cluster/resources", type="vm")} == {None, "lab"}
    root.put("/access/acl", path="/vms/101", users="joe@pve", roles="PVEVMUser", delete=1)
    assert ids(joe, type="vm") == {"qemu/102"}
    assert ids(root, type="vm") == {"qemu/100", "qemu/101", "qemu/102"}


@exercises("GET /nodes")
def test_a_nodes_figures_need_a_privilege(root: Client, joe: Client) -> None:
    (row,) = joe.get("/nodes")
    assert row == {
        "id": "node/testnode", "node": "testnode", "type": "node", "status": "online", "ssl_fingerprint": "AA:BB",
    }  # fmt: skip
    root.put("/access/acl", path="/nodes/testnode", users="joe@pve", roles="PVEAuditor")
    assert joe.get("/nodes")[0]["maxcpu"] == 8


@exercises("GET /cluster/options")
@exercises("PUT /cluster/options", "keyboard", refused=True)
def test_options_without_privilege_are_those_that_interfaces_need(root: Client, joe: Client) -> None:
    root.put("/cluster/options", keyboard="de", console="html5", http_proxy="http://u:p@proxy", description="private")
    assert joe.get("/cluster/options").keys() == {"console", "allowed-tags"}
    assert joe.refused("PUT", "/cluster/options", keyboard="fr").reason == "Permission check failed (/, Sys.Modify)"
    assert root.get("/cluster/options")["http_proxy"] == "http://u:p@proxy"


@exercises("GET /cluster/options")
def test_tags_that_may_be_set(root: Client, joe: Client) -> None:
    root.put("/cluster/options", **{"user-tag-access": "user-allow=existing", "registered-tags": "vip"})
    assert joe.get("/cluster/options")["allowed-tags"] == ["t100", "t101", "t102"]
    assert "vip" in root.get("/cluster/options")["allowed-tags"]
    root.put("/cluster/options", **{"user-tag-access": "user-allow=none"})
    assert joe.get("/cluster/options")["allowed-tags"] == []


@exercises("GET /cluster/log", "max")
def test_the_log_shows_own_entries_without_a_privilege(root: Client, joe: Client) -> None:
    root.put("/cluster/options", keyboard="de")
    root.put("/access/acl", path="/", users="joe@pve", roles="PVEAdmin")
    root.put("/access/acl", path="/", users="joe@pve", roles="PVEAdmin", delete=1)
    assert joe.get("/cluster/log", max=10) == []
    assert root.get("/cluster/log", max=1)[0]["msg"].startswith("changed user.cfg")


@exercises("GET /cluster/nextid", "vmid")
@exercises("GET /cluster/nextid", "vmid", refused=True)
def test_numbers_are_free_and_different_for_each(root: Client) -> None:
    assert [root.get("/cluster/nextid") for _ in range(2)] == [103, 104]
    assert root.get("/cluster/nextid", vmid=200) == 200
    assert root.refused("GET", "/cluster/nextid", vmid=100).errors == {"vmid": "VM 100 already exists"}


@exercises("GET /cluster/status", refused=True)
def test_the_clusters_status_needs_a_privilege(joe: Client) -> None:
    assert joe.refused("GET", "/cluster/status").reason == "Permission check failed (/, Sys.Audit)"
