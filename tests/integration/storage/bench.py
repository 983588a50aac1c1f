"""An app with storages and tasks, driven through the dispatcher: workers are threads, `qemu-img` is real."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from corral.api.nodes import storage as node_storage
from corral.api.storage import ENDPOINTS as STORAGE_ENDPOINTS
from corral.app import TASKS, UNDOS, App
from corral.core.layout import Layout
from corral.schema.fields import Upload
from corral.storage.service import Storages
from corral.store.base import Cause, Transaction, Write
from corral.store.memory import MemoryStore
from corral.system import files
from corral.system.clock import SystemClock
from corral.system.run import Run, SystemRun
from corral.tasks.base import Registry
from corral.tasks.runner import Node, TaskRunner
from corral.tasks.upid import Counter
from tests.api import Client, make_app
from tests.unit.tasks.toys import ThreadSpawner

REGISTRY = Registry(TASKS, UNDOS)


class Surroundings:
    """What a worker asks of its app."""

    def __init__(self, app: App) -> None:
        self.registry, self.store, self.clock, self._app = REGISTRY, app.store, app.clock, app

    @property
    def storage(self) -> Storages:
        return self._app.storage


class Bench:
    """One node. `client` is root@pam."""

    image: ClassVar[bytes | None] = None

    def __init__(self, root: Path, *, run: Run | None = None) -> None:
        self.root = root
        clock = SystemClock()
        store = MemoryStore(clock)
        if Bench.image is not None:
            store.restore(Bench.image)
        layout = Layout(root)
        self.local = layout.local_storage
        self.app = make_app(root, clock=clock, store=store, layout=layout)
        # Hashing the first administrator's password takes longer than a test.
        Bench.image = Bench.image or store.snapshot()
        storages = Storages(node="testnode", tree=self.app.tree, run=run or SystemRun(), clock=clock, layout=layout)
        self.app.storage = storages
        # Any: the toys' workers know their own app only.
        self.surroundings: Any = Surroundings(self.app)
        workers: Any = self.surroundings
        self.runner = TaskRunner(
            Node("testnode", layout, "boot1"),
            REGISTRY,
            lambda: self.surroundings,
            store,
            spawner=ThreadSpawner(workers, layout.task_logs),
            clock=clock,
            counter=Counter(root / "counter"),
        )
        self.app.tasks = self.runner
        self.client = Client.of(self.app, (*STORAGE_ENDPOINTS, *node_storage.ENDPOINTS))
        for ident in storages.ids():
            storages.status(ident)

    def __enter__(self) -> Bench:
        self.runner.start()
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.runner.running():
            self.runner.wait(task.upid, 10)
        self.runner.stop()

    @property
    def storages(self) -> Storages:
        return self.app.storage

    def configure(self, text: str) -> None:
        self.put(Write(key="storage.cfg", text=text))

    def put(self, *writes: Write) -> None:
        self.app.store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes))

    def ended(self, upid: str) -> str:
        """The status that the task ends with."""
        assert upid.startswith("UPID:"), upid
        assert self.runner.wait(upid, 30)
        entry = self.runner.index.find(upid)
        return entry.status if entry else "hidden"

    def log(self, upid: str) -> str:
        found = [path for path in (self.root / "var/log/pve/tasks").rglob("UPID*") if path.name == upid]
        return found[0].read_text()

    def spooled(self, filename: str, data: bytes, storage: str = "local") -> Upload:
        """An upload as the daemon hands it on."""
        path, descriptor = files.spool(self.storages.spool_dir(storage))
        with open(descriptor, "wb") as file:
            file.write(data)
        return Upload(filename=filename, path=str(path), size=len(data))

    def spool(self, storage: str = "local") -> list[str]:
        """What lies in a storage's spool."""
        return sorted(path.name for path in self.storages.spool_dir(storage).iterdir())

    def names(self, storage: str = "local", **wanted: Any) -> set[str]:
        """The ids of a storage's volumes."""
        return {row["volid"] for row in self.client.get(f"/nodes/testnode/storage/{storage}/content", **wanted)}
