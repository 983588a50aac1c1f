"""The task calls of a node: lists, status, log, stopping, and who may see what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from corral.api import INDEX_KEYS
from corral.api.access import acl, login, tokens, users
from corral.api.nodes import tasks
from corral.rest.results import Download, Events, Frame
from tests import api
from tests.unit.tasks.toys import BY, Bench, Build, Wait

TASKS = "/nodes/n1/tasks"
ENDPOINTS = (*tasks.ENDPOINTS, *users.ENDPOINTS, *tokens.ENDPOINTS, *login.ENDPOINTS, *acl.ENDPOINTS)


class Node(NamedTuple):
    """A node with toy tasks, and a client that is root."""

    bench: Bench
    client: api.Client

    def spawn(self, args: Any, user: str = "root@pam") -> str:
        return self.bench.spawn(args, msgspec.structs.replace(BY, user=user))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with Bench(tmp_path) as bench:
        app = api.make_app(tmp_path, node="n1", store=bench.store, clock=bench.clock, tasks=bench.runner)
        yield Node(bench, api.Client.of(app, ENDPOINTS, INDEX_KEYS))


@pytest.mark.exercises("GET /nodes/{node}/tasks", "start", "limit", "typefilter", "vmid", "errors", "statusfilter")
@pytest.mark.exercises("GET /nodes/{node}/tasks", "userfilter", "since", "until", "source")
def test_ended_tasks_are_listed_by_what_is_asked_for(node: Node) -> None:
    good = node.spawn(Build(vmid=100, names=("a",)))
    bad = node.spawn(Build(vmid=101, names=("a",), fail="a"), "alice@pve!ci")
    for upid in (good, bad):
        node.bench.status(upid)
    reply = node.client.send("GET", TASKS)
    assert reply.total == 2
    rows = node.client.get(TASKS)
    assert {row["upid"] for row in rows} == {good, bad}
    row = next(row for row in rows if row["upid"] == bad)
    assert (row["user"], row["tokenid"], row["id"], row["type"]) == ("alice@pve", "ci", "101", "toybuild")
    assert row["status"] == "can't make 101:a"
    assert row["endtime"] >= row["starttime"]

    def listed(**asked: Any) -> list[str]:
        return [row["upid"] for row in node.client.get(TASKS, **asked)]

    assert listed(errors="1") == [bad]
    assert listed(statusfilter="ok") == [good]
    assert listed(statusfilter="ok,error") == listed()
    assert listed(vmid="101") == [bad]
    assert listed(typefilter="qmstart") == []
    assert listed(userfilter="ALICE") == [bad]
    assert listed(since=str(row["starttime"] + 1000)) == []
    assert listed(until="1000") == []
    assert len(listed(limit="1")) == 1
    assert listed(start="1", limit="1") == listed()[1:2]
    assert listed(source="active") == []
    refused = node.client.refused("GET", TASKS, statusfilter="good", source="x", vmid="7")
    assert set(refused.errors or {}) == {"statusfilter", "source", "vmid"}


@pytest.mark.exercises("GET /nodes/{node}/tasks", "source")
@pytest.mark.exercises("GET /nodes/{node}/tasks/{upid}/status")
@pytest.mark.exercises("DELETE /nodes/{node}/tasks/{upid}")
def test_a_running_task_is_seen_and_stopped(node: Node) -> None:
    upid = node.spawn(Wait())
    node.bench.until(lambda: node.bench.shelf.began)
    (row,) = node.client.get(TASKS, source="active")
    assert (row["upid"], row["status"], "endtime" in row) == (upid, "RUNNING", False)
    assert node.client.get(TASKS, source="archive") == []
    status = node.client.get(f"{TASKS}/{upid}/status")
    assert status["status"] == "running"
    assert "exitstatus" not in status
    assert node.client.delete(f"{TASKS}/{upid}") is None
    assert node.bench.status(upid) == "received interrupt"
    status = node.client.get(f"{TASKS}/{upid}/status")
    assert (status["status"], status["exitstatus"]) == ("stopped", "received interrupt")
    assert [row["upid"] for row in node.client.get(TASKS, source="all")] == [upid]
    node.client.delete(f"{TASKS}/{upid}")  # it has ended: nothing happens


@pytest.mark.exercises("GET /nodes/{node}/tasks/{upid}/log", "start", "limit", "download")
def test_the_log_comes_in_pages_or_as_a_file(node: Node) -> None:
    upid = node.spawn(Build(vmid=100, names=("a", "b")))
    node.bench.status(upid)
    reply = node.client.send("GET", f"{TASKS}/{upid}/log", {"start": "1", "limit": "1"})
    assert api.wire(reply) == {"data": [{"n": 2, "t": "made 100:b"}], "total": 3}
    assert len(node.client.get(f"{TASKS}/{upid}/log", limit="0")) == 3
    whole = node.client.send("GET", f"{TASKS}/{upid}/log", {"download": "1"}).special
    assert isinstance(whole, Download)
    assert whole.path.read_text() == "made 100:a\nmade 100:b\nTASK OK\n"


@pytest.mark.exercises("GET /nodes/{node}/tasks/{upid}/log", "follow")
def test_the_log_is_followed_to_the_end(node: Node) -> None:
    upid = node.spawn(Wait(warn=True))
    node.bench.until(lambda: node.bench.shelf.began)
    stream = node.client.send("GET", f"{TASKS}/{upid}/log", {"follow": "1"}).special
    assert isinstance(stream, Events)
    frames: list[Frame] = []
    leave = stream.subscribe(frames.append)
    node.bench.until(lambda: frames)
    assert frames[0].event == "lines"
    assert msgspec.json.decode(frames[0].data)[0] == {"n": 1, "t": "WARN: mind the gap"}
    node.bench.shelf.gate.set()
    node.bench.until(lambda: frames[-1].event == "end")
    assert frames[-1].data == b'{"status":"WARNINGS: 1"}'
    told = [line["t"] for frame in frames[:-1] for line in msgspec.json.decode(frame.data)]
    assert told == ["WARN: mind the gap", "TASK WARNINGS: 1"]
    leave()


@pytest.mark.exercises("GET /nodes/{node}/tasks/{upid}")
def test_what_there_is_of_a_task_is_listed(node: Node) -> None:
    assert [list(row.values()) for row in node.client.get(f"{TASKS}/UPID:x")] == [["log"], ["status"]]


@pytest.mark.parametrize(
    ("upid", "text"),
    [
        ("nonsense", "unable to parse worker upid"),
        ("UPID:n1:00000001:00000001:00000001:qmstart:100:root@pam:", "no such task"),
    ],
)
def test_unknown_tasks_are_parameter_errors(node: Node, upid: str, text: str) -> None:
    for method, path in (("GET", "/status"), ("GET", "/log"), ("DELETE", "")):
        reply = node.client.refused(method, f"{TASKS}/{upid}{path}")
        assert (reply.status, reply.errors) == (400, {"upid": text})


def test_others_tasks_are_hidden_without_the_privilege(node: Node) -> None:
    node.client.post("/access/users", userid="bob@pve", password="bob's secret")
    secret = node.client.post("/access/users/bob@pve/token/ci", privsep="0")["value"]
    mine = node.spawn(Build(vmid=100), "bob@pve")
    tokens = node.spawn(Build(vmid=101), "bob@pve!ci")
    others = node.spawn(Build(vmid=102), "carol@pve")
    for upid in (mine, tokens, others):
        node.bench.status(upid)
    bob, ci = node.client.by_password("bob@pve", "bob's secret"), node.client.by_token("bob@pve!ci", secret)
    assert {row["upid"] for row in bob.get(TASKS)} == {mine, tokens}
    assert {row["upid"] for row in ci.get(TASKS)} == {tokens}
    for path in ("/status", "/log"):
        reply = bob.refused("GET", f"{TASKS}/{others}{path}")
        assert (reply.status, reply.reason) == (403, "Permission check failed (/nodes/n1, Sys.Audit)")
    assert ci.refused("GET", f"{TASKS}/{mine}/status").status == 403
    assert bob.refused("DELETE", f"{TASKS}/{others}").reason == "Permission check failed (/nodes/n1, Sys.Modify)"
    node.client.put("/access/acl", path="/nodes/n1", roles="PVEAuditor", users="bob@pve")
    assert {row["upid"] for row in bob.get(TASKS)} == {mine, tokens, others}
    assert bob.get(f"{TASKS}/{others}/status")["user"] == "carol@pve"
