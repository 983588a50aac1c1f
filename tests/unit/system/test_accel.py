"""The verdict on KVM, from what the probe guest did."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.errors import CommandError, TimedOut
from corral.system import accel
from corral.system.fakes import FakeRun


@pytest.fixture
def device(tmp_path: Path) -> Path:
    path = tmp_path / "kvm"
    path.touch()
    return path


def test_no_device_no_kvm(tmp_path: Path) -> None:
    assert not accel.probe(FakeRun(), tmp_path, tmp_path / "none").kvm


def test_a_guest_that_ends_as_it_should(tmp_path: Path, device: Path) -> None:
    run = FakeRun()
    run.expect("qemu-system-x86_64 *", code=85)
    assert accel.probe(run, tmp_path, device) == accel.Verdict(kvm=True)
    assert not (tmp_path / "kvm-probe.img").exists()


@pytest.mark.parametrize(
    ("raises", "said"),
    [
        (TimedOut("x"), "did not get through"),
        (CommandError(["qemu"], -6, "assertion"), "by signal 6"),
        (CommandError(["qemu"], 127, "program not found"), "not found"),
    ],
)
def test_a_guest_that_hangs_or_dies(tmp_path: Path, device: Path, raises: Exception, said: str) -> None:
    run = FakeRun()
    run.expect("qemu-system-x86_64 *", raises=raises)
    verdict = accel.probe(run, tmp_path, device)
    assert not verdict.kvm
    assert said in verdict.reason


def test_the_verdict_is_kept_until_the_next_boot(tmp_path: Path, device: Path) -> None:
    run = FakeRun()
    run.expect("qemu-system-x86_64 *", code=85, times=1)
    assert accel.verdict(run, tmp_path, device).kvm
    assert accel.verdict(run, tmp_path, device).kvm
    assert len(run.commands) == 1
    (tmp_path / "kvm.json").write_text('{"boot": "another", "kvm": true, "reason": ""}')
    run.expect("qemu-system-x86_64 *", code=1, stderr="no", times=1)
    assert not accel.verdict(run, tmp_path, device).kvm
