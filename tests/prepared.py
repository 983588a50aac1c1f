"""The prepared node: what the examples of all calls find there.

Users joe@pve (token ci, group ops), role Operator, pool lab; storages local and spare; volumes and a backup on local;
VM 100 stopped with a disk and a cloud-init drive, VM 101 running with a serial console and an agent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from corral.cli.client import ApiError, Client
from corral.core.layout import Layout
from corral.store.base import Cause, Transaction, Write
from corral.store.remote import RemoteStore
from corral.system.clock import SystemClock
from tests.lab.node import Node


def prepare(node: Node, image: Path | None = None) -> None:
    """Make all of it on a fresh node. `image` is what VM 101 boots; without one its disk is empty."""
    client = Client(Layout(node.root.resolve()), SystemClock())
    _people(client)
    _sleeper(node.root)
    _storages(client, node.root)
    _machines(client, node.name, image)


def run(client: Client, node: str, method: str, path: str, **params: Any) -> Any:
    """A call that must succeed, task included."""
    data = client.call(method, path, {key.replace("__", "-"): value for key, value in params.items()})
    if isinstance(data, str) and data.startswith("UPID:"):
        ended = client.follow(node, data, quiet=True)
        assert ended == "OK" or ended.startswith("WARNINGS"), f"{method} {path}: {ended}"
    return data


def _people(client: Client) -> None:
    client.call("POST", "/access/groups", {"groupid": "ops"})
    client.call("POST", "/access/roles", {"roleid": "Operator", "privs": "VM.Audit,VM.PowerMgmt"})
    client.call("POST", "/access/users", {"userid": "joe@pve", "password": "joe's password", "groups": "ops"})
    client.call("POST", "/access/users/joe@pve/token/ci", {})
    client.call("POST", "/pools", {"poolid": "lab"})


def _sleeper(root: Path) -> None:
    """A node that does not run, and can be woken."""
    store = RemoteStore.at(Layout(root.resolve()).store_socket, SystemClock())
    write = Write(key="node/sleeper", text="wakeonlan: BC:24:11:00:00:01\n", header={"name": "sleeper", "uuid": "0"})
    store.commit(Transaction(cause=Cause(who="root@pam", why="a test"), writes=(write,)))
    store.close()


def _storages(client: Client, root: Path) -> None:
    spare = root / "srv" / "spare"
    spare.mkdir(parents=True)
    client.call("POST", "/storage", {"storage": "spare", "type": "dir", "path": str(spare), "content": "images"})
    local = root / "var/lib/vz"
    for disk in ("vm-4712-disk-0.raw", "vm-4712-disk-1.raw"):
        _file(local / "images/4712" / disk, 1 << 20)
    _file(local / "dump/vzdump-qemu-4711-2026_01_31-04_00_00.vma.zst", 64)
    _file(local / "dump/vzdump-qemu-4711-2026_01_30-04_00_00.vma.zst", 64)


def _file(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def _machines(client: Client, node: str, image: Path | None) -> None:
    common: dict[str, Any] = {"serial0": "socket", "scsihw": "virtio-scsi-pci", "net0": "virtio"}
    run(
        client, node, "POST", f"/nodes/{node}/qemu", vmid=100, name="stopped", memory=32, scsi0="local:1",
        ide2="local:cloudinit", **common,
    )  # fmt: skip
    disk = "local:1" if image is None else f"local:0,import-from={image}"
    run(
        client, node, "POST", f"/nodes/{node}/qemu", vmid=101, name="running", memory=192, scsi0=disk, agent="1",
        **common,
    )  # fmt: skip
    run(client, node, "POST", f"/nodes/{node}/qemu/101/status/start")


def wait_for_agent(client: Client, node: str, vmid: int = 101, *, patience: float = 120) -> None:
    """Until the guest's agent answers."""
    clock = SystemClock()
    end = clock.monotonic() + patience
    while True:
        try:
            client.call("POST", f"/nodes/{node}/qemu/{vmid}/agent/ping", {})
        except ApiError:
            assert clock.monotonic() < end, f"the agent of VM {vmid} does not answer"
            clock.sleep(0.5)
        else:
            return
