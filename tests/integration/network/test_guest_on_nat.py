"""A real guest on the NAT bridge: it gets its address there, and its bytes are counted."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.cli.client import ApiError, Client
from corral.core.layout import Layout
from corral.system.clock import SystemClock
from tests.lab.guest import Guest
from tests.lab.node import Node
from tests.prepared import run


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A node in a network namespace of its own."""
    missing = [name for name in ("ip", "nft", "dnsmasq") if not shutil.which(name)]
    if missing or os.geteuid():
        pytest.skip(f"needs root and {missing or 'nothing else'}")
    name = f"guest{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        with Node(tmp_path / "root", namespace=name) as started:
            yield started
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def addresses(client: Client, vmid: int) -> list[str]:
    """What the guest's agent says of its network; nothing while the agent does not answer."""
    with contextlib.suppress(ApiError):
        found = client.call("GET", f"/nodes/n1/qemu/{vmid}/agent/network-get-interfaces", {})["result"]
        return [each["ip-address"] for card in found for each in card.get("ip-addresses", ())]
    return []


@pytest.mark.exercises("GET /nodes/{node}/netstat")
@pytest.mark.exercises("POST /nodes/{node}/nat")
@pytest.mark.exercises("DELETE /nodes/{node}/nat")
@pytest.mark.exercises("DELETE /nodes/{node}/nat", refused=True)
@pytest.mark.timeout(180)
def test_a_guest_gets_its_address_from_the_bridge(node: Node, guest_image: Guest) -> None:
    client = Client(Layout(node.root.resolve()), SystemClock())

    def do(method: str, path: str, **params: Any) -> Any:
        return run(client, node.name, method, f"/nodes/n1{path}", **params)

    do("POST", "/nat")
    imports = node.root / "var/lib/vz/import"
    imports.mkdir(parents=True, exist_ok=True)
    shutil.copy(guest_image.qcow2, imports / "tiny.qcow2")
    do(
        "POST", "/qemu", vmid=100, memory=512, agent="1", scsihw="virtio-scsi-pci", net0="virtio,bridge=vmbr0,rate=50",
        scsi0="local:0,import-from=local:import/tiny.qcow2", boot="order=scsi0",
    )  # fmt: skip
    do("POST", "/qemu/100/status/start")
    try:
        end = time.monotonic() + 90
        seen: list[str] = []
        while not any(address.startswith("10.99.0.") for address in seen):
            assert time.monotonic() < end, f"the guest has no address of the bridge: {seen}"
            time.sleep(0.5)
            seen = addresses(client, 100)
        (row,) = do("GET", "/netstat")
        assert (row["vmid"], row["dev"]) == ("100", "net0")
        assert int(row["in"]) > 0
        assert int(row["out"]) > 0
        with pytest.raises(ApiError, match="is in use by t"):
            client.call("DELETE", "/nodes/n1/nat", {})
    finally:
        do("POST", "/qemu/100/status/stop")
    assert do("GET", "/netstat") == []
    do("DELETE", "/nat")
    assert do("GET", "/nat") == {"active": 0}
