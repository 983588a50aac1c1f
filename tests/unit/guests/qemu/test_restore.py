"""Rewriting an archived configuration on restore."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.guests.qemu.restore import Fresh, Stream, rewrite, streams

ARCHIVED = """\
# web
net0: virtio=92:38:11:FD:ED:87,bridge=vmbr0
scsi0: old:142/vm-142-disk-0.qcow2,size=4G,warp=1
scsi1: old:142/vm-142-disk-1.qcow2,backup=0
smbios1: uuid=ddf91b3f-a597-42be-9a7e-fb6421dcd5cd
vmgenid: ddf91b3f-a597-42be-9a7e-fb6421dcd5cd
frobnicate: 1
#qmdump#map:scsi0:drive-scsi0:old:qcow2:

[snap]
cores: 1
"""


def test_every_shared_case_is_rewritten_as_it_must_be(cases: Path) -> None:
    for case in json.loads((cases / "vm-config" / "restore.json").read_text()):
        found = streams(case["input"])
        volumes = {
            stream.drive: f"target:{case['vmid']}/vm-{case['vmid']}-disk-{number}.{stream.format or 'raw'}"
            for number, stream in enumerate(found)
        }
        assert rewrite(case["input"], volumes) == case["output"], case["vmid"]


def test_streams_are_read_in_order() -> None:
    assert streams(ARCHIVED) == [Stream("scsi0", "drive-scsi0", "old", "qcow2")]
    with pytest.raises(Error):
        streams("#qmdump#map:scsi0\n")


def test_snapshots_go_and_unknown_lines_stay() -> None:
    text = rewrite(ARCHIVED, {"scsi0": "new:vm-7-disk-0"})
    assert "scsi0: new:vm-7-disk-0,size=4G,warp=1\n" in text
    assert "#scsi1: old:142/vm-142-disk-1.qcow2,backup=0\n" in text
    assert "frobnicate: 1" in text
    assert "[snap]" not in text


def test_a_unique_guest_gets_an_identity_of_its_own() -> None:
    fresh = Fresh(mac=lambda: "BC:24:11:00:00:01", uuid=lambda: "00000000-0000-4000-8000-000000000001")
    text = rewrite(ARCHIVED, {}, fresh=fresh)
    assert "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0\n" in text
    assert text.count("00000000-0000-4000-8000-000000000001") == 2


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    assert rewrite(text, {"scsi0": "a:b"}).endswith("\n")
