"""Tasks with a real zygote, real workers and a store on disk: killed, stopped, restarted, a hundred at once."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest

from corral.core.errors import AlreadyExists, Error, ParamError
from corral.core.layout import Layout
from corral.store.sqlite import SqliteStore
from corral.system import locks
from corral.system.clock import SystemClock
from corral.tasks import journal
from corral.tasks.log import Filter, Index, log_path, read_log
from corral.tasks.outcome import Fault
from tests.integration.tasks.toys import FAILING_STAGES, STAGES

CHECKOUT = Path(__file__).parents[3]


def lives(pid: int) -> bool:
    """Whether the process runs; one that waits to be reaped does not, and whoever it fell to may take its time."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Daemon:
    """The toy corrald in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout(root)
        self.boot = ""
        (root / "world").mkdir()
        self.start()

    def start(self) -> None:
        with (self.layout.root / "daemon.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.tasks.daemon", str(self.layout.root), self.boot],
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=CHECKOUT,
            )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n", self.said()

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(20)
        assert self.process.stdout is not None
        # The end of the pipe: no zygote and no worker holds it.
        assert self.process.stdout.read() == b""
        self.process.stdout.close()

    def said(self) -> str:
        return (self.layout.root / "daemon.log").read_text()

    def connect(self, **request: Any) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.connect(str(self.layout.root / "control"))
        connection.sendall(json.dumps(request).encode() + b"\n")
        return connection

    def ask(self, **request: Any) -> Any:
        with self.connect(**request) as connection, connection.makefile("r") as stream:
            answer = json.loads(stream.readline())
        if "fault" in answer:
            raise msgspec.convert(answer["fault"], Fault).restore()
        return answer["result"]

    def spawn(self, task: str, *, key: str | None = None, body: str = "", **args: Any) -> str:
        upid: str = self.ask(do="spawn", task=task, args=args, key=key, body=body)
        return upid

    def run(self, task: str, *, key: str | None = None, body: str = "", **args: Any) -> Any:
        return self.ask(do="run", task=task, args=args, key=key, body=body)

    def status(self, upid: str, seconds: float = 30) -> str:
        assert self.ask(do="wait", upid=upid, seconds=seconds), self.said()
        found = self.ask(do="find", upid=upid)
        assert found is not None
        return str(found["status"])

    def until(self, true: Callable[[], Any], seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.said()
            time.sleep(0.01)

    def worker(self, upid: str) -> int:
        """The pid of the worker that has begun the task."""
        found: list[int] = []

        def begun() -> bool:
            state = journal.read(journal.path_of(self.layout.journals, upid))
            found[:] = [state.begin.pid] if state and state.begin else []
            return bool(found) or state is None

        self.until(begun)
        assert found, f"{upid} has ended already"
        return found[0]

    def world(self) -> set[str]:
        return {path.name for path in (self.layout.root / "world").iterdir() if not path.name.startswith("died-")}

    def records(self) -> dict[str, str]:
        """The store's texts, read when the daemon is down or by a second reader."""
        store = SqliteStore(self.layout.store_db, SystemClock())
        try:
            return {doc.key: doc.text for doc in store.list()}
        finally:
            store.close()

    def consistent(self) -> None:
        """Everything that is there belongs to a whole guest, and no task has left anything."""
        self.end(signal.SIGTERM)
        records = self.records()
        guests = {key: text for key, text in records.items() if key.startswith("guest/")}
        wanted = {f"{key[6:]}-{name}" for key, text in guests.items() for name in text.split()}
        assert self.world() == wanted
        assert [key for key in records if key.startswith("kept/")] == []
        assert list(self.layout.journals.iterdir()) == []
        self.start()


def links(pid: int) -> list[str]:
    """What a process has open."""
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(path))
    return found


