"""Property strings: every one there is round-trips, and no text breaks a parser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corral.cluster.datacenter
import corral.guests.qemu.options
import corral.node.config
import corral.storage.base  # noqa: F401  declares property strings of its own
from corral.guests.qemu.devices.net import Net
from corral.schema.fields import Invalid
from corral.schema.propstring import PropertyString, fields_by_wire
from tests.unit.schema.strategies import texts


def _subclasses(cls: type[PropertyString]) -> list[type[PropertyString]]:
    return [each for sub in cls.__subclasses__() for each in [sub, *_subclasses(sub)]]


ALL = [cls for cls in _subclasses(PropertyString) if cls.__module__.startswith("corral.")]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_as_the_same_value(cls: type[PropertyString], data: st.DataObject) -> None:
    value = cls.parse(data.draw(texts(cls)))
    assert cls.parse(str(value)) == value
    assert str(cls.parse(str(value))) == str(value)


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
@settings(max_examples=40, deadline=None)
@given(text=st.text(alphabet=st.sampled_from("ab01=,;:.-/%on \n\x00é"), max_size=40) | st.text(max_size=60))
def test_any_text_is_a_value_or_invalid(cls: type[PropertyString], text: str) -> None:
    try:
        value: Any = cls.parse(text)
    except Invalid:
        return
    assert cls.parse(str(value)) == value


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_every_key_is_described(cls: type[PropertyString]) -> None:
    for key, field in fields_by_wire(cls).items():
        assert field.text, key
        assert re.search(r"[.…]$", field.text), (key, field.text)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        Net.parse("bridge=a/b,queues=99,bogus=1")
    assert set(caught.value.errors) == {"bridge", "queues", "bogus", "model"}


def test_the_model_can_be_a_key() -> None:
    net = Net.parse("virtio=BC:24:11:2C:69:EC,bridge=vmbr0")
    assert (net.model, net.macaddr) == ("virtio", "BC:24:11:2C:69:EC")
    assert str(net) == "virtio=BC:24:11:2C:69:EC,bridge=vmbr0"
    assert str(Net.parse("bridge=vmbr0,model=e1000")) == "e1000,bridge=vmbr0"


def test_unknown_keys_are_kept_only_when_asked() -> None:
    text = "virtio,bridge=vmbr0,warp=9"
    assert str(Net.parse(text, keep_unknown=True)) == text
    with pytest.raises(Invalid):
        Net.parse(text)
