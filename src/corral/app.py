"""The one place that builds and wires services."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import msgspec
from msgspec.structs import replace

from corral import rest
from corral.access.realms import Pve
from corral.access.service import Access, bootstrap, rotate_keys
from corral.cluster import pki
from corral.core.clock import Clock
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.core.secret import Secret
from corral.guests.qemu import service as qemu_service
from corral.guests.qemu.life.watch import GuestWatcher
from corral.guests.qemu.service import Qemu
from corral.guests.qemu.warm import read_sample
from corral.metrics.board import StatusBoard
from corral.metrics.board import StorageStatus as StorageState
from corral.metrics.hub import Hub
from corral.metrics.resources import GuestRows, facts_of
from corral.metrics.sampler import PERIOD, Sampler, read_machine
from corral.metrics.series import Metrics
from corral.network import nat as network_nat
from corral.network.nat import Nat, NatUp
from corral.node import facts
from corral.node import service as node_service
from corral.node import shell as node_shell
from corral.node.service import Host
from corral.node.shell import Shells
from corral.rest.plan import KEY as PLAN_KEY
from corral.storage import work as storage_work
from corral.storage.service import FreeVolume, RemoveFile, Storages
from corral.store.base import Batch, Cause, RecordClass, Reset, Revision, Store, Transaction, Tree, Write
from corral.store.mirror import Follower, Mirror
from corral.store.noted import NotedTree
from corral.store.remote import RemoteStore
from corral.store.sqlite import SqliteStore
from corral.system import files, proc
from corral.system.clock import SystemClock
from corral.system.run import Run, SystemRun
from corral.tasks.base import Draws, Registry, Requester, Tasks, TaskType, UndoType
from corral.tasks.board import TaskBoard
from corral.tasks.live import Spawner
from corral.tasks.runner import Node, TaskRunner

SETTLE = 2.0
HISTORY_AGE = 365 * 86400.0
HISTORY_BYTES = 1024**3


@dataclass
class App:
    """Everything a handler or task can reach. Built by `build_*` below, one flavour per kind of process.

    tree     reading (mirror in daemons, remote store in workers)     store   writing; refuses in corral-api
    access   authentication, users, privileges                        tasks   spawning; refuses outside corrald
    storage  storages and their volumes                               board   volatile status of node, guests, storages
    metrics  history for rrddata                                      runner  tasks and their logs (corrald only)
    listen   hears of every change of the tree (daemons only)         taskboard  tasks that run now
    hub      event streams                                        host    facts and settings of this machine
    rows     guests in `/cluster/resources`, kept encoded         nat     the NAT bridge of this machine
    settle   waits until `tree` shows a revision (nothing to wait for where the tree is the store itself)
    """

    layout: Layout
    clock: Clock
    run: Run
    node: str
    tree: NotedTree
    store: Store
    tasks: Tasks
    access: Access
    storage: Storages
    qemu: Qemu
    board: StatusBoard
    metrics: Metrics
    taskboard: TaskBoard
    hub: Hub
    host: Host
    shells: Shells
    nat: Nat
    rows: GuestRows
    registry: Registry
    settle: Callable[[Revision], None] = field(default=lambda _: None)
    listen: Callable[[Callable[[Batch | Reset], None]], Callable[[], None]] = field(default=lambda _: lambda: None)

    @property
    def runner(self) -> TaskRunner:
        """The tasks of this node; only corrald has them."""
        assert isinstance(self.tasks, TaskRunner), "this call is for corrald: declare it with root=True"
        return self.tasks


Call = rest.Call[App]


def _storage(app: App) -> Storages:
    return app.storage


TASKS: tuple[TaskType[Any, Any], ...] = (
    TaskType(storage_work.ImgCopy, _storage, storage_work.check_imgcopy, storage_work.act_imgcopy),
    TaskType(storage_work.Download, _storage, storage_work.check_download, storage_work.act_download),
    TaskType(storage_work.ImgDel, _storage, storage_work.check_imgdel, storage_work.act_imgdel),
    TaskType(storage_work.Allocate, _storage, storage_work.check_allocate, storage_work.act_allocate),
    TaskType(storage_work.Copy, _storage, storage_work.check_copy, storage_work.act_copy),
    TaskType(storage_work.Prune, _storage, storage_work.check_prune, storage_work.act_prune),
    TaskType(storage_work.SetAttributes, _storage, storage_work.check_attributes, storage_work.act_attributes),
    *node_service.TASKS,
    *node_shell.TASKS,
    *qemu_service.tasks(lambda app: app.qemu),
    *network_nat.TASKS,
)
UNDOS: tuple[UndoType[Any, Any], ...] = (
    UndoType(FreeVolume, _storage, Storages.undo_free),
    UndoType(RemoveFile, _storage, Storages.undo_spooled),
    *network_nat.UNDOS,
    *qemu_service.undos(lambda app: app.qemu),
)


class _Elsewhere:
    """Stands for what only another process has: touching it says which."""

    def __init__(self, what: str, where: str) -> None:
        self._says = f"{what} can't be reached from here: {where}"

    def __getattr__(self, name: str) -> NoReturn:
        raise Error(f"internal error: {self._says} (.{name})")


def _build(
    layout: Layout,
    node: str,
    clock: Clock,
    store: Store,
    *,
    tree: Tree,
    tasks: Any,
    dies_with_parent: bool = False,
    **more: Any,
) -> App:
    """The services that all flavours have. Any: `tasks` may be `_Elsewhere`, which passes for everything."""
    # A worker's programs must not outlive it: somebody undoes what it did.
    run, noted = SystemRun(dies_with_parent=dies_with_parent), NotedTree(tree)
    storage = Storages(node=node, tree=noted, run=run, clock=clock, layout=layout)
    parts = {"board": StatusBoard(), "taskboard": TaskBoard(), "listen": lambda _: lambda: None, **more}
    hub = Hub(lambda: noted.revision, parts["listen"], parts["board"], parts["taskboard"])
    return App(
        layout=layout,
        clock=clock,
        run=run,
        node=node,
        tree=noted,
        store=store,
        tasks=tasks,
        access=Access(noted, clock),
        storage=storage,
        qemu=Qemu(
            node=node,
            tree=noted,
            store=store,
            clock=clock,
            layout=layout,
            run=run,
            storages=storage,
            board=parts["board"],
        ),
        metrics=Metrics(layout.metrics, clock),
        hub=hub,
        host=Host(layout, run, clock, node),
        shells=Shells(layout),
        nat=Nat(layout=layout, run=run, tree=noted, node=node),
        rows=GuestRows(tree, parts["listen"], parts["board"], facts_of),
        registry=Registry(TASKS, UNDOS),
        **parts,
    )


def build_worker(layout: Layout, node: str) -> App:
    """The app of a worker: reads and writes through corrald's `store.sock`, surviving its restarts."""
    clock = SystemClock()
    store = RemoteStore.at(layout.store_socket, clock)
    tasks = _Elsewhere("the task runner", "it is corrald's")
    return _build(layout, node, clock, store, tree=store, tasks=tasks, dies_with_parent=True)


