"""Headers of images, OVF texts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.storage import ova
from corral.storage.qemu_img import Header, QemuImg, read_header
from corral.system.fakes import FakeRun
from tests.unit.storage.images import qcow2

MIB = 1 << 20


def header(path: Path, data: bytes, form: str | None = None) -> Header:
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return read_header(descriptor, form)
    finally:
        os.close(descriptor)


def test_qcow2(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert header(path, qcow2(7 * MIB)) == Header("qcow2", 7 * MIB)
    found = header(path, qcow2(MIB, backing="../9000/base-9000-disk-0.raw", backing_format="raw"))
    assert (found.backing, found.backing_format) == ("../9000/base-9000-disk-0.raw", "raw")
    assert "backing file" in found.foreign
    assert "another file" in header(path, qcow2(MIB, data_file=True)).foreign
    assert header(path, qcow2(MIB), "raw") == Header("raw", len(qcow2(MIB)))
    with pytest.raises(Error, match="not a valid qcow2"):
        header(path, b"something else", "qcow2")


def test_vmdk(tmp_path: Path) -> None:
    path = tmp_path / "x"
    sparse = b"KDMV" + (1).to_bytes(4, "little") + bytes(4) + (2048).to_bytes(8, "little") + bytes(8)
    embedded = sparse + (1).to_bytes(8, "little") + (1).to_bytes(8, "little") + bytes(468)
    assert header(path, sparse + bytes(500)) == Header("vmdk", MIB)
    assert header(path, embedded + b'parentFileNameHint="/etc/x"\n').foreign
    assert header(path, b'# Disk DescriptorFile\nRW 1 FLAT "/etc/passwd" 0\n').foreign
    assert header(path, b"KDMV" + bytes(600)).foreign


def test_other_formats_are_told_from_raw(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert header(path, bytes(64) + b"\x7f\x10\xda\xbe" + bytes(500)).format == "vdi"
    assert header(path, b"vhdxfile" + bytes(500)).format == "vhdx"
    assert header(path, bytes(1024) + b"conectix" + bytes(504)).format == "vpc"
    assert header(path, b"") == Header("raw", 0)


@given(
    st.binary(max_size=300),
    st.sampled_from(["qcow2", "vmdk", None]),
    st.sampled_from([b"QFI\xfb\0\0\0\3", b"KDMV", b""]),
)
def test_no_header_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, form: str | None, magic: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed"
    try:
        found = header(path, magic + data, form)
    except Error:
        return
    assert found.size >= 0


def test_commands_name_their_formats() -> None:
    run = FakeRun()
    run.expect("*qemu-img *", stdout="    (12.50/100%)\r    (100.00/100%)\n")
    tool = QemuImg(run)
    tool.create(Path("/s/a.qcow2"), "qcow2", MIB, preallocation="metadata")
    tool.create(Path("/s/a.raw"), "raw", MIB, preallocation="metadata")
    tool.create(Path("/s/b.qcow2"), "qcow2", MIB, preallocation="metadata", backing=("../1/base-1-disk-0.raw", "raw"))
    seen: list[float] = []
    tool.convert(Path("/s/a"), "vmdk", Path("/s/b"), "raw", on_progress=seen.append, preallocation="falloc", rate=1000)
    tool.resize(Path("/s/a"), "raw", 2 * MIB, preallocation="full")
    tool.snapshot(Path("/s/a"), "apply", "before")
    assert run.commands == [
        "qemu-img create -q -f qcow2 -o preallocation=metadata /s/a.qcow2 1048576",
        "qemu-img create -q -f raw /s/a.raw 1048576",
        "qemu-img create -q -f qcow2 -u -b ../1/base-1-disk-0.raw -F raw /s/b.qcow2 1048576",
        "qemu-img convert -p -t writeback -f vmdk -O raw -o preallocation=falloc -r 1000 /s/a /s/b",
        "qemu-img resize -q -f raw --preallocation=falloc /s/a 2097152",
        "qemu-img snapshot -a before /s/a",
    ]
    assert seen == [0.125, 1.0]


OVF = b"""<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
 xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData">
 <References><File ovf:href="disk one.vmdk" ovf:id="file1"/></References>
 <DiskSection><Disk ovf:capacity="8" ovf:capacityAllocationUnits="byte * 2^30" ovf:diskId="d1"
  ovf:fileRef="file1"/></DiskSection>
 <VirtualSystem ovf:id="my appliance"><Name>My Appliance</Name><VirtualHardwareSection>
  <Item><rasd:InstanceID>1</rasd:InstanceID><rasd:ResourceType>3</rasd:ResourceType>
   <rasd:VirtualQuantity>2</rasd:VirtualQuantity></Item>
  <Item><rasd:ResourceType>4</rasd:ResourceType><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
   <rasd:VirtualQuantity>1024</rasd:VirtualQuantity></Item>
  <Item><rasd:InstanceID>5</rasd:InstanceID><rasd:ResourceType>20</rasd:ResourceType></Item>
  <Item><rasd:ResourceType>17</rasd:ResourceType><rasd:HostResource>ovf:/disk/d1</rasd:HostResource>
   <rasd:Parent>5</rasd:Parent></Item>
  <Item><rasd:ResourceType>10</rasd:ResourceType><rasd:ResourceSubType>VmxNet3</rasd:ResourceSubType></Item>
  <Item><rasd:ResourceType>15</rasd:ResourceType></Item>
 </VirtualHardwareSection></VirtualSystem></Envelope>"""


def test_an_ovf_text_is_read() -> None:
    found = ova.parse(OVF)
    assert (found.name, found.cores, found.memory) == ("My-Appliance", 2, 1024)
    assert found.disks == [("sata", "disk one.vmdk", 8 << 30)]
    assert (found.nics, found.cdrom) == (["vmxnet3"], True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"no xml", "can't be read"),
        (b"<a/>", "no machine"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declarations"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"), "declarations"),
        (OVF.replace(b"disk one.vmdk", b"../../etc/passwd"), "does not describe"),
        (OVF.replace(b"ovf:/disk/d1", b"ovf:/disk/d9"), "does not describe"),
    ],
)
def test_other_texts_are_refused(text: bytes, said: str) -> None:
    with pytest.raises(Error, match=said):
        ova.parse(text)
