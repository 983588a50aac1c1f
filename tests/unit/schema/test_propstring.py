"""Property strings: every one there is round-trips, and no text breaks a parser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corral.guests.qemu.options
import corral.storage.base  # noqa: F401  declares property strings of its own
from corral.guests.qemu.devices.net import Net
from corral.schema.fields import Field, Invalid
from corral.schema.propstring import PropertyString, fields_by_wire


def _subclasses(cls: type[PropertyString]) -> list[type[PropertyString]]:
    return [each for sub in cls.__subclasses__() for each in [sub, *_subclasses(sub)]]


ALL = [cls for cls in _subclasses(PropertyString) if cls.__module__.startswith("corral.")]

# One text per named grammar that a strategy can't guess.
SAMPLES = {
    "mac-addr": ["BC:24:11:2C:69:EC", "02:00:00:00:00:01"],
    "pve-bridge-id": ["vmbr0", "net-1.2"],
    "pve-configid": ["ab", "map_1"],
    "pve-volume-id": ["local:iso/x.iso", "lvm:vm-100-disk-0"],
    "pve-volume-id-or-qm-path": ["none", "cdrom", "local:100/vm-100-disk-0.qcow2", "/dev/sda", "local:32"],
    "pve-volume-id-or-absolute-path": ["/x/y.img", "local:import/a.qcow2"],
    "disk-size": ["4G", "104858K", "1.5T"],
    "urlencoded": ["a%20b", ""],
    "ipv4": ["10.0.0.1"],
    "ipv6": ["fe80::1"],
    "pve-ipv4-config": ["dhcp", "manual", "10.0.0.5/24"],
    "pve-ipv6-config": ["auto", "fd00::2/64"],
    "pve-phys-bits": ["host", "40"],
    "pve-qm-bootdev-list": ["scsi0;ide2;net0", "usb13"],
}


def _value(field: Field) -> st.SearchStrategy[str]:
    if field.enum:
        return st.sampled_from(field.enum)
    if field.format is not None and field.format.name in SAMPLES:
        return st.sampled_from(SAMPLES[field.format.name])
    if field.kind == "boolean":
        return st.sampled_from(["0", "1", "on", "Yes", "off"])
    if field.kind in ("integer", "number"):
        low = int(field.minimum) if field.minimum is not None else 0
        high = int(field.maximum) if field.maximum is not None else low + 10**6
        return st.integers(low, high).map(str)
    if field.regex is not None:
        most = field.max_length or 1000
        texts = st.from_regex(re.compile(field.regex, re.ASCII), fullmatch=True)
        return texts.filter(lambda text: text == text.strip() and text.isprintable() and len(text) <= most)
    return st.from_regex(r"[A-Za-z0-9._/-]{1,12}", fullmatch=True)


@st.composite
def _texts(draw: st.DrawFn, cls: type[PropertyString]) -> str:
    parts = []
    chosen = set()
    for key, field in fields_by_wire(cls).items():
        if not field.optional or draw(st.booleans()):
            chosen.add(key)
    for key in list(chosen):
        needed = fields_by_wire(cls)[key].requires
        if needed:
            chosen.add(needed)
    for key in sorted(chosen):
        parts.append(f"{key}={draw(_value(fields_by_wire(cls)[key]))}")
    return ",".join(draw(st.permutations(parts)))


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_as_the_same_value(cls: type[PropertyString], data: st.DataObject) -> None:
    value = cls.parse(data.draw(_texts(cls)))
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
