"""Reading a large node: 10,000 guests while 100 of them change each second, by a user who may see half of them."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from bench import Row, _load, percentile
from corral.core.layout import Layout
from corral.store.base import Cause, Transaction, Write
from corral.store.remote import RemoteStore
from corral.system.clock import SystemClock
from tests.lab.node import Node

GUESTS = 10_000
CHANGES = 100
SECONDS = 8.0
USER = "half@pve"


class Churn:
    """Changes the configuration of so many guests each second, a transaction each, as workers do."""

    def __init__(self, node: Node, vmids: list[int]) -> None:
        self.store = RemoteStore.at(Layout(node.root.resolve()).store_socket, SystemClock(), patience=5)
        self.keys = [f"guest/{vmid}" for vmid in vmids]
        self.stopped = threading.Event()
        self.made = 0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.started = time.perf_counter()
        self.thread.start()
        return self

    def _run(self) -> None:
        while not self.stopped.is_set():
            doc = self.store.get(self.keys[self.made % len(self.keys)])
            assert doc
            text = re.sub(r"(?m)^tags: .*$", f"tags: t{self.made}", doc.text)
            write = Write(key=doc.key, text=text, expect=doc.version, cls=doc.cls, header=doc.header)
            self.store.commit(Transaction(cause=Cause(who="root@pam", why="bench"), writes=(write,)))
            self.made += 1
            ahead = self.started + self.made / CHANGES - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()
        self.rate = self.made / (time.perf_counter() - self.started)
        self.store.close()


def half(node: Node) -> dict[str, str]:
    """A user who may see every second guest, and the headers of the user's requests."""
    mine = [row["vmid"] for row in node.call("GET", "/cluster/resources", type="vm")][::2]
    node.call("POST", "/pools", poolid="half")
    for at in range(0, len(mine), 500):
        change: dict[str, Any] = {"vms": ",".join(str(vmid) for vmid in mine[at : at + 500]), "allow-move": True}
        node.call("PUT", "/pools", poolid="half", **change)
    node.call("POST", "/access/users", userid=USER, password="half-of-it-all")
    node.call("PUT", "/access/acl", path="/pool/half", users=USER, roles="PVEVMUser")
    admin = dict(node.headers)
    node.login(USER, "half-of-it-all")
    theirs, node.headers = dict(node.headers), admin
    return theirs


def measure() -> Iterator[Row]:
    """Rates and times of lists and of single reads."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as directory:
        root = Path(directory) / "root"
        node = Node(root)
        with node:
            subprocess.run(
                [node.program, "seed", "--guests", str(GUESTS), "--root", root], env=node.environment, check=True,
                stdout=subprocess.DEVNULL, timeout=300,
            )  # fmt: skip
            node.login()
            headers = half(node)
            seen = node.call("GET", "/cluster/resources", headers=headers)
            here = [row["vmid"] for row in node.call("GET", "/nodes/{node}/qemu")]
            with Churn(node, here) as churn:
                lists = _load.run([f"{node.base}/cluster/resources"], 1, SECONDS, headers)
                many = _load.run([f"{node.base}/cluster/resources"], 4, SECONDS, headers)
            note = f"{len(seen)} rows seen, {churn.rate:.0f} changes/s; peer: the target"
            yield Row("reads", "resources_p99_ms", percentile(lists["times"], 0.99), 25, note)
            yield Row("reads", "resources_per_s", many["rate"], 100, f"4 connections, {many['bad']} failed; {note}")
            urls = [f"{node.base}/nodes/{node.name}/qemu/{vmid}/config" for vmid in here[:500]]
            single = _load.run(urls, 16, SECONDS, dict(node.headers))
            yield Row("reads", "guest_config_per_s", single["rate"], 2000, f"16 connections, {single['bad']} failed")
