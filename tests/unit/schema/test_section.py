"""Section configurations: what is written into a value stays in it."""

from __future__ import annotations

import pytest

from corral.access.realms import PLUGINS
from corral.access.realms.base import config_types
from corral.access.realms.pve import PveConfig
from corral.core.errors import ParamError
from corral.schema.section import Section, parse_sections, print_sections

BREAKS = ("\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("character", BREAKS)
def test_a_character_that_looks_like_a_line_break_makes_no_line(character: str) -> None:
    config = PveConfig(comment=f"ours{character}\tdefault 1{character}pam: forged")
    text = print_sections([Section(type="pve", id="pve", config=config)])
    read = parse_sections(text, config_types(PLUGINS))
    assert list(read) == ["pve"]
    assert read["pve"].config is not None
    assert read["pve"].config.default is None


@pytest.mark.parametrize("character", ["\n", "\r"])
def test_a_line_break_is_refused(character: str) -> None:
    config = PveConfig(comment=f"ours{character}\tdefault 1")
    with pytest.raises(ParamError):
        print_sections([Section(type="pve", id="pve", config=config)])


def test_files_of_other_systems_are_read() -> None:
    read = parse_sections("pve: pve\r\n\tcomment ours\r\n\tdefault 1\r\n", config_types(PLUGINS))
    assert read["pve"].config == PveConfig(comment="ours", default=True)
