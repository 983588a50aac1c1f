"""Bad input to a running node: told clearly, without an effect, and without a trace outside of where it belongs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from corral.core.layout import Layout
from tests.lab.node import Node

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if os.getuid() != 0:
        pytest.skip("a node needs root")
    with Node(tmp_path_factory.mktemp("input") / "root") as started:
        started.login()
        (started.root / "secret").write_text("a secret")
        yield started


@pytest.fixture(autouse=True)
def untouched(node: Node) -> Iterator[None]:
    """Nothing but logs, metrics and the store changes below the node's root or beside it."""
    before = _files(node)
    yield
    assert _files(node) == before
    log = (node.root / "var/log/corral/corrald.log").read_text()
    assert "Traceback" not in log


def _files(node: Node) -> set[str]:
    parent = node.root.parent
    changing = ("var/lib/corral", "var/log")
    found = {str(path.relative_to(parent)) for path in parent.rglob("*") if path.is_file()}
    return {path for path in found if not any(f"{node.root.name}/{part}" in path for part in changing)}


def send(
    node: Node, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, str, Any]:
    """One request, byte by byte."""
    context = ssl._create_unverified_context()
    with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=30)) as wire:
        wire.putrequest(method, f"/api2/json{path}", skip_accept_encoding=True)
        for name, value in {**node.headers, "Content-Length": str(len(body)), **(headers or {})}.items():
            wire.putheader(name, value)
        wire.endheaders()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            wire.send(body)
        answer = wire.getresponse()
        text = answer.read()
        return answer.status, answer.reason, json.loads(text) if text.startswith(b"{") else None


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "headers", "status", "says"),
    [
        (b"vmid=abc", FORM, 400, {"vmid": "type check ('integer') failed - got 'abc'"}),
        (b"vmid=99", FORM, 400, {"vmid": ""}),
        (b"vmid=1e3", FORM, 400, {"vmid": "type check ('integer') failed - got '1e3'"}),
        (b"vmid=100&onboot=yes", FORM, 400, {"onboot": "type check ('boolean') failed - got 'yes'"}),
        (b"vmid=100&nonsense=1", FORM, 400, {"nonsense": "property is not defined in schema"}),
        (b"vmid=100&scsi0=local:", FORM, 400, {"scsi0": ""}),
        (b"vmid=100&net0=nonsense", FORM, 400, {"net0": ""}),
        (b"vmid=100&name=a%20b&memory=x", FORM, 400, {"name": "", "memory": ""}),
        (b'{"vmid":', JSON, 400, {"_root": "the body is not valid JSON"}),
        (b'{"vmid": [1,2]}', JSON, 400, {"vmid": ""}),
        (b'{"vmid": {"a": 1}}', JSON, 400, {"vmid": ""}),
        (b'{"vmid": 1e400}', JSON, 400, {}),
        (b"[]", JSON, 400, {"_root": "the body must be a JSON object"}),
        (b"null", JSON, 400, {"_root": ""}),
        (b"\xff\xfe", JSON, 400, {}),
        (b"vmid=%zz&name=%ff", FORM, 400, {}),
        (b"x" * (5 << 20), FORM, 501, {}),
        (b"vmid=100", {"Content-Type": "text/html"}, 506, {}),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, {}),
        (b"x", {"Content-Type": "multipart/form-data; boundary=x"}, 506, {}),
    ],
)
def test_a_wrong_body_is_told_by_parameter(
    node: Node, body: bytes, headers: dict[str, str], status: int, says: dict[str, str]
) -> None:
    got, reason, answer = send(node, "POST", f"/nodes/{node.name}/qemu", body, headers)
    assert got in (status, 506) if "multipart" in str(headers) else got == status, (got, reason, answer)
    assert "internal error" not in reason
    errors = (answer or {}).get("errors") or {}
    for name, text in says.items():
        assert text in errors[name], errors
    assert node.call("GET", "/nodes/{node}/qemu") == []


TRICKS = (
    "../../../../secret",
    "../../secret",
    "100/../../../secret",
    "iso/../../../secret",
    "iso/..",
    "iso/a\0b.iso",
    "iso/a/b.iso",
    "/etc/passwd",
    "images/../../../secret",
    "100/vm-100-disk-0.raw/../../../secret",
    ".",
    "..",
    "",
    "a" * 5000,
    "iso/\r\nX: y.iso",
    "backup/vzdump-qemu-../../x.vma",
)


