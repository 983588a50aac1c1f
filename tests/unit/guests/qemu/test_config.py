"""The configuration of a virtual machine: what is read, what is kept, and how pending changes come to be."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.core.errors import ParamError
from corral.guests.qemu.config import EMPTY, VmConfig, differences, has_volume, is_drive, places, value_of
from corral.guests.qemu.devices.net import Net
from corral.guests.qemu.memory import Memory
from corral.schema.fields import Invalid

TEXT = """\
#Web server%3A 50%25 of caf%C3%A9
cores: 2
memory: 2048
net0: virtio=BC:24:11:2C:69:EC,bridge=vmbr0,firewall=1
scsi0: local:100/vm-100-disk-0.qcow2,iothread=1,size=4G
"""


def _parse_cases(path: Path) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((path / "vm-config" / "parse.json").read_text())
    return loaded


def test_every_shared_case_is_written_as_it_must_be(cases: Path) -> None:
    for case in _parse_cases(cases):
        assert str(VmConfig.parse(case["input"])) == case["output"], case["name"]


def test_strict_parsing_refuses_what_the_shared_cases_refuse(cases: Path) -> None:
    for case in _parse_cases(cases):
        if case["strict_error"]:
            with pytest.raises(Invalid):
                VmConfig.parse(case["input"], strict=True)
        else:
            assert str(VmConfig.parse(case["input"], strict=True)) == case["output"], case["name"]


def test_a_description_is_decoded_and_encoded() -> None:
    config = VmConfig.parse(TEXT)
    assert config.options.description == "Web server: 50% of café"
    assert str(config) == TEXT
    assert str(config.replace(description="two\nlines: 1%")).startswith("#two\n#lines%3A 1%25\n")


def test_options_are_typed() -> None:
    options = VmConfig.parse(TEXT).options
    assert options.memory == Memory(current=2048)
    assert options.net[0].model == "virtio"
    assert options.scsi[0].iothread is True


def test_unknown_options_and_keys_are_kept() -> None:
    text = "cores: 2\nfrobnicate: 7\nnet0: virtio=BC:24:11:2C:69:EC,bridge=vmbr0,warp=9\n"
    config = VmConfig.parse(text)
    assert not config.faults
    assert config.options.net[0].bridge == "vmbr0"
    assert str(config.replace(net=config.options.net)) == text


def test_a_faulty_value_is_left_out_and_noted() -> None:
    config = VmConfig.parse("cores: many\nmemory: 512\n")
    assert str(config) == "memory: 512\n"
    assert "cores" in config.faults


def test_the_old_name_of_the_cdrom_drive_is_understood() -> None:
    assert VmConfig.parse("cdrom: none\n").options.ide[2].file == "none"


def test_replacing_answers_a_new_value() -> None:
    config = VmConfig.parse(TEXT)
    changed = config.replace(cores=None, net={1: Net(model="e1000")})
    assert config.options.cores == 2
    assert changed.options.cores is None
    assert [change.key for change in differences(config, changed)] == ["cores", "net0", "net1"]
    assert "net1: e1000\n" in str(changed)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("cores", "0"),
        ("net0", "virtio,bogus=1"),
        ("net32", "virtio"),
        ("nonsense", "1"),
        ("ciuser", "root\nargs: -foo"),
        ("scsi0", "local:1\n"),
        ("name", ""),
    ],
)
def test_bad_values_are_refused(key: str, text: str) -> None:
    with pytest.raises(ParamError) as caught:
        EMPTY.set({key: text})
    assert list(caught.value.errors) == [key]


def test_pending_changes_are_noted_and_applied() -> None:
    config = VmConfig.parse(TEXT).with_pending({"memory": "4096", "net0": None, "cores": "2"})
    assert "[PENDING]\ndelete: net0\nmemory: 4096\n" in str(config)
    rows = {row.key: row for row in config.pending_view()}
    assert rows["memory"].pending == "4096"
    assert rows["net0"].delete == 1
    assert rows["cores"].pending is None
    applied = config.apply_pending()
    assert not applied.pending.raw
    assert applied.options.memory == Memory(current=4096)
    assert not applied.options.net


def test_setting_the_current_value_takes_a_pending_change_back() -> None:
    config = VmConfig.parse(TEXT).with_pending({"memory": "4096", "net0": None})
    again = config.with_pending({"memory": "2048", "net0": "virtio=BC:24:11:2C:69:EC,bridge=vmbr0,firewall=1"})
    assert not again.pending.raw


def test_pending_changes_can_be_applied_and_reverted_one_by_one() -> None:
    config = VmConfig.parse(TEXT).with_pending({"memory": "4096", "cores": "4", "scsi0": None}, force=True)
    assert config.pending.raw["delete"] == "!scsi0"
    partly = config.apply_pending(frozenset({"cores"}))
    assert partly.options.cores == 4
    assert set(partly.pending.raw) == {"memory", "delete"}
    assert set(partly.revert_pending(frozenset({"scsi0"})).pending.raw) == {"memory"}


def test_passwords_are_masked_in_the_pending_view() -> None:
    config = EMPTY.set({"cipassword": "$5$x$y"}).with_pending({"cipassword": "$5$z$z"})
    (row,) = config.pending_view()
    assert row.value == row.pending == "**********"


def test_unused_volumes_get_the_lowest_free_number() -> None:
    config = EMPTY.set({"unused0": "local:100/a.raw", "unused2": "local:100/b.raw"}).with_unused("local:100/c.raw")
    assert config.raw["unused1"] == "local:100/c.raw"
    assert config.with_unused("local:100/c.raw") is config


def test_the_digest_is_that_of_the_text() -> None:
    expected = hashlib.sha1(b"cores: 2\n", usedforsecurity=False).hexdigest()
    assert VmConfig.parse("cores: 2\n").digest == VmConfig.parse("cores:   2\n\n").digest == expected


def test_snapshots_come_and_go() -> None:
    config = VmConfig.parse(TEXT)
    taken = config.with_snapshot("before", {**config.raw, "snaptime": "7"}).replace(parent="before", cores=8)
    assert taken.snapshots["before"].options.snaptime == 7
    assert "before" in str(taken)
    back = taken.with_current(taken.snapshots["before"].raw).replace(snaptime=None, parent="before")
    assert back.options.cores == 2
    assert str(back.with_snapshot("before", None).replace(parent=None)) == TEXT


def test_special_sections_are_replaced_whole() -> None:
    config = VmConfig.parse(TEXT).with_special("cloudinit", {"name": "old"})
    assert "[special:cloudinit]\nname: old\n" in str(config)
    assert str(config.with_special("cloudinit", {})) == TEXT


def test_volumes_are_named_with_the_option_that_has_them() -> None:
    config = EMPTY.set(
        {
            "scsi0": "lvm:vm-1-disk-0",
            "ide2": "none,media=cdrom",
            "sata0": "/dev/sda",
            "efidisk0": "lvm:vm-1-disk-1",
            "unused3": "lvm:vm-1-disk-2",
            "vmstate": "lvm:vm-1-state-x",
        }
    )
    assert config.volids() == {
        "scsi0": "lvm:vm-1-disk-0",
        "efidisk0": "lvm:vm-1-disk-1",
        "unused3": "lvm:vm-1-disk-2",
        "vmstate": "lvm:vm-1-state-x",
    }
    assert "unused3" not in config.volids(unused=False)
    assert [key for key, _ in config.drives()] == ["ide2", "scsi0", "sata0"]
    assert is_drive("scsi30")
    assert has_volume("tpmstate0")
    assert not has_volume("unused0")


def test_a_cloud_init_drive_is_told_from_other_media() -> None:
    drive = value_of("ide2", "local:100/vm-100-cloudinit.qcow2,media=cdrom")
    assert drive.cloudinit
    assert not value_of("ide2", "local:iso/vm-100-cloudinit-guide.iso,media=cdrom").cloudinit


def test_an_empty_boot_order_is_read() -> None:
    assert VmConfig.parse("boot: \n").options.boot == value_of("boot", "")


# --- for all texts ----------------------------------------------------------------------------------------------------

_KEYS = st.sampled_from([*sorted(places()), "cdrom", "delete", "warp"])
_LINES = st.one_of(
    st.tuples(_KEYS, st.text(max_size=40)).map(lambda pair: f"{pair[0]}: {pair[1]}"),
    st.sampled_from(["[PENDING]", "[special:cloudinit]", "[snap1]", "[special:x]", "[", "[]", "#", "# %41", "#%"]),
    st.text(max_size=60),
)


@settings(deadline=None)
@given(st.lists(_LINES, max_size=30).map("\n".join))
def test_any_text_is_read_and_written_text_is_stable(text: str) -> None:
    once = VmConfig.parse(text)
    again = VmConfig.parse(str(once))
    assert str(again) == str(once)
    assert again.options == once.options


@settings(deadline=None)
@given(st.lists(_LINES, max_size=10).map("\n".join))
def test_strict_parsing_raises_nothing_but_invalid(text: str) -> None:
    try:
        VmConfig.parse(text, strict=True)
    except Invalid:
        return


@settings(deadline=None)
@given(_KEYS, st.text(max_size=60))
def test_setting_any_text_works_or_is_a_parameter_error(key: str, text: str) -> None:
    try:
        config = EMPTY.set({key: text})
    except ParamError:
        return
    assert VmConfig.parse(str(config)).raw == config.raw


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_description_survives(text: str) -> None:
    text = text.rstrip("\n")
    config = EMPTY.set({"description": text}).set({"cores": "1"})
    assert VmConfig.parse(str(config)).raw == config.raw


def test_texts_of_property_strings_are_read_by_key() -> None:
    assert value_of("net0", "virtio,bridge=vmbr1") == Net(model="virtio", bridge="vmbr1")
    with pytest.raises(Invalid):
        value_of("net0", "bridge=vmbr1")
