"""A bridge for a fresh machine: `vmbr0` with DHCP and DNS for guests, behind the machine's own address.

`NatUp` makes it all or nothing, and makes up what is missing after a reboot; `NatDown` takes it back. The record
`nat/<node>` says that there is one and how the machine was before.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from corral.core.errors import AlreadyExists, Error, NotFound
from corral.core.layout import Layout
from corral.schema import doc
from corral.store.base import Tree, Write
from corral.system import cgroups, files, netlink, pidfd, proc
from corral.system.run import Run
from corral.tasks.base import Draws, Intent, TaskArgs, TaskType, Undo, UndoType, Work

log = logging.getLogger(__name__)

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_CANDIDATES = tuple(f"10.{number}.0.1/24" for number in (99, *range(100, 250)))


class NatUp(TaskArgs, frozen=True, kw_only=True):
    """Make the bridge; `address` None chooses a network that the machine has no part in."""

    type: ClassVar[str] = "natup"
    bridge: str = "vmbr0"
    address: str | None = None

    def id(self) -> str:
        """The bridge."""
        return self.bridge


class NatDown(TaskArgs, frozen=True, kw_only=True):
    """Take the bridge back."""

    type: ClassVar[str] = "natdown"

    def id(self) -> str:
        """Nothing: there is one at most."""
        return ""


class NatState(msgspec.Struct, frozen=True, kw_only=True):
    """What the record says: bridge, its address, and whether the machine forwarded packets before."""

    bridge: Annotated[str, doc("The bridge.")]
    address: Annotated[str, doc("Its address; guests get others of the same network.")]
    forwarded: Annotated[bool, doc("Whether the machine forwarded packets before.")]


class DropNat(Undo, frozen=True, kw_only=True):
    """Remove bridge, rules and DHCP, and set forwarding as it was."""

    name: ClassVar[str] = "drop-nat"
    bridge: str
    forwarded: bool


class Nat:
    """The NAT bridge of one node."""

    def __init__(self, *, layout: Layout, run: Run, tree: Tree, node: str) -> None:
        self._layout = layout
        self._run = run
        self._tree = tree
        self.key = f"nat/{node}"

    def state(self) -> NatState | None:
        """What was made here; None where nothing was."""
        found = self._tree.get(self.key)
        return msgspec.json.decode(found.text, type=NatState) if found else None

    def whole(self) -> bool:
        """Whether all of it is there now; true where nothing was made."""
        state = self.state()
        return state is None or (netlink.exists(state.bridge) and self._dhcp(state.bridge) is not None)

    # --- up -----------------------------------------------------------------------------------------------------

    def check_up(self, args: NatUp, draws: Draws) -> Intent:
        """Refuse a second one, a bridge that is another's, and a network that the machine is part of already."""
        state = self._wanted(args, draws)
        return Intent(
            writes=(self._write(state),),
            locks=("node/network",),
            effects=(
                f"makes bridge {state.bridge} with address {state.address}",
                f"runs dnsmasq for DHCP and DNS on {state.bridge}",
                f"translates addresses of {network_of(state.address)} by nftables table ip {self.table(state.bridge)}",
                *(() if state.forwarded else ("turns on forwarding of IPv4 packets",)),
            ),
        )

    def _wanted(self, args: NatUp, draws: Draws) -> NatState:
        """What is to be there: what the record says, or what is asked for and free."""
        if (state := self.state()) is not None:
            if args.bridge != state.bridge or args.address not in (None, state.address):
                raise AlreadyExists(f"there is a NAT bridge '{state.bridge}' with address {state.address} already")
            return state
        netlink.check_name(args.bridge)
        links = netlink.links()
        if any(link.name == args.bridge for link in links):
            raise AlreadyExists(f"network device '{args.bridge}' already exists")
        taken = [address for link in links for address in link.addresses]
        address = args.address or draws.draw("nat.address", lambda: choose(taken))
        if overlaps(address, taken):
            raise Error(f"the machine has an address in the network of {address} already")
        return NatState(bridge=args.bridge, address=address, forwarded=_forwarding())

    def act_up(self, args: NatUp, work: Work) -> str:
        """Make what is missing; answers the bridge's address."""
        known = self.state()
        state = self._wanted(args, work.draws)
        with work.undo() as undo:
            if known is None:
                undo.before(DropNat(bridge=state.bridge, forwarded=state.forwarded))
            self._make(state, work)
            if known is None:
                work.commit(self._write(state), keep=undo)
        return state.address

    def _make(self, state: NatState, work: Work) -> None:
        if not netlink.exists(state.bridge):
            work.log(f"making bridge {state.bridge} with address {state.address}")
            netlink.add_bridge(state.bridge, address=state.address, mac=bridge_mac(self._layout.tag))
        _set_forwarding(on=True)
        work.log(f"translating addresses of {network_of(state.address)}")
        self._nft(rules(self.table(state.bridge), state.bridge, state.address))
        if (held := self._dhcp(state.bridge)) is not None:
            held.close()
            return
        work.log(f"starting dnsmasq on {state.bridge}")
        self._start_dhcp(state)

    def _start_dhcp(self, state: NatState) -> None:
        directory = files.ensure_dir(self._layout.state / "nat", mode=0o755)
        process = self._run.spawn(dnsmasq(state.bridge, state.address, self._pid_file(state.bridge), directory))
        try:
            code = process.wait(5)
        except Error:
            process.signal(signal.SIGKILL)
            raise
        if code != 0:
            raise Error(f"dnsmasq does not start on '{state.bridge}' (exit code {code}): is port 53 or 67 taken?")
        if (held := self._dhcp(state.bridge)) is not None:
            with held:
                cgroups.scopes(self._run).place(self._scope(state.bridge), held.pid)

    # --- down ---------------------------------------------------------------------------------------------------

    def check_down(self, args: NatDown, draws: Draws) -> Intent:
        """Refuse it while guests are connected."""
        state = self._refuse_used()
        return Intent(
            writes=(Write(key=self.key, text=None),),
            locks=("node/network",),
            effects=(f"stops dnsmasq on {state.bridge}", f"removes bridge {state.bridge} and its rules"),
        )

    def _refuse_used(self) -> NatState:
        state = self.state()
        if state is None:
            raise NotFound("there is no NAT bridge to remove")
        if used := netlink.ports(state.bridge):
            raise Error(f"bridge '{state.bridge}' is in use by {', '.join(used)}")
        return state

    def act_down(self, args: NatDown, work: Work) -> None:
        """Remove it; one that fails on the way is finished by the next call."""
        state = self._refuse_used()
        work.log(f"removing bridge {state.bridge}, its rules and its DHCP server")
        self.undo_up(DropNat(bridge=state.bridge, forwarded=state.forwarded))
        work.commit(Write(key=self.key, text=None))

    def undo_up(self, step: DropNat) -> None:
        """Remove what there is of it."""
        if (held := self._dhcp(step.bridge)) is not None:
            with held:
                held.signal(signal.SIGTERM)
                if not held.wait(5):
                    held.signal(signal.SIGKILL)
                    held.wait(5)
        cgroups.scopes(self._run).remove(self._scope(step.bridge))
        files.remove_file(self._pid_file(step.bridge))
        # `add` first: deleting a table that is not there is an error.
        table = {"family": "ip", "name": self.table(step.bridge)}
        self._nft([{"add": {"table": table}}, {"delete": {"table": table}}])
        netlink.delete(step.bridge)
        if not step.forwarded:
            _set_forwarding(on=False)

    # --- names and parts ----------------------------------------------------------------------------------------

    def table(self, bridge: str) -> str:
        """The name of the nftables table."""
        mark = f"{self._layout.tag}_" if self._layout.private else ""
        return f"corral_{mark}nat_{''.join(char if char.isalnum() else '_' for char in bridge)}"

    def _scope(self, bridge: str) -> str:
        return f"corral-{self._layout.tag}-dhcp-{bridge}"

    def _pid_file(self, bridge: str) -> Path:
        return self._layout.run / f"dhcp-{bridge}.pid"

    def _dhcp(self, bridge: str) -> pidfd.Held | None:
        return pidfd.from_file(self._pid_file(bridge), program="dnsmasq")

    def _nft(self, commands: list[dict[str, Any]]) -> None:
        self._run(["nft", "-j", "-f", "-"], timeout=30, input=json.dumps({"nftables": commands}))

    def _write(self, state: NatState) -> Write:
        return Write(key=self.key, text=msgspec.json.encode(state).decode() + "\n")


