"""The emulated TPM of a guest: swtpm, its state on a volume of the guest, ended when QEMU hangs up."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Literal

from corral.system.run import Process, Run

Version = Literal["v1.2", "v2.0"]
SETUP_TIMEOUT = 60.0


def setup_command(state: Path, version: Version) -> list[str]:
    """Words that fill an empty state with an endorsement key and its certificates; an existing one is kept."""
    words = ["swtpm_setup", "--tpmstate", f"file://{state}", "--createek", "--create-ek-cert",
             "--create-platform-cert", "--lock-nvram", "--runas", "0", "--not-overwrite"]  # fmt: skip
    return [*words, "--tpm2", "--ecc"] if version == "v2.0" else words


def command(state: Path, version: Version, listener: int, log: Path) -> list[str]:
    """Words that serve the TPM on the listening socket with that descriptor, until its client hangs up."""
    words = ["swtpm", "socket", "--tpmstate", f"backend-uri=file://{state},mode=0600",
             "--ctrl", f"type=unixio,fd={listener}", "--terminate", "--log", f"file={log},level=1"]  # fmt: skip
    return [*words, "--tpm2"] if version == "v2.0" else words


class Swtpm:
    """Starts swtpm for guests."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def start(self, socket_path: Path, state: Path, version: Version) -> Process:
        """Serve a guest's TPM on `socket_path`, which is there when this returns: nobody has to wait for it."""
        self._run(setup_command(state, version), timeout=SETUP_TIMEOUT)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.fspath(socket_path))
            listener.listen(1)
            descriptor = listener.fileno()
            words = command(state, version, descriptor, socket_path.with_suffix(".log"))
            return self._run.spawn(words, pass_fds=[descriptor])