def build_api(layout: Layout, node: str, clock: Clock, mirror: Mirror, **boards: Any) -> App:
    """The app of corral-api: reads only, from what the feed brings into mirror, `board` and `taskboard`."""
    store: Any = _Elsewhere("the store", "it is corrald's")
    tasks = _Elsewhere("the task runner", "it is corrald's")
    return _build(layout, node, clock, store, tree=mirror, tasks=tasks, listen=mirror.listen, **boards)


def warm() -> None:
    """Do once, in the process that workers are forked from, what each would do first: 30 ms of reading declarations."""
    for each in (*(task.args for task in TASKS), *(undo.step for undo in UNDOS)):
        msgspec.json.Decoder(each)
    read_sample()


class Duty(NamedTuple):
    """Something corrald does every `every` seconds."""

    name: str
    every: float
    do: Callable[[], object]


@dataclass
class Daemon:
    """corrald's app, and what runs beside it."""

    app: App
    mirror: Mirror
    follower: Follower
    looking_on: ExitStack
    duties: Sequence[Duty]

    @property
    def taskboard(self) -> TaskBoard:
        """The tasks that run now."""
        return self.app.taskboard

    def close(self) -> None:
        """Stop what runs beside the app; workers and guests go on."""
        self.looking_on.close()
        self.app.runner.stop()
        self.app.metrics.flush()
        self.follower.close()
        self.app.store.close()


