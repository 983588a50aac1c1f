"""The processes of a node: what they may, and what is left of the node when one of them dies."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lab.node import ApiError, Node

CHECKOUT = Path(__file__).parent.parent.parent.parent

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if os.getuid() != 0:
        pytest.skip("a node needs root")
    with Node(tmp_path_factory.mktemp("processes") / "root") as started:
        started.login()
        yield started


def daemon(node: Node, name: str) -> int:
    """The process of `corrald`, `corral-api` or the `zygote` of a node."""
    found = daemons(node).get(name)
    assert found, f"no {name} among {daemons(node)}"
    return found


def daemons(node: Node) -> dict[str, int]:
    """The node's processes by name. The zygote looks as corrald does, whose child it is."""
    found: dict[str, int] = {}
    lines = subprocess.run(["ps", "-eww", "-o", "pid,ppid,args"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in lines.splitlines()[1:]]
    ours = [row for row in rows if f"--root {node.root.resolve()} " in f"{row[2]} "]
    for pid, parent, words in ours:
        if "corral.daemons.api" in words:
            found["corral-api"] = int(pid)
        elif "corral.daemons.corrald" in words:
            name = "zygote" if any(parent == other[0] and other[2] == words for other in ours) else "corrald"
            found[name] = int(pid)
    return found


def until(good: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(ApiError, OSError, http.client.HTTPException):
            if good():
                return
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def comment(node: Node, text: str) -> bool:
    node.call("PUT", "/access/users/admin@pve", comment=text)
    return True


def comment_of(node: Node) -> str:
    return str(node.call("GET", "/access/users/admin@pve").get("comment", ""))


def test_what_was_changed_is_read_at_once(node: Node) -> None:
    """The change goes to corrald, the read comes from the mirror of corral-api."""
    for number in range(30):
        comment(node, f"change {number}")
        assert comment_of(node) == f"change {number}"


def test_the_edge_is_not_root_and_can_not_become_it(node: Node) -> None:
    status = Path(f"/proc/{daemon(node, 'corral-api')}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert set(fields["Uid"].split()) != {"0"}
    assert len(set(fields["Uid"].split())) == 1
    assert "0" not in fields["Gid"].split()
    assert "0" not in fields.get("Groups", "").split()
    assert int(fields["CapEff"], 16) == 0
    assert int(fields["CapPrm"], 16) == 0
    assert os.readlink(f"/proc/{daemon(node, 'corral-api')}/cwd") == "/"


def test_sockets_are_for_those_who_need_them(node: Node) -> None:
    run = next(path for path in Path("/run/corral").iterdir() if (path / "api.sock").exists() and _is_of(path, node))
    modes = {path.name: path.stat().st_mode & 0o777 for path in run.glob("*.sock")}
    assert modes == {"api.sock": 0o600, "store.sock": 0o600, "front.sock": 0o660, "feed.sock": 0o660}
    refused = subprocess.run(
        ["setpriv", "--reuid=corral", "--regid=corral", "--init-groups", node.program.parent / "qm", "list"],
        env=node.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode != 0


def _is_of(run: Path, node: Node) -> bool:
    from corral.core.layout import Layout

    return run == Layout(node.root.resolve()).run


def test_plain_http_is_sent_to_https_on_the_same_port(node: Node) -> None:
    for method, status in (("GET", 301), ("HEAD", 301), ("POST", 308), ("DELETE", 308)):
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=10)
        connection.request(method, "/api2/json/version?a=b", headers={"Host": "example.com:8006"})
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Location"]) == (status, "https://example.com:8006/api2/json/version?a=b")
        connection.close()


def test_a_client_that_says_nothing_holds_nobody_up(node: Node) -> None:
    import socket

    silent = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(50)]
    try:
        began = time.monotonic()
        assert node.call("GET", "/version")["release"]
        assert time.monotonic() - began < 5
    finally:
        for each in silent:
            each.close()


def test_a_refused_login_holds_nobody_up(node: Node) -> None:
    refused: list[float] = []

    def knock() -> None:
        began = time.monotonic()
        stranger = Node(node.root)
        stranger.port = node.port
        with pytest.raises(ApiError):
            stranger.login(password="wrong")
        refused.append(time.monotonic() - began)

    threads = [threading.Thread(target=knock) for _ in range(5)]
    for thread in threads:
        thread.start()
    began = time.monotonic()
    for _ in range(10):
        node.call("GET", "/access/users")
    assert time.monotonic() - began < 2.5
    for thread in threads:
        thread.join()
    assert min(refused) >= 2.9


@pytest.mark.parametrize("name", ["corral-api", "corrald", "zygote"])
def test_a_killed_daemon_is_started_again(node: Node, name: str) -> None:
    before = daemon(node, name)
    comment(node, f"before {name}")
    os.kill(before, signal.SIGKILL)
    if name == "corrald":
        # Reads go on from the mirror; changes say what is the matter, or wait.
        assert comment_of(node) == f"before {name}"
        with contextlib.suppress(ApiError):
            comment(node, "meanwhile")
    until(lambda: daemons(node).get(name, before) != before)
    until(lambda: node.wait(node.call("POST", "/nodes/{node}/stopall")) == "OK")
    until(lambda: comment(node, f"after {name}"))
    assert comment_of(node) == f"after {name}"


def test_a_change_is_refused_clearly_while_corrald_is_away(node: Node) -> None:
    pid = daemon(node, "corrald")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ApiError, match="corrald does not answer; is it being restarted"):
        comment(node, "lost")
    until(lambda: comment(node, "kept"))
    assert comment_of(node) == "kept"


def test_an_upload_that_breaks_off_leaves_nothing(node: Node) -> None:
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=20)
    connection.putrequest("POST", f"/api2/json/nodes/{node.name}/storage/local/upload")
    for name, value in node.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", "multipart/form-data; boundary=edge")
    connection.putheader("Content-Length", str(50 << 20))
    connection.endheaders()
    head = '--edge\r\nContent-Disposition: form-data; name="filename"; filename="a.iso"\r\n\r\n'
    connection.send(head.encode() + b"x" * (8 << 20))
    local = node.root / "var/lib/vz"
    until(lambda: any(path.stat().st_size > 1 << 20 for path in _spooled(local)))
    connection.close()
    until(lambda: not _spooled(local))


