"""A node that is broken on purpose: daemons and workers killed in the middle of every kind of task, full disks, hanging
paths, a host that loses its power. A clear error, nothing half-made, nothing lost, nothing else delayed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from corral.cli.client import Client
from tests.integration import wrecks
from tests.integration.storage.mounts import mounted
from tests.integration.wrecks import OK, Killer, client_of, outcome, settle, unsound
from tests.lab.node import Node
from tests.unit.storage.web import Site, serving

MIB = 1 << 20
IMAGE = 96 * MIB

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("ignore:Unverified HTTPS request")]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if os.getuid() != 0 or not shutil.which("qemu-system-x86_64"):
        pytest.skip("needs root and QEMU")
    with Node(tmp_path_factory.mktemp("faults") / "root") as started:
        yield started
    for name in ("corrald", "corral-api", "workers"):
        assert "Traceback" not in (started.root / f"var/log/corral/{name}.log").read_text()


@pytest.fixture(scope="module")
def client(node: Node) -> Client:
    return client_of(node)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk image that takes a moment to copy."""
    path = tmp_path_factory.mktemp("image") / "image.raw"
    with path.open("wb") as file:
        for _ in range(IMAGE // MIB):
            file.write(os.urandom(MIB))
    return path


@pytest.fixture(autouse=True)
def whole(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each test ends with a node on which nothing is half-made, and no guest is left."""
    yield
    if "node" not in request.fixturenames:
        return
    node: Node = request.getfixturevalue("node")
    client = client_of(node)
    settle(client, node)
    assert unsound(client, node) == []
    for row in client.call("GET", f"/nodes/{node.name}/qemu", {}):
        outcome(client, node, "POST", f"/qemu/{row['vmid']}/status/stop")
        assert outcome(client, node, "DELETE", f"/qemu/{row['vmid']}") == OK


# --- killed in the middle -------------------------------------------------------------------------------------------


class Stage(NamedTuple):
    """What the kinds of tasks work with."""

    node: Node
    client: Client
    image: Path
    site: Site

    def do(self, method: str, path: str, **params: Any) -> str:
        return outcome(self.client, self.node, method, path, **params)

    def must(self, method: str, path: str, **params: Any) -> None:
        said = self.do(method, path, **params)
        assert said == OK, f"{method} {path}: {said}"

    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.call("GET", f"/nodes/{self.node.name}/qemu/100/config", {})
        return found

    def machines(self) -> set[int]:
        return {row["vmid"] for row in self.client.call("GET", f"/nodes/{self.node.name}/qemu", {})}

    def running(self) -> bool:
        return bool(wrecks.guests(self.node, 100))

    def isos(self) -> set[str]:
        rows = self.client.call("GET", f"/nodes/{self.node.name}/storage/local/content", {"content": "iso"})
        return {row["volid"] for row in rows}


class Kind(NamedTuple):
    """A kind of task: what must be there, how it begins, and whether it has been done."""

    prepare: Callable[[Stage], None]
    act: Callable[[Stage], str]
    done: Callable[[Stage], bool]


def _machine(stage: Stage, **more: Any) -> None:
    stage.must("POST", "/qemu", vmid=100, memory=32, scsihw="virtio-scsi-pci", scsi0="local:1", **more)


def _running(stage: Stage) -> None:
    _machine(stage)
    stage.must("POST", "/qemu/100/status/start")


def _upload(stage: Stage) -> str:
    """An upload over TLS with a checksum, followed to the end of its task."""
    stage.node.login()
    with stage.image.open("rb") as file:
        try:
            answer = requests.post(
                f"{stage.node.base}/nodes/{stage.node.name}/storage/local/upload",
                headers=stage.node.headers,
                data={"content": "iso", "checksum": _sum(stage.image), "checksum-algorithm": "sha256"},
                files={"filename": ("up.iso", file)},
                verify=False,
                timeout=120,
            )
        except requests.RequestException as exc:
            return f"connection lost: {exc}"
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.reason}"
    return stage.client.follow(stage.node.name, answer.json()["data"], quiet=True)


_SUMS: dict[Path, str] = {}


def _sum(path: Path) -> str:
    if path not in _SUMS:
        _SUMS[path] = hashlib.sha256(path.read_bytes()).hexdigest()
    return _SUMS[path]


def _download(stage: Stage) -> str:
    url = f"{stage.site.url}/down.iso"
    return stage.do("POST", "/storage/local/download-url", url=url, filename="down.iso", content="iso")


KINDS: dict[str, Kind] = {
    "create": Kind(
        lambda stage: None,
        lambda stage: stage.do("POST", "/qemu", vmid=100, memory=32, scsi0=f"local:0,import-from={stage.image}"),
        lambda stage: 100 in stage.machines(),
    ),
    "start": Kind(_machine, lambda stage: stage.do("POST", "/qemu/100/status/start"), Stage.running),
    "shutdown": Kind(
        _running,
        lambda stage: stage.do("POST", "/qemu/100/status/shutdown", timeout=1, forceStop=1),
        lambda stage: not stage.running(),
    ),
    "resize": Kind(
        _machine,
        lambda stage: stage.do("PUT", "/qemu/100/resize", disk="scsi0", size="+1G"),
        lambda stage: "size=2G" in stage.config()["scsi0"],
    ),
    "add a disk": Kind(
        _machine,
        lambda stage: stage.do("PUT", "/qemu/100/config", scsi1="local:1"),
        lambda stage: "scsi1" in stage.config(),
    ),
    "destroy": Kind(_machine, lambda stage: stage.do("DELETE", "/qemu/100"), lambda stage: 100 not in stage.machines()),
    "upload": Kind(lambda stage: None, _upload, lambda stage: "local:iso/up.iso" in stage.isos()),
    "download": Kind(lambda stage: None, _download, lambda stage: "local:iso/down.iso" in stage.isos()),
}


@pytest.fixture(scope="module")
def stage(node: Node, client: Client, image: Path) -> Iterator[Stage]:
    with serving() as site:
        site.files["/down.iso"] = image.read_bytes()
        yield Stage(node, client, image, site)


@pytest.fixture(autouse=True)
def no_isos(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "stage" in request.fixturenames:
        stage: Stage = request.getfixturevalue("stage")
        for volid in stage.isos():
            stage.must("DELETE", f"/storage/local/content/{volid}")


def clear(said: str) -> bool:
    """Whether an error tells a person something."""
    return len(said) > 5 and "Traceback" not in said and "internal error" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_worker_leaves_all_or_nothing(stage: Stage, kind: str) -> None:
    """At three moments, from its first breath on."""
    chosen = KINDS[kind]
    for delay in (0.0, 0.01, 0.04):
        chosen.prepare(stage)
        killer = Killer(stage.node, delay)
        killer.start()
        with wrecks.watching(lambda: stage.client.call("GET", "/cluster/resources", {})) as latency:
            said = chosen.act(stage)
            killer.stop()
            assert killer.killed == 1 or said == OK, "only a worker that was done already escapes"
            settle(stage.client, stage.node)
            assert latency().worst < 5, "another call was held up"
        assert said == OK or clear(said), said
        assert unsound(stage.client, stage.node) == [], f"{kind}, killed after {delay} s: {said}"
        # Killed after its last deed and before its last word, a worker has done everything and nobody was told.
        assert chosen.done(stage) or said != OK, f"killed after {delay} s"
        _again(stage)


def _again(stage: Stage) -> None:
    """As it was before."""
    if 100 in stage.machines():
        stage.do("POST", "/qemu/100/status/stop")
        stage.must("DELETE", "/qemu/100")
    for volid in stage.isos():
        stage.must("DELETE", f"/storage/local/content/{volid}")


# With its zygote corrald ends too, so that a few kinds are enough there: each costs a restart.
STRIKES = [
    *((kind, victim) for victim in ("corral-api", "corrald") for kind in KINDS),
    *((kind, "zygote") for kind in ("create", "start", "upload")),
]


@pytest.mark.parametrize(("kind", "victim"), STRIKES)
def test_a_killed_daemon_ends_no_task(stage: Stage, kind: str, victim: str) -> None:
    """Workers go on without the daemons. The call itself may fail, clearly; then it has been done, or not at all."""
    chosen = KINDS[kind]
    chosen.prepare(stage)
    doomed = wrecks.daemons(stage.node)[victim]

    def strike() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(doomed, signal.SIGKILL)

    striking = Striking(stage.node, strike, random.Random(f"{kind}{victim}").choice([0.0, 0.01, 0.05]))
    striking.start()
    said = chosen.act(stage)
    striking.stop()
    _until(lambda: wrecks.daemons(stage.node).get(victim, doomed) != doomed or not striking.struck)
    settle(stage.client, stage.node)
    assert said == OK or clear(said), said
    assert unsound(stage.client, stage.node) == [], said
    if said == OK:
        assert chosen.done(stage)
    _again(stage)
    _until(lambda: stage.node.request("GET", "/version")[0] in (200, 401))


class Striking(Killer):
    """Does something else than killing the worker when one is born."""

    def __init__(self, node: Node, strike: Callable[[], None], delay: float) -> None:
        super().__init__(node, delay)
        self._strike = strike
        self.struck = False

    def run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                if self._children.read_text().split():
                    time.sleep(self._delay)
                    self._strike()
                    self.struck = True
                    return
            time.sleep(0.0005)


def _until(good: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if good():
                return
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


# --- disks and paths -----------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_of_a_machine(stage: Stage, tmp_path: Path) -> None:
    with mounted("ext4", 32 * MIB, tmp_path) as small:
        options = {"storage": "small", "type": "dir", "path": str(small), "content": "images", "preallocation": "full"}
        stage.client.call("POST", "/storage", options)
        try:
            said = stage.do("POST", "/qemu", vmid=100, memory=32, scsi0="local:1", scsi1="small:1")
            assert "No space left" in said or "not enough" in said.lower(), said
            said = stage.do("POST", "/qemu", vmid=100, memory=32, scsi0=f"small:0,import-from={stage.image}")
            assert "No space left" in said or "not enough" in said.lower(), said
            assert stage.machines() == set()
            assert [path for path in small.rglob("*") if path.is_file()] == []
            stage.must("POST", "/qemu", vmid=100, memory=32, scsi0="local:1")
        finally:
            stage.client.call("DELETE", "/storage/small", {})


def test_a_path_that_hangs_holds_up_nothing_else(stage: Stage, tmp_path: Path) -> None:
    point = tmp_path / "dead"
    point.mkdir()
    stage.client.call("POST", "/storage", {"storage": "dead", "type": "dir", "path": str(point), "content": "images"})
    stage.must("POST", "/qemu", vmid=101, memory=32, scsi0="dead:1")
    try:
        busy = wrecks.watching(lambda: stage.client.call("GET", "/cluster/resources", {}))
        with wrecks.hanging(point), busy as latency:
            began = time.monotonic()
            asked = [_ask_later(stage, path) for path in ("dead/status", "dead/content", "dead/status")]
            stage.must("POST", "/qemu", vmid=100, memory=32, scsi0="local:1")
            stage.must("POST", "/qemu/100/status/start")
            assert stage.client.call("GET", f"/nodes/{stage.node.name}/storage/local/status", {})["active"] == 1
            stage.must("POST", "/qemu/100/status/stop")
            stage.must("DELETE", "/qemu/100")
            assert stage.client.call("GET", "/access/users", {})
            assert any(thread.is_alive() for thread in asked), "it does not hang, so this showed nothing"
            rows = stage.client.call("GET", f"/nodes/{stage.node.name}/storage", {})
            assert {row["storage"]: row["active"] for row in rows} == {"dead": 0, "local": 1}
            assert time.monotonic() - began < 30
            assert latency().worst < 5
        _until(lambda: stage.client.call("GET", f"/nodes/{stage.node.name}/storage/dead/status", {})["active"] == 1)
    finally:
        stage.do("DELETE", "/qemu/101")
        shutil.rmtree(point, ignore_errors=True)
        stage.client.call("DELETE", "/storage/dead", {})


def _ask_later(stage: Stage, path: str) -> threading.Thread:
    thread = threading.Thread(target=lambda: stage.do("GET", f"/storage/{path}"), daemon=True)
    thread.start()
    return thread


# --- QEMU ------------------------------------------------------------------------------------------------------------


def test_qemu_that_dies_at_its_start_is_told_in_its_own_words(stage: Stage) -> None:
    _machine(stage, args="-device nonsense")
    said = stage.do("POST", "/qemu/100/status/start")
    assert "'nonsense' is not a valid device model name" in said
    assert not stage.running()
    stage.must("PUT", "/qemu/100/config", delete="args")
    stage.must("POST", "/qemu/100/status/start")


def test_qemu_that_is_killed_is_noticed(stage: Stage) -> None:
    _running(stage)
    [pid] = wrecks.guests(stage.node, 100)
    os.kill(pid, signal.SIGKILL)
    current = f"/nodes/{stage.node.name}/qemu/100/status/current"
    _until(lambda: stage.client.call("GET", current, {})["status"] == "stopped", 20)
    rows = stage.client.call("GET", "/cluster/resources", {"type": "vm"})
    _until(lambda: next(row for row in rows if row["vmid"] == 100)["status"] == "stopped" or _fresh(stage), 20)
    stage.must("POST", "/qemu/100/status/start")


def _fresh(stage: Stage) -> bool:
    rows = stage.client.call("GET", "/cluster/resources", {"type": "vm"})
    return bool(next(row for row in rows if row["vmid"] == 100)["status"] == "stopped")


# --- no power ---------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_after_a_power_cut_tasks_are_undone_and_guests_start_in_their_order(tmp_path: Path, image: Path) -> None:
    if os.getuid() != 0 or not shutil.which("qemu-system-x86_64"):
        pytest.skip("needs root and QEMU")
    dead = Node(tmp_path / "root")
    with dead:
        client = client_of(dead)
        for vmid, startup in ((100, "order=2"), (101, "order=1"), (102, "")):
            options: dict[str, Any] = {"vmid": vmid, "memory": 32, "onboot": int(bool(startup))}
            assert outcome(client, dead, "POST", "/qemu", **options, **({"startup": startup} if startup else {})) == OK
        assert outcome(client, dead, "POST", "/qemu/102/status/start") == OK
        upid = client.call(
            "POST", f"/nodes/{dead.name}/qemu", {"vmid": 103, "memory": "32", "scsi0": f"local:0,import-from={image}"}
        )
        images = dead.root / "var/lib/vz/images/103"
        _until(lambda: images.exists() and any(images.iterdir()))
        wrecks.crash(dead)
        assert dead.guests() == []

        wrecks.another_boot(dead, "11111111-2222-4333-8444-555555555555", tmp_path)
        dead.start()
        settle(client, dead)
        task = client.call("GET", f"/nodes/{dead.name}/tasks/{upid}/status", {})
        assert task["status"] == "stopped"
        assert task["exitstatus"] != OK
        assert clear(task["exitstatus"])
        assert unsound(client, dead) == []
        states = {row["vmid"]: row["status"] for row in client.call("GET", f"/nodes/{dead.name}/qemu", {})}
        assert states == {100: "running", 101: "running", 102: "stopped"}
        begun = {
            row["id"]: (row["starttime"], row["upid"])
            for row in client.call("GET", f"/nodes/{dead.name}/tasks", {"typefilter": "qmstart"})
        }
        assert wrecks.guests(dead, 101)[0] < wrecks.guests(dead, 100)[0], f"order=1 comes first: {begun}"

        # A restart without a reboot starts nobody.
        assert outcome(client, dead, "POST", "/qemu/100/status/stop") == OK
        dead.stop()
        dead.start()
        settle(client, dead)
        states = {row["vmid"]: row["status"] for row in client.call("GET", f"/nodes/{dead.name}/qemu", {})}
        assert states == {100: "stopped", 101: "running", 102: "stopped"}
