"""Ways to break a running node, and what must be true of it whatever was broken."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from corral.cli.client import ApiError, Client
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.store.remote import RemoteStore
from corral.system.clock import SystemClock
from tests.lab.node import Node

OK = "OK"


def client_of(node: Node) -> Client:
    """root@pam's client, which needs no log-in."""
    return Client(Layout(node.root.resolve()), SystemClock())


def daemons(node: Node) -> dict[str, int]:
    """The node's processes by name: `corral-api`, `corrald` and `zygote`, which is corrald's child."""
    found: dict[str, int] = {}
    ours = [row for row in _processes() if _ours(node, row[2])]
    known = {pid: words for pid, _, words in ours}
    for pid, parent, words in ours:
        if "corral.daemons.api" in words:
            found["corral-api"] = pid
        elif not _is_worker(pid, parent) and "corral.daemons.corrald" not in known.get(parent, ""):
            found["corrald"] = pid
    for pid, parent, _ in ours:
        if parent == found.get("corrald"):
            found["zygote"] = pid
    return found


def _ours(node: Node, words: str) -> bool:
    return f"--root {node.root.resolve()} " in f"{words} " and "-m corral.daemons." in words


def _is_worker(pid: int, parent: int) -> bool:
    """Workers write where no daemon does, as their zygote; that one is corrald's child."""
    return _output(pid) == "workers.log" and _output(parent) != "corrald.log"


def _output(pid: int) -> str:
    with contextlib.suppress(OSError):
        return os.path.basename(os.readlink(f"/proc/{pid}/fd/1"))
    return ""


def _processes() -> Iterator[tuple[int, int, str]]:
    shown = subprocess.run(["ps", "-eww", "-o", "pid,ppid,args"], check=True, capture_output=True, text=True).stdout
    for line in shown.splitlines()[1:]:
        pid, parent, words = line.split(None, 2)
        yield int(pid), int(parent), words


def workers(node: Node) -> list[int]:
    """The processes that do the node's tasks now."""
    found = []
    for pid, parent, words in _processes():
        if _ours(node, words) and _is_worker(pid, parent):
            found.append(pid)
    return found


class Killer(threading.Thread):
    """Kills a worker `delay` seconds after it was born. The task's own pid is not known before its call is answered."""

    def __init__(self, node: Node, delay: float) -> None:
        super().__init__(daemon=True)
        zygote = daemons(node)["zygote"]
        self._children = Path(f"/proc/{zygote}/task/{zygote}/children")
        self._delay = delay
        self._over = threading.Event()
        self.killed = 0

    def run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(OSError, ValueError):
                if born := self._children.read_text().split():
                    time.sleep(self._delay)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(born[0]), signal.SIGKILL)
                        self.killed += 1
                    return
            time.sleep(0.0005)

    def stop(self) -> None:
        self._over.set()
        self.join()


def outcome(client: Client, node: Node, method: str, path: str, **params: Any) -> str:
    """`OK`, or the error's text, of a call and its task."""
    try:
        wire = {key.replace("__", "-"): value for key, value in params.items()}
        data = client.call(method, f"/nodes/{node.name}{path}", wire)
        if isinstance(data, str) and data.startswith("UPID:"):
            return client.follow(node.name, data, quiet=True)
    except ApiError as error:
        return str(error) + "".join(f" {name}: {text}" for name, text in error.errors.items())
    except Error as error:
        return str(error)
    return OK


