"""A machine with one way out, in a network namespace: run by `unshare -n`, drives `Nat` and a guest behind it.

Argument: a scratch directory. Prints a JSON object of what was seen.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corral.core.errors import Error
from corral.core.layout import Layout
from corral.network.nat import Nat, NatDown, NatUp
from corral.store.base import Cause, Transaction, Write
from corral.store.memory import MemoryStore
from corral.system import netlink, proc
from corral.system.clock import SystemClock
from corral.system.run import Process, SystemRun
from corral.tasks.base import Draws, Undo

run = SystemRun()


class Scope:
    def __init__(self) -> None:
        self.steps: list[Undo] = []

    def before(self, step: Undo) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def void(self, number: int | None = None) -> None:
        self.steps.clear()


class Work:
    """What a running task has in its hands, as far as it is used here."""

    upid, user = "UPID:test", "root@pam"

    def __init__(self, store: MemoryStore, nat: Nat) -> None:
        self.draws, self._store, self._nat = Draws(), store, nat

    def log(self, line: str) -> None:
        print(line, file=sys.stderr)

    warn = log

    @contextmanager
    def undo(self) -> Iterator[Scope]:
        scope = Scope()
        try:
            yield scope
        except BaseException:
            for step in reversed(scope.steps):
                self._nat.undo_up(step)  # type: ignore[arg-type]
            raise

    def commit(self, *writes: Write, keep: Scope | None = None) -> object:
        if keep:
            keep.void()
        return self._store.commit(Transaction(cause=Cause(who="test"), writes=writes))


def namespace() -> Process:
    """Another machine: a process in a network namespace of its own."""
    process = run.spawn(["unshare", "-n", "sleep", "60"])
    ours = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{process.pid}/ns/net") == ours:
        time.sleep(0.01)
    return process


def inside(process: Process, *words: str) -> str:
    return run(["nsenter", "-t", str(process.pid), "-n", *words], timeout=20).stdout


def discover() -> None:
    """A guest's side of DHCP: print the offered address and router."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
    client.bind(("", 68))
    client.settimeout(10)
    mac = bytes.fromhex("bc2411000001")
    head = struct.pack("!BBBBIHHIIII16s192x", 1, 1, 6, 0, 77, 0, 0x8000, 0, 0, 0, 0, mac)
    client.sendto(head + b"\x63\x82\x53\x63" + b"\x35\x01\x01\x37\x02\x03\x06\xff", ("255.255.255.255", 67))
    reply = client.recv(2048)
    options, at = {}, 240
    while reply[at] != 255:
        options[reply[at]] = reply[at + 2 : at + 2 + reply[at + 1]]
        at += 2 + reply[at + 1]
    print(json.dumps({"address": socket.inet_ntoa(reply[16:20]), "router": socket.inet_ntoa(options[3])}))


def work(store: MemoryStore, nat: Nat) -> Any:
    """Any: a part of the protocol suffices here."""
    return Work(store, nat)


def refused(nat: Nat, task: NatUp | NatDown) -> str:
    try:
        if isinstance(task, NatUp):
            nat.check_up(task, Draws())
        else:
            nat.check_down(task, Draws())
    except Error as exc:
        return str(exc)
    return ""


def main(scratch: Path) -> None:
    seen: dict[str, object] = {}
    store = MemoryStore(SystemClock())
    layout = Layout(scratch)
    layout.run.mkdir(parents=True, exist_ok=True)
    nat = Nat(layout=layout, run=run, tree=store, node="n1")
    run(["ip", "link", "set", "lo", "up"], timeout=5)
    world, guest = namespace(), namespace()
    try:
        run(["ip", "link", "add", "wan0", "type", "veth", "peer", "name", "wan1", "netns", str(world.pid)], timeout=5)
        run(["ip", "addr", "add", "10.99.0.200/24", "dev", "wan0"], timeout=5)
        run(["ip", "link", "set", "wan0", "up"], timeout=5)
        inside(world, "ip", "addr", "add", "10.99.0.2/24", "dev", "wan1")
        inside(world, "ip", "link", "set", "wan1", "up")

        seen["forwarding before"] = proc.read("/proc/sys/net/ipv4/ip_forward").strip()
        seen["effects"] = list(nat.check_up(NatUp(), Draws()).effects)
        seen["taken network"] = refused(nat, NatUp(address="10.99.0.7/24"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("", 67))
            try:
                nat.act_up(NatUp(), work(store, nat))
            except Error as exc:
                seen["failure"] = str(exc)
        seen["after failure"] = (netlink.exists("vmbr0"), store.get("nat/n1") is None)
        seen["address"] = nat.act_up(NatUp(), work(store, nat))
        seen["whole"] = nat.whole()
        seen["second"] = refused(nat, NatUp(bridge="vmbr7"))
        nat.act_up(NatUp(), work(store, nat))  # again: nothing is missing

        run(["ip", "link", "add", "gst0", "type", "veth", "peer", "name", "eth0", "netns", str(guest.pid)], timeout=5)
        netlink.attach("gst0", "vmbr0")
        inside(guest, "ip", "link", "set", "eth0", "address", "bc:24:11:00:00:01")
        inside(guest, "ip", "link", "set", "eth0", "up")
        inside(guest, "ip", "route", "add", "255.255.255.255", "dev", "eth0")
        time.sleep(0.3)
        offer = json.loads(inside(guest, sys.executable, __file__, "discover"))
        seen["offer"] = offer
        inside(guest, "ip", "addr", "add", f"{offer['address']}/24", "dev", "eth0")
        inside(guest, "ip", "route", "add", "default", "via", offer["router"])
        echo = (
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10)\n"
            "s.bind(('', 9999)); d, a = s.recvfrom(99); s.sendto(a[0].encode(), a)"
        )
        run.spawn(["nsenter", "-t", str(world.pid), "-n", sys.executable, "-c", echo])
        time.sleep(0.5)
        ask = (
            "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(5)\n"
            "s.sendto(b'who am I', ('10.99.0.2', 9999)); print(s.recv(99).decode())"
        )
        seen["seen from outside as"] = inside(guest, sys.executable, "-c", ask).strip()

        seen["in use"] = refused(nat, NatDown())
        netlink.delete("gst0")
        netlink.delete("vmbr0")  # what a reboot takes away
        seen["whole after reboot"] = nat.whole()
        nat.act_up(NatUp(), work(store, nat))
        seen["whole again"] = nat.whole()
        nat.act_down(NatDown(), work(store, nat))
        seen["after"] = {
            "bridge": netlink.exists("vmbr0"),
            "rules": run(["nft", "list", "ruleset"], timeout=5).stdout.strip(),
            "dnsmasq": run(["pgrep", "-f", f"pid-file={layout.run}"], timeout=5, ok=(0, 1)).stdout.strip(),
            "forwarding": proc.read("/proc/sys/net/ipv4/ip_forward").strip(),
            "record": store.get("nat/n1") is not None,
        }
        seen["nothing there"] = refused(nat, NatDown())
    finally:
        for process in (world, guest):
            process.signal(9)
    print(json.dumps(seen))


if __name__ == "__main__":
    if sys.argv[1] == "discover":
        discover()
    else:
        main(Path(sys.argv[1]))