@contextlib.contextmanager
def running(made: Daemon) -> Iterator[Daemon]:
    """End it with its workers, also when a test has failed."""
    try:
        yield made
        if made.process.poll() is None:
            for task in made.ask(do="running"):
                made.ask(do="cancel", upid=task["upid"])
            made.until(lambda: made.ask(do="running") == [])
            made.end(signal.SIGTERM)
    finally:
        if made.process.poll() is None:
            made.process.kill()
            made.process.wait()
            for path in made.layout.journals.glob(f"*{journal.SUFFIX}"):
                state = journal.read(path)
                if state is not None and state.begin is not None and locks.is_held(path):
                    os.kill(state.begin.pid, signal.SIGKILL)
        assert made.process.stdout is not None
        made.process.stdout.close()
        shutil.rmtree(made.layout.run, ignore_errors=True)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with running(Daemon(tmp_path)) as made:
        yield made


def test_a_task_runs_in_a_process_of_its_own(daemon: Daemon) -> None:
    upid = daemon.spawn("Make", vmid=100)
    assert daemon.status(upid) == "OK"
    lines, _ = read_log(daemon.layout.task_logs, upid)
    assert [line.t for line in lines] == ["made a", "made b", "TASK OK"]
    assert daemon.world() == {"100-a", "100-b"}
    daemon.consistent()


def test_a_worker_begins_fast_and_inherits_nothing(daemon: Daemon) -> None:
    answers = [daemon.run("Ask", asked=time.monotonic()) for _ in range(20)]
    delays = sorted(answer["delay"] for answer in answers)
    print(f"spawn to act: median {delays[10] * 1000:.1f} ms, worst {delays[-1] * 1000:.1f} ms")
    answer = answers[-1]
    assert answer["session"] == answer["pid"]
    assert answer["descriptors"]["0"] == "/dev/null"
    assert answer["descriptors"]["1"].endswith("workers.log")
    assert answer["pipes"] == []
    assert answer["count"] <= 6
    assert answer["chld"]
    assert Index(daemon.layout.task_logs).search(Filter()) == []


def test_results_and_errors_cross_with_their_class(daemon: Daemon) -> None:
    with pytest.raises(ParamError) as caught:
        daemon.run("Ask", error=True)
    assert caught.value.errors == {"name": "is wrong"}


@pytest.mark.parametrize("stage", STAGES)
def test_kill_9_at_every_stage_leaves_a_whole_guest_or_none(daemon: Daemon, stage: str) -> None:
    upid = daemon.spawn("Make", vmid=100, die_at=stage)
    assert daemon.status(upid) == "the worker process died"
    whole = stage in {"committed", "scope left", "returning"}
    assert daemon.world() == ({"100-a", "100-b"} if whole else set())
    daemon.consistent()
    if not whole:
        assert daemon.status(daemon.spawn("Make", vmid=100)) == "OK"


@pytest.mark.parametrize("stage", FAILING_STAGES)
def test_kill_9_in_the_undo_is_undone_too(daemon: Daemon, stage: str) -> None:
    upid = daemon.spawn("Make", vmid=100, die_at=stage, fail=True)
    assert daemon.status(upid) == "Parameter verification failed."
    assert daemon.world() == set()
    daemon.consistent()


def test_kill_9_at_any_time(daemon: Daemon) -> None:
    for number in range(12):
        upid = daemon.spawn("Make", vmid=100 + number, pause=0.02)
        pid = daemon.worker(upid)
        time.sleep(number * 0.02)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            assert daemon.status(upid) == "OK"
        daemon.status(upid)
    daemon.consistent()


def test_the_dead_one_s_locks_are_held_until_its_undo_is_done(daemon: Daemon) -> None:
    dead = daemon.spawn("Make", vmid=100, die_at="undo a", fail=True, pause=0.1)
    waiting = daemon.spawn("Sleep", lock="guest/100", seconds=0)
    daemon.until(lambda: [task.get("phase") for task in daemon.ask(do="running")][:1] == ["undoing"])
    running = daemon.ask(do="running")
    assert running[1]["waiting"] == f"waiting for lock guest/100 held by {dead}"
    assert daemon.status(waiting) == "OK"
    assert daemon.world() == set()


# ---- restarts of the daemon


