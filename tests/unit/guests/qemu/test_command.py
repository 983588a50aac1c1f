"""Rendering: what the shared cases and golden files leave open, and that no configuration breaks it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.guests.qemu import blockdev, drives
from corral.guests.qemu.args import Blockdev, Device, Netdev, Object
from corral.guests.qemu.command import Command, command
from corral.guests.qemu.config import VmConfig, places
from corral.guests.qemu.cpu import Cpu, model
from corral.guests.qemu.devices import net
from corral.guests.qemu.host import YARDSTICK, Host, Located, Sev, Version
from corral.guests.qemu.setup import Runtime, Setup, set_up
from tests.unit.guests.qemu.test_golden import DEBIAN_12, HOSTS
from tests.unit.schema.strategies import texts, value

RUNTIME = Runtime(sockets=Path("/run/vm"))
KVM = HOSTS["kvm"]


def _volumes(config: VmConfig) -> dict[str, Located]:
    return {volid: Located.at(f"/images/{volid.rpartition('/')[2]}", "raw") for volid in config.volids().values()}


def _command(text: str, host: Host = KVM, runtime: Runtime = RUNTIME) -> Command:
    config = VmConfig.parse(text, strict=True)
    return command(100, config, host, runtime, _volumes(config))


def _setup(text: str, host: Host = KVM, runtime: Runtime = RUNTIME) -> Setup:
    config = VmConfig.parse(text, strict=True)
    return set_up(100, config, host, runtime, _volumes(config))


def _with(**changes: Any) -> Host:
    return msgspec.structs.replace(KVM, **changes)


def _refused(text: str, host: Host = KVM) -> str:
    with pytest.raises(Error) as caught:
        _command(text, host)
    return str(caught.value)


# --- machine and CPU -------------------------------------------------------------------------------------------------


def test_a_guest_that_wants_kvm_is_told_when_it_is_emulated() -> None:
    made = _command("", DEBIAN_12)
    assert any("KVM" in note for note in made.notes)
    assert "-accel tcg,tb-size=256" in " ".join(made.args)
    assert not _command("kvm: 0", DEBIAN_12).warnings


def test_a_machine_newer_than_qemu_is_refused() -> None:
    assert "too old to run machine type 'pc-q35-9.0'" in _refused("machine: pc-q35-9.0", DEBIAN_12)


def test_a_forced_machine_and_cpu_win() -> None:
    runtime = msgspec.structs.replace(RUNTIME, machine="pc-i440fx-7.1", cpu="qemu64,+aes")
    made = _command("machine: q35\ncpu: host\n", KVM, runtime)
    assert (made.machine, made.cpu) == ("pc-i440fx-7.1", "qemu64,+aes")


def test_windows_stays_at_the_version_it_was_created_with() -> None:
    assert _command("ostype: win11\n").machine == "pc-i440fx-5.1"
    assert _command("ostype: win11\nmeta: creation-qemu=7.2.0\n").machine == "pc-i440fx-7.2"
    assert _command("ostype: win11\nmeta: creation-qemu=11.0.0\n", DEBIAN_12).machine == "pc-i440fx-7.2"


def test_a_custom_cpu_model_brings_its_settings() -> None:
    custom = Cpu.parse("reported-model=athlon,flags=+aes;+avx;-kvm_pv_unhalt,hv-vendor-id=testvend,phys-bits=40")
    made = _command("cpu: custom-mine,flags=+pcid\n", _with(cpu_models={"mine": custom}))
    assert made.cpu == (
        "athlon,+aes,+avx,+kvm_pv_eoi,-kvm_pv_unhalt,+pcid,enforce,hv_vendor_id=testvend,phys-bits=40,vendor=AuthenticAMD"
    )
    assert "not found" in _refused("cpu: custom-other\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu: host", "max"),
        ("cpu: x86-64-v2-AES", "qemu64,+aes,+pni,+popcnt,+sse4.1,+sse4.2,+ssse3"),
        ("cpu: kvm64,flags=+hv-tlbflush;+kvm_pv_eoi;-aes", "kvm64,-aes"),
        ("ostype: win11", "qemu64"),
    ],
)
def test_an_emulated_cpu_has_nothing_only_kvm_can(text: str, expected: str) -> None:
    assert _command(text, DEBIAN_12).cpu == expected


def test_an_unknown_cpu_is_refused() -> None:
    assert "is not defined" in _refused("cpu: Pentium9")


def test_nested_virtualization_is_named_as_the_host_names_it() -> None:
    assert "+vmx" in str(model(_setup("cpu: host,flags=+nested-virt")))
    assert "+svm" in str(model(_setup("cpu: host,flags=+nested-virt", _with(cpu_vendor="AuthenticAMD"))))


def test_cpus_are_plugged_where_they_can_be_unplugged() -> None:
    made = _command("hotplug: cpu\nsockets: 2\ncores: 2\nvcpus: 3\n")
    plugged = [item for item in made.items if isinstance(item, Device) and item.type.endswith("-cpu")]
    assert [item.arguments()["id"] for item in plugged] == ["cpu2", "cpu3"]
    assert plugged[1].arguments()["socket-id"] == 1
    assert "vcpus" in _refused("cores: 2\nvcpus: 3\n")


# --- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "hugepages: 2\n",
        "hugepages: 1024\nnuma: 1\nmemory: 1500\n",
        "hotplug: memory\nmemory: 2048\n",
        "hotplug: memory\nnuma: 1\nmemory: 256\n",
        "hotplug: memory\nnuma: 1\nmemory: 9999999\n",
        "numa: 1\nmemory: 1024\nnuma0: cpus=0,memory=512\n",
        "numa: 1\nmemory: 512\nnuma0: cpus=0\n",
        "numa: 1\nmemory: 512\nnuma0: cpus=0,memory=512,hostnodes=0\n",
        "numa: 1\nsockets: 2\nmemory: 513\n",
    ],
)
def test_memory_that_does_not_work_out_is_refused(text: str) -> None:
    assert _refused(text)


def test_huge_pages_are_counted_by_host_node() -> None:
    text = "hugepages: any\nnuma: 1\ncores: 2\nmemory: 3074\nnuma0: cpus=0,memory=2048,hostnodes=1,policy=bind\n"
    assert _command(text + "numa1: cpus=1,memory=1026\n").hugepages == {1024: {1: 2}, 2: {-1: 513}}


def test_shared_directories_need_shared_memory() -> None:
    host = _with(directories={"projects": "/srv"})
    line = " ".join(_command("virtiofs0: projects\n", host).args)
    assert "memory-backend-memfd,id=virtiofs-mem,size=512M,share=on" in line
    assert "memory-backend=virtiofs-mem" in line
    assert "path=/run/vm/virtiofs0" in line
    assert "no mapping" in _refused("virtiofs0: projects\n")


# --- drives ----------------------------------------------------------------------------------------------------------


def test_limits_become_properties_of_the_throttle_group() -> None:
    made = _command("virtio0: local:a,mbps=1.5,iops_rd=10,iops_rd_max=20,iops_rd_max_length=3\n")
    (group,) = [item for item in made.items if isinstance(item, Object) and item.type == "throttle-group"]
    assert group.arguments() == {
        "qom-type": "throttle-group",
        "id": "throttle-drive-virtio0",
        "limits": {"bps-total": 1572864, "iops-read": 10, "iops-read-max": 20, "iops-read-max-length": 3},
    }


@pytest.mark.parametrize(
    ("keys", "io_uring", "located", "expected"),
    [
        ("", True, {}, "io_uring"),
        ("", False, {}, "native"),
        (",cache=writeback", False, {}, "threads"),
        ("", True, {"io_uring": "never"}, "native"),
        (",cache=writeback", True, {"io_uring": "direct"}, "threads"),
        (",cache=directsync", True, {"io_uring": "direct"}, "io_uring"),
        (",aio=native,cache=writeback", True, {}, "threads"),
        (",aio=io_uring", False, {}, "native"),
        ("", True, {"direct": False, "io_uring": "direct"}, "threads"),
    ],
)
def test_requests_reach_the_host_as_it_can_take_them(
    keys: str, io_uring: bool, located: dict[str, Any], expected: str
) -> None:
    config = VmConfig.parse(f"virtio0: local:a{keys}\n", strict=True)
    file = Located(node={"driver": "file", "filename": "/a"}, **located)
    made = command(100, config, _with(io_uring=io_uring), RUNTIME, {"local:a": file})
    (tree,) = [item for item in made.items if isinstance(item, Blockdev)]
    assert tree.node["file"]["file"]["aio"] == expected


def test_an_unknown_volume_is_refused() -> None:
    with pytest.raises(Error, match="volume 'local:a' is not known"):
        command(100, VmConfig.parse("virtio0: local:a\n"), KVM, RUNTIME, {})


def test_names_of_block_nodes_fit_and_tell_drives_apart() -> None:
    setup = _setup("scsi0: local:a\nscsi30: local:a\n")
    names = set()
    for key, drive in drives.all_drives(setup):
        tree: Any = blockdev.node(setup, key, drive)
        while tree:
            assert len(tree["node-name"]) <= 31
            names.add(tree["node-name"])
            tree = tree.get("file")
    assert len(names) == 6


def test_a_drive_can_be_plugged_by_the_same_values() -> None:
    setup = _setup("scsihw: virtio-scsi-single\nscsi3: local:a,iothread=1\n")
    drive = setup.options.scsi[3]
    assert [item.id for item in drives.controllers(setup, "scsi3", drive) if isinstance(item, Device | Object)] == [
        "iothread-virtioscsi3",
        "virtioscsi3",
    ]
    arguments = drives.device(setup, "scsi3", drive).arguments()
    assert arguments["drive"] == "drive-scsi3"
    assert arguments["lun"] == 3
    assert arguments["driver"] == "scsi-hd"


# --- firmware, SEV, devices of the host ------------------------------------------------------------------------------


def test_missing_firmware_is_refused() -> None:
    assert "not installed" in _refused("bios: ovmf\n", _with(firmware={}))


def test_without_a_volume_efi_variables_are_temporary() -> None:
    made = _command("bios: ovmf\n")
    assert made.copy_vars == ("/usr/share/OVMF/OVMF_VARS.fd", 131072)
    assert any("temporary" in warning for warning in made.warnings)
    large_only = {kind: each for kind, each in KVM.firmware.items() if kind != "2m"}
    assert _command("bios: ovmf\n", _with(firmware=large_only)).copy_vars == ("/usr/share/OVMF/OVMF_VARS_4M.fd", 540672)


def test_encrypted_memory_needs_a_host_that_can() -> None:
    assert "not available" in _refused("amd-sev: std\nbios: ovmf\n")
    sev = {"snp": KVM.firmware["4m"], **KVM.firmware}
    host = _with(sev=Sev(cbitpos=51, reduced_phys_bits=6, snp=True), firmware=sev)
    assert "ovmf" in _refused("amd-sev: std\n", host)
    line = " ".join(_command("amd-sev: snp,no-debug=1\nbios: ovmf\n", host).args)
    assert "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=6,policy=0x30000" in line
    assert "-bios /usr/share/OVMF/OVMF_CODE_4M.fd" in line
    assert "memory-backend=ram1" in line


def test_devices_of_the_host_are_found_by_address_and_mapping() -> None:
    host = _with(pci_devices=frozenset({"0000:01:00.0", "0000:01:00.1"}), mappings={"pci/gpu": "0000:01:00"})
    made = _command("hostpci0: mapping=gpu,pcie=1,x-vga=1\nmachine: q35\n", host)
    assert made.pci == ("0000:01:00.0", "0000:01:00.1")
    line = " ".join(made.args)
    assert "vfio-pci,id=hostpci0.0,host=0000:01:00.0,bus=ich9-pcie-port-1,addr=0x0.0,multifunction=on,x-vga=on" in line
    assert "-vnc" not in made.args
    assert "no mapping" in _refused("hostpci0: mapping=other\n", host)
    assert "no PCI device" in _refused("hostpci0: 0000:02:00\n", host)
    assert "q35" in _refused("hostpci0: mapping=gpu,pcie=1\n", host)


def test_usb_devices_are_named_by_id_port_or_mapping() -> None:
    host = _with(mappings={"usb/key": "1234:abcd"})
    line = " ".join(_command("usb0: mapping=key\nusb1: host=1-2.3\nostype: l26\n", host).args)
    assert "usb-host,id=usb0,bus=xhci.0,port=1,vendorid=0x1234,productid=0xabcd" in line
    assert "usb-host,id=usb1,bus=xhci.0,port=2,hostbus=1,hostport=2.3" in line
    assert "no mapping" in _refused("usb0: mapping=other\n", host)


# --- network ---------------------------------------------------------------------------------------------------------


def test_a_card_takes_the_descriptors_it_is_handed() -> None:
    runtime = msgspec.structs.replace(RUNTIME, taps={0: (11, 12)}, vhost={0: (13, 14)})
    setup = _setup("net0: virtio=02:00:00:00:00:01,bridge=vmbr0,queues=2\n", KVM, runtime)
    host_side, card = net.items(setup, 0, setup.options.net[0])
    assert isinstance(host_side, Netdev)
    assert host_side.arguments() == {"type": "tap", "id": "net0", "fds": "11:12", "vhost": True, "vhostfds": "13:14"}
    assert card.arguments()["mq"] is True


def test_the_mtu_is_the_bridges_or_smaller() -> None:
    host = _with(bridge_mtu={"vmbr1": 9000})
    assert _command("net0: virtio,bridge=vmbr1,mtu=1\n", host).host_mtu == {0: 9000}
    assert _command("net0: virtio,bridge=vmbr1,mtu=1300\n", host).host_mtu == {0: 1300}
    assert "bigger than the bridge MTU" in _refused("net0: virtio,bridge=vmbr0,mtu=9000\n", host)
    source = msgspec.structs.replace(RUNTIME, host_mtu={0: 1234})
    assert _command("net0: virtio,bridge=vmbr1\n", host, source).host_mtu == {0: 1234}


# --- the user's own arguments ----------------------------------------------------------------------------------------


def test_own_arguments_come_last_and_are_split_like_a_shell_does() -> None:
    assert _command("args: -fw_cfg 'name=opt/a,string=b c' -no-hpet\n").args[-3:] == (
        "-fw_cfg",
        "name=opt/a,string=b c",
        "-no-hpet",
    )
    assert _refused("args: 'unclosed\n")
    assert _refused("args: stray\n")


# --- for all configurations ------------------------------------------------------------------------------------------


@st.composite
def _configs(draw: st.DrawFn) -> str:
    keys = draw(st.lists(st.sampled_from(sorted(places())), unique=True, max_size=14))
    lines = []
    for key in keys:
        field = places()[key].field
        if field.prop is not None:
            lines.append(f"{key}: {draw(texts(field.prop))}")
        elif field.format is None or key in ("hotplug", "startup", "bootdisk"):
            lines.append(f"{key}: {draw(value(field))}")
    lines += draw(st.lists(st.sampled_from(["machine: q35", "ostype: win11", "ostype: l26", "bios: ovmf", "numa: 1"])))
    return "\n".join(lines)


@settings(max_examples=100)
@given(_configs(), st.sampled_from([DEBIAN_12, KVM, _with(flavour=YARDSTICK, qemu=Version(11, 0))]))
def test_any_configuration_is_rendered_or_refused(text: str, host: Host) -> None:
    config = VmConfig.parse(text)
    try:
        made = command(100, config, host, RUNTIME, _volumes(config))
    except Error:
        return
    assert all(isinstance(word, str) and "\n" not in word for word in made.args)