def choose(taken: Iterable[str]) -> str:
    """An address whose network the machine has no part in."""
    known = list(taken)
    for candidate in _CANDIDATES:
        if not overlaps(candidate, known):
            return candidate
    raise Error("no private network is free; say one by 'address'")


def overlaps(address: str, taken: Iterable[str]) -> bool:
    """Whether some address is of the same network."""
    wanted = ipaddress.ip_interface(address).network
    return any(wanted.overlaps(other) for text in taken if (other := ipaddress.ip_interface(text).network).version == 4)


def network_of(address: str) -> str:
    """`10.99.0.1/24` → `10.99.0.0/24`."""
    return str(ipaddress.ip_interface(address).network)


def bridge_mac(tag: str) -> str:
    """A locally administered address that stays the same for a node."""
    return ":".join(["02", "c0", *(tag[at : at + 2] for at in range(0, 8, 2))])


def rules(table: str, bridge: str, address: str) -> list[dict[str, Any]]:
    """nftables commands that replace the whole table in one step."""
    where = {"family": "ip", "table": table}
    network = ipaddress.ip_interface(address).network
    prefix = {"prefix": {"addr": str(network.network_address), "len": network.prefixlen}}
    source = {"payload": {"protocol": "ip", "field": "saddr"}}
    masquerade = [
        {"match": {"op": "==", "left": source, "right": prefix}},
        {"match": {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": bridge}},
        {"masquerade": None},
    ]
    named = {"table": {"family": "ip", "name": table}}
    chain = {**where, "name": "postrouting", "type": "nat", "hook": "postrouting", "prio": 100, "policy": "accept"}
    return [
        {"add": named},
        {"delete": named},
        {"add": named},
        {"add": {"chain": chain}},
        {"add": {"rule": {**where, "chain": "postrouting", "expr": masquerade}}},
    ]


def dnsmasq(bridge: str, address: str, pid_file: Path, directory: Path) -> list[str]:
    """The DHCP and DNS server's command line; it goes to the background by itself once it serves."""
    network = ipaddress.ip_interface(address).network
    hosts = network.num_addresses
    first, last = network.network_address + min(50, hosts // 4), network.broadcast_address - 1
    return [
        "dnsmasq",
        "--conf-file=/dev/null",
        f"--pid-file={pid_file}",
        f"--dhcp-leasefile={directory}/{bridge}.leases",
        f"--interface={bridge}",
        "--except-interface=lo",
        "--bind-interfaces",
        f"--dhcp-range={first},{last},12h",
        "--dhcp-authoritative",
        "--no-hosts",
        "--user=nobody",
    ]


def _forwarding() -> bool:
    return proc.read(FORWARDING).strip() == "1"


def _set_forwarding(*, on: bool) -> None:
    if _forwarding() != on:
        files.set_kernel(FORWARDING, "1" if on else "0")


def _nat(app: Any) -> Nat:  # Any: the app, which this room does not know
    nat: Nat = app.nat
    return nat


TASKS: tuple[TaskType[Any, Any], ...] = (
    TaskType(NatUp, _nat, Nat.check_up, Nat.act_up),
    TaskType(NatDown, _nat, Nat.check_down, Nat.act_down),
)
UNDOS: tuple[UndoType[Any, Any], ...] = (UndoType(DropNat, _nat, Nat.undo_up),)