def test_kill_9_of_the_daemon_breaks_no_running_task(daemon: Daemon) -> None:
    upid = daemon.spawn("Make", vmid=100, pause=0.6)
    behind = daemon.spawn("Sleep", lock="guest/100", seconds=0)
    pid = daemon.worker(upid)
    daemon.end(signal.SIGKILL)
    daemon.start()
    assert lives(pid)
    running = daemon.ask(do="running")
    assert [task["upid"] for task in running] == [upid, behind]
    assert running[0]["phase"] == "running"
    daemon.until(lambda: daemon.ask(do="running")[1].get("waiting"))
    assert daemon.status(upid) == "OK"
    assert daemon.status(behind) == "OK"
    daemon.consistent()


def test_a_worker_that_died_while_the_daemon_was_away_is_undone(daemon: Daemon) -> None:
    upid = daemon.spawn("Make", vmid=100, pause=1.0)
    pid = daemon.worker(upid)
    daemon.until(daemon.world)
    daemon.end(signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    daemon.start()
    assert daemon.status(upid) == "the worker process died"
    assert daemon.world() == set()
    daemon.consistent()


def test_a_worker_that_ended_while_the_daemon_was_away_is_put_away(daemon: Daemon) -> None:
    upid = daemon.spawn("Sleep", seconds=2)
    pid = daemon.worker(upid)
    # From its first line on it needs the store no more; before, it would wait for the daemon, and rightly so.
    daemon.until(lambda: "sleeping" in log_path(daemon.layout.task_logs, upid).read_text())
    daemon.end(signal.SIGKILL)
    daemon.until(lambda: not lives(pid))
    daemon.start()
    assert daemon.status(upid) == "OK"


def test_a_lost_zygote_ends_the_daemon_and_the_next_one_goes_on(daemon: Daemon) -> None:
    children = Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), signal.SIGKILL)
    with contextlib.suppress(json.JSONDecodeError):  # the daemon may end before it has answered
        daemon.spawn("Make", vmid=100, key="k")
    assert daemon.process.wait(20) == 0
    assert daemon.process.stdout is not None
    daemon.process.stdout.close()
    daemon.start()
    assert daemon.status(daemon.spawn("Make", vmid=100, key="k")) == "OK"
    daemon.consistent()


def test_a_reboot_undoes_what_ran_and_drops_what_waited(daemon: Daemon) -> None:
    running = daemon.spawn("Make", vmid=100, pause=1.0)
    waiting = daemon.spawn("Sleep", lock="guest/100")
    pid = daemon.worker(running)
    daemon.until(daemon.world)
    daemon.end(signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    daemon.boot = "another boot"
    daemon.start()
    assert daemon.status(running) == "interrupted by a reboot of the host"
    assert daemon.status(waiting) == "the host was rebooted before the task began"
    assert daemon.world() == set()
    daemon.consistent()


def test_an_adopted_task_can_be_stopped(daemon: Daemon) -> None:
    upid = daemon.spawn("Sleep")
    daemon.worker(upid)
    daemon.end(signal.SIGKILL)
    daemon.start()
    daemon.ask(do="cancel", upid=upid)
    assert daemon.status(upid) == "received interrupt"


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "corral-test", tmp_path], capture_output=True)
    if made.returncode:
        pytest.skip(f"can't mount a tmpfs: {made.stderr.decode().strip()}")
    yield tmp_path
    subprocess.run(["umount", "-l", tmp_path], check=True)


def test_a_task_that_fills_the_disk_makes_room_again(small: Path) -> None:
    with running(Daemon(small)) as daemon:
        upid = daemon.spawn("Fill", vmid=100)
        assert daemon.status(upid) == "No space left on device"
        assert daemon.world() == set()
        assert daemon.status(daemon.spawn("Make", vmid=100)) == "OK"
        daemon.consistent()


def test_on_a_full_disk_nothing_begins_and_the_error_says_why(small: Path) -> None:
    with running(Daemon(small)) as daemon:
        filler = small / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(Error, match=r"No space left on device|disk is full"):
            daemon.spawn("Make", vmid=100)
        filler.unlink()
        assert daemon.status(daemon.spawn("Make", vmid=100)) == "OK"
        daemon.consistent()


# ---- stopping


def test_a_task_that_listens_stops_at_once(daemon: Daemon) -> None:
    upid = daemon.spawn("Sleep")
    daemon.until(lambda: daemon.ask(do="find", upid=upid).get("progress") == 0.25)
    daemon.ask(do="cancel", upid=upid)
    assert daemon.status(upid) == "received interrupt"