def settle(client: Client, node: Node, seconds: float = 60) -> None:
    """Wait until nothing runs any more: no task, no worker."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(Error):
            running = client.call("GET", f"/nodes/{node.name}/tasks", {"source": "active"})
            if not running and not workers(node):
                return
        assert time.monotonic() < end, "tasks do not come to an end"
        time.sleep(0.05)


def unsound(client: Client, node: Node) -> list[str]:
    """What is half-made on a node: empty if all is well."""
    found = []
    configs = {
        row["vmid"]: client.call("GET", f"/nodes/{node.name}/qemu/{row['vmid']}/config", {})
        for row in client.call("GET", f"/nodes/{node.name}/qemu", {})
    }
    named = set(re.findall(r"\b(\d+/vm-\d+-[\w.-]+)", str(configs)))
    local = node.root / "var/lib/vz"
    there = {str(path.relative_to(local / "images")) for path in (local / "images").rglob("*") if path.is_file()}
    found += [f"volume without a guest: {volume}" for volume in there - named]
    found += [f"guest without its volume: {volume}" for volume in named - there]
    found += [f"VM {vmid} is locked: {config['lock']}" for vmid, config in configs.items() if "lock" in config]
    for path in local.rglob("*"):
        if path.is_file() and re.search(r"spool|\.tmp|\.part|~$|^\.", path.name):
            found.append(f"left over: {path.relative_to(node.root)}")
    for vmid in configs:
        status = client.call("GET", f"/nodes/{node.name}/qemu/{vmid}/status/current", {})
        if (status["status"] == "running") != bool(guests(node, vmid)):
            found.append(f"VM {vmid} is {status['status']}, its processes are {guests(node, vmid)}")
    alive = {int(vmid) for vmid in re.findall(r"qemu/(\d+)/", " ".join(_guest_words(node)))}
    found += [f"QEMU of VM {vmid}, which there is not" for vmid in alive - set(configs)]
    store = RemoteStore.at(Layout(node.root.resolve()).store_socket, SystemClock(), patience=5)
    try:
        found += [f"record {doc.key}" for doc in store.list("kept/")]
    finally:
        store.close()
    return found


def guests(node: Node, vmid: int) -> list[int]:
    """The processes of one guest."""
    return [pid for pid in node.guests() if f"qemu/{vmid}/" in _words(pid)]


def _guest_words(node: Node) -> list[str]:
    tag = Layout(node.root.resolve()).run.name
    return [words for _, _, words in _processes() if "qemu-system" in words.split()[0] and f"/{tag}/" in words]


def _words(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def crash(node: Node) -> None:
    """The host loses its power: every process dies at once, and what was in /run is gone."""
    run = Layout(node.root.resolve()).run
    assert node.process
    doomed = [node.process.pid, *node.guests(), *daemons(node).values(), *workers(node)]
    for pid in doomed:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.process.wait(10)
    for pid in [*node.guests(), *daemons(node).values(), *workers(node)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    subprocess.run(["rm", "-rf", str(run)], check=True)


def another_boot(node: Node, boot: str, scratch: Path) -> None:
    """Let the node start as after a reboot: with another boot id, in a mount namespace of its own."""
    fake = scratch / f"boot-{boot}"
    fake.write_text(f"{boot}\n")
    script = f'mount --bind {fake} /proc/sys/kernel/random/boot_id && exec "$@"'
    node.prefix = ["unshare", "-m", "sh", "-c", script, "sh"]


class Latency(NamedTuple):
    """How long other calls took while something was broken, in seconds."""

    worst: float
    calls: int


@contextlib.contextmanager
def watching(call: Callable[[], object]) -> Iterator[Callable[[], Latency]]:
    """Do something else again and again in the meantime; the function tells how long that took at worst."""
    taken: list[float] = []
    stop = threading.Event()

    def repeat() -> None:
        while not stop.is_set():
            began = time.monotonic()
            with contextlib.suppress(ApiError):
                call()
            taken.append(time.monotonic() - began)
            stop.wait(0.02)

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield lambda: Latency(max(taken), len(taken))
    finally:
        stop.set()
        thread.join(30)


@contextlib.contextmanager
def hanging(point: Path) -> Iterator[None]:
    """A mount over `point` whose server never answers, as that of a dead NFS server: a FUSE without its program."""
    libc = ctypes.CDLL(None, use_errno=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"hang", os.fsencode(point), b"fuse", 0, options):
        os.close(device)
        raise OSError(ctypes.get_errno(), "can't mount FUSE")
    try:
        yield
    finally:
        # Its end wakes whoever waits with "not connected".
        os.close(device)
        libc.umount2(os.fsencode(point), 2)
