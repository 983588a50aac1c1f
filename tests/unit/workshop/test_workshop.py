"""The tools of the workshop do what others rely on: fences hold, claims are checked, licences are read."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from corral.system.fakes import FakeClock, FakeRun
from tests import coverage_api, fences

POST = "POST /nodes/{node}/qemu"


def test_a_unit_test_starts_no_process() -> None:
    with pytest.raises(fences.Fenced, match="starts no process"):
        subprocess.run(["true"], check=True)


def test_a_unit_test_reaches_no_network() -> None:
    with socket.socket() as connection, pytest.raises(fences.Fenced, match="loopback"):
        connection.connect(("192.0.2.1", 80))


def test_a_unit_test_writes_only_below_tmp_path(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(fences.Fenced, match="tmp_path"):
        Path("/var/tmp/theirs").write_text("x")


@pytest.mark.unfenced("processes", why="shows that a door can be opened")
def test_a_named_door_is_open() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=True)


def test_fakes_are_there(run: FakeRun, clock: FakeClock) -> None:
    run.expect("zfs list *", stdout="tank\n")
    assert run(["zfs", "list", "-H"], timeout=1).stdout == "tank\n"
    before = clock.monotonic()
    clock.sleep(5)
    assert clock.monotonic() == before + 5


@pytest.mark.parametrize(
    ("claim", "complaint"),
    [
        ((POST, ("memory", "node"), False), None),
        ((POST, ("memory", "cores"), False), "cores of POST"),
        ((POST, (), True), "no refused call"),
        (("GET /version", (), False), "no successful call"),
        (("GET /nodes", (), True), None),
    ],
)
def test_claims_are_compared_with_the_calls_made(claim: coverage_api.Claim, complaint: str | None) -> None:
    made = [
        {"call": POST, "params": ["memory", "vmid"], "ok": True},
        {"call": POST, "params": ["cores"], "ok": True, "plan": True},
        {"call": "GET /nodes", "params": [], "ok": False},
    ]
    wrong = coverage_api.unproved([claim], made)
    assert (complaint is None) == (not wrong)
    assert complaint is None or complaint in wrong[0]


def test_coverage_counts_families_and_path_parameters() -> None:
    yardstick = [{"method": "POST", "path": "/nodes/{node}/qemu", "params": {"node": {}, "net[n]": {}, "smbios1": {}}}]
    declared = {POST: {"node", "net[n]", "smbios1"}}
    counts = coverage_api.measure(yardstick, declared, {POST: {"net0", "net1", "smbios1"}})
    assert counts["nodes/qemu"] == coverage_api.Area([1, 1, 1], [3, 3, 3])
    assert coverage_api.measure(yardstick, {}, {})["nodes/qemu"] == coverage_api.Area([1, 0, 0], [3, 0, 0])
