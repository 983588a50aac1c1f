from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.cli import doctor
from corral.cli.doctor import Finding, examine, report
from corral.system.fakes import FakeRun


def test_each_finding_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [Finding("CPU", "ok", "fine"), Finding("KVM", "warning", "slow", "get a faster one")]
    assert report(iter(findings)) == 0
    assert capsys.readouterr().out == (
        "ok       CPU: fine\nwarning  KVM: slow\n         → get a faster one\n\nThis machine is fit.\n"
    )


def test_what_is_missing_makes_a_machine_unfit(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(iter([Finding("qemu-img", "missing", "not installed", "apt install qemu-utils")])) == 1
    assert "not fit yet" in capsys.readouterr().out


def test_every_program_comes_with_its_package() -> None:
    assert all(use and package for _, use, package, _ in doctor.PROGRAMS)


@pytest.mark.unfenced("files", why="the doctor tries out the machine's own control groups")
def test_a_check_that_fails_is_a_finding(run: FakeRun, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No command is announced here, so whatever starts one fails; the others still answer."""
    monkeypatch.setenv("PATH", str(tmp_path))
    found = list(_without_probe(run))
    assert {"user", "memory", "disk"} <= {each.what for each in found}
    assert all(each.todo for each in found if each.verdict == "missing")


def _without_probe(run: FakeRun) -> Iterator[Finding]:
    run.expect("*", code=1)
    return examine(run)
