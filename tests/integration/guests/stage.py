"""A node's virtual machines without daemons: real QEMU, real files, a store in memory, workers that are threads."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from typing import Any

from corral.app import App
from corral.core.layout import Layout
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
from corral.tasks.base import Draws, Registry, Requester, TaskArgs, UndoType
from corral.tasks.runner import Node, TaskRunner
from corral.tasks.upid import Counter
from tests.api import Absent, make_app
from tests.lab.bare import connect, read_until
from tests.lab.guest import Guest
from tests.unit.tasks.toys import ThreadSpawner

NODE = "testnode"
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

    def app(self, tmp_path: Path) -> App:
        """An app for a dispatcher, around the same services."""
        return make_app(
            tmp_path,
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
