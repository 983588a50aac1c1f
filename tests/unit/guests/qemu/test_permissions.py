"""Who may set what: the table is whole, and values decide where the option alone does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from corral.core.errors import Forbidden
from corral.core.identity import ROOT, Identity
from corral.core.layout import Layout
from corral.guests.qemu.options import VmOptions
from corral.guests.qemu.permissions import CHANGES, TABLE, Rules, privilege_of
from corral.guests.qemu.permissions import ROOT as ONLY_ROOT
from corral.schema.fields import struct_fields
from corral.storage.service import Storages
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock, FakeRun


@dataclass
class Caller:
    """A caller with privileges by path."""

    who: Identity = field(default_factory=lambda: Identity("alice@pve"))
    held: dict[str, set[str]] = field(default_factory=dict)

    def may(self, path: str, *privs: str) -> bool:
        return self.who.is_root or set(privs) <= self.held.get(path, set())

    def may_any(self, path: str, *privs: str) -> bool:
        return self.who.is_root or bool(set(privs) & self.held.get(path, set()))

    def need(self, path: str, *privs: str) -> None:
        if not self.may(path, *privs):
            raise Forbidden(f"Permission check failed ({path}, {privs[0]})")

    def need_any(self, path: str, *privs: str) -> None:
        if not self.may_any(path, *privs):
            raise Forbidden(f"Permission check failed ({path}, {'|'.join(privs)})")


@pytest.fixture
def storages(tmp_path: Path, run: FakeRun, clock: FakeClock) -> Storages:
    return Storages(node="n1", tree=MemoryStore(clock), run=run, clock=clock, layout=Layout(tmp_path))


def rules(storages: Storages, caller: Caller, **more: str) -> Rules:
    return Rules(caller, storages, 100, **more)


def test_every_option_has_its_place_in_the_table_and_nothing_else_does() -> None:
    names = {each.wire if each.indexes is None else f"{each.wire}0" for each in struct_fields(VmOptions)}
    used = {name for name in names if privilege_of(name) in {*CHANGES, ONLY_ROOT}}
    assert used == names
    bases = {each.wire for each in struct_fields(VmOptions)} | {
        each.wire.rstrip("0123456789") for each in struct_fields(VmOptions)
    }
    assert set(TABLE) <= bases


@pytest.mark.parametrize(
    ("options", "priv"),
    [
        ({"memory": "512"}, "VM.Config.Memory"),
        ({"cores": "2"}, "VM.Config.CPU"),
        ({"name": "x"}, "VM.Config.Options"),
        ({"scsihw": "virtio-scsi-pci"}, "VM.Config.HWType"),
        ({"ciuser": "x"}, "VM.Config.Cloudinit"),
        ({"net0": "virtio"}, "VM.Config.Network"),
        ({"ide2": "none,media=cdrom"}, "VM.Config.CDROM"),
        ({"serial0": "socket"}, "VM.Config.HWType"),
        ({"boot": "order=net0"}, "VM.Config.Disk"),
    ],
)
def test_each_kind_of_option_takes_its_privilege(storages: Storages, options: dict[str, str], priv: str) -> None:
    with pytest.raises(Forbidden, match=rf"/vms/100, {priv}"):
        rules(storages, Caller()).check_set(options, {})
    rules(storages, Caller(held={"/vms/100": {priv}})).check_set(options, {})
    rules(storages, Caller(held={"/pool/lab": {priv}}), pool="lab").check_set(options, {})


def test_what_stays_as_it_is_takes_no_privilege(storages: Storages) -> None:
    rules(storages, Caller()).check_set({"memory": "512"}, {"memory": "512"})


@pytest.mark.parametrize(
    "options",
    [
        {"args": "-S"},
        {"hookscript": "local:snippets/x"},
        {"serial0": "/dev/ttyS0"},
        {"usb0": "host=1234:5678"},
        {"hostpci0": "0000:00:02.0"},
        {"parallel0": "/dev/parport0"},
        {"scsi0": "/dev/sda"},
        {"scsi0": "local:0,import-from=/etc/shadow"},
        {"lock": "backup"},
    ],
)
def test_what_equals_root_on_the_host_is_root_s_alone(storages: Storages, options: dict[str, str]) -> None:
    everything = {*CHANGES, "Datastore.AllocateSpace"}
    caller = Caller(held={"/vms/100": everything, "/storage/local": everything})
    with pytest.raises(Forbidden, match="root"):
        rules(storages, caller).check_set(options, {})
    rules(storages, Caller(who=ROOT)).check_set(options, {})
    token = Caller(who=Identity("root@pam", "ci"), held=caller.held)
    with pytest.raises(Forbidden, match="root"):
        rules(storages, token).check_set(options, {})


def test_a_new_disk_takes_space_on_its_storage(storages: Storages) -> None:
    caller = Caller(held={"/vms/100": {"VM.Config.Disk"}})
    with pytest.raises(Forbidden, match=r"/storage/local, Datastore.AllocateSpace"):
        rules(storages, caller).check_set({"scsi0": "local:8"}, {})
    caller.held["/storage/local"] = {"Datastore.AllocateSpace"}
    rules(storages, caller).check_set({"scsi0": "local:8"}, {})


def test_a_disk_is_new_wherever_its_volume_stands(storages: Storages) -> None:
    caller = Caller(held={"/vms/100": {"VM.Config.Disk"}})
    with pytest.raises(Forbidden, match=r"/storage/local, Datastore.AllocateSpace"):
        rules(storages, caller).check_set({"scsi0": "cache=none,file=local:8"}, {})
    caller.held["/storage/local"] = {"Datastore.AllocateSpace"}
    rules(storages, caller).check_set({"scsi0": "cache=none,file=local:8"}, {})


def test_snippets_and_saved_memory_take_a_right_on_their_storages(storages: Storages) -> None:
    caller = Caller(held={"/vms/100": {*CHANGES}, "/storage/local": {"Datastore.Audit"}})
    rules(storages, caller).check_set({"cicustom": "user=local:snippets/u.yaml"}, {})
    with pytest.raises(Forbidden, match=r"/storage/other, Datastore.AllocateSpace\|Datastore.Audit"):
        rules(storages, caller).check_set({"cicustom": "user=local:snippets/u.yaml,meta=other:snippets/m"}, {})
    with pytest.raises(Forbidden, match=r"/storage/local, Datastore.AllocateSpace"):
        rules(storages, caller).check_set({"vmstatestorage": "local"}, {})


def test_somebody_else_s_disk_is_not_to_be_had(storages: Storages) -> None:
    caller = Caller(held={"/vms/100": {"VM.Config.Disk"}, "/storage/local": {"Datastore.AllocateSpace"}})
    rules(storages, caller).check_set({"scsi0": "local:100/vm-100-disk-0.qcow2"}, {})
    with pytest.raises(Forbidden, match=r"/vms/101, VM.Config.Disk"):
        rules(storages, caller).check_set({"scsi0": "local:101/vm-101-disk-0.qcow2"}, {})


def test_a_bridge_takes_its_use_unless_it_stays(storages: Storages) -> None:
    caller = Caller(held={"/vms/100": {"VM.Config.Network"}})
    card = "virtio=BC:24:11:00:00:01,bridge=vmbr0"
    with pytest.raises(Forbidden, match=r"/sdn/zones/localnetwork/vmbr0, SDN.Use"):
        rules(storages, caller).check_set({"net0": card}, {})
    rules(storages, caller).check_set({"net0": card + ",rate=5"}, {"net0": card})
    with pytest.raises(Forbidden, match=r"SDN\.Use"):
        rules(storages, caller).check_set({"net0": card + ",tag=5"}, {"net0": card})
    caller.held["/sdn/zones/localnetwork/vmbr0/5"] = {"SDN.Use"}
    rules(storages, caller).check_set({"net0": card + ",tag=5"}, {"net0": card})


def test_removing_takes_what_setting_takes(storages: Storages) -> None:
    with pytest.raises(Forbidden, match=r"VM.Config.Memory"):
        rules(storages, Caller()).check_unset(["memory"], {})
    with pytest.raises(Forbidden, match=r"VM.Config.CDROM"):
        rules(storages, Caller()).check_unset(["ide2"], {"ide2": "none,media=cdrom"})
    with pytest.raises(Forbidden, match=r"VM.Config.Disk"):
        rules(storages, Caller()).check_unset(["unused0"], {"unused0": "local:100/vm-100-disk-0.raw"})
    with pytest.raises(Forbidden, match="root"):
        rules(storages, Caller(held={"/vms/100": {*CHANGES}})).check_unset(["args"], {"args": "-S"})


def test_a_custom_cloud_init_file_takes_the_right_to_see_its_storage(storages: Storages) -> None:
    caller = Caller(held={"/vms/100": {"VM.Config.Cloudinit"}})
    wanted = {"cicustom": "user=local:snippets/user.yaml"}
    with pytest.raises(Forbidden, match=r"/storage/local"):
        rules(storages, caller).check_set(wanted, {})
    caller.held["/storage/local"] = {"Datastore.Audit"}
    rules(storages, caller).check_set(wanted, {})
