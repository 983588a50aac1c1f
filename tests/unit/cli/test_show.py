from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.cli import show

yaml: Any = pytest.importorskip("yaml")

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x85\u2028\u2029\ufeff\x7f", exclude_categories=["Cc"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "no", "y", "x-1", "9", "", "null", "a b"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_yaml_says_the_same_as_json(value: Any) -> None:
    assert yaml.safe_load(show.render(value, "yaml")) == value


def test_json_is_one_line_with_sorted_keys() -> None:
    assert show.render({"b": 1, "a": ["ü"]}, "json") == '{"a":["ü"],"b":1}'
    assert show.render({"a": 1}, "json-pretty") == '{\n   "a": 1\n}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("pve", "pve"),
        (7, "7"),
        (["a", "b"], "a\nb"),
        ([], ""),
        ({"b": 2, "a": {"x": 1}}, 'a: {"x":1}\nb: 2'),
        ([{"id": "one", "n": 1}, {"id": "two", "n": 10, "more": "x"}], "id   more   n\none         1\ntwo  x     10"),
    ],
)
def test_plain_text(value: Any, text: str) -> None:
    assert show.render(value, "text") == text


def test_an_unknown_format_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        show.render(1, "xml")


def test_guests_look_as_users_know_them() -> None:
    rows = [
        {"vmid": 100, "name": "web", "status": "running", "maxmem": 2 << 30, "maxdisk": 32 << 30, "pid": 4711},
        {"vmid": 101, "status": "stopped"},
    ]
    assert show.render(rows, "text", "guests") == (
        "VMID  NAME  STATUS   MEM(MB)  BOOTDISK(GB)   PID\n"
        " 100  web   running     2048         32.00  4711\n"
        " 101  -     stopped        0          0.00     0"
    )
    assert show.render([], "text", "guests", header=False) == ""


def test_pending_changes_are_marked() -> None:
    rows = [
        {"key": "cores", "value": 2, "pending": 4},
        {"key": "net0", "value": "virtio", "delete": 1},
        {"key": "name", "value": "web"},
        {"key": "tags", "pending": "a"},
    ]
    assert show.render(rows, "text", "pending").splitlines() == [
        "cur cores: 2", "new cores: 4", "cur net0: virtio", "del net0", "cur name: web", "new tags: a",
    ]  # fmt: skip


def test_storages_and_volumes() -> None:
    row = {"storage": "local", "type": "dir", "enabled": 1, "active": 1, "total": 4096, "used": 1024, "avail": 3072}
    assert show.render([row], "text", "storages").splitlines()[1].split() == [
        "local", "dir", "active", "4", "1", "3", "25.00%",
    ]  # fmt: skip
    assert "disabled" in show.render([{**row, "enabled": 0}], "text", "storages")
    assert "N/A" in show.render([{**row, "total": 0, "active": 0}], "text", "storages")


def test_a_command_line_can_be_pasted() -> None:
    words = ["qemu", "-name", "a b", "-m", "512"]
    assert show.render(words, "text", "command") == "qemu -name 'a b' -m 512"
    assert show.render(words, "text", show.pretty("command", {"pretty": "1"})) == "qemu \\\n  -name 'a b' \\\n  -m 512"
    assert show.pretty("status", {"pretty": "1"}) == "status"


def test_a_plan_tells_all_it_would_do() -> None:
    said = {
        "writes": [{"key": "guest/100", "action": "change", "diff": "--- now\n+++ then\n@@ -1 +1 @@\n-a: 1\n+a: 2"}],
        "volumes": [{"verb": "create", "volid": "local:100/x.raw", "size": 1024}],
        "effects": ["starts VM 100"],
        "warnings": ["it is slow"],
    }
    assert show.plan({"plan": said, "token": "TOKEN"}).splitlines() == [
        "change guest/100",
        "    @@ -1 +1 @@",
        "    -a: 1",
        "    +a: 2",
        "create volume local:100/x.raw (1024 bytes)",
        "starts VM 100",
        "WARNING: it is slow",
        "",
        "To do exactly this within an hour: the same command with --apply TOKEN",
    ]
    nothing: dict[str, list[Any]] = {"writes": [], "volumes": [], "effects": [], "warnings": []}
    assert show.plan({"plan": nothing, "token": "T"}).startswith("nothing would change")
