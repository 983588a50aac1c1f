"""Every mutating call, by its declared example, on a node prepared for all of them: a plan changes nothing at all, and
applying it changes what the plan named and nothing else."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from corral import api
from corral.cli.client import ApiError, Client
from corral.core.layout import Layout
from corral.rest.endpoint import Endpoint
from corral.store.remote import RemoteStore
from corral.system.clock import SystemClock
from tests.lab.guest import Guest
from tests.lab.node import Node
from tests.prepared import prepare, run, wait_for_agent

CHANGING = sorted((made for made in api.endpoints() if made.changes), key=lambda made: made.pair)
PLANNED = [made for made in CHANGING if made.plan is None]

# Volatile by nature, and not part of any plan: leases, queue and idempotency entries, undo marks of tasks.
VOLATILE = ("kept/", "idempotency/", "queue/", "vmid-lease/")
WATCHED = ("var/lib/vz", "etc", "srv")


class World(NamedTuple):
    """All that a call may change: records, files, processes, network devices."""

    records: dict[str, str]
    files: dict[str, str]
    processes: frozenset[int]
    links: frozenset[str]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, guest_image: Guest) -> Iterator[Node]:
    """In a network namespace of its own: some calls make bridges."""
    if os.getuid() != 0 or not shutil.which("ip"):
        pytest.skip("needs root and iproute2, for a network namespace")
    name = f"plans{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for words in (["link", "set", "lo", "up"], ["route", "add", "default", "dev", "lo"]):
            subprocess.run(["ip", "-n", name, *words], check=True)
        with (
            Node(tmp_path_factory.mktemp("plans") / "root", namespace=name) as started,
            _web_server(name, tmp_path_factory.mktemp("web")),
        ):
            prepare(started, guest_image.qcow2)
            wait_for_agent(Client(Layout(started.root.resolve()), SystemClock()), started.name)
            yield started
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


@contextlib.contextmanager
def _web_server(namespace: str, directory: Path) -> Iterator[None]:
    """Serves what the example of `download-url` asks for: http://127.0.0.1:9/example.iso."""
    (directory / "example.iso").write_bytes(b"an image")
    command = [sys.executable, "-m", "http.server", "9", "--bind", "127.0.0.1", "--directory", str(directory)]
    process = subprocess.Popen(
        ["ip", "netns", "exec", namespace, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def client(node: Node) -> Client:
    return Client(Layout(node.root.resolve()), SystemClock())


def look(node: Node) -> World:
    layout = Layout(node.root.resolve())
    store = RemoteStore.at(layout.store_socket, SystemClock())
    try:
        records = {doc.key: doc.text for doc in store.list() if not doc.key.startswith(VOLATILE)}
    finally:
        store.close()
    files = {}
    for top in WATCHED:
        for path in sorted((node.root / top).rglob("*")):
            if path.is_file() and not path.is_symlink():
                stat = path.stat()
                small = (
                    hashlib.sha256(path.read_bytes()).hexdigest() if stat.st_size < 1 << 20 else str(stat.st_mtime_ns)
                )
                files[str(path.relative_to(node.root))] = f"{stat.st_size} {small}"
    shown = subprocess.run(["ip", "-n", node.namespace, "-j", "link"], check=True, capture_output=True).stdout
    links = frozenset(link["ifname"] for link in json.loads(shown))
    return World(records, files, frozenset(node.guests()), links)


@pytest.fixture
def restored(node: Node, client: Client) -> Iterator[World]:
    """The prepared world, which is there again when the test ends."""
    _run_guest_again(node, client)
    layout = Layout(node.root.resolve())
    store = RemoteStore.at(layout.store_socket, SystemClock())
    image = store.snapshot()
    kept = node.root.parent / "kept"
    for top in WATCHED:
        if (node.root / top).exists():
            shutil.copytree(node.root / top, kept / top, symlinks=True)
    before = look(node)
    yield before
    if look(node).links != before.links:
        run(client, node.name, "DELETE", f"/nodes/{node.name}/nat")
    for pid in set(node.guests()) - before.processes:
        os.kill(pid, signal.SIGKILL)
    store.restore(image)
    store.close()
    for top in WATCHED:
        if (kept / top).exists():
            for child in (node.root / top).iterdir():
                shutil.rmtree(child) if child.is_dir() and not child.is_symlink() else child.unlink()
            shutil.copytree(kept / top, node.root / top, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(kept)


# What must be there for a call that would undo it, and is in the way of all others.
BEFORE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "DELETE /nodes/{node}/nat": ("POST", "/nodes/n1/nat", {"bridge": "vmbr8"}),
    "POST /nodes/{node}/qemu/{vmid}/status/resume": ("POST", "/nodes/n1/qemu/101/status/suspend", {}),
}
# What the small test guest can't do: its agent says so, and that is all that can be seen here.
BEYOND_THE_GUEST = {
    f"POST /nodes/{{node}}/qemu/{{vmid}}/agent/{word}"
    for word in ("suspend-disk", "suspend-hybrid", "suspend-ram", "shutdown", "set-user-password")
}


def _run_guest_again(node: Node, client: Client) -> None:
    """VM 101 as prepared: running, its agent answering, whatever the test before did to it."""
    status = client.call("GET", f"/nodes/{node.name}/qemu/101/status/current", {})
    if status["status"] == "running" and status.get("qmpstatus") == "running":
        with contextlib.suppress(ApiError):
            client.call("POST", f"/nodes/{node.name}/qemu/101/agent/ping", {})
            return
    for pid in node.guests():
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + 30
    while client.call("GET", f"/nodes/{node.name}/qemu/101/status/current", {})["status"] != "stopped":
        assert time.monotonic() < end, "corrald does not notice that VM 101 has died"
        time.sleep(0.1)
    run(client, node.name, "POST", f"/nodes/{node.name}/qemu/101/status/start")
    wait_for_agent(client, node.name)


def fill(made: Endpoint, node: Node) -> tuple[str, dict[str, Any]]:
    """URL and body of an endpoint's example."""
    params = {"node": node.name, **(made.example or {})}
    path = made.path
    for name in made.path_params:
        value = str(params[name])
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
        params.pop(name)
    return path, {key: value for key, value in params.items() if key != "node" or "node" in made.flat}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def test_every_changing_call_says_whether_it_can_be_planned() -> None:
    silent = [made.pair for made in PLANNED if made.example is None]
    assert silent == [], "neither an example nor plan=never"
    print(f"\n{len(PLANNED)} calls are planned and applied; these are never planned:")
    for made in CHANGING:
        if made.plan is not None:
            print(f"  {made.pair}: {made.plan.why}")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("made", PLANNED, ids=lambda made: made.pair)
def test_a_plan_changes_nothing_and_applying_it_only_what_it_named(
    made: Endpoint, node: Node, client: Client, restored: World
) -> None:
    if made.pair in BEFORE:
        run(client, node.name, *BEFORE[made.pair][:2], **BEFORE[made.pair][2])
        restored = look(node)
    path, params = fill(made, node)
    planned = client.call(made.method, path, params, {"corral-plan": "1"})
    assert look(node) == restored, "planning changed something"

    plan = planned["plan"]
    if made.pair in BEYOND_THE_GUEST:
        pytest.skip("planned; applying needs programs that the test guest does not have")
    data = client.call(made.method, path, params, {"corral-apply": planned["token"]})
    if isinstance(data, str) and data.startswith("UPID:"):
        ended = client.follow(node.name, data, quiet=True)
        assert ended == "OK" or ended.startswith("WARNINGS"), ended
    after = look(node)

    named = {write["key"] for write in plan["writes"]}
    assert changed(restored.records, after.records) <= named, "a record changed that the plan did not name"
    for write in plan["writes"]:
        if "text" in write and write["action"] != "delete":
            assert after.records.get(write["key"]) == write["text"], f"{write['key']} is not as planned"
    says = plan["effects"] or plan["volumes"]
    if changed(restored.files, after.files) or after.processes != restored.processes or after.links != restored.links:
        assert says, "the host changed, and the plan did not say so"
    for volume in plan["volumes"]:
        name = volume["volid"].partition(":")[2]
        there = any(key.endswith(name.rpartition("/")[2]) for key in after.files)
        if volume["verb"] in ("create", "import"):
            assert there, f"{volume['volid']} was planned and is not there"
        elif volume["verb"] == "free":
            assert not there, f"{volume['volid']} was to go and is there"


def test_a_plan_can_be_used_once_it_is_stale_no_more(node: Node, client: Client, restored: World) -> None:
    token = client.call("PUT", "/access/groups/ops", {"comment": "planned"}, {"corral-plan": "1"})["token"]
    client.call("PUT", "/access/groups/ops", {"comment": "meanwhile"})
    with pytest.raises(ApiError, match="has changed since the plan was made"):
        client.call("PUT", "/access/groups/ops", {"comment": "planned"}, {"corral-apply": token})
