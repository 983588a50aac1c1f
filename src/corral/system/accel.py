"""Whether KVM really runs guests here: found by running one, since /dev/kvm may open on machines where none boots."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from pathlib import Path
from typing import NamedTuple

from corral.core.errors import CommandError, Error, NotFound, TimedOut
from corral.system import files, proc
from corral.system.run import ANY, Run

log = logging.getLogger(__name__)

TIMEOUT = 6.0
"""Seconds the probe guest may take; a working KVM needs a fifth of one."""

# A boot sector that enters long mode with paging, counts to ten million and writes 0x2a to port 0xf4, which ends QEMU
# with exit code 85. Firmware and real mode alone would not do: there are hosts where those run and no kernel boots.
#   cli; segments = 0; identity map at 0x1000..0x3fff; cr4.PAE; cr3; EFER.LME; lgdt; cr0.PG|PE; ljmp 8:long
#   long: mov $10000000,%rcx; 1: dec %rcx; jnz 1b; mov $0x2a,%al; mov $0xf4,%dx; out %al,%dx; hlt
_GUEST = bytes.fromhex(
    "fa31c08ed88ec08ed0bc007cbf001089fb6631c0b9000cfc66f3ab66c70600100320000066c70600200330000066c706003083000000"
    "66b8200000000f22e066b8001000000f22d866b9800000c00f32660d000100000f30660f0116987c0f20c0660d010000800f22c0"
    "66ea727c0000080048c7c18096980048ffc975fbb02a66baf400eef4"
    "6690000000000000000000000000009a20000f00887c0000"
)
_EXIT = 0x2A << 1 | 1


class Verdict(NamedTuple):
    """`kvm`: guests may use it. `reason` says in a sentence why not, and is empty when they may."""

    kvm: bool
    reason: str = ""


def command(image: Path, accel: str = "kvm", cpu: str = "host") -> list[str]:
    """The command line of the probe; with `tcg` and `max` it proves the image itself."""
    return ["qemu-system-x86_64", "-M", "pc", "-accel", accel, "-cpu", cpu, "-m", "32", "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=1",
            "-drive", f"file={image},format=raw,if=ide,readonly=off,snapshot=on"]  # fmt: skip


def boot_image() -> bytes:
    """The probe's disk."""
    return _GUEST.ljust(510, b"\0") + b"\x55\xaa"


def probe(run: Run, scratch: Path, device: Path = Path("/dev/kvm")) -> Verdict:
    """Run the probe guest; takes up to `TIMEOUT` seconds. `scratch` is a directory for its disk."""
    if not device.exists():
        return Verdict(kvm=False, reason=f"no {device}: the CPU has no virtualization, or the firmware turns it off")
    if not os.access(device, os.R_OK | os.W_OK):
        return Verdict(kvm=False, reason=f"{device} may not be opened")
    if os.uname().machine not in ("x86_64", "amd64"):
        return Verdict(kvm=True)
    image = scratch / "kvm-probe.img"
    try:
        files.atomic_write(image, boot_image(), mode=0o600)
        output = run(command(image), timeout=TIMEOUT, ok=ANY)
    except TimedOut:
        return Verdict(kvm=False, reason="KVM opens, but a test guest did not get through its first instructions")
    except CommandError as exc:
        if exc.code >= 0:
            return Verdict(kvm=False, reason=str(exc))
        return Verdict(kvm=False, reason=f"KVM opens, but QEMU died with it by signal {-exc.code}")
    finally:
        files.remove_file(image)
    if output.code == _EXIT:
        return Verdict(kvm=True)
    said = output.stderr.strip().splitlines()
    return Verdict(
        kvm=False, reason="KVM opens, but a test guest failed: " + (said[-1] if said else f"exit code {output.code}")
    )


def verdict(run: Run, directory: Path, device: Path = Path("/dev/kvm")) -> Verdict:
    """The probe's verdict, run once per boot and kept in `directory` (the run directory)."""
    note = directory / "kvm.json"
    with contextlib.suppress(NotFound, ValueError, KeyError, TypeError):
        kept = json.loads(files.read_text(note, limit=4096))
        if kept["boot"] == proc.boot_id():
            return Verdict(bool(kept["kvm"]), str(kept["reason"]))
    found = probe(run, directory, device)
    if not found.kvm:
        log.warning("guests run without hardware acceleration: %s", found.reason)
    with contextlib.suppress(Error, OSError):
        files.atomic_write(note, json.dumps({"boot": proc.boot_id(), "kvm": found.kvm, "reason": found.reason}))
    return found