def test_a_task_that_hangs_is_interrupted_where_it_stands(daemon: Daemon) -> None:
    upid = daemon.spawn("Sleep", deaf=True)
    pid = daemon.worker(upid)
    time.sleep(0.1)
    daemon.ask(do="cancel", upid=upid)
    assert daemon.status(upid) == "received interrupt"
    assert daemon.spawn("Sleep", seconds=0)
    assert not lives(pid)


def test_a_task_that_ignores_the_signal_is_killed_and_undone(daemon: Daemon) -> None:
    upid = daemon.spawn("Sleep", deaf=True, stubborn=True)
    daemon.worker(upid)
    time.sleep(0.1)
    daemon.ask(do="cancel", upid=upid)
    assert daemon.status(upid) == "received interrupt"
    assert "died" in daemon.said()


def test_a_hanging_task_delays_no_other(daemon: Daemon) -> None:
    daemon.spawn("Sleep", deaf=True)
    assert daemon.status(daemon.spawn("Make", vmid=100)) == "OK"


def test_an_awaited_task_whose_caller_leaves_is_withdrawn(daemon: Daemon) -> None:
    holder = daemon.spawn("Sleep", lock="x")
    daemon.worker(holder)
    connection = daemon.connect(do="run", task="Sleep", args={"lock": "x"})
    daemon.until(lambda: len(daemon.ask(do="running")) == 2)
    connection.close()
    daemon.until(lambda: [task["upid"] for task in daemon.ask(do="running")] == [holder])
    assert Index(daemon.layout.task_logs).search(Filter()) == []


# ---- many


def test_a_hundred_creates_at_once_all_succeed(daemon: Daemon) -> None:
    start = time.monotonic()
    with ThreadPoolExecutor(100) as pool:
        upids = list(pool.map(lambda vmid: daemon.spawn("Make", vmid=vmid), range(100, 200)))
    answered = time.monotonic() - start
    assert {daemon.status(upid) for upid in upids} == {"OK"}
    print(f"100 spawned in {answered:.2f} s, ended after {time.monotonic() - start:.2f} s")
    assert len(daemon.world()) == 200
    zygote = int(Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text())
    daemon.until(lambda: len(os.listdir(f"/proc/{zygote}/fd")) <= 5)
    assert not any("pidfd" in target for target in links(daemon.process.pid))
    daemon.consistent()


def test_one_key_makes_one_task_also_across_a_restart(daemon: Daemon) -> None:
    first = daemon.spawn("Make", vmid=100, key="k", body="1", pause=0.5)
    daemon.end(signal.SIGKILL)
    daemon.start()
    assert daemon.spawn("Make", vmid=100, key="k", body="1", pause=0.5) == first
    with pytest.raises(ParamError):
        daemon.spawn("Make", vmid=101, key="k", body="2")
    with pytest.raises(AlreadyExists):
        daemon.spawn("Make", vmid=100)
    assert daemon.status(first) == "OK"
    assert daemon.spawn("Make", vmid=100, key="k", body="1", pause=0.5) == first


def test_after_a_failure_a_key_starts_anew(daemon: Daemon) -> None:
    first = daemon.spawn("Make", vmid=100, key="k", body="1", die_at="file a made")
    assert daemon.status(first) == "the worker process died"
    second = daemon.spawn("Make", vmid=100, key="k", body="1")
    assert second != first
    assert daemon.status(second) == "OK"


def test_a_waiting_task_that_is_stopped_gives_back_its_claim(daemon: Daemon) -> None:
    holder = daemon.spawn("Sleep", lock="guest/100")
    daemon.worker(holder)
    upid = daemon.spawn("Make", vmid=100)
    daemon.ask(do="cancel", upid=upid)
    assert daemon.status(upid) == "received interrupt"
    assert daemon.status(daemon.spawn("Make", vmid=101)) == "OK"
    daemon.ask(do="cancel", upid=holder)
    daemon.until(lambda: daemon.ask(do="running") == [])
    daemon.consistent()
    assert daemon.world() == {"101-a", "101-b"}
