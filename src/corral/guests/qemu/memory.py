"""Memory and NUMA nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, NamedTuple

from corral.core.errors import Error
from corral.guests.qemu.args import Device, Item, Object, Option
from corral.guests.qemu.cpu import physical_bits, topology
from corral.schema.fields import between, doc, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

_RANGES = r"\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*"


class Memory(PropertyString, frozen=True, kw_only=True):
    """The guest's memory: `2048`."""

    default_key: ClassVar[str] = "current"

    current: Annotated[
        int, between(16), doc("Memory in MiB; with a balloon device the most the guest can get.", default=512)
    ]


class NumaNode(PropertyString, frozen=True, kw_only=True):
    """One NUMA node of the guest: `cpus=0-3,hostnodes=0,memory=1024,policy=bind`."""

    cpus: Annotated[str, pattern(_RANGES), doc("The guest's CPUs on this node, as `0-1;4`.")]
    hostnodes: Annotated[str, pattern(_RANGES), doc("The host's nodes that give its memory.")] | None = None
    memory: Annotated[float, doc("Memory of this node in MiB.")] | None = None
    policy: Annotated[Literal["preferred", "bind", "interleave"], doc("How the host's nodes are used.")] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------

DEFAULT: Final = 512
PER_SOCKET: Final = 512
"""MiB of each socket that are there from the start when memory can be plugged."""
MAX_PLUGGED: Final = 4 * 1024 * 1024
"""No more memory than this (MiB) can be plugged."""
SLOTS: Final = 255
MEMFD: Final = "virtiofs-mem"
GUARDED: Final = "ram1"


class Dimm(NamedTuple):
    """A memory module: its number, size in MiB, and NUMA node."""

    number: int
    size: int
    node: int


def render_memory(setup: Setup) -> Iterator[Item]:
    """`-m`, NUMA nodes, and modules plugged at start."""
    total = size(setup)
    if "memory" in setup.features:
        yield from _pluggable(setup, total)
    else:
        yield Option("m", str(total))
        if setup.options.numa:
            yield from _nodes(setup, total)
        elif setup.options.hugepages:
            raise Error("numa needs to be enabled to use hugepages")
        elif setup.options.virtiofs:
            # The daemon that serves the directory reads and writes the guest's memory.
            yield Object("memory-backend-memfd", MEMFD, {"size": total * 2**20, "share": True})
        elif _guarded(setup):
            # Pages are private to the guest until it shares them, so none may be there beforehand.
            props = {"size": total * 2**20, "share": True, "prealloc": False}
            yield Object("memory-backend-memfd", GUARDED, props)


def machine_flags(setup: Setup) -> dict[str, Any]:
    """What `-machine` must say about memory."""
    if setup.options.numa or "memory" in setup.features:
        return {}
    if setup.options.virtiofs:
        return {"memory-backend": MEMFD}
    return {"memory-backend": GUARDED} if _guarded(setup) else {}


def _guarded(setup: Setup) -> bool:
    return setup.options.amd_sev is not None and setup.options.amd_sev.type == "snp"


def size(setup: Setup) -> int:
    """The guest's memory in MiB."""
    return setup.options.memory.current if setup.options.memory else DEFAULT


