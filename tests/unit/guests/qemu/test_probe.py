"""What the host offers, from recorded answers and a made-up root."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corral.core.errors import Error
from corral.guests.qemu.host import Version
from corral.guests.qemu.probe import Answers, answers, probe
from corral.system import proc
from corral.system.fakes import FakeRun

RECORDED = Path(__file__).parents[3] / "golden" / "qemu-answers"


def test_answers_are_read() -> None:
    assert answers((RECORDED / "debian-12.jsonl").read_text()) == Answers(Version(7, 2, 22), io_uring=True)
    assert not answers((RECORDED / "without-io-uring.jsonl").read_text()).io_uring


def test_no_version_is_an_error() -> None:
    with pytest.raises(Error, match="version"):
        answers('{"QMP": {}}\n')


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host's files: one build of UEFI, one PCI device, an Intel CPU, and KVM known to fail."""
    ovmf = tmp_path / "usr/share/OVMF"
    ovmf.mkdir(parents=True)
    (ovmf / "OVMF_CODE_4M.fd").write_text("code")
    (ovmf / "OVMF_VARS_4M.fd").write_text("vars")
    (tmp_path / "sys/bus/pci/devices/0000:00:01.0").mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(
        "vendor_id\t: GenuineIntel\naddress sizes\t: 46 bits physical, 48 bits virtual\n"
    )
    (tmp_path / "kvm.json").write_text(json.dumps({"boot": proc.boot_id(), "kvm": False, "reason": "told so"}))
    return tmp_path


def test_facts_come_from_qemu_and_the_files(root: Path, run: FakeRun) -> None:
    run.expect("qemu-system-* -qmp stdio*", stdout=(RECORDED / "debian-12.jsonl").read_text())
    run.expect("qemu-system-* -spice help", stdout="spice options:\n  tls-port=<num>\n", code=1)
    host = probe(run, root, root=root)
    assert (host.qemu, host.cpu_vendor, host.phys_bits) == ((7, 2, 22), "GenuineIntel", 46)
    assert (host.kvm, host.io_uring, host.spice, host.seccomp, host.vhost_net) == (False, True, True, True, False)
    assert host.pci_devices == {"0000:00:01.0"}
    assert list(host.firmware) == ["4m"]
    assert host.firmware["4m"].vars_size == 4
    assert not (root / "io-uring.probe").exists()


def test_qemu_without_a_sandbox_is_asked_again(root: Path, run: FakeRun) -> None:
    run.expect("qemu-system-* -qmp stdio", stdout=(RECORDED / "without-io-uring.jsonl").read_text())
    run.expect("qemu-system-* -sandbox on*", stderr="sandbox support is not enabled", code=1)
    run.expect("qemu-system-* -spice help", code=1, stderr="There is no option group 'spice'")
    host = probe(run, root, root=root)
    assert (host.seccomp, host.spice, host.io_uring) == (False, False, False)
