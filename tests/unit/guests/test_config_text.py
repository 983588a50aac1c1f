"""Sections and lines of a guest's configuration, whatever the options mean."""

from __future__ import annotations

import pytest

from corral.guests.config_text import Change, GuestText, decode, deletions, differences, encode, parse, show_deletions
from corral.schema.fields import Invalid

TEXT = """\
#one
#two%3A
a: 1

[PENDING]
description: new
delete: b

[special:cloudinit]
name: x

[early]
a: 0

[late]
#then
a: 0
"""


def _no_check(key: str, text: str) -> str | None:
    return "bad" if text == "bad" else None


def _parse(text: str, *, strict: bool = False) -> tuple[GuestText, dict[str, str]]:
    return parse(text, _no_check, special=frozenset({"cloudinit"}), strict=strict)


def test_a_text_in_order_is_written_as_it_was_read() -> None:
    found, faults = _parse(TEXT)
    assert not faults
    assert str(found) == TEXT
    assert found.current == {"description": "one\ntwo:", "a": "1"}
    assert found.pending == {"delete": "b", "description": "new"}
    assert found.snapshots["late"]["description"] == "then"


def test_options_and_sections_are_sorted() -> None:
    found, _ = _parse("b: 2\na: 1\n[snap2]\n[snap1]\n[pending]\nc: 1\n")
    assert str(found) == "a: 1\nb: 2\n\n[PENDING]\nc: 1\n\n[snap1]\n\n[snap2]\n"


@pytest.mark.parametrize(
    "text", ["nonsense\n", "a: bad\n", "[:3]\na: 1\n", "[x\n", "[special:other]\n", "[snap]\n[snap]\n"]
)
def test_faults_are_noted_or_refused(text: str) -> None:
    assert _parse(text)[1]
    with pytest.raises(Invalid):
        _parse(text, strict=True)


def test_line_ends_of_other_systems_and_blank_lines_do_not_matter() -> None:
    assert _parse("\r\na: 1\r\n\r\n\r\n[snap]\r\na:   2  \r\n")[0] == _parse("a: 1\n[snap]\na: 2\n")[0]


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a: b", "a%3A b"),
        ("100%", "100%25"),
        ("café", "caf%C3%A9"),
        ("tab\t", "tab%09"),
        ("end ", "end%20"),
        ("<b>/x#", "<b>/x#"),
    ],
)
def test_descriptions_are_encoded_line_by_line(text: str, encoded: str) -> None:
    assert encode(text) == encoded
    assert decode(encoded) == text


def test_deletions_know_force() -> None:
    assert deletions({"delete": "b,!a"}) == {"b": False, "a": True}
    assert show_deletions({"b": False, "a": True}) == "!a,b"


def test_differences_name_what_came_and_went() -> None:
    assert list(differences({"a": "1", "b": "1"}, {"b": "2", "c": "3"})) == [
        Change("a", "1", None),
        Change("b", "1", "2"),
        Change("c", None, "3"),
    ]
