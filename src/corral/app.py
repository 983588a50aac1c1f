"""The one place that builds and wires services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corral import rest
from corral.core.clock import Clock
from corral.core.layout import Layout
from corral.store.base import Revision, Store
from corral.store.noted import NotedTree
from corral.tasks.base import Registry, Tasks, TaskType, UndoType

if TYPE_CHECKING:
    from corral.access.service import Access
    from corral.guests.qemu.service import Qemu
    from corral.metrics.board import StatusBoard
    from corral.metrics.series import Metrics
    from corral.node.service import Host
    from corral.storage.service import Storages
    from corral.system.run import Run
    from corral.tasks.listing import TaskIndex


@dataclass
class App:
    """Everything a handler or task can reach. Built by `build_*` below, one flavour per kind of process.

    tree     reading (mirror in daemons, remote store in workers)     store   writing; refuses in corral-api
    access   authentication, users, privileges                        tasks   spawning; refuses outside corrald
    storage  storages and their volumes                               qemu    virtual machines
    host     facts and settings of this node                          board   volatile status of node, guests, storages
    metrics  history for rrddata                                      tasklog finished and running tasks, their logs
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
    host: Host
    board: StatusBoard
    metrics: Metrics
    tasklog: TaskIndex
    settle: Callable[[Revision], None] = field(default=lambda _: None)


Call = rest.Call[App]

TASKS: tuple[TaskType[Any, Any], ...] = ()
UNDOS: tuple[UndoType[Any, Any], ...] = ()
REGISTRY = Registry(TASKS, UNDOS)
