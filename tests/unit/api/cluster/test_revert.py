"""Reverts over the API: options come back by the calls that set them, in one transaction, as a plan or at once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from corral.access.names import ROOT_USER
from corral.access.records import Grant, Group, Pool, Role, User, UserConfig
from corral.api import access, cluster, pools, storage
from corral.api.nodes import host
from corral.app import App
from corral.storage.service import Storages
from corral.store.base import Cause, RecordClass, Transaction, Write
from corral.system.fakes import FakeClock, FakeRun
from tests.api import Client, make_app

exercises = pytest.mark.exercises
REVERT = "/cluster/history/revert"


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> App:
    made = make_app(tmp_path, clock=clock)
    made.storage = Storages(node=made.node, tree=made.tree, run=FakeRun(), clock=clock, layout=made.layout)
    write = Write(key="node/testnode", text="", header={"name": "testnode", "uuid": "1"})
    made.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    return made


@pytest.fixture
def root(app: App) -> Client:
    every = (cluster, access, pools, storage, host)
    return Client.of(app, [endpoint for each in every for endpoint in each.ENDPOINTS])


@pytest.fixture
def joe(root: Client) -> Client:
    root.post("/access/users", userid="joe@pve", password="joes password")
    return root.by_password("joe@pve", "joes password")


def last(app: App, key: str) -> str:
    return str(app.store.history(key, exact=True, limit=1)[0].revision)


def text(app: App, key: str) -> str:
    doc = app.store.get(key)
    return doc.text if doc else ""


@exercises("POST /cluster/history/revert", "revision")
def test_options_of_the_cluster_come_back(app: App, root: Client) -> None:
    root.put("/cluster/options", keyboard="de", console="html5", description="one\ntwo")
    before = text(app, "datacenter.cfg")
    root.put("/cluster/options", keyboard="fr", language="fr", delete="console,description")
    revision = last(app, "datacenter.cfg")
    found = root.post(REVERT, revision=revision)
    assert text(app, "datacenter.cfg") == before
    assert found["revision"] == revision
    assert found["warnings"] == []
    assert [call["call"] for call in found["calls"]] == ["PUT /cluster/options"]
    (row,) = root.get("/cluster/history", path="datacenter.cfg", limit=1)["rows"]
    assert (row["user"], row["why"]) == ("root@pam", f"revert of revision {revision}")
    root.post(REVERT, revision=row["revision"])
    assert text(app, "datacenter.cfg") == "keyboard: fr\nlanguage: fr\n"


@exercises("POST /cluster/history/revert", "path")
def test_a_plan_shows_the_revert_and_applying_it_does_just_that(app: App, root: Client) -> None:
    root.put("/cluster/options", keyboard="de")
    root.put("/cluster/options", keyboard="fr")
    planned = root.call("POST", REVERT, {"path": "datacenter.cfg"}, plan=True)
    (write,) = planned["plan"]["writes"]
    assert (write["key"], write["action"], write["text"]) == ("datacenter.cfg", "change", "keyboard: de\n")
    assert text(app, "datacenter.cfg") == "keyboard: fr\n"
    root.call("POST", REVERT, {"path": "datacenter.cfg"}, apply=planned["token"])
    assert text(app, "datacenter.cfg") == "keyboard: de\n"
    again = root.send("POST", REVERT, {"path": "datacenter.cfg"}, apply=planned["token"])
    assert "has changed since the plan was made" in (again.message or "")


def test_what_was_changed_since_is_told_and_what_is_as_before_is_left(app: App, root: Client, joe: Client) -> None:
    root.put("/access/acl", path="/", users="joe@pve", roles="Administrator")
    root.put("/cluster/options", keyboard="de", language="de")
    root.put("/cluster/options", keyboard="fr", language="fr")
    revision = last(app, "datacenter.cfg")
    joe.put("/cluster/options", keyboard="it", language="de")
    newest = last(app, "datacenter.cfg")
    told = [f"'keyboard' has been changed since, by joe@pve at revision {newest}"]
    assert root.call("POST", REVERT, {"revision": revision}, plan=True)["plan"]["warnings"] == told
    found = root.post(REVERT, revision=revision)
    assert found["warnings"] == told
    assert found["calls"] == [{"call": "PUT /cluster/options", "params": {"keyboard": "de"}}]
    assert "there is nothing to revert" in (root.refused("POST", REVERT, revision=revision).message or "")


def test_a_nodes_options_come_back(app: App, root: Client) -> None:
    root.put("/nodes/testnode/config", description="a rack", wakeonlan="BC:24:11:00:00:01")
    root.put("/nodes/testnode/config", description="another rack", delete="wakeonlan")
    root.post(REVERT, path="nodes/testnode/config")
    found = root.get("/nodes/testnode/config")
    assert (found["description"], found["wakeonlan"]) == ("a rack\n", "BC:24:11:00:00:01")


def test_storages_come_back_go_and_change_in_one_transaction(app: App, root: Client, tmp_path: Path) -> None:
    root.post("/storage", storage="first", type="dir", path=str(tmp_path / "first"), content="iso")
    root.post("/storage", storage="second", type="dir", path=str(tmp_path / "second"), content="images", shared=1)
    before = text(app, "storage.cfg")
    sections = before.replace("content iso\n", "content iso,images\n").partition("dir: second")[0]
    third = f"dir: third\n\tpath {tmp_path / 'third'}\n\tcontent iso\n"
    write = Write(key="storage.cfg", text=sections + third, cls=RecordClass.PUBLIC)
    app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    number = app.store.revision.number
    found = root.post(REVERT, path="storage.cfg")
    assert [call["call"] for call in found["calls"]] == [
        "PUT /storage/{storage}", "POST /storage", "DELETE /storage/{storage}",
    ]  # fmt: skip
    assert app.store.revision.number == number + 1
    shown = {row["storage"]: row for row in root.get("/storage")}
    assert {"first", "second"} <= shown.keys()
    assert "third" not in shown
    assert (shown["first"]["content"], shown["second"]["shared"]) == ("iso", 1)
    assert found["warnings"] == ["what lies on storage 'third' stays there, and can't be reached any more"]


def test_what_a_call_refuses_a_revert_refuses_too(app: App, root: Client, tmp_path: Path) -> None:
    root.post("/storage", storage="first", type="dir", path=str(tmp_path / "first"), content="iso")
    moved = text(app, "storage.cfg").replace(str(tmp_path / "first"), str(tmp_path / "moved"))
    write = Write(key="storage.cfg", text=moved)
    app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    reply = root.refused("POST", REVERT, path="storage.cfg")
    assert reply.status == 400
    assert "can't be reverted: path: no call changes it" in (reply.message or "")
    assert text(app, "storage.cfg") == moved


@exercises("POST /cluster/history/revert", "revision", refused=True)
def test_who_may_not_make_the_call_may_not_revert_it(app: App, root: Client, joe: Client) -> None:
    root.put("/cluster/options", keyboard="de")
    revision = last(app, "datacenter.cfg")
    assert joe.refused("POST", REVERT, path="datacenter.cfg").reason == "Permission check failed (/, Sys.Audit)"
    assert joe.refused("POST", REVERT, revision=revision).status == 500
    root.put("/access/acl", path="/", users="joe@pve", roles="PVEAuditor")
    reply = joe.refused("POST", REVERT, revision=revision)
    assert reply.reason == "Permission check failed (/, Sys.Modify)"
    assert text(app, "datacenter.cfg") == "keyboard: de\n"


def test_a_revision_of_several_records_is_taken_back_whole_or_in_one(app: App, root: Client, joe: Client) -> None:
    root.put("/cluster/options", keyboard="de")
    root.put("/nodes/testnode/config", description="a rack")
    both = (Write(key="datacenter.cfg", text="keyboard: fr\n"), Write(key="node/testnode", text="#another\n"))
    before = {write.key: text(app, write.key) for write in both}
    revision = app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=both))
    root.put("/access/acl", path="/", users="joe@pve", roles="Administrator", propagate=0)
    reply = joe.refused("POST", REVERT, revision=str(revision))
    assert (reply.status, "records that you may not see" in reply.reason) == (403, True)
    number = app.store.revision.number
    root.post(REVERT, revision=str(revision))
    assert {write.key: text(app, write.key) for write in both} == before
    assert app.store.revision.number == number + 1
    again = str(app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=both)))
    joe.post(REVERT, revision=again, path="datacenter.cfg")
    assert text(app, "datacenter.cfg") == before["datacenter.cfg"]
    assert text(app, "node/testnode") == "#another\n"


def people(app: App) -> str:
    return text(app, "user.cfg")


@pytest.fixture
def staff(root: Client) -> Client:
    root.post("/access/groups", groupid="ops", comment="who: works")
    root.post("/access/groups", groupid="devs")
    root.post("/access/users", userid="ann@pve", groups="ops", email="ann@example.com", comment="A: b", enable=0)
    root.post("/access/users", userid="bob@pve", groups="ops,devs")
    root.post("/access/roles", roleid="Starter", privs="VM.Audit,VM.PowerMgmt")
    root.put("/access/acl", path="/vms", groups="ops", roles="Starter,PVEAuditor")
    root.put("/access/acl", path="/vms/100", users="ann@pve", roles="PVEVMAdmin", propagate=0)
    root.post("/pools", poolid="lab", comment="a pool")
    root.post("/pools", poolid="lab/inner")
    root.put("/pools", poolid="lab/inner", storage="local")
    return root


CHANGES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PUT", "/access/users/ann@pve", {"email": "", "comment": "new", "enable": 1, "groups": "devs"}),
    ("DELETE", "/access/users/ann@pve", {}),
    ("POST", "/access/users", {"userid": "new@pve", "groups": "ops"}),
    ("PUT", "/access/groups/ops", {"comment": ""}),
    ("DELETE", "/access/groups/ops", {}),
    ("POST", "/access/groups", {"groupid": "newgroup"}),
    ("PUT", "/access/roles/Starter", {"privs": "VM.Audit,VM.Console"}),
    ("DELETE", "/access/roles/Starter", {}),
    ("POST", "/access/roles", {"roleid": "NewRole", "privs": "VM.Audit"}),
    ("PUT", "/access/acl", {"path": "/vms", "groups": "ops", "roles": "Starter", "delete": 1}),
    ("PUT", "/access/acl", {"path": "/vms/100", "users": "ann@pve", "roles": "PVEVMAdmin"}),
    ("PUT", "/access/acl", {"path": "/nodes", "users": "ann@pve", "roles": "PVEAuditor"}),
    ("PUT", "/pools", {"poolid": "lab", "comment": "other"}),
    ("PUT", "/pools", {"poolid": "lab/inner", "storage": "local", "delete": 1}),
    ("PUT", "/pools", {"poolid": "lab", "storage": "local"}),
    ("POST", "/pools", {"poolid": "lab/other"}),
)


@pytest.mark.parametrize(("method", "path", "params"), CHANGES, ids=lambda each: str(each))
def test_each_change_of_people_and_permissions_is_taken_back(
    app: App, staff: Client, method: str, path: str, params: dict[str, Any]
) -> None:
    before = people(app)
    staff.call(method, path, params)
    assert people(app) != before
    number = app.store.revision.number
    staff.post(REVERT, revision=last(app, "user.cfg"))
    assert people(app) == before
    assert app.store.revision.number == number + 1


def test_a_text_put_in_place_of_all_is_taken_back_at_once(app: App, staff: Client) -> None:
    before = people(app)
    write = Write(key="user.cfg", text="user:joe@pve:1:0:::::::\npool:other:::local:\n")
    app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    assert "ops" not in people(app)
    number = app.store.revision.number
    planned = staff.call("POST", REVERT, {"path": "user.cfg"}, plan=True)
    assert people(app).startswith("user:joe")
    assert {write["key"] for write in planned["plan"]["writes"]} == {"user.cfg", "shadow.cfg", "token.cfg"}
    staff.call("POST", REVERT, {"path": "user.cfg"}, apply=planned["token"])
    assert people(app) == before
    assert app.store.revision.number == number + 1


def some(random: Random) -> UserConfig:
    """Users, groups, roles, pools and ACL entries at random, few enough to meet again in another draw."""

    def often(names: Iterable[str]) -> list[str]:
        return [name for name in names if random.random() < 0.6]

    users = [ROOT_USER, *often(f"u{number}@pve" for number in range(4))]
    groups = {
        name: Group(groupid=name, members=frozenset(often(users)), comment=random.choice(["", "c: d"]))
        for name in often(("g1", "g2", "g3"))
    }
    roles = {name: Role(roleid=name, privs=frozenset(often(("VM.Audit", "Sys.Audit")))) for name in often("RST")}
    pools_ = {name: Pool(poolid=name, vms=frozenset(), comment="") for name in often(("p", "s"))}
    if "p" in pools_:
        pools_["p/q"] = Pool(poolid="p/q", vms=frozenset([100]), storages=frozenset(often(["local"])))
    subjects, paths = [*users, *(f"@{name}" for name in groups)], ("/", "/vms/100", "/pool/p", "/pool/s", "/access")
    acl = {
        Grant(random.choice(paths), random.choice(subjects), random.choice([*roles, "PVEAuditor"])): bool(number % 2)
        for number in range(random.randrange(7))
    }
    made = {name: User(userid=name, email=random.choice(["", "a@example.com"])) for name in users}
    return UserConfig(users=made, groups=groups, roles=roles, pools=pools_, acl=acl)


@pytest.mark.parametrize("seed", range(25))
def test_any_change_of_people_and_permissions_is_taken_back(app: App, root: Client, seed: int) -> None:
    random = Random(seed)
    guest = Write(key="guest/100", text="", header={"kind": "qemu", "node": "testnode"})
    app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(guest,)))
    texts = [str(some(random)) for _ in range(2)]
    for each in texts:
        write = Write(key="user.cfg", text=each)
        app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    number = app.store.revision.number
    root.post(REVERT, path="user.cfg")
    assert people(app) == texts[0]
    assert app.store.revision.number == number + 1


def test_a_users_tokens_and_password_do_not_come_back(app: App, staff: Client) -> None:
    staff.post("/access/users/ann@pve/token/ci")
    staff.put("/access/acl", path="/vms", tokens="ann@pve!ci", roles="PVEAuditor")
    staff.delete("/access/users/ann@pve")
    revision = last(app, "user.cfg")
    assert last(app, "token.cfg") == revision
    found = staff.post(REVERT, revision=revision)
    assert "user:ann@pve:0" in people(app)
    assert "ann@pve!ci" not in people(app)
    assert "API token 'ann@pve!ci' does not come back: its secret is gone" in found["warnings"]
    assert "the password and the second factors of 'ann@pve' do not come back" in found["warnings"]
    assert any("'priv/token.cfg' stays as it is" in warning for warning in found["warnings"])


def test_a_token_is_taken_back_and_what_is_secret_alone_is_refused(app: App, staff: Client) -> None:
    before = people(app)
    staff.post("/access/users/ann@pve/token/ci")
    staff.post(REVERT, revision=last(app, "user.cfg"))
    assert people(app) == before
    write = Write(key="shadow.cfg", text="ann:x\n", cls=RecordClass.ROOT)
    app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    reply = staff.refused("POST", REVERT, path="priv/shadow.cfg")
    assert "there is nothing to revert" in (reply.message or "")
    other = Write(key="nat", text="x\n")
    app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(other,)))
    assert "no call changes 'nat'" in (staff.refused("POST", REVERT, path="nat").message or "")
    assert staff.refused("POST", REVERT).errors == {"revision": "give 'revision', 'path' or both"}
    assert "no history" in (staff.refused("POST", REVERT, path="nothing").message or "")


def test_nobody_gets_more_by_a_revert_than_by_the_call(app: App, staff: Client, joe: Client) -> None:
    staff.put("/access/acl", path="/", users="joe@pve", roles="Administrator")
    staff.put("/access/acl", path="/", users="joe@pve", roles="Administrator", delete=1)
    revision = last(app, "user.cfg")
    staff.put("/access/acl", path="/access", users="joe@pve", roles="PVEAuditor")
    before = people(app)
    reply = joe.refused("POST", REVERT, revision=revision)
    assert reply.reason == "Permission check failed (/, Permissions.Modify)"
    assert people(app) == before
