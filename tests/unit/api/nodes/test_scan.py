"""`/nodes/{node}/scan`: each call asks the field's program, and answers what that says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corral.api.nodes.host import scan
from corral.core.layout import Layout
from corral.node.service import Host
from corral.system.fakes import FakeClock, FakeRun
from tests.api import Client, make_app

exercises = pytest.mark.exercises


@pytest.fixture
def run() -> FakeRun:
    return FakeRun()


@pytest.fixture
def client(tmp_path: Path, run: FakeRun) -> Client:
    host = Host(Layout(tmp_path), run, FakeClock(), "testnode", systemd=False)
    return Client.of(make_app(tmp_path, run=run, host=host), scan.ENDPOINTS)


@exercises("GET /nodes/{node}/scan/nfs", "server")
def test_nfs(client: Client, run: FakeRun) -> None:
    run.expect("showmount * -- files.example.com", stdout="/srv 192.0.2.0/24\n")
    found = client.get("/nodes/testnode/scan/nfs", server="files.example.com")
    assert found == [{"path": "/srv", "options": "192.0.2.0/24"}]


@exercises("GET /nodes/{node}/scan/cifs", "server", "username", "password", "domain")
def test_cifs(client: Client, run: FakeRun) -> None:
    run.expect("smbclient --list files *", stdout="Disk|data|Ours\n")
    wanted = {"server": "files", "username": "joe", "password": "hunter2", "domain": "OFFICE"}
    assert client.get("/nodes/testnode/scan/cifs", **wanted) == [{"share": "data", "description": "Ours"}]
    assert "hunter2" not in run.commands[0]


@exercises("GET /nodes/{node}/scan/cifs", "username", refused=True)
@pytest.mark.parametrize("username", ["-N", "joe%secret", "a b"])
def test_a_user_name_is_no_option(client: Client, username: str) -> None:
    reply = client.refused("GET", "/nodes/testnode/scan/cifs", server="files", username=username)
    assert reply.status == 400


@exercises("GET /nodes/{node}/scan/iscsi", "portal")
def test_iscsi(client: Client, run: FakeRun) -> None:
    run.expect("iscsiadm *", stdout="192.0.2.1:3260,1 iqn.2003-01.a\n")
    found = client.get("/nodes/testnode/scan/iscsi", portal="192.0.2.1")
    assert found == [{"target": "iqn.2003-01.a", "portal": "192.0.2.1:3260"}]


@exercises("GET /nodes/{node}/scan/lvm")
@exercises("GET /nodes/{node}/scan/lvmthin", "vg")
def test_lvm(client: Client, run: FakeRun) -> None:
    run.expect("vgs *", stdout=json.dumps({"report": [{"vg": [{"vg_name": "pve"}]}]}))
    pools = [{"lv_name": "data", "segtype": "thin-pool"}, {"lv_name": "root", "segtype": "linear"}]
    run.expect("lvs * -- pve", stdout=json.dumps({"report": [{"lv": pools}]}))
    assert client.get("/nodes/testnode/scan/lvm") == [{"vg": "pve"}]
    assert client.get("/nodes/testnode/scan/lvmthin", vg="pve") == [{"lv": "data"}]


@exercises("GET /nodes/{node}/scan/zfs")
def test_zfs(client: Client, run: FakeRun) -> None:
    run.expect("zfs list *", stdout="tank\n")
    assert client.get("/nodes/testnode/scan/zfs") == [{"pool": "tank"}]


@exercises("GET /nodes/{node}/scan/zfs", refused=True)
def test_a_program_that_fails_is_named(client: Client, run: FakeRun) -> None:
    run.expect("zfs list *", code=1, stderr="no module")
    assert "no module" in str(client.refused("GET", "/nodes/testnode/scan/zfs").message)
