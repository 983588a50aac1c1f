"""A node's virtual machines without daemons: real QEMU, real files, a store in memory, workers that are threads."""

from __future__ import annotations

import contextlib
import socket
import time
from functools import cached_property
from pathlib import Path
from typing import Any

from corral.api.nodes.qemu import ENDPOINTS
from corral.app import App
from corral.core.layout import Layout
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.life.work import QmStop
from corral.guests.qemu.service import Qemu, tasks, undos
from corral.metrics.board import StatusBoard
from corral.storage.service import FreeVolume, Storages
from corral.store.base import Cause, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.noted import NotedTree
from corral.system import files
from corral.system.clock import SystemClock
from corral.system.run import SystemRun
from corral.tasks.base import Draws, Ended, Registry, Requester, TaskArgs, UndoType
from corral.tasks.log import log_path
from corral.tasks.runner import Node, TaskRunner
from corral.tasks.upid import Counter
from tests.api import Absent, Client, make_app
from tests.lab.bare import connect, read_until
from tests.lab.guest import Guest
from tests.unit.tasks.toys import ThreadSpawner

NODE = "testnode"
VMS = f"/nodes/{NODE}/qemu"
ROOT = Requester(user="root@pam", endpoint="test")
CONTENT = "dir: local\n\tpath {path}\n\tcontent images,iso,import,snippets,rootdir,vztmpl,backup\n"


class Stage:
    """Use as a context manager; guests that still run at its end are killed."""

    def __init__(self, root: Path, image: Guest | None = None) -> None:
        self.clock = SystemClock()
        self.layout = Layout(root.resolve())
        self.store = MemoryStore(self.clock)
        self.board = StatusBoard()
        tree = NotedTree(self.store)
        run = SystemRun()
        files.ensure_dir(self.layout.run, mode=0o711)
        files.ensure_dir(self.layout.journals, mode=0o700)
        local = files.ensure_dir(self.layout.local_storage)
        self.put("storage.cfg", CONTENT.format(path=local))
        self.storage = Storages(node=NODE, tree=tree, run=run, clock=self.clock, layout=self.layout)
        self.storage.usable("local")
        self.qemu = Qemu(
            node=NODE,
            tree=tree,
            store=self.store,
            clock=self.clock,
            layout=self.layout,
            run=run,
            storages=self.storage,
            board=self.board,
        )
        if image is not None:
            target = files.ensure_dir(local / "import") / "tiny.qcow2"
            files.atomic_write(target, image.qcow2.read_bytes())
        self.registry = Registry(
            tasks(lambda app: app.qemu),
            (*undos(lambda app: app.qemu), UndoType(FreeVolume, lambda app: app.storage, Storages.undo_free)),
        )
        self.runner = TaskRunner(
            Node(NODE, self.layout, "boot"),
            self.registry,
            lambda: self,
            self.store,
            spawner=ThreadSpawner(self, self.layout.task_logs),  # type: ignore[arg-type]  # an app as far as workers look
            clock=self.clock,
            counter=Counter(root / "counter"),
        )

    @cached_property
    def client(self) -> Client:
        """Calls the endpoints of virtual machines as root@pam."""
        return Client.of(self.app(), ENDPOINTS)

    def app(self) -> App:
        """An app for a dispatcher, around the same services."""
        return make_app(
            self.layout.root,
            store=self.store,
            clock=self.clock,
            layout=self.layout,
            tasks=self.runner,
            node=NODE,
            storage=self.storage,
            qemu=self.qemu,
            board=self.board,
            metrics=Absent("metrics"),
        )

    # --- through the API

    def create(self, vmid: int, **options: Any) -> None:
        """Create a guest."""
        self.task(self.client.post(VMS, vmid=vmid, **options))

    def config(self, vmid: int, **changes: Any) -> None:
        """Change a guest's configuration, waiting for the end."""
        self.client.put(f"{VMS}/{vmid}/config", **changes)

    def press(self, vmid: int, button: str, **params: Any) -> None:
        """`start`, `stop`, … to the end of the task, which must succeed."""
        self.task(self.client.post(f"{VMS}/{vmid}/status/{button}", **params))

    def current(self, vmid: int) -> dict[str, Any]:
        """`status/current`."""
        found: dict[str, Any] = self.client.get(f"{VMS}/{vmid}/status/current")
        return found

    def task(self, upid: str, status: str = "OK") -> list[str]:
        """Wait for the end of a task, which must have that status; its log."""
        assert self.runner.wait(upid, 120), f"{upid} still runs"
        ended = self.runner.find(upid)
        log = read_log(self.layout.task_logs, upid)
        assert isinstance(ended, Ended)
        assert ended.status == status, "\n".join([ended.status, *log])
        return log

    def option(self, vmid: int, key: str) -> str | None:
        """An option's text in the record."""
        return VmConfig.parse(self.text(vmid)).raw.get(key)

    def sh(self, vmid: int, script: str) -> str:
        """What a shell script prints in the guest, run by its agent."""
        command = ["/bin/sh", "-c", script]
        pid = self.client.post(f"{VMS}/{vmid}/agent/exec", command=command)["pid"]
        status: dict[str, Any] = {}

        def over() -> bool:
            nonlocal status
            status = self.client.get(f"{VMS}/{vmid}/agent/exec-status", pid=pid)
            return bool(status["exited"])

        self.until(over)
        return str(status.get("out-data", "")) + str(status.get("err-data", ""))

    def await_agent(self, vmid: int) -> None:
        """Wait until the guest's agent answers: the guest is up then."""
        self.until(lambda: self.client.send("POST", f"{VMS}/{vmid}/agent/ping").ok, 90)

    # --- beside the API

    def put(self, key: str, text: str | None, **more: Any) -> None:
        """Write a record."""
        write = Write(key=key, text=text, **more)
        self.store.commit(Transaction(cause=Cause(who="root@pam", why="test"), writes=(write,)))

    def text(self, vmid: int) -> str:
        """A guest's configuration."""
        doc = self.store.get(f"guest/{vmid}")
        assert doc is not None
        return doc.text

    def do(self, args: TaskArgs, draws: Draws | None = None) -> Any:
        """Run a task to its end; its error is raised here."""
        return self.runner.run(args, draws or Draws(), ROOT)

    def console(self, vmid: int, timeout: float = 10) -> socket.socket:
        """A connection to a guest's first serial port."""
        return connect(self.layout.guest_socket(vmid, "serial0"), timeout)

    def until_login(self, vmid: int, timeout: float = 60) -> bytes:
        """What a guest prints until it asks for a login."""
        with self.console(vmid) as serial:
            return read_until(serial, b"login:", timeout)

    def until(self, condition: Any, timeout: float = 20) -> None:
        """Wait for something to hold."""
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, "it never came true"
            time.sleep(0.05)

    def __enter__(self) -> Stage:
        self.runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        for vmid in self.qemu.machines.processes.all_running():
            with contextlib.suppress(Exception):
                self.do(QmStop(vmid=vmid, skiplock=True))
            self.qemu.machines.processes.clean(vmid)
        self.runner.stop()
        files.remove_tree(self.layout.run, below=self.layout.run.parent)


def read_log(directory: Path, upid: str) -> list[str]:
    """A task's log."""
    return log_path(directory, upid).read_text().splitlines()
