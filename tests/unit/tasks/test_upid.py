"""UPIDs: the cases of the yardstick, round trips, numbers that are never given twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import ParamError
from corral.tasks.log import status_of
from corral.tasks.upid import Counter, Upid, issue
from tests.unit.tasks.toys import FakeClock


def cases() -> dict[str, list[dict[str, Any]]]:
    """The yardstick's cases, or a skip that says where they were looked for."""
    root = Path(os.environ.get("CORRAL_CASES", Path(__file__).parents[3].parent / "shared" / "cases"))
    path = root / "units" / "upid.json"
    if not path.exists():
        pytest.skip(f"no cases at {path}: set CORRAL_CASES")
    loaded: dict[str, list[dict[str, Any]]] = json.loads(path.read_text())
    return loaded


def test_every_case_of_the_yardstick_is_read_and_printed() -> None:
    for case in cases()["decode"]:
        if case.get("error"):
            with pytest.raises(ParamError) as caught:
                Upid.parse(case["upid"])
            assert caught.value.errors == {"upid": "unable to parse worker upid"}
            continue
        upid = Upid.parse(case["upid"])
        assert {name: getattr(upid, name) for name in case["fields"]} == case["fields"]
        if case["round_trip"]:
            assert str(upid) == case["upid"]


def test_the_status_is_read_from_the_last_line_as_in_the_yardstick() -> None:
    for case in cases()["status_from_log"]:
        assert status_of(case["log"]) == case["status"]


words = st.text(st.sampled_from("abcXYZ019-_.@!"), min_size=1, max_size=12)


@given(
    st.builds(
        Upid,
        node=st.just("n1"),
        pid=st.integers(0, 0xFFFFFFFF),
        pstart=st.integers(0, 0xFFFFFFFFF),
        starttime=st.integers(0, 0xFFFFFFFF),
        type=words,
        id=words | st.just(""),
        user=words,
    )
)
def test_what_is_printed_is_parsed(upid: Upid) -> None:
    assert Upid.parse(str(upid)) == upid


@pytest.mark.parametrize(
    "text", ["UPID:n:0:0:0:t::u:", "UPID:n:00000001:00000001:00000001:t:a/b:u@pam:", "", "x" * 500]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ParamError):
        Upid.parse(text)


def test_numbers_are_not_given_twice_after_a_restart(tmp_path: Path) -> None:
    first, second = Counter(tmp_path / "count"), Counter(tmp_path / "count")
    numbers = [first.next() for _ in range(5)] + [second.next() for _ in range(1500)]
    numbers += [Counter(tmp_path / "count").next(), first.next()]
    assert len(set(numbers)) == len(numbers)


def test_a_token_is_told_from_its_user(tmp_path: Path) -> None:
    upid = issue(Counter(tmp_path / "c"), FakeClock(), node="n1", kind="qmstart", of="100", user="a@pve!ci")
    assert (upid.owner, upid.token) == ("a@pve", "ci")
    with pytest.raises(ParamError):
        issue(Counter(tmp_path / "c"), FakeClock(), node="n1", kind="qmstart", of="a b", user="a@pve")
