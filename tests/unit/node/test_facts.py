"""A node's facts in the wire's shape."""

from __future__ import annotations

from pathlib import Path

from corral.node import facts
from corral.system import proc
from corral.system.files import Space


def test_status_adds_up() -> None:
    status = facts.status(
        cpu=proc.Cpu("CPU", "v", 4, 4, 1, "1000", "svm"),
        kernel=facts.Kernel("Linux", "6.1", "#1", "x86_64"),
        memory=proc.Memory(100, 20, 60, 10, 4, 1),
        disk=Space(1000, 300, 650),
        load=proc.Load("1", "2", "3"),
        uptime=7,
        busy=0.25,
        wait=0.05,
    )
    assert status["memory"] == {"total": 100, "used": 40, "free": 20, "available": 60}
    assert status["swap"] == {"total": 10, "used": 6, "free": 4}
    assert status["rootfs"] == {"total": 1000, "used": 300, "avail": 650, "free": 700}
    assert status["idle"] == 0.7
    assert status["cpuinfo"]["hvm"] == "1"
    assert status["kversion"] == "Linux 6.1 #1"


def test_how_it_was_booted(tmp_path: Path) -> None:
    assert facts.boot(tmp_path / "none") == {"mode": "legacy-bios"}
    variables = tmp_path / "efivars"
    variables.mkdir()
    assert facts.boot(tmp_path) == {"mode": "efi", "secureboot": False}
    (variables / "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"\6\0\0\0\1")
    assert facts.boot(tmp_path)["secureboot"]


def test_the_version_names_api_level_and_ourselves() -> None:
    version = facts.version()
    assert version["release"] == "9.2"
    assert len(version["repoid"]) == 16
