"""`datacenter.cfg`: what is written is kept, what is read is typed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from corral.cluster.datacenter import Datacenter, Migration, NextId, read, wire
from corral.cluster.optionfile import OptionFile, parse_options
from corral.core.errors import ParamError
from corral.schema.fields import struct_fields

TEXT = """#Our cluster
#100%25 up
bwlimit: default=102400,restore=51200
crs: ha=static,ha-rebalance-on-start=1
future-option: kept=1
keyboard: de
mac_prefix: AA:BB:CC
migration: secure,network=10.0.0.0/24
next-id: lower=200,upper=300
registered-tags: a;b
tag-style: color-map=a:ff0000,shape=full
"""


def test_a_file_in_order_prints_unchanged() -> None:
    file = parse_options(TEXT, Datacenter)
    assert str(file) == TEXT
    assert file.options.description == "Our cluster\n100% up\n"
    assert file.options.vmid_range == range(200, 300)
    assert file.options.migration == Migration(network="10.0.0.0/24", type="secure")


def test_unreadable_values_are_kept() -> None:
    text = "keyboard: klingon\nmigration: sideways\n"
    file = parse_options(text, Datacenter)
    assert file.options == Datacenter()
    assert str(file) == text


def test_objects_on_the_wire() -> None:
    shown = wire(parse_options(TEXT, Datacenter))
    assert shown["migration"] == {"type": "secure", "network": "10.0.0.0/24"}
    assert shown["next-id"] == {"lower": 200, "upper": 300}
    assert shown["registered-tags"] == ["a", "b"]
    assert shown["bwlimit"] == "default=102400,restore=51200"
    assert shown["crs"] == {"ha": "static", "ha-rebalance-on-start": "1"}


def test_changes_set_and_delete() -> None:
    file = parse_options(TEXT, Datacenter).changed(
        Datacenter(next_id=NextId(lower=5000)), ("keyboard", "future-option")
    )
    assert file.options.vmid_range.start == 5000
    assert file.options.keyboard is None
    assert "future-option" not in str(file)
    assert file.options.mac_prefix == "AA:BB:CC"


def test_set_and_deleted_at_once_is_an_error() -> None:
    file = parse_options(TEXT, Datacenter)
    with pytest.raises(ParamError):
        file.changed(Datacenter(keyboard="fr"), ("keyboard",))
    with pytest.raises(ParamError):
        file.changed(Datacenter(), ("nonsense",))


def test_a_line_break_can_not_forge_an_option() -> None:
    with pytest.raises(ParamError):
        str(OptionFile(options=Datacenter(http_proxy="http://a\nfencing: both")))
    described = OptionFile(options=Datacenter(description="a\nfencing: both\r\nx%"))
    again = parse_options(str(described), Datacenter)
    assert again.options.fencing is None


def test_an_absent_record_has_nothing_set() -> None:
    assert wire(read(None)) == {}


def test_every_option_of_the_yardstick_is_there() -> None:
    path = Path(os.environ.get("CORRAL_YARDSTICK", Path(__file__).parents[4] / "shared/pve-api")) / "endpoints.json"
    if not path.exists():
        pytest.skip(f"no yardstick at {path}")
    endpoints = json.loads(path.read_text())
    put = next(each for each in endpoints if each["path"] == "/cluster/options" and each["method"] == "PUT")
    assert {field.wire for field in struct_fields(Datacenter)} == put["params"].keys() - {"delete"}


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
@pytest.mark.parametrize("option", ["description", "consent_text"])
def test_a_character_that_looks_like_a_line_break_makes_no_option(option: str, character: str) -> None:
    said = f"hello{character}keyboard: de"
    file = OptionFile(options=Datacenter()).changed(replace(Datacenter(), **{option: said}), ())
    found = parse_options(str(file), Datacenter).options
    assert found.keyboard is None
    assert (getattr(found, option) or "").rstrip("\n") == said
