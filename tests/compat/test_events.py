"""The event stream over HTTP: who sees what, and going on where a connection broke."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from typing import Any

import pytest

from tests.lab.node import Node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("events") / "root") as started:
        started.login()
        yield started


class Stream:
    """One connection to /cluster/events."""

    def __init__(self, node: Node, headers: dict[str, str], query: str = "") -> None:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        request = urllib.request.Request(f"{node.base}/cluster/events{query}", headers=headers)
        self.answer: HTTPResponse = urllib.request.urlopen(request, context=context, timeout=20)

    def next(self, kind: str) -> tuple[str, Any]:
        """Id and data of the next event of a kind."""
        found: dict[str, str] = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                if found.get("event") == kind:
                    return found.get("id", ""), json.loads(found["data"])
                found = {}
            else:
                name, _, value = line.strip().partition(": ")
                found[name] = value
        raise AssertionError("the stream has ended")

    def close(self) -> None:
        self.answer.close()


@pytest.mark.exercises("GET /cluster/events", "since")
def test_changes_come_as_they_are_made_and_a_broken_stream_goes_on(node: Node) -> None:
    stream = Stream(node, node.headers)
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    stream.next("ready")
    assert any(row["kind"] == "node" for row in stream.next("status")[1])
    node.call("POST", "/pools", poolid="first")
    cursor, change = stream.next("change")
    assert change["records"] == [{"key": "user.cfg", "action": "write"}]
    assert change["who"] == "admin@pve"
    stream.close()

    node.call("PUT", "/cluster/options", keyboard="it")
    again = Stream(node, node.headers, f"?since={cursor}")
    _, missed = again.next("change")
    assert missed["records"] == [{"key": "datacenter.cfg", "action": "write"}]
    again.close()
    header = Stream(node, {**node.headers, "Last-Event-ID": cursor})
    assert header.next("change")[1] == missed
    header.close()


@pytest.mark.exercises("GET /cluster/events")
def test_tasks_are_followed_to_their_end(node: Node) -> None:
    stream = Stream(node, node.headers)
    stream.next("ready")
    stream.next("task")
    upid = node.call("POST", "/nodes/{node}/qemu", vmid=300, memory=32)
    _, event = stream.next("task")
    assert event["upid"] == upid
    while "ended" not in event:
        _, event = stream.next("task")
    assert event["ended"]["status"] == "OK"
    stream.close()


@pytest.mark.exercises("GET /cluster/events")
def test_who_may_see_nothing_is_told_nothing(node: Node) -> None:
    admin = dict(node.headers)
    node.call("POST", "/access/users", userid="blind@pve", password="sees nothing")
    node.login("blind@pve", "sees nothing")
    blind, node.headers = dict(node.headers), admin
    stream = Stream(node, blind)
    stream.next("ready")
    assert stream.next("status")[1] == []
    node.call("PUT", "/cluster/options", keyboard="fr")
    node.call("PUT", "/access/acl", path="/", users="blind@pve", roles="PVEAuditor")
    stream.next("reset")
    node.call("PUT", "/cluster/options", keyboard="de")
    _, change = stream.next("change")
    if change["records"] == [{"key": "user.cfg", "action": "write"}]:
        _, change = stream.next("change")
    assert change["records"] == [{"key": "datacenter.cfg", "action": "write"}]
    stream.close()


def test_a_cursor_that_is_none_is_refused(node: Node) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        Stream(node, node.headers, "?since=yesterday")
    assert caught.value.code == 400
    caught.value.close()
