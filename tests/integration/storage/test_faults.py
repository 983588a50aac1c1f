"""What breaks leaves nothing half-made: a full disk, a killed worker, a storage that hangs."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from corral.storage.base import Status
from corral.storage.plugins.dir import Dir, DirConfig
from corral.storage.service import Storages
from corral.store.base import Cause, Transaction, Write
from corral.system.run import SystemRun
from corral.tasks import work as working
from corral.tasks.journal import Journal
from corral.tasks.live import PidWorker
from corral.tasks.work import Stop
from tests.integration.storage.bench import Bench
from tests.integration.storage.mounts import mounted
from tests.unit.storage.web import Site, serving

HERE = "/nodes/testnode/storage"
MIB = 1 << 20


# --- a full disk ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 24 MiB."""
    with mounted("ext4", 24 * MIB, tmp_path_factory.mktemp("small")) as point:
        yield point


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


@pytest.fixture
def full(bench: Bench, small: Path, request: pytest.FixtureRequest) -> Path:
    """The directory of the storage `small`, which has little room."""
    path: Path = small / re.sub(r"\W", "_", request.node.name)
    options = f"\tpath {path}\n\tcontent images,iso,import,backup\n\tpreallocation falloc\n\tis_mountpoint {small}\n"
    bench.configure(f"dir: small\n{options}")
    assert bench.client.get(f"{HERE}/small/status")["active"] == 1
    return path


def files_of(path: Path) -> list[str]:
    return [str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()]


@pytest.mark.parametrize("form", ["raw", "qcow2"])
def test_an_image_that_does_not_fit_is_not_there(bench: Bench, full: Path, form: str) -> None:
    before = bench.client.get(f"{HERE}/small/status")["avail"]
    params = {"filename": f"vm-100-disk-0.{form}", "vmid": 100, "size": "100M"}
    reply = bench.client.send("POST", f"{HERE}/small/content", params)
    assert "No space left" in reply.reason
    assert files_of(full) == []
    assert bench.client.get(f"{HERE}/small/status")["avail"] == before
    assert bench.client.call("POST", f"{HERE}/small/content", {**params, "size": "1M"})


def test_an_import_that_does_not_fit_is_not_there(bench: Bench, full: Path) -> None:
    bench.client.post(f"{HERE}/local/content", filename="vm-100-disk-0.raw", vmid=100, size="40M")
    (bench.local / "images/100/vm-100-disk-0.raw").write_bytes(os.urandom(40 * MIB))
    for form in ("raw", "qcow2"):
        target = f"small:100/vm-100-disk-0.{form}"
        upid = bench.client.post(f"{HERE}/local/content/100/vm-100-disk-0.raw", target=target)
        assert "No space left" in bench.ended(upid)
        assert files_of(full) == []


