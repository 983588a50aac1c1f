"""The rows of `/cluster/resources`, kept encoded: only what changed is encoded again.

A row of a guest joins its record (name, tags, lock, size) with its status on the board. 10,000 guests of which 100
change every second are listed in a few milliseconds: the rows are there as bytes, and who may see which of them is kept
per user until users, pools or the set of guests change.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from corral.metrics.board import GuestStatus, StatusBoard, StatusChange, StorageStatus
from corral.store.base import Batch, Doc, Reset, Tree

GUEST = "guest/"
ACCESS = ("user.cfg", "token.cfg")
"""Records that decide who may see what."""

BLOCK = 64
"""So many rows are joined to one piece, which is kept until one of them changes."""
MOST_SIGHTS = 100
"""For so many users it is remembered what they may see."""

_encode = msgspec.json.Encoder().encode


class GuestFacts(NamedTuple):
    """What the list needs of a guest's record."""

    vmid: int
    kind: str
    node: str
    name: str
    tags: str = ""
    lock: str = ""
    template: bool = False
    maxcpu: float = 1
    maxmem: int = 512 << 20
    maxdisk: int = 0


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"cgroup_mode": "cgroup-mode"}):
    """One row on the wire, whatever it lists."""

    id: str
    type: str
    node: str | None = None
    vmid: int | None = None
    name: str | None = None
    status: str | None = None
    template: int | None = None
    tags: str | None = None
    lock: str | None = None
    pool: str | None = None
    cpu: float | None = None
    maxcpu: float | None = None
    mem: int | None = None
    maxmem: int | None = None
    memhost: int | None = None
    disk: int | None = None
    maxdisk: int | None = None
    diskread: int | None = None
    diskwrite: int | None = None
    netin: int | None = None
    netout: int | None = None
    uptime: int | None = None
    level: str | None = None
    storage: str | None = None
    plugintype: str | None = None
    content: str | None = None
    shared: int | None = None
    cgroup_mode: int | None = None


@dataclass(slots=True)
class _Sight:
    """Which guests a user may see, decided when access was at `access` and for the guests of `generation`.

    `blocks` are their rows, so many joined to one text; `place` tells each guest's block, `stale` guests whose row has
    changed since.
    """

    access: int
    generation: int = -1
    decided: dict[int, bool] = field(default_factory=dict)
    visible: list[int] = field(default_factory=list)
    blocks: list[bytes] = field(default_factory=list)
    place: dict[int, int] = field(default_factory=dict)
    stale: set[int] = field(default_factory=set)


