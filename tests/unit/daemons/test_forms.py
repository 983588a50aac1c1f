"""Forms are read before anybody has logged in: their cost must stay in proportion to their length."""

from __future__ import annotations

import pytest

from corral.core.errors import ParamError
from corral.daemons import http


def test_a_name_that_is_repeated_becomes_a_list_of_all_its_values() -> None:
    assert http.parse_form("a=1&a=1&b=&a=2;b") == {"a": ["1", "1", "2"], "b": ["", ""]}


def test_a_form_of_millions_of_pairs_is_refused_unread() -> None:
    with pytest.raises(ParamError) as caught:
        http.parse_form("a&" * (http.MAX_BODY // 2))
    assert caught.value.errors == {"_root": "too many parameters (more than 20000)"}


def test_a_form_may_be_as_long_as_any_call_needs() -> None:
    assert len(http.parse_form("&".join(["a=1"] * http.MAX_PAIRS))["a"]) == http.MAX_PAIRS
