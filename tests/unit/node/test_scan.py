"""Scans: what the field's programs print."""

from __future__ import annotations

import json

import pytest

from corral.core.errors import CommandError, Error
from corral.core.secret import Secret
from corral.node.scan import Scans, parse_exports, parse_shares, parse_targets
from corral.system.fakes import FakeRun


def test_exports() -> None:
    assert parse_exports("/srv/a 192.0.2.0/24,*.example.com\n/srv/b (everyone)\n") == [
        {"path": "/srv/a", "options": "192.0.2.0/24,*.example.com"},
        {"path": "/srv/b", "options": "(everyone)"},
    ]


def test_shares_without_administrative_ones() -> None:
    text = "Disk|data|Our data\nDisk|C$|Default\nIPC|IPC$|x\nPrinter|p|x\n"
    assert parse_shares(text) == [{"share": "data", "description": "Our data"}]


def test_targets_with_all_their_portals() -> None:
    text = "192.0.2.1:3260,1 iqn.2003-01.a\n192.0.2.2:3260,1 iqn.2003-01.a\n"
    assert parse_targets(text) == [{"target": "iqn.2003-01.a", "portal": "192.0.2.1:3260,192.0.2.2:3260"}]


def test_passwords_are_not_on_the_command_line() -> None:
    run = FakeRun()
    run.expect("smbclient *", stdout="Disk|a|b\n")
    Scans(run).cifs("files", "joe", Secret("hunter2"), "DOM")
    assert "hunter2" not in run.commands[0]
    assert "DOM" in run.commands[0]
    Scans(run).cifs("files", None, None, None)
    assert "--no-pass" in run.commands[1]


def test_volume_groups_and_thin_pools() -> None:
    run = FakeRun()
    run.expect("vgs *", stdout=json.dumps({"report": [{"vg": [{"vg_name": "pve"}]}]}))
    rows = [{"lv_name": "data", "segtype": "thin-pool"}, {"lv_name": "root", "segtype": "linear"}]
    run.expect("lvs *-- pve", stdout=json.dumps({"report": [{"lv": rows}]}))
    assert Scans(run).lvm() == [{"vg": "pve"}]
    assert Scans(run).lvmthin("pve") == [{"lv": "data"}]
    run.expect("vgs *", code=5, stderr="no")
    with pytest.raises(CommandError):
        Scans(run).lvm()
    with pytest.raises(Error, match="not supported"):
        Scans(run).pbs()


def test_other_scans_use_their_programs() -> None:
    run = FakeRun()
    run.expect("zfs list *", stdout="tank\ntank/vm\n")
    run.expect("showmount * -- files", stdout="/a *\n")
    run.expect("iscsiadm *", stdout="")
    scans = Scans(run)
    assert scans.zfs() == [{"pool": "tank"}, {"pool": "tank/vm"}]
    assert scans.nfs("files") == [{"path": "/a", "options": "*"}]
    assert scans.iscsi("192.0.2.1") == []