class GuestRows:
    """The encoded rows of all guests. Thread-safe; tree and board tell it what changes."""

    def __init__(
        self,
        tree: Tree,
        listen: Callable[[Callable[[Batch | Reset], None]], object],
        board: StatusBoard,
        facts: Callable[[Doc], GuestFacts | None],
    ) -> None:
        self._tree = tree
        self._board = board
        self._facts_of = facts
        self._lock = threading.Lock()
        self._dirty: set[int] = set()
        self._all_dirty = True
        self._pools_dirty = True
        self._facts: dict[int, GuestFacts] = {}
        self._rows: dict[int, bytes] = {}
        self._order: list[int] = []
        self._pools: dict[int, str] = {}
        self._generation = 0
        self._access = 0
        self._sights: dict[str, _Sight] = {}
        board.listen(self._on_status)
        listen(self._on_records)

    # Listeners run with board or mirror locked: they only note. Single operations of sets and ints are atomic.

    def _on_status(self, change: StatusChange) -> None:
        if change.kind == "guest":
            self._dirty.add(int(change.id))

    def _on_records(self, event: Batch | Reset) -> None:
        if isinstance(event, Reset):
            self._all_dirty = self._pools_dirty = True
            self._access += 1
            return
        for change in event.changes:
            if change.key.startswith(GUEST):
                self._dirty.add(int(change.key[len(GUEST) :]))
            elif change.key in ACCESS:
                self._access += 1
                self._pools_dirty = True

    def encoded(self, who: str, may_see: Callable[[int], bool]) -> list[bytes]:
        """The rows that `who` may see, by number, as pieces that `joined` puts together. `may_see` is asked once per
        guest until access changes."""
        with self._lock:
            self._refresh()
            sight = self._sight(who)
            if sight.generation != self._generation:
                self._look(sight, may_see)
            elif sight.stale:
                for block in {sight.place[vmid] for vmid in sight.stale if vmid in sight.place}:
                    sight.blocks[block] = self._block(sight, block)
            sight.stale.clear()
            return list(sight.blocks)

    def _sight(self, who: str) -> _Sight:
        known = self._sights.get(who)
        if known is None or known.access != self._access:
            if len(self._sights) >= MOST_SIGHTS:
                self._sights.clear()
            known = self._sights[who] = _Sight(access=self._access)
        return known

    def _look(self, sight: _Sight, may_see: Callable[[int], bool]) -> None:
        """Decide for the guests that are new; what was decided for the others still holds."""
        decided = sight.decided
        sight.decided = {vmid: decided[vmid] if vmid in decided else may_see(vmid) for vmid in self._order}
        sight.visible = [vmid for vmid, seen in sight.decided.items() if seen]
        sight.place = {vmid: at // BLOCK for at, vmid in enumerate(sight.visible)}
        sight.blocks = [self._block(sight, block) for block in range((len(sight.visible) + BLOCK - 1) // BLOCK)]
        sight.generation = self._generation

    def _block(self, sight: _Sight, block: int) -> bytes:
        return b",".join([self._rows[vmid] for vmid in sight.visible[block * BLOCK : (block + 1) * BLOCK]])

    def facts(self) -> dict[int, GuestFacts]:
        """What the records say, by number."""
        with self._lock:
            self._refresh()
            return dict(self._facts)

    def pool_of(self, vmid: int) -> str | None:
        """The pool a guest is in."""
        with self._lock:
            self._refresh()
            return self._pools.get(vmid)

    def _refresh(self) -> None:
        if self._pools_dirty:
            self._pools_dirty = False
            self._take_pools()
        if self._all_dirty:
            self._all_dirty = False
            self._dirty.clear()
            self._take_all()
            return
        while self._dirty:
            self._take(self._dirty.pop())

    def _take_pools(self) -> None:
        doc = self._tree.get("user.cfg")
        pools = parse_pools(doc.text if doc else "")
        changed = {vmid for vmid, _ in pools.items() ^ self._pools.items()}
        self._pools = pools
        self._dirty.update(changed)

    def _take_all(self) -> None:
        self._facts.clear()
        self._rows.clear()
        for doc in self._tree.list(GUEST):
            facts = self._facts_of(doc)
            if facts is not None:
                self._facts[facts.vmid] = facts
                self._rows[facts.vmid] = self._encoded(facts)
        self._order = sorted(self._facts)
        self._generation += 1

    def _take(self, vmid: int) -> None:
        doc = self._tree.get(f"{GUEST}{vmid}")
        facts = self._facts_of(doc) if doc else None
        if facts is None:
            if self._facts.pop(vmid, None) is not None:
                del self._rows[vmid]
                self._order.remove(vmid)
                self._generation += 1
            return
        if vmid not in self._facts:
            insort(self._order, vmid)
            self._generation += 1
        self._facts[vmid] = facts
        self._rows[vmid] = self._encoded(facts)
        for sight in self._sights.values():
            sight.stale.add(vmid)

    def _encoded(self, facts: GuestFacts) -> bytes:
        return _encode(guest_row(facts, self._board.guest(facts.vmid), self._pools.get(facts.vmid)))


def guest_row(facts: GuestFacts, status: GuestStatus | None, pool: str | None) -> Row:
    """The row of one guest; sizes come from its record while it does not run."""
    state = status or GuestStatus(vmid=facts.vmid, node=facts.node)
    return Row(
        id=f"{facts.kind}/{facts.vmid}",
        type=facts.kind,
        node=facts.node,
        vmid=facts.vmid,
        name=facts.name,
        status=state.status,
        template=int(facts.template),
        tags=facts.tags or None,
        lock=facts.lock or None,
        pool=pool,
        cpu=state.cpu,
        maxcpu=state.maxcpu or facts.maxcpu,
        mem=state.mem,
        maxmem=state.maxmem or facts.maxmem,
        memhost=state.memhost,
        disk=state.disk,
        maxdisk=state.maxdisk or facts.maxdisk,
        diskread=state.diskread,
        diskwrite=state.diskwrite,
        netin=state.netin,
        netout=state.netout,
        uptime=state.uptime,
    )


def parse_pools(text: str) -> dict[int, str]:
    """Which pool each guest is in, from `user.cfg`'s lines `pool:ID:COMMENT:VMID,…:STORAGE,…:`."""
    pools = {}
    for line in text.splitlines():
        words = line.split(":")
        if words[0] == "pool" and len(words) > 3:
            pools.update({int(vmid): words[1] for vmid in words[3].replace(",", " ").split() if vmid.isdigit()})
    return pools


def node_rows(board: StatusBoard, nodes: Iterable[str], detailed: Callable[[str], bool]) -> list[Row]:
    """A row of each node; figures only where the caller may see them."""
    rows = []
    for node in nodes:
        status = board.node(node)
        if status is None or not detailed(node):
            rows.append(Row(id=f"node/{node}", type="node", node=node, status=status.status if status else "unknown"))
            continue
        rows.append(
            Row(
                id=f"node/{node}",
                type="node",
                node=node,
                status=status.status,
                cpu=status.cpu,
                maxcpu=status.maxcpu,
                mem=status.mem,
                maxmem=status.maxmem,
                disk=status.disk,
                maxdisk=status.maxdisk,
                uptime=status.uptime,
                level=status.level,
                cgroup_mode=status.cgroup_mode,
            )
        )
    return rows


def storage_rows(states: Iterable[StorageStatus]) -> list[Row]:
    """A row of each storage."""
    return [
        Row(
            id=f"storage/{status.node}/{status.storage}",
            type="storage",
            storage=status.storage,
            node=status.node,
            status="available" if status.active else "unknown",
            disk=status.used,
            maxdisk=status.total,
            plugintype=status.plugin,
            content=status.content,
            shared=int(status.shared),
        )
        for status in states
    ]


def pool_rows(pools: Iterable[str]) -> list[Row]:
    """A row of each pool."""
    return [Row(id=f"/pool/{pool}", type="pool", pool=pool) for pool in pools]


def joined(parts: Iterable[bytes]) -> bytes:
    """Encoded rows as one JSON array."""
    return b"[" + b",".join(parts) + b"]"


def encode_rows(rows: Iterable[Row]) -> list[bytes]:
    """Each row encoded."""
    return [_encode(row) for row in rows]


_SIZE = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def facts_of(doc: Doc) -> GuestFacts | None:
    """Read the facts of a guest's record by its plain lines; None if the key names no guest.

    Deliberately no full parse: a list of 10,000 guests must not wait for every option of every guest to be understood.
    """
    ident = doc.key[len(GUEST) :]
    if not ident.isdigit():
        return None
    vmid, kind = int(ident), doc.header.get("kind", "qemu")
    lines = _current(doc.text)
    default = f"VM {vmid}" if kind == "qemu" else f"CT{vmid}"
    return GuestFacts(
        vmid=vmid,
        kind=kind,
        node=doc.header.get("node", ""),
        name=lines.get("name") or lines.get("hostname") or default,
        tags=lines.get("tags", ""),
        lock=lines.get("lock", ""),
        template=lines.get("template") == "1",
        maxcpu=_cpus(lines),
        maxmem=_memory(lines.get("memory", "512")) << 20,
        maxdisk=_boot_size(lines),
    )


def _current(text: str) -> dict[str, str]:
    lines = {}
    for line in text.split("\n"):
        if line.startswith("["):
            break
        key, colon, value = line.partition(":")
        if colon and not line.startswith("#"):
            lines[key] = value.strip()
    return lines


def _cpus(lines: Mapping[str, str]) -> int:
    if lines.get("vcpus", "").isdigit():
        return int(lines["vcpus"])
    cores, sockets = lines.get("cores", "1"), lines.get("sockets", "1")
    return int(cores) * int(sockets) if cores.isdigit() and sockets.isdigit() else 1


def _memory(text: str) -> int:
    first = text.partition(",")[0].removeprefix("current=")
    return int(first) if first.isdigit() else 512


def _boot_size(lines: Mapping[str, str]) -> int:
    """The size of the disk it boots from; of the first disk where no order is given; of a container's root."""
    order = lines.get("boot", "").partition("order=")[2].partition(",")[0].split(";")
    for key in [*order, lines.get("bootdisk", ""), "rootfs", "scsi0", "virtio0", "sata0", "ide0"]:
        value = lines.get(key, "")
        size = next((part[5:] for part in value.split(",") if part.startswith("size=")), "")
        if size and "media=cdrom" not in value:
            number, unit = (size[:-1], size[-1]) if size[-1] in _SIZE else (size, "")
            return int(float(number) * _SIZE[unit]) if number.replace(".", "", 1).isdigit() else 0
    return 0


def plain(row: Row) -> dict[str, Any]:
    """A row as a dictionary, for the few callers that look into it."""
    found: dict[str, Any] = msgspec.to_builtins(row)
    return found
