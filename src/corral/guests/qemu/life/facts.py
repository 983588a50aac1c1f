"""Facts about this host for command lines: gathered once per boot and QEMU, as no start must wait for them."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from pathlib import Path

import msgspec

from corral.core.errors import Error
from corral.core.layout import Layout
from corral.guests.qemu.host import Host
from corral.guests.qemu.probe import probe
from corral.system import files, proc
from corral.system.run import Run

NOTE = "qemu-host.json"
PROGRAM = "qemu-system-x86_64"


class _Note(msgspec.Struct, frozen=True, kw_only=True):
    """The facts as kept in the run directory: good for one boot and one QEMU binary."""

    boot: str
    binary: float
    host: Host


class HostFacts:
    """Answers `Host`. The first call of a boot takes seconds, as it runs a guest to see whether KVM works."""

    def __init__(self, run: Run, layout: Layout) -> None:
        self._run = run
        self._layout = layout
        self._lock = threading.Lock()
        self._known: _Note | None = None

    def __call__(self) -> Host:
        """The host now, with the MTU of each bridge."""
        return msgspec.structs.replace(self._gathered(), bridge_mtu=bridge_mtus())

    def _gathered(self) -> Host:
        boot, binary = proc.boot_id(), _modified()
        with self._lock:
            if self._known is None or (self._known.boot, self._known.binary) != (boot, binary):
                self._known = self._kept(boot, binary) or self._probed(boot, binary)
            return self._known.host

    def _kept(self, boot: str, binary: float) -> _Note | None:
        with contextlib.suppress(Error, msgspec.MsgspecError):
            note = msgspec.json.decode(files.read_bytes(self._layout.run / NOTE), type=_Note)
            if (note.boot, note.binary) == (boot, binary):
                return note
        return None

    def _probed(self, boot: str, binary: float) -> _Note:
        note = _Note(boot=boot, binary=binary, host=probe(self._run, self._layout.run))
        with contextlib.suppress(Error, OSError):
            files.atomic_write(self._layout.run / NOTE, msgspec.json.encode(note), mode=0o600)
        return note


def _modified() -> float:
    path = shutil.which(PROGRAM)
    return os.stat(path).st_mtime if path else 0.0


def bridge_mtus(sysfs: Path = Path("/sys/class/net")) -> dict[str, int]:
    """MTU of every bridge."""
    found = {}
    with contextlib.suppress(OSError):
        for device in sysfs.iterdir():
            if (device / "bridge").is_dir():
                found[device.name] = int(proc.read(device / "mtu").strip() or 1500)
    return found
