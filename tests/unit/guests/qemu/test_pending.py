"""Pending changes and what they leave of volumes; which options change in a running machine."""

from __future__ import annotations

from typing import Any

import pytest

from corral.guests.config_text import Change
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.create import boot_order, complete
from corral.guests.qemu.life.hotplug import HotPlug
from corral.guests.qemu.life.pending import drop_taken, is_record_only, keep_volumes, launched_with, settled
from corral.guests.qemu.life.power import startup_of
from corral.guests.qemu.life.volumes import asks_for_new, read_size, show_size
from corral.guests.qemu.options import VmOptions
from corral.schema.fields import struct_fields
from corral.tasks.base import Draws

DISK = "local:100/vm-100-disk-0.qcow2,size=8G"
NET = "virtio=BC:24:11:00:00:01,bridge=vmbr0"


def config(text: str) -> VmConfig:
    return VmConfig.parse(text, strict=True)


def test_a_dropped_disk_is_kept_as_unused_and_a_forced_one_is_freed() -> None:
    before = config(f"scsi0: {DISK}\n")
    kept = keep_volumes(before, before.set({"scsi0": None}))
    assert kept.config.raw["unused0"] == "local:100/vm-100-disk-0.qcow2"
    assert kept.freed == ()
    freed = keep_volumes(before, before.set({"scsi0": None}), frozenset({"scsi0"}))
    assert freed.config.raw == {}
    assert freed.freed == ("local:100/vm-100-disk-0.qcow2",)


def test_a_disk_that_a_snapshot_names_is_never_freed() -> None:
    before = config(f"scsi0: {DISK}\n\n[snap]\nscsi0: {DISK}\nsnaptime: 1\n")
    assert keep_volumes(before, before.set({"scsi0": None}), frozenset({"scsi0"})).freed == ()


def test_an_iso_image_leaves_no_trace_and_a_cloud_init_drive_goes() -> None:
    before = config("ide2: local:iso/a.iso,media=cdrom\nide3: local:100/vm-100-cloudinit.qcow2,media=cdrom\n")
    result = keep_volumes(before, before.set({"ide2": None, "ide3": None}))
    assert result.config.raw == {}
    assert result.freed == ("local:100/vm-100-cloudinit.qcow2",)


def test_an_unused_volume_that_is_attached_again_is_unused_no_more() -> None:
    after = drop_taken(config("scsi1: local:100/vm-100-disk-0.qcow2\nunused0: local:100/vm-100-disk-0.qcow2\n"))
    assert set(after.raw) == {"scsi1"}


def test_pending_removal_by_force_frees_when_it_takes_effect() -> None:
    waiting = config(f"memory: 256\nscsi0: {DISK}\n").with_pending({"scsi0": None, "memory": "512"}, force=True)
    result = settled(waiting)
    assert result.config.raw == {"memory": "512"}
    assert result.freed == ("local:100/vm-100-disk-0.qcow2",)
    part = settled(waiting, frozenset({"memory"}))
    assert part.config.raw["memory"] == "512"
    assert "scsi0" in part.config.raw
    assert "delete" in part.config.pending.raw


nobody: Any = None
PLUG = HotPlug(nobody, nobody, nobody)


@pytest.mark.parametrize(
    ("text", "change", "now"),
    [
        ("", Change("net0", None, NET), True),
        ("hotplug: 0\n", Change("net0", None, NET), False),
        ("hotplug: 0\n", Change("net0", NET, NET + ",link_down=1"), True),
        ("", Change("net0", NET, None), True),
        ("", Change("scsi1", None, DISK), True),
        ("", Change("virtio1", DISK, None), True),
        ("", Change("ide1", None, DISK), False),
        ("", Change("sata1", DISK, None), False),
        ("hotplug: network\n", Change("scsi1", None, DISK), False),
        ("", Change("scsi1", DISK, DISK + ",mbps_rd=5"), True),
        ("", Change("scsi1", DISK, DISK + ",cache=writeback"), False),
        ("", Change("ide1", DISK, DISK + ",backup=0"), True),
        ("", Change("ide2", "none,media=cdrom", "local:iso/a.iso,media=cdrom"), True),
        ("", Change("memory", "256", "512"), False),
        ("", Change("cores", "1", "2"), False),
        ("", Change("tablet", None, "0"), True),
        ("hotplug: disk\n", Change("tablet", None, "0"), False),
        ("", Change("balloon", None, "128"), True),
        ("", Change("balloon", None, "0"), False),
        ("", Change("cpuunits", None, "50"), True),
        ("", Change("vcpus", None, "2"), False),
        ("hotplug: cpu\n", Change("vcpus", None, "2"), True),
        ("", Change("machine", None, "q35"), False),
    ],
)
def test_what_changes_in_the_running_machine(text: str, change: Change, now: bool) -> None:
    assert PLUG.can(config(text), change) is now


