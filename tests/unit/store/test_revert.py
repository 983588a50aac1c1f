"""What takes a change back, item by item; and writes that are laid over a tree."""

from __future__ import annotations

import pytest

from corral.store.base import Cause, Past, RecordClass, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.noted import NotedTree
from corral.store.revert import back
from corral.system.fakes import FakeClock


def read(text: str) -> dict[str, str]:
    return dict(line.split("=") for line in text.split())


def past(number: int, before: str, after: str, who: str = "joe@pve") -> Past:
    return Past(
        key="x", revision=Revision(1, number), time=0, cause=Cause(who=who), before=before, after=after,
        cls=RecordClass.API,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "now", "wanted", "since"),
    [
        ("a=1 b=1", "a=2 b=1", "a=2 b=3", {"a": "1"}, {}),
        ("a=1", "a=2 b=1", "a=2 b=1 c=1", {"a": "1", "b": None}, {}),
        ("a=1 b=1", "a=1", "a=1", {"b": "1"}, {}),
        ("a=1", "a=2", "a=1", {}, {}),
        ("", "a=2", "", {}, {}),
        ("a=1 b=1", "a=2 b=2", "a=3 b=2", {"a": "1", "b": "1"}, {"a": 3}),
        ("a=1", "a=2", "", {"a": "1"}, {"a": 3}),
    ],
)
def test_what_is_as_before_stays_and_the_rest_comes_back(
    before: str, after: str, now: str, wanted: dict[str, str | None], since: dict[str, int]
) -> None:
    later = [past(4, now, now), past(3, after, now), past(2, after, after)]
    found = back(past(1, before, after), later, now, read)
    assert found.wanted == wanted
    assert {item: change.revision.number for item, change in found.since.items()} == since


def test_a_secret_stays_and_is_told() -> None:
    found = back(past(1, "a=*** b=1", "b=2"), [], "b=2", read)
    assert found.wanted == {"b": "1"}
    assert found.warnings == ["'a' stays as it is: the history does not keep secrets"]


def test_writes_lie_over_the_tree_for_who_laid_them(clock: FakeClock) -> None:
    store = MemoryStore(clock)
    first = Write(key="a/1", text="1", cls=RecordClass.PUBLIC, header={"x": "y"})
    store.commit(Transaction(cause=Cause(who="root@pam"), writes=(first, Write(key="a/2", text="1"))))
    tree, version = NotedTree(store), store.revision.number
    with tree.noting() as notes, tree.overlaid() as overlay:
        overlay.put(Write(key="a/1", text="2", expect=version))
        seen = tree.get("a/1")
        assert seen is not None
        assert (seen.text, seen.cls, seen.header) == ("2", RecordClass.PUBLIC, {"x": "y"})
        assert seen.version < 0
        overlay.put(Write(key="a/1", text="3", expect=seen.version))
        again = tree.get("a/1")
        assert again is not None
        assert again.version not in (seen.version, version)
        overlay.put(Write(key="a/2", text=None, expect=version))
        overlay.put(Write(key="a/3", text="new", expect=0, cls=RecordClass.API))
        assert tree.get("a/2") is None
        assert [(doc.key, doc.text) for doc in tree.list("a/")] == [("a/1", "3"), ("a/3", "new")]
        assert tree.list("b/") == []
        writes = overlay.writes
    assert [doc.text for doc in tree.list("a/")] == ["1", "1"]
    assert notes["a/1"] == notes["a/2"] == str(version)
    assert [(write.key, write.text, write.expect) for write in writes] == [
        ("a/1", "3", version), ("a/2", None, version), ("a/3", "new", 0),
    ]  # fmt: skip
    store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes))
    assert [doc.text for doc in tree.list("a/")] == ["3", "new"]
