"""`corral doctor`: is this machine fit to run virtual machines, and what to do about what is not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from corral.core.errors import Error
from corral.system import accel, cgroups, proc
from corral.system.run import Run

GiB = 1024**3


class Finding(NamedTuple):
    """One answer: `ok`, `warning` (works, but not as well) or `missing` (something will not work); `todo` mends it."""

    what: str
    verdict: Literal["ok", "warning", "missing"]
    detail: str
    todo: str = ""


# Program, what it is needed for, Debian package, whether a node works without it.
PROGRAMS: tuple[tuple[str, str, str, bool], ...] = (
    ("qemu-system-x86_64", "virtual machines", "qemu-system-x86", False),
    ("qemu-img", "disk images", "qemu-utils", False),
    ("swtpm", "TPM devices", "swtpm", True),
    ("genisoimage", "cloud-init drives", "genisoimage", True),
    ("nft", "NAT networks", "nftables", True),
    ("dnsmasq", "DHCP on NAT networks", "dnsmasq-base", True),
    ("btrfs", "btrfs storages", "btrfs-progs", True),
)
FIRMWARE = (Path("/usr/share/OVMF/OVMF_CODE_4M.fd"), Path("/usr/share/OVMF/OVMF_CODE.fd"))
DEVICES = ((Path("/dev/net/tun"), "network devices of guests", "modprobe tun"),)


def examine(run: Run) -> Iterator[Finding]:
    """Look at everything, one finding after the other."""
    for check in (_root, _cpu, _kvm, _memory, _programs, _firmware, _devices, _cgroups, _disk):
        try:
            yield from check(run)
        except (Error, OSError) as exc:
            yield Finding(check.__name__.strip("_"), "warning", f"can't tell: {exc}")


def _root(_: Run) -> Iterator[Finding]:
    if os.getuid() == 0:
        yield Finding("user", "ok", "root")
    else:
        yield Finding("user", "missing", f"uid {os.getuid()}", "run as root: a node makes sockets, users and guests")


def _cpu(_: Run) -> Iterator[Finding]:
    flags = set(proc.read(Path("/proc/cpuinfo")).partition("flags")[2].partition("\n")[0].split())
    name = "vmx" if "vmx" in flags else "svm" if "svm" in flags else ""
    count = os.cpu_count() or 1
    if name:
        yield Finding("CPU", "ok", f"{count} processors with virtualization extensions ({name})")
    else:
        yield Finding(
            "CPU",
            "warning",
            f"{count} processors without virtualization extensions",
            "enable VT-x or AMD-V in the firmware, or nested virtualization in the hypervisor above",
        )


def _kvm(run: Run) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="corral-doctor-") as scratch:
        verdict = accel.probe(run, Path(scratch))
    if verdict.kvm:
        yield Finding("KVM", "ok", "a guest ran")
    else:
        yield Finding(
            "KVM",
            "warning",
            f"{verdict.reason}; guests run by emulation (TCG), several times slower",
            "make /dev/kvm work: `modprobe kvm_intel` or `modprobe kvm_amd`, or nested virtualization",
        )


def _memory(_: Run) -> Iterator[Finding]:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    text = f"{total / GiB:.1f} GiB"
    if total < 2 * GiB:
        yield Finding("memory", "warning", text, "2 GiB or more leave room for guests")
    else:
        yield Finding("memory", "ok", text)


def _programs(_: Run) -> Iterator[Finding]:
    for program, use, package, optional in PROGRAMS:
        found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if found:
            yield Finding(program, "ok", found)
        else:
            verdict: Literal["warning", "missing"] = "warning" if optional else "missing"
            yield Finding(program, verdict, f"not installed: no {use}", f"apt install {package}")


def _firmware(_: Run) -> Iterator[Finding]:
    if any(path.exists() for path in FIRMWARE):
        yield Finding("EFI firmware", "ok", "OVMF")
    else:
        yield Finding("EFI firmware", "warning", "not installed: no `bios: ovmf`", "apt install ovmf")


def _devices(_: Run) -> Iterator[Finding]:
    for path, use, todo in DEVICES:
        if path.exists():
            yield Finding(str(path), "ok", use)
        else:
            yield Finding(str(path), "warning", f"not there: no {use} on bridges", todo)


def _cgroups(run: Run) -> Iterator[Finding]:
    found = type(cgroups.scopes(run)).__name__
    if found == "NoScopes":
        yield Finding(
            "control groups", "warning", "none that can be used: no CPU limits", "mount cgroup2 on /sys/fs/cgroup"
        )
    else:
        words = {"SystemdScopes": "through systemd", "V2Scopes": "version 2", "V1Scopes": "version 1"}
        yield Finding("control groups", "ok", words.get(found, found))


def _disk(_: Run) -> Iterator[Finding]:
    free = shutil.disk_usage("/").free
    verdict: Literal["ok", "warning"] = "ok" if free > 5 * GiB else "warning"
    yield Finding(
        "disk", verdict, f"{free / GiB:.1f} GiB free on /", "" if verdict == "ok" else "make room for disk images"
    )


def report(findings: Iterator[Finding]) -> int:
    """Print each finding as it comes; 1 if something is missing, else 0."""
    missing = 0
    for found in findings:
        mark = {"ok": "ok     ", "warning": "warning", "missing": "MISSING"}[found.verdict]
        print(f"{mark}  {found.what}: {found.detail}", flush=True)
        if found.todo:
            print(f"         → {found.todo}", flush=True)
        missing += found.verdict == "missing"
    print("\nThis machine is fit." if not missing else "\nThis machine is not fit yet: see MISSING above.")
    return 1 if missing else 0