def _spooled(local: Path) -> list[Path]:
    return [path for path in local.rglob("*spool*") if path.is_file()]


def test_an_upload_without_permission_ends_before_it_is_sent(node: Node) -> None:
    node.call("POST", "/access/users", userid="nobody@pve", password="nobody at all")
    stranger = Node(node.root, name=node.name)
    stranger.port = node.port
    stranger.login("nobody@pve", "nobody at all")
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=20)
    connection.putrequest("POST", f"/api2/json/nodes/{node.name}/storage/local/upload")
    for name, value in stranger.headers.items():
        connection.putheader(name, value)
    connection.putheader("Content-Type", "multipart/form-data; boundary=edge")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    connection.send(b"--edge\r\n")
    with contextlib.closing(connection):
        answer = connection.getresponse()
    text = "Permission check failed (/storage/local, Datastore.AllocateTemplate)"
    assert (answer.status, answer.reason) == (403, text)


def test_a_client_that_waits_to_be_told_to_send_is_told(node: Node) -> None:
    """curl does so with all that is large."""
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", node.port, context=context, timeout=20)
    body = b"username=admin%40pve&password=wrong"
    connection.putrequest("POST", "/api2/json/access/ticket")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(len(body)))
    connection.putheader("Expect", "100-continue")
    connection.endheaders()
    with contextlib.closing(connection):
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.send(body)
        assert connection.getresponse().status == 401


@pytest.mark.timeout(240)
def test_a_guest_outlives_every_daemon(tmp_path: Path) -> None:
    if os.getuid() != 0 or not shutil.which("qemu-system-x86_64"):
        pytest.skip("needs root and QEMU")
    node = Node(tmp_path / "root")
    with node:
        node.login()
        node.do("POST", "/nodes/{node}/qemu", vmid=100, memory=32)
        node.do("POST", "/nodes/{node}/qemu/100/status/start")
        [guest] = node.guests()

        assert node.stop() == 0
        assert node.guests() == [guest]
        assert daemons(node) == {}

        node.start()
        assert node.call("GET", "/nodes/{node}/qemu/100/status/current")["status"] == "running"

        # Killed without a chance to stop anything: its daemons end with it, and nothing bars the next one.
        assert node.process
        node.process.kill()
        node.process.wait()
        until(lambda: daemons(node) == {})
        assert node.guests() == [guest]
        node.start()
        assert node.call("GET", "/nodes/{node}/qemu/100/status/current")["pid"] == guest
        node.do("POST", "/nodes/{node}/qemu/100/status/stop")
        assert node.guests() == []


@pytest.mark.timeout(180)
def test_checkout_and_root_may_be_closed_to_everybody(tmp_path: Path) -> None:
    """The checkout's parent is 0700 in a mount namespace of its own: whoever is not root finds no module below it."""
    parent = CHECKOUT.parent
    if os.getuid() != 0 or parent == Path("/"):
        pytest.skip("needs root, and a checkout that is not at the top of the file system")
    if parent in (Path("/tmp"), Path("/var"), Path("/root")) or tmp_path.is_relative_to(parent):
        pytest.skip(f"{parent} can't be hidden: the test itself lives there")
    node = Node(tmp_path / "root")
    stage = tmp_path / "stage"
    stage.mkdir()
    hide = (
        f"mount -t tmpfs -o mode=0700 none {stage} && mkdir {stage}/{CHECKOUT.name} && "
        f"mount --rbind {CHECKOUT} {stage}/{CHECKOUT.name} && mount --rbind {stage} {parent} && "
        f'stat -c %a {parent} && exec "$@"'
    )
    node.prefix = ["unshare", "-m", "sh", "-c", hide, "sh"]
    with node:
        assert "700\n" in node.log.read_text()
        assert node.root.stat().st_mode & 0o777 == 0o700
        node.login()
        assert node.call("GET", "/version")["release"]
        # Reads of each kind: lists, indexes, refusals, all by the process that may look up nothing.
        for path in ("/nodes", "/cluster/resources", "/access/users", "/nodes/{node}/qemu", "/storage", "/pools", "/"):
            node.call("GET", path)
        for path in (
            "/nodes/{node}/status",
            "/cluster/status",
            "/access/permissions",
            "/nodes/{node}/capabilities/qemu/cpu",
        ):
            node.call("GET", path)
        assert node.request("GET", "/nothing")[0] == 501
        assert node.request("GET", "/cluster/resources?type=nonsense")[0] == 400
        assert node.request("POST", "/access/users", userid="nonsense")[0] == 400
        node.do("POST", "/nodes/{node}/qemu", vmid=100, memory=32)
        node.do("DELETE", "/nodes/{node}/qemu/100")
        log = (node.root / "var/log/corral/corral-api.log").read_text()
        assert "Traceback" not in log
