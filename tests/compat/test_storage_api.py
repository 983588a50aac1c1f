"""Storages with unmodified clients: uploads streamed to disk, downloads, volumes; a worker killed in between."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from proxmoxer import ProxmoxAPI, ResourceException

from tests.integration.storage.mounts import mounted
from tests.lab.node import PASSWORD, Node
from tests.unit.storage.images import qcow2
from tests.unit.storage.web import serving

MIB = 1 << 20


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("storage") / "root") as started:
        yield started


@pytest.fixture(autouse=True)
def quiet() -> None:
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


@pytest.fixture
def api(node: Node) -> Any:
    return ProxmoxAPI(f"127.0.0.1:{node.port}", user="admin@pve", password=PASSWORD, verify_ssl=False, timeout=60)


@pytest.fixture
def local(node: Node) -> Path:
    return node.root / "var/lib/vz"


def ended(api: Any, upid: str, seconds: float = 60) -> str:
    end = time.monotonic() + seconds
    while (status := api.nodes("n1").tasks(upid).status.get())["status"] == "running":
        assert time.monotonic() < end, f"{upid} still runs"
        time.sleep(0.05)
    return str(status["exitstatus"])


def volumes(api: Any, **wanted: Any) -> set[str]:
    return {row["volid"] for row in api.nodes("n1").storage("local").content.get(**wanted)}


def spool(local: Path) -> list[str]:
    directory = local / ".corral-spool"
    return os.listdir(directory) if directory.exists() else []


@pytest.mark.exercises(
    "POST /nodes/{node}/storage/{storage}/upload", "content", "filename", "checksum", "checksum-algorithm"
)
def test_an_upload_is_streamed_checked_and_seen(api: Any, local: Path, tmp_path: Path) -> None:
    data = os.urandom(40 * MIB)
    source = tmp_path / "big.iso"
    source.write_bytes(data)
    with source.open("rb") as file:
        upid = (
            api.nodes("n1")
            .storage("local")
            .upload.post(
                content="iso",
                filename=file,
                **{"checksum-algorithm": "sha256", "checksum": hashlib.sha256(data).hexdigest()},
            )
        )
    assert ended(api, upid) == "OK"
    assert (local / "template/iso/big.iso").read_bytes() == data
    assert "local:iso/big.iso" in volumes(api, content="iso")
    assert spool(local) == []
    assert ended(api, api.nodes("n1").storage("local").content("local:iso/big.iso").delete()) == "OK"
    assert volumes(api, content="iso") == set()


def upload(node: Node, api: Any, name: str, data: Any, *, storage: str = "local", **fields: str) -> requests.Response:
    ticket, csrf = api.get_tokens()
    return requests.post(
        f"https://127.0.0.1:{node.port}/api2/json/nodes/n1/storage/{storage}/upload",
        data=fields,
        files={"filename": (name, data)},
        cookies={"PVEAuthCookie": ticket},
        headers={"CSRFPreventionToken": csrf},
        verify=False,
        timeout=60,
    )


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/upload", "filename", refused=True)
@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("x.exe", {"content": "iso"}),
        ("..", {"content": "iso"}),
        ("x.iso", {"content": "backup"}),
        ("x.iso", {}),
        ("x.iso", {"content": "iso", "checksum": "0" * 32}),
        ("x.iso", {"content": "iso", "nonsense": "1"}),
    ],
)
def test_refused_uploads_leave_nothing(node: Node, api: Any, local: Path, name: str, fields: dict[str, str]) -> None:
    answer = upload(node, api, name, b"x" * MIB, **fields)
    assert answer.status_code == 400, answer.text
    assert spool(local) == []
    assert volumes(api) == set()


def test_a_client_that_goes_away_in_the_middle_leaves_nothing(node: Node, api: Any, local: Path) -> None:
    class Gone(Exception):
        pass

    def parts() -> Iterator[bytes]:
        boundary = b"--b\r\n"
        yield boundary + b'Content-Disposition: form-data; name="content"\r\n\r\niso\r\n'
        yield boundary + b'Content-Disposition: form-data; name="filename"; filename="x.iso"\r\n\r\n'
        yield b"x" * MIB
        raise Gone

    ticket, csrf = api.get_tokens()
    with pytest.raises((Gone, requests.RequestException)):
        requests.post(
            f"https://127.0.0.1:{node.port}/api2/json/nodes/n1/storage/local/upload",
            data=parts(),
            cookies={"PVEAuthCookie": ticket},
            headers={
                "CSRFPreventionToken": csrf,
                "Content-Type": "multipart/form-data; boundary=b",
                "Content-Length": str(100 * MIB),
            },
            verify=False,
            timeout=60,
        )
    end = time.monotonic() + 20
    while spool(local) and time.monotonic() < end:
        time.sleep(0.05)
    assert spool(local) == []
    assert volumes(api) == set()


def test_an_upload_to_a_full_disk_says_so_and_leaves_nothing(node: Node, api: Any, tmp_path: Path) -> None:
    with mounted("ext4", 24 * MIB, tmp_path) as point:
        api.storage.post(storage="small", type="dir", path=str(point), content="iso,images", is_mountpoint="yes")
        try:
            answer = upload(node, api, "x.iso", bytes(40 * MIB), storage="small", content="iso")
            assert answer.status_code == 500
            assert "No space left" in answer.reason
            assert os.listdir(point / ".corral-spool") == []
            assert api.nodes("n1").storage("small").content.get() == []
            with serving() as site:
                site.files["/x.iso"] = bytes(40 * MIB)
                upid = (
                    api.nodes("n1")
                    .storage("small")("download-url")
                    .post(content="iso", filename="x.iso", url=f"{site.url}/x.iso")
                )
                assert "not enough space" in ended(api, upid)
            assert os.listdir(point / ".corral-spool") == []
            assert (
                ended(api, upload(node, api, "x.iso", bytes(MIB), storage="small", content="iso").json()["data"])
                == "OK"
            )
        finally:
            api.storage("small").delete()
            time.sleep(0.5)


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/download-url", "content", "filename", "url")
def test_a_download(api: Any, local: Path) -> None:
    with serving() as site:
        site.files["/x.iso"] = b"content" * 1000
        upid = (
            api.nodes("n1")
            .storage("local")("download-url")
            .post(content="iso", filename="fetched.iso", url=f"{site.url}/x.iso")
        )
        assert ended(api, upid) == "OK"
    assert (local / "template/iso/fetched.iso").read_bytes() == b"content" * 1000
    api.nodes("n1").storage("local").content("local:iso/fetched.iso").delete(delay=10)
    assert volumes(api) == set()


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/content", "filename", "size", "vmid", "format")
@pytest.mark.exercises("DELETE /nodes/{node}/storage/{storage}/content/{volume}", "volume", "delay")
def test_images_by_a_client(api: Any, local: Path) -> None:
    content = api.nodes("n1").storage("local").content
    volid = content.post(filename="vm-300-disk-0.qcow2", vmid=300, size="2G", format="qcow2")
    assert volid == "local:300/vm-300-disk-0.qcow2"
    with pytest.raises(ResourceException, match="already exists"):
        content.post(filename="vm-300-disk-0.qcow2", vmid=300, size="2G")
    assert content(volid).get()["size"] == 2 << 30
    assert content(volid).delete(delay=10) is None
    with pytest.raises(ResourceException, match="does not exist"):
        content(volid).get()
    for volume in ("../../../etc/passwd", "local:../../etc/passwd", "iso/%2e%2e/%2e%2e/x.iso"):
        with pytest.raises(ResourceException):
            content(volume).get()


def test_a_hundred_images_at_once(api: Any, node: Node) -> None:
    failures: list[str] = []
    token = api.access.users("admin@pve").token("many").post(privsep=0)["value"]

    def make(number: int) -> None:
        client = ProxmoxAPI(
            f"127.0.0.1:{node.port}",
            user="admin@pve",
            token_name="many",
            token_value=token,
            verify_ssl=False,
            timeout=60,
        )
        content = client.nodes("n1").storage("local").content
        for each in range(number, 100, 10):
            try:
                content.post(filename=f"vm-400-disk-{each}.raw", vmid=400, size="1M")
            except ResourceException as error:
                failures.append(str(error))

    threads = [threading.Thread(target=make, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(volumes(api, vmid=400)) == 100
    for volid in volumes(api, vmid=400):
        api.nodes("n1").storage("local").content(volid).delete()
    end = time.monotonic() + 60
    while volumes(api, vmid=400) and time.monotonic() < end:
        time.sleep(0.1)
    assert volumes(api, vmid=400) == set()


@pytest.mark.exercises("POST /storage", "storage", "type", "path", "content", "shared")
@pytest.mark.exercises("PUT /storage/{storage}", "content", "digest", "delete")
@pytest.mark.exercises("DELETE /storage/{storage}", "storage")
def test_a_storage_s_life(api: Any, tmp_path: Path) -> None:
    api.storage.post(storage="more", type="dir", path=str(tmp_path / "more"), content="images,iso", shared=1)
    assert api.nodes("n1").storage("more").status.get()["active"] == 1
    digest = api.storage("more").get()["digest"]
    api.storage("more").put(content="iso", digest=digest, delete="shared")
    with pytest.raises(ResourceException, match="detected modified configuration"):
        api.storage("more").put(content="images", digest=digest)
    assert "shared" not in api.storage("more").get()
    with pytest.raises(ResourceException, match="does not support content-type 'images'"):
        api.nodes("n1").storage("more").content.post(filename="vm-100-disk-0.raw", vmid=100, size="1M")
    api.storage("more").delete()
    with pytest.raises(ResourceException, match="storage 'more' does not exist"):
        api.nodes("n1").storage("more").status.get()


def test_a_worker_killed_in_the_middle_of_a_copy_leaves_nothing(api: Any, node: Node, local: Path) -> None:
    source = local / "images/500/vm-500-disk-0.raw"
    source.parent.mkdir(parents=True, exist_ok=True)
    with source.open("wb") as file:
        for _ in range(96):
            file.write(os.urandom(MIB))
    target = local / "images/501/vm-501-disk-0.qcow2"
    upid = api.nodes("n1").storage("local").content("500/vm-500-disk-0.raw").post(target="501/vm-501-disk-0.qcow2")
    end = time.monotonic() + 30
    while not (target.exists() and target.stat().st_size > MIB) and time.monotonic() < end:
        time.sleep(0.001)
    worker = _worker_of(node)
    if worker is not None:
        os.kill(worker, signal.SIGKILL)
    if ended(api, upid) == "OK":
        pytest.skip("the copy had ended before the kill")
    assert not target.exists()
    assert volumes(api) == {"local:500/vm-500-disk-0.raw"}
    source.unlink()


def _worker_of(node: Node) -> int | None:
    """The process that runs the only task there is, as its journal says."""
    journal = next((node.root / "var/lib/corral/tasks").glob("*"), None)
    begun = re.search(rb'"begin".*?"pid":([0-9]+)', journal.read_bytes()) if journal else None
    return int(begun[1]) if begun else None


def test_an_untrusted_image_is_refused(node: Node, api: Any, local: Path) -> None:
    answer = upload(node, api, "trap.qcow2", qcow2(MIB, backing="/etc/shadow"), content="import")
    assert "backing file" in ended(api, answer.json()["data"])
    assert volumes(api) == set()
    assert spool(local) == []
