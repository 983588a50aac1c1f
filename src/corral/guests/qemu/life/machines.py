"""This node's virtual machines: records, configurations, and what runs of them. Shared by all parts of `life`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corral.core.clock import Clock
from corral.core.errors import Error, Locked
from corral.core.layout import Layout
from corral.guests import records
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.processes import Processes
from corral.guests.qemu.life.volumes import Volumes
from corral.guests.records import Guest
from corral.storage.service import Storages
from corral.store.base import Tree
from corral.system.run import Run

CACHED = 20_000
"""Configurations kept parsed."""


class Machine(NamedTuple):
    """A virtual machine's record with its configuration."""

    guest: Guest
    config: VmConfig

    @property
    def name(self) -> str:
        """Its name, or the one that lists show for a guest without."""
        return self.config.options.name or f"VM{self.guest.vmid}"

    def refuse_locked(self, *, skip: bool = False, but: str | None = None) -> None:
        """`Locked` if the configuration carries a lock (other than `but`)."""
        lock = self.config.options.lock
        if lock and not skip and lock != but:
            raise Locked(f"VM is locked ({lock})")

    def refuse_protected(self, purpose: str) -> None:
        """`Error` if the guest is protected."""
        if self.config.options.protection:
            raise Error(f"{purpose} - protection mode enabled")

    def refuse_template(self, purpose: str) -> None:
        """`Error` if it is a template."""
        if self.config.options.template:
            raise Error(f"you can't {purpose} a vm if it's a template")


class Machines:
    """Reads guests, and knows what runs. Changes nothing."""

    def __init__(
        self, *, node: str, tree: Tree, clock: Clock, layout: Layout, run: Run, processes: Processes, volumes: Volumes
    ) -> None:
        self.node = node
        self.tree = tree
        self.clock = clock
        self.layout = layout
        self.run = run
        self.processes = processes
        self.volumes = volumes
        self._parsed: dict[int, tuple[int, VmConfig]] = {}

    @property
    def storages(self) -> Storages:
        """The node's storages."""
        return self.volumes.storages

    def load(self, vmid: int) -> Machine:
        """A machine of this node; `NotFound` in the words that clients know."""
        return self.read(records.load(self.tree, vmid, kind="qemu", node=self.node))

    def find(self, vmid: int) -> Machine | None:
        """A machine of this node, if there is one."""
        guest = records.find(self.tree, vmid, kind="qemu", node=self.node)
        return self.read(guest) if guest else None

    def every(self) -> Iterator[Machine]:
        """All machines of this node, by number."""
        for guest in records.every(self.tree, kind="qemu", node=self.node):
            yield self.read(guest)

    def read(self, guest: Guest) -> Machine:
        """The machine of a record; its text is parsed once per version."""
        known = self._parsed.get(guest.vmid)
        if known is not None and known[0] == guest.version:
            return Machine(guest, known[1])
        config = VmConfig.parse(guest.text)
        if len(self._parsed) >= CACHED:
            self._parsed.clear()
        self._parsed[guest.vmid] = (guest.version, config)
        return Machine(guest, config)


def lock_of(vmid: int) -> str:
    """The queue's lock of a guest."""
    return f"guest/{vmid}"
