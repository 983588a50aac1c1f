"""Finding out what this host offers its guests: asked of QEMU and read from /proc and /sys, once in a while.

The parsing is pure; `probe` runs QEMU twice, for 0.2 s in all.
"""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from corral.core.errors import CommandError, Error
from corral.guests.qemu.host import Firmware, Host, Version
from corral.system import accel, files
from corral.system.run import Run

_FOLDERS: Final = {"x86_64": "usr/share/OVMF", "aarch64": "usr/share/AAVMF"}

_BUILDS: Final = {
    "x86_64": {
        "2m": ("OVMF_CODE.fd", "OVMF_VARS.fd"),
        "4m": ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
        "4m-keys": ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.ms.fd"),
        "4m-secboot": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd"),
        "4m-secboot-keys": ("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd"),
        "sev": ("OVMF_SEV_CODE_4M.fd", "OVMF_SEV_VARS_4M.fd"),
    },
    "aarch64": {"aarch64": ("AAVMF_CODE.fd", "AAVMF_VARS.fd")},
}
"""Firmware by type: code, and the template of its variables."""

_QUESTIONS: Final = ("qmp_capabilities", "query-version")
_SECONDS: Final = 30


class Answers(NamedTuple):
    """What QEMU said of itself."""

    version: Version
    io_uring: bool


def probe(run: Run, scratch: Path, *, root: Path = Path("/")) -> Host:
    """Facts about this host. `scratch` is a directory of ours for a file of a few KiB. `Error`: no usable QEMU.

    `root` is where /proc, /sys, /dev and /usr are; bridges, mappings and the cluster's CPU models are not filled in.
    """
    arch = platform.machine()
    image = scratch / "io-uring.probe"
    files.atomic_write(image, "\0" * 4096)
    try:
        seccomp = True
        try:
            answers = _ask(run, arch, image, seccomp=True)
        except CommandError:
            # QEMU built without seccomp does not start with a sandbox.
            seccomp = False
            answers = _ask(run, arch, image, seccomp=False)
    finally:
        files.remove_file(image)
    cpu = _cpu(_read(root / "proc/cpuinfo"))
    return Host(
        qemu=answers.version,
        arch=arch,
        kvm=accel.verdict(run, scratch, root / "dev/kvm").kvm,
        cpu_vendor=cpu.vendor,
        phys_bits=cpu.phys_bits,
        vhost_net=(root / "dev/vhost-net").exists(),
        io_uring=answers.io_uring,
        spice=_has_spice(run, arch),
        seccomp=seccomp,
        firmware=dict(_firmware(root)),
        pci_devices=_pci_devices(root),
    )


def _ask(run: Run, arch: str, image: Path, *, seccomp: bool) -> Answers:
    command = [f"qemu-system-{arch}", "-machine", "none", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio"]
    if seccomp:
        command += ["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"]
    node = {"driver": "file", "node-name": "probe", "filename": str(image), "aio": "io_uring"}
    asked: list[dict[str, Any]] = [{"execute": name, "id": name} for name in _QUESTIONS]
    asked.append({"execute": "blockdev-add", "arguments": node, "id": "io_uring"})
    asked.append({"execute": "quit"})
    answer = run(command, timeout=_SECONDS, input="".join(json.dumps(each) + "\n" for each in asked))
    return answers(answer.stdout)


def answers(text: str) -> Answers:
    """From QEMU's answers over QMP, one a line."""
    replies: dict[str, Mapping[str, Any]] = {}
    for line in text.splitlines():
        reply = json.loads(line)
        if "id" in reply:
            replies[reply["id"]] = reply
    try:
        found = replies["query-version"]["return"]["qemu"]
    except KeyError as exc:
        raise Error("QEMU did not say its version") from exc
    version = Version(found["major"], found["minor"], found["micro"])
    return Answers(version, "return" in replies.get("io_uring", {}))


def _has_spice(run: Run, arch: str) -> bool:
    try:
        return "tls-port" in run([f"qemu-system-{arch}", "-spice", "help"], timeout=_SECONDS, ok=(0, 1)).stdout
    except CommandError:
        return False


class _CpuFacts(NamedTuple):
    vendor: str
    phys_bits: int


def _cpu(cpuinfo: str) -> _CpuFacts:
    vendor = re.search(r"^vendor_id\s*:\s*(\S+)", cpuinfo, re.MULTILINE)
    bits = re.search(r"^address sizes\s*:\s*(\d+) bits physical", cpuinfo, re.MULTILINE)
    return _CpuFacts(vendor[1] if vendor else "", int(bits[1]) if bits else 40)


def _firmware(root: Path) -> Iterator[tuple[str, Firmware]]:
    for arch, builds in _BUILDS.items():
        folder = root / _FOLDERS[arch]
        for kind, (code, store) in builds.items():
            if (folder / code).is_file() and (folder / store).is_file():
                size = (folder / store).stat().st_size
                yield kind, Firmware(code=str(folder / code), vars=str(folder / store), vars_size=size)


def _pci_devices(root: Path) -> frozenset[str]:
    folder = root / "sys/bus/pci/devices"
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
