"""The main job with an unmodified client library: a virtual machine's whole life over the API, on real QEMU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import urllib3
from proxmoxer import ProxmoxAPI, ResourceException

from tests.lab.guest import Guest
from tests.lab.node import PASSWORD, Node

PROMPT = b"login:"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("first") / "root") as started:
        yield started


@pytest.fixture(autouse=True)
def quiet() -> None:
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def by_password(node: Node) -> ProxmoxAPI:
    return ProxmoxAPI(f"127.0.0.1:{node.port}", user="admin@pve", password=PASSWORD, verify_ssl=False)


def by_token(node: Node) -> ProxmoxAPI:
    made = by_password(node).access.users("admin@pve").token("ci").post(privsep=0)
    return ProxmoxAPI(
        f"127.0.0.1:{node.port}", user="admin@pve", token_name="ci", token_value=made["value"], verify_ssl=False
    )


def wait(api: Any, upid: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while (status := api.nodes("n1").tasks(upid).status.get())["status"] == "running":
        assert time.monotonic() < end, f"{upid} still runs"
        time.sleep(0.1)
    assert status["exitstatus"] == "OK", api.nodes("n1").tasks(upid).log.get()


async def console(node: Node, vmid: int, headers: dict[str, str], opened: dict[str, Any]) -> bytes:
    """What the guest's serial console shows up to its log-in prompt, read as the field's web terminals do."""
    url = (
        f"wss://127.0.0.1:{node.port}/api2/json/nodes/n1/qemu/{vmid}/vncwebsocket"
        f"?port={opened['port']}&vncticket={quote(opened['ticket'], safe='')}"
    )
    seen = b""
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.ws_connect(url, ssl=False, protocols=("binary",)) as socket,
        asyncio.timeout(60),
    ):
        await socket.send_str(f"{opened['user']}:{opened['ticket']}\n")
        greeted = (await socket.receive()).data
        assert bytes(greeted, "ascii") if isinstance(greeted, str) else greeted == b"OK"
        typed = 0.0
        while PROMPT not in seen:
            if time.monotonic() - typed > 2:
                # The prompt may have come before we looked: a return makes getty print it again.
                await socket.send_bytes(b"0:1:\n")
                typed = time.monotonic()
            try:
                message = await asyncio.wait_for(socket.receive(), 2)
            except TimeoutError:
                continue
            assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), seen
            seen += message.data if isinstance(message.data, bytes) else message.data.encode()
    return seen


@pytest.mark.parametrize("way", ["password", "token"])
@pytest.mark.timeout(300)
@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/upload", "content", "filename")
@pytest.mark.exercises(
    "POST /nodes/{node}/qemu", "vmid", "name", "memory", "scsi0", "scsihw", "serial0", "agent", "net0", "ide2"
)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/termproxy")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/ping")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "digest", "description")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/shutdown", "timeout")
@pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}", "purge")
def test_a_machine_lives_from_upload_to_removal(node: Node, guest_image: Guest, tmp_path: Path, way: str) -> None:
    api = by_password(node) if way == "password" else by_token(node)
    vmid = 100 if way == "password" else 101
    here = api.nodes("n1")
    local = here.storage("local")

    iso = tmp_path / f"empty-{way}.iso"
    iso.write_bytes(b"\0" * 32768 + b"\1CD001\1" + b"\0" * 4089)
    with iso.open("rb") as file:
        wait(api, local.upload.post(content="iso", filename=file))
    image = tmp_path / f"guest-{way}.qcow2"
    image.write_bytes(guest_image.qcow2.read_bytes())
    with image.open("rb") as file:
        wait(api, local.upload.post(content="import", filename=file))
    volids = {row["volid"] for row in local.content.get()}
    assert {f"local:iso/{iso.name}", f"local:import/{image.name}"} <= volids

    created = here.qemu.post(
        vmid=vmid,
        name="first",
        memory=256,
        scsihw="virtio-scsi-pci",
        scsi0=f"local:0,import-from=local:import/{image.name}",
        ide2=f"local:iso/{iso.name},media=cdrom",
        net0="virtio",
        serial0="socket",
        agent="1",
    )
    wait(api, created)
    vm = here.qemu(vmid)
    config = vm.config.get()
    assert config["scsi0"].startswith(f"local:{vmid}/vm-{vmid}-disk-0.")
    assert config["name"] == "first"

    wait(api, vm.status.start.post())
    assert vm.status.current.get()["status"] == "running"
    headers = _headers(api)
    shown = asyncio.run(console(node, vmid, headers, vm.termproxy.post(serial="serial0")))
    assert b"corral-test" in shown

    _until(lambda: vm.agent.ping.post() is not None)
    changed = vm.config.get()
    vm.config.put(description="changed", digest=changed["digest"])
    assert vm.config.get()["description"].strip() == "changed"
    with pytest.raises(ResourceException, match="detected modified configuration"):
        vm.config.put(description="too late", digest=changed["digest"])

    wait(api, vm.status.shutdown.post(timeout=30))
    assert vm.status.current.get()["status"] == "stopped"
    wait(api, vm.delete(purge=1))
    assert [row for row in here.qemu.get() if row["vmid"] == vmid] == []
    assert local.content.get(vmid=vmid, content="images") == []


def _headers(api: Any) -> dict[str, str]:
    ticket, _ = api.get_tokens()
    if ticket:
        return {"Cookie": f"PVEAuthCookie={quote(ticket)}"}
    auth = api._backend.auth
    return {"Authorization": f"PVEAPIToken={auth.username}!{auth.token_name}={auth.token_value}"}


def _until(good: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if good():
                return
        except ResourceException:
            assert time.monotonic() < end
        time.sleep(0.5)