def _pluggable(setup: Setup, total: int) -> Iterator[Item]:
    sockets, _ = topology(setup)
    if not setup.options.numa:
        raise Error("NUMA needs to be enabled for memory hotplug")
    at_start = PER_SOCKET * sockets
    most = min(2 ** (physical_bits(setup) - 1) // 2**20, MAX_PLUGGED)
    if total < at_start:
        raise Error(f"minimum memory must be {at_start}MB")
    if total > most:
        raise Error(f"you cannot add more memory than max mem {most} MB!")
    yield Option("m", str(at_start), {"slots": SLOTS, "maxmem": f"{most}M"})
    yield from _nodes(setup, at_start)
    for dimm in dimms(sockets, at_start, total):
        yield from dimm_items(setup, dimm)


def dimms(sockets: int, at_start: int, total: int) -> Iterator[Dimm]:
    """Modules that bring the memory from `at_start` to `total` or just above: 32 of each size, sizes doubling."""
    number, module, have = 0, 512, at_start
    while have < total:
        for _ in range(32):
            if have >= total or number >= SLOTS:
                return
            yield Dimm(number, module, number % sockets)
            have += module
            number += 1
        module *= 2


def dimm_items(setup: Setup, dimm: Dimm) -> tuple[Object, Device]:
    """The memory behind a module, and the module."""
    backend = _backend(setup, f"mem-dimm{dimm.number}", dimm.size)
    props = {"memdev": backend.id, "node": dimm.node}
    return backend, Device("pc-dimm", f"dimm{dimm.number}", props)


def _nodes(setup: Setup, total: int) -> Iterator[Item]:
    if setup.options.numa_nodes:
        yield from _laid_out(setup, total)
        return
    sockets, cores = topology(setup)
    each, rest = divmod(total, sockets)
    if rest:
        raise Error(f"memory ({total} MiB) can't be divided among {sockets} NUMA nodes")
    for node in range(sockets):
        backend = _backend(setup, f"ram-node{node}", each)
        cpus = f"{node * cores}-{(node + 1) * cores - 1}" if cores > 1 else str(node * cores)
        yield backend
        yield Option("numa", "node", {"nodeid": node, "cpus": cpus, "memdev": backend.id})


def _laid_out(setup: Setup, total: int) -> Iterator[Item]:
    """NUMA nodes as the configuration describes them."""
    given = 0
    for node, layout in enumerate(setup.options.numa_nodes.values()):
        if layout.memory is None:
            raise Error(f"missing NUMA node{node} memory value")
        given += int(layout.memory)
        policy: dict[str, Any] = {}
        if layout.hostnodes is not None:
            if layout.policy is None:
                raise Error(f"missing NUMA node{node} hostnodes policy")
            policy = {"host-nodes": tuple(layout.hostnodes.split(";")), "policy": layout.policy}
        backend = _backend(setup, f"ram-node{node}", int(layout.memory), policy)
        yield backend
        cpus = "".join(f",cpus={part}" for part in layout.cpus.split(";"))
        yield Option("numa", f"node,nodeid={node}{cpus}", {"memdev": backend.id})
    if given != total:
        raise Error(f"total memory for NUMA nodes ({given}) has to match the total memory ({total})")


def _backend(setup: Setup, name: str, mib: int, policy: dict[str, Any] | None = None) -> Object:
    props: dict[str, Any] = {"size": mib * 2**20}
    kind = "memory-backend-ram"
    if setup.options.hugepages:
        kind = "memory-backend-file"
        page = _page_size(setup, mib)
        props |= {"mem-path": f"{setup.host.hugepage_dir}/{page * 1024}kB", "share": True, "prealloc": "yes"}
    elif setup.options.virtiofs:
        kind = "memory-backend-memfd"
        props |= {"share": True}
    return Object(kind, name, props | (policy or {}))


def _page_size(setup: Setup, mib: int) -> int:
    asked = setup.options.hugepages
    if asked == "any":
        # The largest that fits: fewer entries for the CPU to keep.
        return 1024 if mib % 1024 == 0 else 2
    page = int(asked or 2)
    if mib % page:
        raise Error(f"memory of a NUMA node ({mib} MiB) must be a multiple of the page size ({page} MiB)")
    return page


def hugepages(setup: Setup) -> dict[int, dict[int, int]]:
    """Huge pages the guest needs: page size in MiB → host node (-1: any) → number."""
    found: dict[int, dict[int, int]] = {}
    if not setup.options.hugepages:
        return found
    for item in render_memory(setup):
        if not isinstance(item, Object) or item.type != "memory-backend-file":
            continue
        page = int(re.sub(r"\D", "", str(item.props["mem-path"]).rpartition("/")[2])) // 1024
        nodes = item.props.get("host-nodes", ())
        place = int(nodes[0]) if len(nodes) == 1 and nodes[0].isdigit() else -1
        count = int(item.props["size"]) // 2**20 // page
        found.setdefault(page, {}).setdefault(place, 0)
        found[page][place] += count
    return found