def test_an_image_that_can_t_grow_stays_as_it_was(bench: Bench, full: Path) -> None:
    volid = bench.client.post(f"{HERE}/small/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
    with pytest.raises(Exception, match="No space left"):
        bench.storages.resize(volid, 500 * MIB)
    assert bench.storages.info(volid).size == MIB


def test_a_storage_whose_mount_is_gone_is_offline(bench: Bench, tmp_path: Path) -> None:
    bench.configure(f"dir: gone\n\tpath {tmp_path}/gone\n\tis_mountpoint yes\n")
    assert bench.client.get(f"{HERE}/gone/status")["active"] == 0
    reply = bench.client.send(
        "POST", f"{HERE}/gone/content", {"filename": "vm-100-disk-0.raw", "vmid": 100, "size": "1M"}
    )
    assert "not mounted" in reply.reason
    assert not (tmp_path / "gone").exists()


# --- a killed worker --------------------------------------------------------------------------------------------------


class ForkSpawner:
    """Workers that are processes. `pids` are those that act; what undoes is not counted."""

    def __init__(self, surroundings: Any, logs: Path) -> None:
        self.surroundings = surroundings
        self.logs = logs
        self.pids: list[int] = []

    def spawn(self, descriptor: int, upid: str, *, undo: bool) -> PidWorker:
        pid = os.fork()
        if pid:
            if not undo:
                self.pids.append(pid)
            return PidWorker(pid, os.pidfd_open(pid))
        try:
            journal = Journal(os.dup(descriptor))
            if undo:
                working.undo(self.surroundings, journal, self.logs)
            else:
                working.act(self.surroundings, journal, self.logs, Stop())
        finally:
            os._exit(0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("moment", range(6))
def test_a_worker_killed_in_the_middle_of_a_copy_leaves_nothing(tmp_path: Path, moment: int) -> None:
    bench = Bench(tmp_path, run=SystemRun(dies_with_parent=True))
    surroundings: Any = bench.surroundings
    spawner = ForkSpawner(surroundings, bench.app.layout.task_logs)
    bench.runner._spawner = spawner
    source = bench.local / "images/100/vm-100-disk-0.raw"
    source.parent.mkdir(parents=True)
    source.write_bytes(os.urandom(64 * MIB))
    target = bench.local / "images/101/vm-101-disk-0.qcow2"
    with bench:
        upid = bench.client.post(f"{HERE}/local/content/100/vm-100-disk-0.raw", target="101/vm-101-disk-0.qcow2")
        end = time.monotonic() + 20
        while not (target.exists() and target.stat().st_size >= moment * 8 * MIB) and time.monotonic() < end:
            time.sleep(0.001)
        os.kill(spawner.pids[0], signal.SIGKILL)
        status = bench.ended(upid)
    assert status in ("the worker process died", "OK")
    if status == "OK":
        pytest.skip("the copy had ended before the kill")
    assert not target.parent.exists()
    assert bench.spool() == []
    assert bench.names() == {"local:100/vm-100-disk-0.raw"}
    assert _copies_running(target) == []


def _allocation(bench: Bench, _site: Site) -> str:
    params = {"filename": "vm-101-disk-0.raw", "vmid": 101, "size": "64M"}

    def wait() -> None:
        bench.client.send("POST", f"{HERE}/local/content", params)

    threading.Thread(target=wait).start()
    end = time.monotonic() + 10
    while not (found := bench.runner.running()) and time.monotonic() < end:
        time.sleep(0.001)
    return found[0].upid if found else ""


def _upload(bench: Bench, _site: Site) -> str:
    upload = bench.spooled("x.iso", bytes(32 * MIB))
    checksum = hashlib.sha512(bytes(32 * MIB)).hexdigest()
    params = {"content": "iso", "filename": upload, "checksum": checksum, "checksum-algorithm": "sha512"}
    return str(bench.client.call("POST", f"{HERE}/local/upload", params))


def _download(bench: Bench, site: Site) -> str:
    params = {"content": "iso", "filename": "x.iso", "url": f"{site.url}/x.gz", "compression": "gz"}
    return str(bench.client.call("POST", f"{HERE}/local/download-url", params))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
@pytest.mark.parametrize("start", [_allocation, _upload, _download])
def test_a_worker_killed_at_any_moment_leaves_all_or_nothing(
    tmp_path: Path, start: Callable[[Bench, Site], str], delay: float
) -> None:
    bench = Bench(tmp_path, run=SystemRun(dies_with_parent=True))
    spawner = ForkSpawner(bench.surroundings, bench.app.layout.task_logs)
    bench.runner._spawner = spawner
    bench.configure(f"dir: local\n\tpath {bench.local}\n\tcontent iso,images\n\tpreallocation full\n")
    with serving() as site, bench:
        site.files["/x.gz"] = gzip.compress(bytes(32 * MIB))
        upid = start(bench, site)
        end = time.monotonic() + 10
        while not spawner.pids and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(delay)
        os.kill(spawner.pids[0], signal.SIGKILL)
        if upid:
            assert bench.runner.wait(upid, 30)
        entry = bench.runner.index.find(upid)
    succeeded = entry is None or entry.status == "OK"
    assert len(bench.names()) == (1 if succeeded else 0), entry
    # A worker that died before its first step leaves the upload to the next sweep.
    for path in bench.storages.spool_dir("local").iterdir():
        os.utime(path, (0, 0))
    bench.storages.sweep_spools(bench.app.layout.journals)
    assert bench.spool() == []
    assert not [path for path in bench.local.rglob("*") if path.is_file()] or succeeded
    for volid in bench.names():
        size = bench.storages.info(volid).size
        assert size in (32 * MIB, 64 * MIB)


def _copies_running(target: Path) -> list[str]:
    """Processes that still write the file, after they had time to end."""
    end = time.monotonic() + 5
    while (found := _who_names(target)) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def _who_names(target: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(target) in words:
            found.append(path.parent.name)
    return found


# --- a storage that hangs ---------------------------------------------------------------------------------------------


class HangingConfig(DirConfig, frozen=True, kw_only=True):
    """A directory on a server that is gone."""


class Hanging(Dir):
    """Answers nothing until `gate` opens."""

    kind = "hanging"
    config_type = HangingConfig
    gate: ClassVar[threading.Event] = threading.Event()

    def activate(self) -> None:
        self.gate.wait()
        super().activate()

    def status(self) -> Status:
        self.gate.wait()
        return super().status()


def test_a_storage_that_hangs_delays_nobody_else(bench: Bench, tmp_path: Path) -> None:
    Hanging.gate.clear()
    bench.app.storage = Storages(
        node="testnode",
        tree=bench.app.tree,
        run=bench.app.run,
        clock=bench.app.clock,
        layout=bench.app.layout,
        plugins=(Dir, Hanging),
        probe_timeout=0.3,
    )
    text = f"hanging: far\n\tpath {tmp_path}/far\n\tcontent images\n"
    bench.app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=(Write(key="storage.cfg", text=text),)))
    try:
        began = time.monotonic()
        rows = {row["storage"]: row["active"] for row in bench.client.get(HERE)}
        assert rows == {"local": 1, "far": 0}
        reply = bench.client.refused("GET", f"{HERE}/far/content")
        assert "storage 'far' is not online" in reply.reason
        reply = bench.client.refused("POST", f"{HERE}/far/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
        assert "storage 'far' is not online" in reply.reason
        for _ in range(20):
            assert bench.client.get(f"{HERE}/local/content") == []
            assert bench.client.get(f"{HERE}/far/status")["active"] == 0
        assert time.monotonic() - began < 10
    finally:
        Hanging.gate.set()
    for thread in threading.enumerate():
        if thread.name == "storage-far":
            thread.join(10)
    assert bench.client.get(f"{HERE}/far/status")["active"] == 1
