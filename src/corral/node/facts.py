"""Facts of a node in the wire's shape: pure functions over what `/proc` and the status board tell."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path
from typing import Any, NamedTuple

from corral import __version__
from corral.system import files, proc

API_LEVEL = "9.2"
"""The level of the Proxmox VE API that is spoken; our own version stands beside it."""
BUILD = hashlib.sha256(__version__.encode()).hexdigest()[:16]
"""Tells builds apart, in the form that clients know."""


class Kernel(NamedTuple):
    """What `uname` says."""

    sysname: str
    release: str
    version: str
    machine: str


def version() -> dict[str, str]:
    """`GET /version` and a node's version: the API's level, and who really answers."""
    return {"release": API_LEVEL, "version": API_LEVEL, "repoid": BUILD, "corral": __version__}


def kernel() -> Kernel:
    """The running kernel."""
    found = os.uname()
    return Kernel(found.sysname, found.release, found.version, found.machine)


def address() -> str:
    """The address that this machine has towards others; loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing: the kernel only chooses a route.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        found: str = probe.getsockname()[0]
        return found


def boot(efi: Path = Path("/sys/firmware/efi")) -> dict[str, Any]:
    """How the machine was booted."""
    if not efi.is_dir():
        return {"mode": "legacy-bios"}
    variable = efi / "efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    try:
        secure = variable.read_bytes()[-1:] == b"\1"
    except OSError:
        secure = False
    return {"mode": "efi", "secureboot": secure}


def status(
    *, cpu: proc.Cpu, kernel: Kernel, memory: proc.Memory, disk: files.Space, load: proc.Load, uptime: int,
    busy: float, wait: float,
) -> dict[str, Any]:  # fmt: skip
    """`GET /nodes/{node}/status`."""
    return {
        "uptime": uptime,
        "loadavg": list(load),
        "cpu": busy,
        "wait": wait,
        "idle": max(0.0, 1.0 - busy - wait),
        "cpuinfo": {
            "model": cpu.model,
            "cpus": cpu.cpus,
            "cores": cpu.cores,
            "sockets": cpu.sockets,
            "mhz": cpu.mhz,
            "flags": cpu.flags,
            "hvm": "1" if cpu.virtualization else "0",
            "user_hz": proc.HERTZ,
        },
        "memory": {"total": memory.total, "used": memory.used, "free": memory.free, "available": memory.available},
        "swap": {
            "total": memory.swap_total,
            "used": memory.swap_total - memory.swap_free,
            "free": memory.swap_free,
        },
        "rootfs": {
            "total": disk.total,
            "used": disk.used,
            "avail": disk.available,
            "free": disk.total - disk.used,
        },
        "ksm": {"shared": memory.shared},
        "pveversion": f"pve-manager/{API_LEVEL}/{BUILD}",
        "kversion": f"{kernel.sysname} {kernel.release} {kernel.version}",
        "current-kernel": kernel._asdict(),
        "boot-info": boot(),
    }