def build_daemon(layout: Layout, node: str, clock: Clock, spawner: Spawner, password: Secret) -> Daemon:
    """corrald's app: opens the store (making it at the first start) and takes over what tasks are left."""
    files.ensure_dir(layout.state, mode=0o700)
    store = SqliteStore(layout.store_db, clock)
    prepare_store(store, clock, layout, node, password)
    mirror = Mirror()
    follower = Follower(store, mirror)
    follower.start()
    runner = TaskRunner(
        Node(node, layout, proc.boot_id()),
        Registry(TASKS, UNDOS),
        lambda: app,
        store,
        spawner=spawner,
        clock=clock,
    )
    app = _build(
        layout,
        node,
        clock,
        store,
        tree=mirror,
        tasks=runner,
        settle=lambda revision: mirror.wait_for(revision, SETTLE),
        listen=mirror.listen,
    )
    looking_on = ExitStack()
    app.taskboard.load(looking_on.enter_context(runner.listening(app.taskboard.apply)))
    runner.start()
    watcher = app.qemu.watcher(runner)
    watcher.start()
    looking_on.callback(watcher.close)
    looking_on.enter_context(runner.listening(lambda _: watcher.poke()))
    app.qemu.start_on_boot(runner)
    return Daemon(app, mirror, follower, looking_on, duties(app, watcher))


def prepare_store(store: Store, clock: Clock, layout: Layout, node: str, password: Secret) -> None:
    """What a store must hold before anything else: keys, the first administrator, this node."""
    bootstrap(store, clock, layout, password, Pve(store))
    if store.get(f"node/{node}") is None:
        header = {"name": node, "uuid": str(uuid.uuid4())}
        record = Write(key=f"node/{node}", text="", expect=0, cls=RecordClass.API, header=header)
        store.commit(Transaction(cause=Cause(who="root@pam", why="first start"), writes=(record,)))
    if store.get(PLAN_KEY) is None:
        write = Write(key=PLAN_KEY, text=secrets.token_hex(32), expect=0, cls=RecordClass.ROOT)
        store.commit(Transaction(cause=Cause(who="root@pam", why="first start"), writes=(write,)))


def duties(app: App, watcher: GuestWatcher) -> list[Duty]:
    """What corrald does by the clock."""
    sampler = build_sampler(app, watcher)
    return [
        Duty("sample", PERIOD, sampler.sample),
        Duty("storages", PERIOD, sampler.sample_storages),
        Duty("nat", 300, lambda: restore_nat(app)),
        Duty("keys", 3600, lambda: rotate_keys(app.store, app.clock)),
        Duty("tasks", 3600, app.runner.housekeep),
        Duty("spools", 300, lambda: app.storage.sweep_spools(app.layout.journals)),
        Duty(
            "history",
            86400,
            lambda: app.store.prune(older_than=app.clock.now() - HISTORY_AGE, max_bytes=HISTORY_BYTES),
        ),
    ]


def restore_nat(app: App) -> None:
    """Make the NAT bridge again where a reboot, or the end of its DHCP server, has left its record alone."""
    state = app.nat.state()
    if state is not None and not app.nat.whole():
        app.tasks.spawn(NatUp(bridge=state.bridge), Draws(), Requester(user="root@pam"))


def build_sampler(app: App, watcher: GuestWatcher) -> Sampler:
    """What looks at the node, its guests and its storages every few seconds."""
    mode = 2 if Path("/sys/fs/cgroup/cgroup.controllers").exists() else 1
    certificate = app.layout.pki / "node.pem"
    fingerprint = pki.fingerprint(files.read_bytes(certificate)).upper() if certificate.exists() else ""
    colons = ":".join(fingerprint[at : at + 2] for at in range(0, len(fingerprint), 2))
    return Sampler(
        app.node,
        app.board,
        app.metrics,
        app.clock,
        machine=lambda: read_machine(app.layout.root),
        guests=watcher.statuses,
        storages=lambda: _storage_states(app),
        elsewhere=lambda vmid: app.tree.get(f"guest/{vmid}") is not None,
        about=lambda status: replace(status, cgroup_mode=mode, fingerprint=colons, address=facts.address()),
    )


def _storage_states(app: App) -> Iterator[StorageState]:
    for found in app.storage.statuses():
        room = found.room
        yield StorageState(
            storage=found.storage,
            node=app.node,
            plugin=found.section.type,
            content=",".join(found.content),
            shared=found.shared,
            enabled=found.enabled,
            active=found.active,
            used=room.used if room else 0,
            avail=room.available if room else 0,
            total=room.total if room else 0,
        )
