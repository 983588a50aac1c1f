"""Earlier options of a machine as parameters of one change."""

from __future__ import annotations

import pytest

from corral.core.errors import Error
from corral.guests.qemu.revert import items, steps

TEXT = """\
#a note
lock: backup
memory: 32
meta: creation-qemu=9.2.0
name: one
net0: virtio=BC:24:11:00:00:01
scsi0: local:100/vm-100-disk-0.qcow2,cache=none,size=8G
unused0: local:100/vm-100-disk-1.qcow2

[PENDING]
delete: net0
memory: 64

[before]
memory: 16
"""


def test_items_are_what_a_call_sets_with_pending_changes() -> None:
    assert items(TEXT) == {
        "description": "a note",
        "memory": "64",
        "name": "one",
        "scsi0": "local:100/vm-100-disk-0.qcow2,cache=none",
    }


def test_options_are_set_deleted_or_their_pending_change_dropped() -> None:
    wanted = {"cores": "2", "name": None, "memory": "32", "net0": "virtio=BC:24:11:00:00:01"}
    (step,) = steps(100, "n1", wanted, TEXT)
    assert step.call == "PUT /nodes/{node}/qemu/{vmid}/config"
    assert step.params == {"vmid": "100", "node": "n1", "cores": "2", "delete": "name", "revert": "memory,net0"}


@pytest.mark.parametrize(
    ("wanted", "now"),
    [
        ({"template": None}, "template: 1\n"),
        ({"ide2": None}, "ide2: local:100/vm-100-cloudinit.qcow2,media=cdrom\n"),
        ({"ide2": "local:100/vm-100-cloudinit.qcow2,media=cdrom"}, ""),
    ],
)
def test_what_makes_or_removes_volumes_is_refused(wanted: dict[str, str | None], now: str) -> None:
    with pytest.raises(Error):
        steps(100, "n1", wanted, now)
