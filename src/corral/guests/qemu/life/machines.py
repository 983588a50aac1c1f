"""This node's virtual machines: records, configurations, and what runs of them. Shared by all parts of `life`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from corral.core.clock import Clock
from corral.core.errors import Conflict, Error, Locked
from corral.core.layout import Layout
from corral.guests import records
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.processes import Processes
from corral.guests.qemu.life.volumes import Volumes
from corral.guests.records import Guest
from corral.storage.service import Storages
from corral.store.base import Cause, Store, Transaction, Tree
from corral.system.run import Run
from corral.tasks.base import UndoScope, Work

COMMITS = 20
"""How often a change of a record is tried that others change too."""
CACHED = 20_000
"""Configurations kept parsed."""


class Machine(NamedTuple):
    """A virtual machine's record with its configuration."""

    guest: Guest
    config: VmConfig

    @property
    def name(self) -> str:
        """Its name, or the one that lists show for a guest without."""
        return self.config.options.name or f"VM {self.guest.vmid}"

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
        self,
        *,
        node: str,
        tree: Tree,
        store: Store,
        clock: Clock,
        layout: Layout,
        run: Run,
        processes: Processes,
        volumes: Volumes,
    ) -> None:
        self.node = node
        self.tree = tree
        self._store = store
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

    def commit(
        self, work: Work, vmid: int, change: Callable[[Machine], VmConfig], *, keep: UndoScope | None = None
    ) -> Machine:
        """Change a guest's record to what `change` makes of it; answers the machine as it then is.

        `change` only computes, and is called again when somebody else has changed the record meanwhile.
        """
        for attempt in range(COMMITS):
            machine = self.load(vmid)
            config = change(machine)
            if keep is None and str(config) == machine.guest.text:
                return machine
            try:
                work.commit(machine.guest.rewrite(str(config)), keep=keep)
            except Conflict:
                if attempt == COMMITS - 1:
                    raise
            else:
                break
        return self.load(vmid)

    def unlock(self, vmid: int, keys: Iterable[str]) -> None:
        """Remove these options from a guest's record, outside of any task's transactions: for undo steps."""
        for _ in range(COMMITS):
            machine = self.find(vmid)
            if machine is None:
                return
            config = machine.config.set(dict.fromkeys(keys))
            if config.raw == machine.config.raw:
                return
            write = machine.guest.rewrite(str(config))
            with contextlib.suppress(Conflict):
                self._store.commit(Transaction(cause=Cause(who="root@pam", why="undo"), writes=(write,)))
                return


def lock_of(vmid: int) -> str:
    """The queue's lock of a guest."""
    return f"guest/{vmid}"
