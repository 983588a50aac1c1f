"""The history over the API: rows, differences, blame and how things stood, for those who may see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corral.api import access, cluster, pools
from corral.app import App
from corral.store.base import Cause, RecordClass, Revision, Transaction, Write
from corral.system.fakes import FakeClock
from tests.api import Client, make_app

exercises = pytest.mark.exercises

HEADER = {"kind": "qemu", "node": "testnode", "uuid": "1", "generation": "1"}
UPID = "UPID:testnode:00000001:00000001:00000001:qmconfig:100:admin@pve:"


@pytest.fixture
def app(tmp_path: Path, clock: FakeClock) -> App:
    return make_app(tmp_path, clock=clock)


def commit(app: App, *writes: Write, who: str = "admin@pve", why: str = "a call") -> Revision:
    return app.store.commit(Transaction(cause=Cause(who=who, why=why), writes=writes))


def guest(app: App, vmid: int, text: str | None, **cause: str) -> str:
    return str(commit(app, Write(key=f"guest/{vmid}", text=text, header=HEADER), **cause))


@pytest.fixture
def root(app: App) -> Client:
    return Client.of(app, [*cluster.ENDPOINTS, *access.ENDPOINTS, *pools.ENDPOINTS])


@pytest.fixture
def joe(root: Client) -> Client:
    root.post("/access/users", userid="joe@pve", password="joes password")
    return root.by_password("joe@pve", "joes password")


def revisions(client: Client, **params: Any) -> list[str]:
    return [row["revision"] for row in client.get("/cluster/history", **params)["rows"]]


@exercises("GET /cluster/history", "path")
@exercises("GET /cluster/history", "vmid")
def test_rows_tell_who_did_what_to_which_record(app: App, root: Client, clock: FakeClock) -> None:
    made = guest(app, 100, "name: a\nmemory: 32\n", why="POST /nodes/{node}/qemu")
    clock.advance(5)
    changed = guest(app, 100, "name: a\nmemory: 64\ncores: 2\n", who="joe@pve!ci", why=UPID)
    gone = guest(app, 100, None)
    found = root.get("/cluster/history", path="guest/100")
    assert "next" not in found
    assert [row["revision"] for row in found["rows"]] == [gone, changed, made]
    assert found["rows"][1] == {
        "revision": changed,
        "time": int(clock.now()),
        "user": "joe@pve!ci",
        "why": UPID,
        "upid": UPID,
        "count": 1,
        "records": [
            {
                "key": "guest/100", "path": ".corral/guest/100", "class": "api", "action": "change",
                "added": 2, "removed": 1,
            }
        ],
    }  # fmt: skip
    actions = [row["records"][0]["action"] for row in found["rows"]]
    assert actions == ["delete", "change", "create"]
    assert revisions(root, vmid=100) == [gone, changed, made]
    again = guest(app, 100, "name: b\n")
    (row,) = root.get("/cluster/history", limit=1)["rows"]
    assert (row["revision"], row["records"][0]["path"]) == (again, "nodes/testnode/qemu-server/100.conf")
    assert revisions(root, path="nodes/testnode/qemu-server/100.conf") == [again, gone, changed, made]
    assert revisions(root, path="/etc/pve/qemu-server/100.conf") == [again, gone, changed, made]
    assert not revisions(root, path="storage.cfg")


@exercises("GET /cluster/history", "user", "since", "until", "before", "limit")
def test_rows_are_filtered_and_go_on(app: App, root: Client, clock: FakeClock) -> None:
    start = int(clock.now())
    made: list[str] = []
    for number in range(6):
        clock.advance(10)
        who = "joe@pve" if number % 2 else "admin@pve"
        made.insert(0, guest(app, 100 + number, f"memory: {number}\n", who=who))
    assert revisions(root, limit=6) == made
    assert revisions(root, user="joe@pve") == made[::2]
    assert revisions(root, user="joe") == []
    assert revisions(root, since=start + 30) == made[:4]
    assert revisions(root, since=start + 20, until=start + 39) == made[3:5]
    assert revisions(root, until=start - 1) == []
    first = root.get("/cluster/history", limit=2, user="joe@pve", since=start + 1, until=start + 50)
    assert [row["revision"] for row in first["rows"]] == [made[2], made[4]]
    assert first["next"] == made[4]
    last = root.get("/cluster/history", limit=2, user="joe@pve", before=first["next"], until=start + 50)
    assert last == {"rows": []}


@exercises("GET /cluster/history", "before", refused=True)
@exercises("GET /cluster/history", "limit", refused=True)
@exercises("GET /cluster/history", "vmid", refused=True)
def test_wrong_filters_are_refused(root: Client) -> None:
    assert "before" in (root.refused("GET", "/cluster/history", before="nonsense").errors or {})
    assert "limit" in (root.refused("GET", "/cluster/history", limit=501).errors or {})
    assert "vmid" in (root.refused("GET", "/cluster/history", vmid=100, path="guest/101").errors or {})


def test_a_revision_of_many_records_is_one_row(app: App, root: Client) -> None:
    before = guest(app, 100, "memory: 1\n")
    many = str(commit(app, *(Write(key=f"guest/{1000 + each}", text="", header=HEADER) for each in range(300))))
    after = guest(app, 100, "memory: 2\n")
    found = root.get("/cluster/history", limit=3)["rows"]
    assert [(row["revision"], row["count"], len(row["records"])) for row in found] == [
        (after, 1, 1), (many, 300, 20), (before, 1, 1),
    ]  # fmt: skip
    assert revisions(root, limit=1, before=after) == [many]
    assert revisions(root, limit=1, before=many) == [before]
    details = root.get(f"/cluster/history/{many}")
    assert (details["count"], len(details["records"])) == (300, 200)


@exercises("GET /cluster/history/{revision}", "revision")
def test_a_revision_with_its_differences(app: App, root: Client) -> None:
    guest(app, 100, "memory: 32\nname: a\ncipassword: one\n")
    changed = guest(app, 100, "memory: 64\nname: a\ncipassword: two\n", who="joe@pve")
    found = root.get(f"/cluster/history/{changed}")
    assert (found["user"], found["count"]) == ("joe@pve", 1)
    (record,) = found["records"]
    assert (record["added"], record["removed"]) == (1, 1)
    assert record["diff"].splitlines()[3:] == ["-memory: 32", "+memory: 64", " name: a", " cipassword: ***"]
    guest(app, 100, "memory: 64\nname: a\ncipassword: three\n")
    assert "two" not in str(root.get("/cluster/history", vmid=100))


def test_of_secret_records_only_the_change_is_told(app: App, root: Client) -> None:
    for key, cls in (("shadow.cfg", RecordClass.ROOT), ("token.cfg", RecordClass.API), ("csrf", RecordClass.API)):
        first = str(commit(app, Write(key=key, text="a-hash", cls=cls)))
        revision = str(commit(app, Write(key=key, text="another-hash", cls=cls)))
        (record,) = root.get(f"/cluster/history/{revision}")["records"]
        assert record.keys() == {"key", "path", "class", "action"}
        assert root.get("/cluster/history", path=record["path"])["rows"][0]["records"] == [record]
        then = root.get("/cluster/history/at", revision=first, path=record["path"])
        assert then["files"][0].keys() == {"key", "path", "class"}
        assert "text" not in then
        assert root.refused("GET", "/cluster/history/blame", path=record["path"]).status == 500
        assert "hash" not in str(root.get("/cluster/history/at", revision=revision))


@exercises("GET /cluster/history/blame", "path")
def test_blame_names_the_author_of_each_line(app: App, root: Client, clock: FakeClock) -> None:
    first = guest(app, 100, "memory: 32\nname: a\n")
    second = guest(app, 100, "memory: 64\nname: a\n", who="joe@pve", why="PUT /x")
    found = root.get("/cluster/history/blame", path="nodes/testnode/qemu-server/100.conf")
    assert (found["key"], found["path"]) == ("guest/100", "nodes/testnode/qemu-server/100.conf")
    now = int(clock.now())
    assert found["lines"] == [
        {"text": "memory: 64", "revision": second, "time": now, "user": "joe@pve", "why": "PUT /x"},
        {"text": "name: a", "revision": first, "time": now, "user": "admin@pve", "why": "a call"},
    ]


@exercises("GET /cluster/history/at", "revision", "path")
@exercises("GET /cluster/history/at", "time", "path")
@exercises("GET /cluster/history/at", "time", refused=True)
def test_how_things_stood(app: App, root: Client, clock: FakeClock) -> None:
    clock.advance(10)
    first = guest(app, 100, "memory: 32\ncipassword: one\n")
    then = int(clock.now())
    clock.advance(10)
    second = guest(app, 100, "memory: 64\n")
    commit(app, Write(key="storage.cfg", text="dir: x\n", cls=RecordClass.PUBLIC))
    file = {"key": "guest/100", "path": "nodes/testnode/qemu-server/100.conf", "class": "api", "size": 27}
    asked = {"path": "qemu-server/100.conf"}
    text = "memory: 32\ncipassword: ***\n"
    assert root.get("/cluster/history/at", revision=first, **asked) == {
        "revision": first, "files": [file], "text": text,
    }  # fmt: skip
    assert root.get("/cluster/history/at", time=then + 5, **asked)["text"] == text
    assert root.get("/cluster/history/at", time=then + 10, **asked)["text"] == "memory: 64\n"
    listed = root.get("/cluster/history/at", time=then)
    assert file in listed["files"]
    assert "text" not in listed
    assert "storage.cfg" not in {each["path"] for each in listed["files"]}
    assert root.get("/cluster/history/at", revision=second, **asked)["text"] == "memory: 64\n"
    assert root.refused("GET", "/cluster/history/at", time=1, **asked).status == 500
    assert root.refused("GET", "/cluster/history/at", revision="1.99999").status == 500
    assert root.refused("GET", "/cluster/history/at", revision=first, path="storage.cfg").status == 500
    assert root.refused("GET", "/cluster/history/at").errors == {"revision": "give either 'revision' or 'time'"}


@exercises("GET /cluster/history/blame", "path", refused=True)
@exercises("GET /cluster/history/at", "path", refused=True)
@exercises("GET /cluster/history/{revision}", refused=True)
def test_each_sees_the_rows_of_what_it_may_see(app: App, root: Client, joe: Client) -> None:
    root.put("/access/acl", path="/vms/100", users="joe@pve", roles="PVEVMUser")
    own = guest(app, 100, "memory: 1\n")
    other = guest(app, 101, "memory: 1\n")
    both = str(commit(app, *(Write(key=f"guest/{vmid}", text="memory: 2\n", header=HEADER) for vmid in (100, 101))))
    assert revisions(joe) == [both, own]
    assert revisions(joe, vmid=101) == []
    assert {other, both} <= set(revisions(root))
    (row, _) = joe.get("/cluster/history")["rows"]
    assert [record["key"] for record in row["records"]] == ["guest/100"]
    assert [record["key"] for record in joe.get(f"/cluster/history/{both}")["records"]] == ["guest/100"]
    assert joe.refused("GET", f"/cluster/history/{other}").status == 500
    assert [file["key"] for file in joe.get("/cluster/history/at", revision=both)["files"]] == ["guest/100"]
    assert "text" in joe.get("/cluster/history/at", revision=both, path="guest/100")
    for call in ("blame", "at"):
        more = {"revision": both} if call == "at" else {}
        for path, reason in (("guest/101", "/vms/101, VM.Audit"), ("user.cfg", "/access, Sys.Audit")):
            reply = joe.refused("GET", f"/cluster/history/{call}", path=path, **more)
            assert reply.reason == f"Permission check failed ({reason})"
    root.put("/access/acl", path="/vms/100", users="joe@pve", roles="PVEVMUser", delete=1)
    assert revisions(joe) == []


@pytest.fixture
def new_owner(root: Client, joe: Client) -> Client:
    """Sees what has the number 100."""
    root.put("/access/acl", path="/vms/100", users="joe@pve", roles="PVEVMUser")
    return joe


def test_a_number_given_again_does_not_bring_its_past_along(app: App, root: Client, new_owner: Client) -> None:
    old = [
        guest(app, 100, "description: old\nmemory: 32\n", who="old@pve"),
        guest(app, 100, "description: old\nmemory: 64\n", who="old@pve"),
    ]
    gone = guest(app, 100, None, who="old@pve")
    between = str(commit(app, Write(key="storage.cfg", text="dir: x\n")))
    made = guest(app, 100, "memory: 64\n", who="joe@pve")
    changed = guest(app, 100, "memory: 64\nname: new\n", who="joe@pve")
    for asked in ({}, {"vmid": 100}, {"path": "guest/100"}, {"limit": 2}):
        assert revisions(new_owner, **asked) == [changed, made]
    assert revisions(new_owner, user="old@pve") == []
    assert revisions(new_owner, before=made) == []
    assert revisions(root, vmid=100) == [changed, made, gone, *reversed(old)]
    (created,) = new_owner.get(f"/cluster/history/{made}")["records"]
    assert (created["action"], created["diff"].splitlines()[3:]) == ("create", ["+memory: 64"])
    for revision in (*old, gone):
        assert new_owner.refused("GET", f"/cluster/history/{revision}").status == 500
        assert "description: old" in root.get(f"/cluster/history/{revision}")["records"][0]["diff"]
    lines = new_owner.get("/cluster/history/blame", path="guest/100")["lines"]
    assert [(line["text"], line["revision"]) for line in lines] == [("memory: 64", made), ("name: new", changed)]
    for revision in (*old, between):
        assert new_owner.get("/cluster/history/at", revision=revision)["files"] == []
        assert new_owner.refused("GET", "/cluster/history/at", revision=revision, path="guest/100").status == 500
    assert root.get("/cluster/history/at", revision=old[0], path="guest/100")["text"].startswith("description: old")
    assert new_owner.get("/cluster/history/at", revision=made, path="guest/100")["text"] == "memory: 64\n"
    for asked in ({"revision": old[1]}, {"revision": old[1], "path": "guest/100"}, {"revision": gone}):
        reply = new_owner.refused("POST", "/cluster/history/revert", **asked)
        assert reply.reason.endswith("of what you may see")


def test_a_number_without_a_guest_has_a_past_for_administrators_alone(
    app: App, root: Client, new_owner: Client
) -> None:
    old = guest(app, 100, "description: old\n")
    gone = guest(app, 100, None)
    assert revisions(new_owner, vmid=100) == revisions(new_owner) == []
    for revision in (old, gone):
        assert new_owner.refused("GET", f"/cluster/history/{revision}").status == 500
    assert new_owner.refused("GET", "/cluster/history/blame", path="guest/100").status == 500
    assert new_owner.get("/cluster/history/at", revision=old)["files"] == []
    assert new_owner.refused("GET", "/cluster/history/at", revision=old, path="guest/100").status == 500
    assert revisions(root, vmid=100) == [gone, old]
    root.put("/access/acl", path="/", users="joe@pve", roles="PVEAuditor", propagate=0)
    assert revisions(new_owner, vmid=100) == [gone, old]


def test_of_a_guest_of_many_changes_what_is_older_than_was_read_is_left_out(app: App, new_owner: Client) -> None:
    guest(app, 100, "description: old\n")
    guest(app, 100, None)
    made = guest(app, 100, "memory: 0\n")
    later = [guest(app, 100, f"memory: {number}\n") for number in range(1, 1000)]
    asked = {"vmid": 100, "limit": 500}
    assert revisions(new_owner, **asked, before=later[499]) == [*reversed(later[:499]), made]
    later.append(guest(app, 100, "memory: 1000\n"))
    assert revisions(new_owner, **asked, before=later[500]) == list(reversed(later[:500]))
    assert new_owner.refused("GET", "/cluster/history/at", revision=made, path="guest/100").status == 500


def test_of_a_guest_older_than_the_history_all_that_is_kept_is_shown(
    app: App, new_owner: Client, clock: FakeClock
) -> None:
    guest(app, 100, "memory: 1\n")
    clock.advance(10)
    changed = guest(app, 100, "memory: 2\n")
    app.store.prune(older_than=clock.now() - 5, max_bytes=2**30)
    assert revisions(new_owner) == [changed]
    assert "memory: 1" in new_owner.get(f"/cluster/history/{changed}")["records"][0]["diff"]
