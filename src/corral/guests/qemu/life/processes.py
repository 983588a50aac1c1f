"""What runs on this machine for a virtual machine: processes, sockets and files; found anew each time, never guessed.

A guest runs when the process that its pid file names has that pid file in its command line. So a restart of corrald
finds all guests, and a number that was reused after a reboot is no guest.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from functools import cached_property

from corral.core.clock import Clock
from corral.core.errors import Error, NotFound
from corral.core.layout import Layout
from corral.guests.qemu.agent import Agent
from corral.guests.qemu.qmp import TIMEOUT, Gone, Qmp
from corral.system import cgroups, files, pidfd, proc
from corral.system.pidfd import Held
from corral.system.run import Run

ERRORS = "stderr"
"""File in a guest's runtime directory that takes what QEMU says on stderr."""


class Processes:
    """The processes of this node's virtual machines."""

    def __init__(self, layout: Layout, run: Run, clock: Clock) -> None:
        self.layout = layout
        self.run = run
        self.clock = clock

    @cached_property
    def scopes(self) -> cgroups.Scopes:
        """Where guests' processes live."""
        return cgroups.scopes(self.run)

    def scope(self, vmid: int) -> str:
        """Name of a guest's scope."""
        return f"corral-{self.layout.tag}-qemu-{vmid}"

    def held(self, vmid: int) -> Held | None:
        """The running QEMU, held by a descriptor that the caller closes; None if it does not run."""
        pid_file = self.layout.guest_pid(vmid)
        return pidfd.from_file(pid_file, program=str(pid_file))

    def pid(self, vmid: int) -> int | None:
        """The process id of the running QEMU."""
        held = self.held(vmid)
        if held is None:
            return None
        with held:
            return held.pid

    def words(self, vmid: int) -> list[str]:
        """The command line that the running QEMU was started with."""
        pid = self.pid(vmid)
        return proc.command_line(pid) if pid is not None else []

    def running(self, vmid: int) -> bool:
        """Whether it runs (halted or not)."""
        return self.pid(vmid) is not None

    def all_running(self) -> list[int]:
        """The numbers of all guests that run."""
        directory = self.layout.run / "qemu"
        with contextlib.suppress(FileNotFoundError):
            names = [int(name) for name in os.listdir(directory) if name.isdigit()]
            return sorted(vmid for vmid in names if self.running(vmid))
        return []

    def need_running(self, vmid: int) -> None:
        """`Error` unless it runs."""
        if not self.running(vmid):
            raise Error(f"VM {vmid} not running")

    def qmp(self, vmid: int, *, timeout: float = TIMEOUT, socket: str = "qmp") -> Qmp:
        """A connection to the running QEMU; `Gone` if it does not run."""
        if not self.running(vmid):
            raise Gone(f"VM {vmid} not running")
        return Qmp.connect(self.layout.guest_socket(vmid, socket), vmid=vmid, timeout=timeout, clock=self.clock)

    def agent(self, vmid: int, *, timeout: float = 3.0) -> Agent:
        """A connection to the guest agent of a running guest."""
        if not self.running(vmid):
            raise Error(f"VM {vmid} is not running")
        return Agent.connect(self.layout.guest_socket(vmid, "qga"), timeout=timeout, clock=self.clock)

    def said(self, vmid: int) -> str:
        """What QEMU said on stderr since it was started, at most the last 64 KiB."""
        return files.read_tail(self.layout.guest(vmid) / ERRORS, limit=64 * 1024).strip()

    def processes(self, vmid: int) -> Iterator[Held]:
        """Every process that has a path of the guest's runtime directory in its command line: QEMU and its helpers.

        For cleaning up behind a start that was cut off before the pid file was written.
        """
        mark = f"{self.layout.guest(vmid)}/"
        for name in os.listdir("/proc"):
            if (
                name.isdigit()
                and int(name) != os.getpid()
                and any(mark in word for word in proc.command_line(int(name)))
            ):
                with contextlib.suppress(NotFound):
                    yield Held(int(name))

    def kill(self, vmid: int) -> None:
        """Kill whatever runs for the guest, and wait for its end; fine if nothing does."""
        for held in list(self.processes(vmid)):
            with held:
                held.signal(signal.SIGKILL)
                if not held.wait(10):
                    raise Error(f"process {held.pid} of VM {vmid} can't be killed (it hangs in the kernel)")

    def clean(self, vmid: int) -> None:
        """Remove what a guest that has ended left: helpers, scope, runtime files. Idempotent.

        Taps are gone with QEMU, which held their last descriptors.
        """
        self.kill(vmid)
        self.scopes.remove(self.scope(vmid))
        files.remove_tree(self.layout.guest(vmid), below=self.layout.run)

    def wait(self, vmid: int, timeout: float) -> bool:
        """Whether it has ended, waiting at most `timeout` seconds for that."""
        held = self.held(vmid)
        if held is None:
            return True
        with held:
            return held.wait(timeout)
