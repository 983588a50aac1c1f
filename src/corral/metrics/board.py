"""The status board: what nodes, guests and storages are doing now. In memory only, never in the store.

corrald fills it (`Sampler`, QMP events) and streams its changes; corral-api applies them to a board of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from corral.schema.fields import name

log = logging.getLogger(__name__)

Kind = Literal["node", "guest", "storage"]


class NodeStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node now. Fractions for `cpu` and `wait`, bytes for sizes and counters, seconds for `uptime`."""

    node: str
    status: Literal["online", "offline", "unknown"] = "online"
    cpu: float = 0.0
    wait: float = 0.0
    maxcpu: int = 0
    mem: int = 0
    maxmem: int = 0
    memavailable: int = 0
    swap: int = 0
    maxswap: int = 0
    arcsize: int = 0
    disk: int = 0
    maxdisk: int = 0
    uptime: int = 0
    loadavg: tuple[str, str, str] = ("0", "0", "0")
    netin: int = 0
    netout: int = 0
    level: str = ""
    cgroup_mode: Annotated[int, name("cgroup-mode")] = 2
    fingerprint: str = ""
    address: str = ""
    pressure: dict[str, float] = {}

    @property
    def id(self) -> str:
        """Its key on the board."""
        return self.node


class GuestStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A guest now. What its prober knows; `cpu` is worked out by the sampler from `cpu_seconds`.

    status       `running` or `stopped`, as lists show it; `qmpstatus` has QEMU's own word (`paused`, `prelaunch`, …)
    cpu          fraction of its `maxcpu` processors
    mem          bytes in use as the guest sees it; `memhost` as the host does
    counters     disk and network bytes since it started
    """

    vmid: int
    node: str
    type: Literal["qemu", "lxc"] = "qemu"
    status: Literal["running", "stopped"] = "stopped"
    qmpstatus: str = ""
    pid: int | None = None
    uptime: int = 0
    cpu: float = 0.0
    cpu_seconds: float = 0.0
    maxcpu: float = 0.0
    mem: int = 0
    maxmem: int = 0
    memhost: int = 0
    disk: int = 0
    maxdisk: int = 0
    diskread: int = 0
    diskwrite: int = 0
    netin: int = 0
    netout: int = 0
    balloon: int | None = None
    ballooninfo: dict[str, int] | None = None
    blockstat: dict[str, dict[str, int]] | None = None
    nics: dict[str, dict[str, int]] | None = None
    running_machine: Annotated[str | None, name("running-machine")] = None
    running_qemu: Annotated[str | None, name("running-qemu")] = None
    agent: bool | None = None
    pressure: dict[str, float] = {}

    @property
    def id(self) -> str:
        """Its key on the board."""
        return str(self.vmid)


class StorageStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A storage on a node now; bytes. Not `active`: it could not be reached, the sizes are 0."""

    storage: str
    node: str
    plugin: str = "dir"
    content: str = ""
    shared: bool = False
    enabled: bool = True
    active: bool = True
    used: int = 0
    avail: int = 0
    total: int = 0

    @property
    def id(self) -> str:
        """Its key on the board."""
        return f"{self.node}/{self.storage}"


Status = NodeStatus | GuestStatus | StorageStatus


class StatusChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One difference: the new status of a thing, or none of the three when it is gone."""

    kind: Kind
    id: str
    node: NodeStatus | None = None
    guest: GuestStatus | None = None
    storage: StorageStatus | None = None

    @property
    def status(self) -> Status | None:
        """What it is now; None: gone."""
        return self.node or self.guest or self.storage


def change_of(status: Status) -> StatusChange:
    """The change that says that something is now like this."""
    match status:
        case NodeStatus():
            return StatusChange(kind="node", id=status.id, node=status)
        case GuestStatus():
            return StatusChange(kind="guest", id=status.id, guest=status)
        case StorageStatus():
            return StatusChange(kind="storage", id=status.id, storage=status)


Listener = Callable[[StatusChange], None]
S = TypeVar("S", NodeStatus, GuestStatus, StorageStatus)


class StatusBoard:
    """Thread-safe. Listeners are called in order, with the board locked: they only take note and return."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._all: dict[Kind, dict[str, Status]] = {"node": {}, "guest": {}, "storage": {}}
        self._listeners: tuple[Listener, ...] = ()

    def put(self, status: Status) -> None:
        """Say how something is now; listeners hear of it if that is a difference."""
        self.apply(change_of(status))

    def drop(self, kind: Kind, ident: str) -> None:
        """Say that something is gone."""
        self.apply(StatusChange(kind=kind, id=ident))

    def apply(self, change: StatusChange) -> None:
        """Take over a change, from here or from another board."""
        with self._lock:
            table = self._all[change.kind]
            if table.get(change.id) == change.status:
                return
            if change.status is None:
                del table[change.id]
            else:
                table[change.id] = change.status
            for listener in self._listeners:
                try:
                    listener(change)
                except Exception:
                    log.exception("a listener of the status board failed")

    def update_guest(self, vmid: int, node: str, **fields: object) -> None:
        """Change some fields of a guest at once, as events come; one that is not there is begun as stopped."""
        with self._lock:
            known = self.guest(vmid) or GuestStatus(vmid=vmid, node=node)
            self.put(replace(known, **fields))

    def node(self, node: str) -> NodeStatus | None:
        """A node, or None if nothing is known."""
        found = self._all["node"].get(node)
        return found if isinstance(found, NodeStatus) else None

    def guest(self, vmid: int) -> GuestStatus | None:
        """A guest, or None if nothing is known."""
        found = self._all["guest"].get(str(vmid))
        return found if isinstance(found, GuestStatus) else None

    def storage(self, node: str, storage: str) -> StorageStatus | None:
        """A storage on a node, or None if nothing is known."""
        found = self._all["storage"].get(f"{node}/{storage}")
        return found if isinstance(found, StorageStatus) else None

    def nodes(self) -> list[NodeStatus]:
        """All nodes by name."""
        return sorted(self._some(NodeStatus, "node"), key=lambda status: status.node)

    def guests(self) -> list[GuestStatus]:
        """All guests by number."""
        return sorted(self._some(GuestStatus, "guest"), key=lambda status: status.vmid)

    def storages(self) -> list[StorageStatus]:
        """All storages by node and name."""
        return sorted(self._some(StorageStatus, "storage"), key=lambda status: status.id)

    def _some(self, cls: type[S], kind: Kind) -> list[S]:
        with self._lock:
            return [status for status in self._all[kind].values() if isinstance(status, cls)]

    def snapshot(self) -> list[StatusChange]:
        """Everything, as changes of an empty board."""
        with self._lock:
            return [change_of(status) for table in self._all.values() for status in table.values()]

    def subscribe(self, listener: Listener) -> tuple[list[StatusChange], Callable[[], None]]:
        """Everything, and from exactly there on every change to `listener`; the function ends it."""
        with self._lock:
            return self.snapshot(), self.listen(listener)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each change; answers the function that ends it."""
        with self._lock:
            self._listeners += (listener,)

        def cancel() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return cancel

    def load(self, changes: Iterable[StatusChange]) -> None:
        """Become what a snapshot says; what it does not name is dropped, and listeners hear of all differences."""
        with self._lock:
            known = list(changes)
            wanted = {(change.kind, change.id) for change in known}
            for kind, table in self._all.items():
                for ident in [ident for ident in table if (kind, ident) not in wanted]:
                    self.drop(kind, ident)
            for change in known:
                self.apply(change)