@pytest.mark.parametrize("trick", TRICKS)
def test_volume_names_lead_nowhere_else(node: Node, trick: str) -> None:
    for volume in (trick, f"local:{trick}"):
        quoted = urllib.parse.quote(volume, safe="")
        for method in ("GET", "DELETE", "PUT"):
            status, reason, answer = send(node, method, f"/nodes/{node.name}/storage/local/content/{quoted}")
            if quoted and quoted != "local%3A":
                assert status in (400, 403, 500, 501), (method, volume, status, reason, answer)
            assert "a secret" not in str(answer)
            assert "internal error" not in reason
    params = {"vmid": "900", "filename": trick, "size": "1M"}
    status, reason, _ = send(
        node, "POST", f"/nodes/{node.name}/storage/local/content", urllib.parse.urlencode(params).encode(), FORM
    )
    assert status in (400, 500), reason
    for option in (f"local:{trick}", f"local:0,import-from=local:{trick}", f"local:0,import-from={trick}"):
        status, reason, _ = node.request("POST", f"/nodes/{node.name}/qemu", vmid=900, scsi0=option)
        assert status in (400, 403, 500), (option, reason)
        assert "internal error" not in reason


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
@pytest.mark.parametrize(
    "name", ["../../evil.iso", "/etc/evil.iso", "..", ".", "", "a/b.iso", "a\\..\\b.iso", "evil", "x" * 300 + ".iso"]
)
def test_names_of_uploads_stay_where_isos_are(node: Node, name: str) -> None:
    """The name is made harmless, or refused; in no case it leads elsewhere."""
    answer = requests.post(
        f"{node.base}/nodes/{node.name}/storage/local/upload",
        headers=node.headers, data={"content": "iso"}, files={"filename": (name, b"data")}, verify=False, timeout=60,
    )  # fmt: skip
    assert answer.status_code in (200, 400, 500, 506), answer.reason
    assert "internal error" not in answer.reason
    if answer.status_code == 200:
        node.wait(answer.json()["data"])
        isos = node.root / "var/lib/vz/template/iso"
        for row in node.call("GET", f"/nodes/{node.name}/storage/local/content", content="iso"):
            assert (isos / row["volid"].removeprefix("local:iso/")).is_file()
            node.do("DELETE", f"/nodes/{node.name}/storage/local/content/{urllib.parse.quote(row['volid'], safe='')}")


def test_the_url_leads_nowhere_else(node: Node) -> None:
    context = ssl._create_unverified_context()
    for path in (
        "/../../../../etc/passwd",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/\\..\\x",
    ):
        with contextlib.closing(
            http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=30)
        ) as wire:
            wire.putrequest("GET", path)
            wire.endheaders()
            answer = wire.getresponse()
            text = answer.read()
        assert answer.status == 500, path
        assert answer.reason.startswith("no such file")
        assert b"root:" not in text


def test_garbage_instead_of_requests_disturbs_nobody(node: Node) -> None:
    import socket

    for garbage in (b"\x16\x03\x01\x00\x05nonsense", b"\0" * 100, b"GET / HTTP/9.9\r\n\r\n", b"\x16" * 4096):
        with socket.create_connection(("127.0.0.1", node.port), timeout=10) as wire:
            wire.sendall(garbage)
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_WR)
                while wire.recv(4096):
                    pass
    assert node.call("GET", "/version")


def test_many_and_long_headers_are_refused_or_read(node: Node) -> None:
    for headers in ({f"X-{n}": "y" for n in range(500)}, {"X-Long": "y" * 100_000}):
        with contextlib.suppress(ConnectionError, ssl.SSLError, http.client.HTTPException):
            status, _, _ = send(node, "GET", "/version", headers=headers)
            assert status in (200, 400, 431)
    assert node.call("GET", "/version")


def test_nobody_else_reaches_the_daemon_s_sockets(node: Node, tmp_path: Path) -> None:
    run = Layout(node.root.resolve()).run
    assert run.stat().st_mode & 0o777 == 0o711
    assert {path.stat().st_mode & 0o007 for path in run.glob("*.sock")} == {0}
