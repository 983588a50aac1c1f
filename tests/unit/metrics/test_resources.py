"""The rows of the resource list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.metrics.board import GuestStatus, NodeStatus, StatusBoard, StorageStatus
from corral.metrics.resources import (
    GuestRows,
    encode_rows,
    facts_of,
    joined,
    node_rows,
    parse_pools,
    storage_rows,
)
from corral.store.base import Batch, Cause, Change, Doc, RecordClass, Revision
from corral.store.mirror import Mirror

TEXT = """#note: not an option
boot: order=scsi1;net0
cores: 4
memory: 2048
name: web
scsi0: local:100/a.qcow2,size=1G
scsi1: local:100/b.qcow2,size=32G
sockets: 2
tags: a;b

[snap]
name: old
cores: 1
"""


def _doc(vmid: int, text: str = TEXT, version: int = 1) -> Doc:
    header = {"kind": "qemu", "node": "n1"}
    return Doc(key=f"guest/{vmid}", text=text, version=version, cls=RecordClass.API, header=header)


def _batch(number: int, *docs: Doc, gone: str = "") -> Batch:
    changes = [Change(key=doc.key, cls=doc.cls, doc=doc) for doc in docs]
    if gone:
        changes.append(Change(key=gone, cls=RecordClass.API, doc=None))
    return Batch(revision=Revision(1, number), changes=tuple(changes), cause=Cause(who="root@pam"))


@pytest.fixture
def mirror() -> Mirror:
    made = Mirror()
    made.load(Revision(1, 1), [_doc(100), _doc(101)])
    return made


def _read(rows: list[bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(joined(rows))
    return found


def _ids(rows: list[bytes]) -> list[int]:
    return [row["vmid"] for row in _read(rows)]


def test_facts_come_from_the_current_section() -> None:
    facts = facts_of(_doc(100))
    assert facts is not None
    assert (facts.name, facts.tags, facts.maxcpu, facts.maxmem, facts.maxdisk) == ("web", "a;b", 8, 2 << 30, 32 << 30)


def test_facts_of_an_empty_or_odd_record() -> None:
    facts = facts_of(_doc(7000, "memory: current=1024,max=2048\ncores: many\nscsi0: x,size=?G\n"))
    assert facts is not None
    assert (facts.name, facts.maxcpu, facts.maxmem, facts.maxdisk) == ("VM 7000", 1, 1 << 30, 0)


def test_rows_follow_records_and_status(mirror: Mirror) -> None:
    board = StatusBoard()
    rows = GuestRows(mirror, mirror.listen, board, facts_of)
    assert _ids(rows.encoded("a", lambda _: True)) == [100, 101]
    board.put(GuestStatus(vmid=101, node="n1", status="running", cpu=0.5, uptime=9))
    mirror.apply(_batch(2, _doc(99), gone="guest/100"))
    found = _read(rows.encoded("a", lambda _: True))
    assert [(row["vmid"], row["status"]) for row in found] == [(99, "stopped"), (101, "running")]
    assert found[1]["cpu"] == 0.5
    assert found[0]["maxmem"] == 2 << 30


def test_who_may_see_what_is_asked_again_only_after_a_change(mirror: Mirror) -> None:
    rows = GuestRows(mirror, mirror.listen, StatusBoard(), facts_of)
    asked: list[int] = []

    def odd(vmid: int) -> bool:
        asked.append(vmid)
        return vmid % 2 == 1

    for _ in range(3):
        assert _ids(rows.encoded("u", odd)) == [101]
    assert asked == [100, 101]
    mirror.apply(_batch(2, _doc(103), gone="guest/100"))
    assert _ids(rows.encoded("u", odd)) == [101, 103]
    assert asked == [100, 101, 103]
    text = "pool:web:note:101,102:local:\n"
    mirror.apply(_batch(3, Doc(key="user.cfg", text=text, version=3, cls=RecordClass.API)))
    found = _read(rows.encoded("u", odd))
    assert found[0]["pool"] == "web"
    assert asked == [100, 101, 103, 101, 103]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["status", "change", "make", "remove", "read"]), st.integers(100, 300)), max_size=60
    )
)
def test_what_is_kept_joined_is_what_would_be_made_anew(steps: list[tuple[str, int]]) -> None:
    board, mirror = StatusBoard(), Mirror()
    mirror.load(Revision(1, 1), [_doc(vmid) for vmid in range(100, 300, 3)])
    kept = GuestRows(mirror, mirror.listen, board, facts_of)
    for number, (verb, vmid) in enumerate(steps, start=2):
        match verb:
            case "status":
                board.put(GuestStatus(vmid=vmid, node="n1", status="running", uptime=number))
            case "change" | "make":
                mirror.apply(_batch(number, _doc(vmid, f"name: g{number}\n", number)))
            case "remove":
                mirror.apply(_batch(number, gone=f"guest/{vmid}"))
            case _:
                kept.encoded("u", lambda vmid: vmid % 2 == 0)
    fresh = GuestRows(mirror, mirror.listen, board, facts_of)
    for rule in (lambda vmid: vmid % 2 == 0), (lambda _: True):
        who = "u" if not rule(101) else "all"
        assert _read(kept.encoded(who, rule)) == _read(fresh.encoded(who, rule))


def test_a_reset_starts_over(mirror: Mirror) -> None:
    rows = GuestRows(mirror, mirror.listen, StatusBoard(), facts_of)
    rows.encoded("u", lambda _: True)
    mirror.load(Revision(2, 1), [_doc(500)])
    assert _ids(rows.encoded("u", lambda _: True)) == [500]


def test_pools_are_read_from_user_cfg() -> None:
    assert parse_pools("user:a@pve:1:0::::::\npool:p1::100,101:s:\npool:p2:x::\n") == {100: "p1", 101: "p1"}


def test_node_figures_need_a_privilege() -> None:
    board = StatusBoard()
    board.put(NodeStatus(node="n1", maxcpu=4))
    opened = json.loads(joined(encode_rows(node_rows(board, ["n1"], lambda _: True))))[0]
    closed = json.loads(joined(encode_rows(node_rows(board, ["n1"], lambda _: False))))[0]
    assert opened["maxcpu"] == 4
    assert closed == {"id": "node/n1", "type": "node", "node": "n1", "status": "online"}


def test_a_storage_that_does_not_answer_is_unknown() -> None:
    found = storage_rows(
        [StorageStatus(storage="a", node="n1", total=10, used=1), StorageStatus(storage="b", node="n1", active=False)]
    )
    assert [(row.storage, row.status, row.maxdisk) for row in found] == [("a", "available", 10), ("b", "unknown", 0)]