def test_record_only_options_exist() -> None:
    names = {each.wire if each.indexes is None else f"{each.wire}0" for each in struct_fields(VmOptions)}
    chosen = {name for name in names if is_record_only(name)}
    assert {"description", "name", "onboot", "unused0", "ciuser", "ipconfig0"} <= chosen
    assert not chosen & {"memory", "net0", "scsi0", "agent", "args", "cpu", "bios"}


def test_a_new_guest_is_unique_and_the_same_draws_make_the_same_one() -> None:
    draws = Draws()
    first = complete({"net0": "virtio", "memory": "64"}, draws, lambda: "7.2.0", lambda: 1000.0)
    assert first["net0"].startswith("virtio=BC:24:11:")
    assert first["smbios1"].startswith("uuid=")
    assert first["meta"] == "creation-qemu=7.2.0,ctime=1000"
    assert complete({"net0": "virtio", "memory": "64"}, draws, lambda: "9", lambda: 2000.0) == first
    assert complete({"vmgenid": "0"}, Draws(), lambda: "9", lambda: 1.0).keys() == {"smbios1", "meta"}
    given = complete({"net0": NET, "smbios1": "uuid=11111111-1111-1111-1111-111111111111"}, Draws(), str, float)
    assert given["net0"] == NET
    assert given["smbios1"] == "uuid=11111111-1111-1111-1111-111111111111"


def test_the_usual_boot_order_is_first_disk_first_medium_first_card() -> None:
    text = f"ide2: none,media=cdrom\nnet0: virtio\nnet1: virtio\nscsi0: {DISK}\nscsi1: {DISK}\n"
    assert boot_order(config(text)) == "scsi0;ide2;net0"
    assert boot_order(config("memory: 64\n")) == ""


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("local:32", True),
        ("local:0.5", True),
        ("local:cloudinit", True),
        ("local:100/vm-100-disk-0.raw", False),
        ("none", False),
        ("/dev/sda", False),
    ],
)
def test_which_drives_ask_for_a_new_volume(text: str, new: bool) -> None:
    assert asks_for_new(text) is new


@pytest.mark.parametrize(
    ("size", "text"), [(32 << 30, "32G"), (540672, "528K"), (1000, "1000"), (0, "0"), (1 << 40, "1T")]
)
def test_sizes_are_shown_exactly(size: int, text: str) -> None:
    assert show_size(size) == text
    assert read_size(text) == size


def test_sizes_with_fractions_and_nonsense() -> None:
    assert read_size("1.5G") == 3 << 29
    with pytest.raises(ValueError, match="unable to parse"):
        read_size("5X")


def test_startup_is_read_in_all_its_spellings() -> None:
    assert startup_of("order=2,up=30,down=60") == {"order": 2, "up": 30, "down": 60}
    assert startup_of("3") == {"order": 3}
    assert startup_of(None) == {}


def test_what_changes_while_a_machine_is_started_waits_for_the_next_start() -> None:
    launched = config("cores: 2\nmemory: 256\nname: a\n")
    now = launched.set({"memory": "512", "cores": None, "name": "b"})
    after = launched_with(launched, now)
    assert after.raw == {"cores": "2", "memory": "256", "name": "b"}
    assert after.apply_pending().raw == now.raw
    assert launched_with(launched, launched.set({"name": "b"})).pending.raw == {}
