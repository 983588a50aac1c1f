"""The contract between those who describe work and what runs it.

A task type is a frozen Struct of arguments and two methods of a service:

    def check_start(self, args: QmStart, draws: Draws) -> Intent     # decides and promises, changes nothing
    def act_start(self, args: QmStart, work: Work) -> None           # does it, in a process of its own

`app.py` lists the types in one literal of `TaskType`. Only names and values cross the process boundary: arguments,
draws and undo steps are Structs that are journalled as JSON.

Life: check (in corrald, before journal and UPID; its errors answer the call) → claim (one transaction) → queue (locks
and slots are granted in one global order, before a process exists) → act → end, or undo.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import msgspec

from corral.core.errors import Conflict
from corral.store.base import Revision, Write


class TaskArgs(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Arguments of a task. The class attribute `type` is the UPID's type word."""

    type: ClassVar[str]

    def id(self) -> str:
        """The UPID's id field: mostly the VMID, storage or device; without colon, slash and blank."""
        return ""


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """Arguments of an undo step. `name` tells the step; undoing what is not there is fine (idempotent)."""

    name: ClassVar[str]


class VolumeChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happens to a volume: `create`, `free`, `resize`, `import`, `write`; `size` in bytes where it is known."""

    volid: str
    verb: str
    size: int | None = None


class Intent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a task will do, said before it does: the answer of `check` and the body of a plan.

    writes    the records' texts as they will be when it succeeds (secrets of class root are masked when shown)
    claim     records written in one transaction before the UPID is answered (a guest with `lock: create`)
    volumes   volumes created, changed, freed
    locks     names held from grant to end, exclusively: `guest/100`, `storage/local/volume/…`, `node/network`
    slots     names of which a bounded number runs at once: `node`, `storage/local`, (size set by the queue)
    effects   sentences on what changes on the host: `starts QEMU for VM 100`, `creates tap100i0 on vmbr0`
    warnings  what the caller should know first
    seconds   expected time, 0 if unknown
    id        the UPID's id field where only `check` knows it (a VMID that it drew); else the arguments' own
    """

    writes: tuple[Write, ...] = ()
    claim: tuple[Write, ...] = ()
    volumes: tuple[VolumeChange, ...] = ()
    locks: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    effects: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    id: str = ""


@dataclass(slots=True)
class Draws:
    """Random and allocated values, drawn once while planning and used again when applying.

    Each draw has a name that is stable for a call (`net0.mac`, `smbios1.uuid`, `scsi0.volname`). A draw that is known
    is answered as it was. `bound` draws come from a plan that is being applied: what it showed must hold.
    """

    known: dict[str, str] = field(default_factory=dict)
    bound: bool = False

    def draw(self, name: str, make: Callable[[], str]) -> str:
        """The value called `name`, made by `make` the first time."""
        if name not in self.known:
            self.known[name] = make()
        return self.known[name]

    def redraw(self, name: str, make: Callable[[], str]) -> str:
        """The draw `name` turned out to be taken: another one made by `make`, or `Conflict` if they are bound.

        Called by an act under its locks, or by `check`. `make` must not answer the taken value again.
        """
        taken = self.known.pop(name, None)
        if self.bound and taken is not None:
            self.known[name] = taken
            raise Conflict(f"'{taken}' ({name}) has been taken since the plan was made")
        return self.draw(name, make)

    def uuid(self, name: str) -> str:
        """A random UUID."""
        return self.draw(name, lambda: str(uuid.uuid4()))

    def mac(self, name: str, prefix: str = "BC:24:11") -> str:
        """A random unicast MAC address below `prefix` (1 to 5 octets, upper case)."""

        def make() -> str:
            octets = prefix.upper().split(":")
            octets += [f"{byte:02X}" for byte in secrets.token_bytes(6 - len(octets))]
            return ":".join(octets)

        return self.draw(name, make)


class UndoScope(Protocol):
    """The undo steps of one stretch of work.

    Leaving it with an error runs those still valid, last first; so does another process if this one is killed inside.
    Leaving it without an error means that its deeds are wanted: its steps go to the scope around it, and become void
    where there is none.
    """

    def before(self, step: Undo) -> int:
        """Journal (fsync) an undo step *before* the deed; answers its number."""
        ...

    def void(self, number: int | None = None) -> None:
        """That step (or all of the scope) is no longer needed: the object was there already, or is now kept."""
        ...


class Work(Protocol):
    """What a running task has in its hands."""

    @property
    def upid(self) -> str:
        """This task."""
        ...

    @property
    def user(self) -> str:
        """User or full token id on whose behalf it runs."""
        ...

    @property
    def draws(self) -> Draws:
        """The draws of its plan."""
        ...

    def log(self, line: str) -> None:
        """A line of the task log (secrets never)."""
        ...

    def warn(self, line: str) -> None:
        """A warning: logged as `WARN: …` and counted; the task then ends with `WARNINGS: N`."""
        ...

    def progress(self, fraction: float, text: str = "") -> None:
        """How far it is, 0 to 1; rate-limited by the callee."""
        ...

    def cancelled(self) -> bool:
        """Whether somebody asked the task to stop: for the `cancelled=` of a long command."""
        ...

    def check_cancelled(self) -> None:
        """Raise `Cancelled` when somebody asked the task to stop. Call it in every loop that may be long."""
        ...

    def undo(self) -> AbstractContextManager[UndoScope]:
        """A stretch of work whose deeds are undone if it fails, or if the process is killed."""
        ...

    def commit(self, *writes: Write, keep: UndoScope | None = None) -> Revision:
        """One store transaction; with `keep` it also makes that scope's deeds good (its undo steps become void).

        A claimed record counts as a deed too: it is taken back when the task fails, until a commit with `keep` has
        written it. Happens exactly once, also when corrald is restarted meanwhile. Raises what the store raises.
        """
        ...


S = TypeVar("S")
A = TypeVar("A", bound=TaskArgs)
U = TypeVar("U", bound=Undo)


@dataclass(frozen=True, slots=True)
class TaskType(Generic[S, A]):
    """One task type. `service` finds the service in the app (a function of `app.py`, never a lookup by name).

    What `act` returns is the result of an awaited call: a JSON value, a Struct or None. An awaited task that succeeds
    stays out of the task lists.
    """

    args: type[A]
    service: Callable[[Any], S]
    check: Callable[[S, A, Draws], Intent]
    act: Callable[[S, A, Work], Any]

    @property
    def name(self) -> str:
        """The UPID's type word."""
        return self.args.type


@dataclass(frozen=True, slots=True)
class UndoType(Generic[S, U]):
    """One kind of undo step: its arguments and the idempotent method that undoes the deed."""

    step: type[U]
    service: Callable[[Any], S]
    act: Callable[[S, U], None]

    @property
    def name(self) -> str:
        """The step's name in the journal."""
        return self.step.name


class Registry:
    """The task types and undo steps of an app, by name. Built once from the literals of `app.py`; duplicates fail."""

    def __init__(self, tasks: Sequence[TaskType[Any, Any]], undos: Sequence[UndoType[Any, Any]]) -> None:
        self.tasks: Mapping[str, TaskType[Any, Any]] = {task.args.__name__: task for task in tasks}
        self.undos: Mapping[str, UndoType[Any, Any]] = {undo.name: undo for undo in undos}
        if len(self.tasks) != len(tasks) or len(self.undos) != len(undos):
            raise AssertionError("a task type or undo step is listed twice")

    def of(self, args: TaskArgs) -> TaskType[Any, Any]:
        """The type that runs these arguments."""
        return self.tasks[type(args).__name__]


class Requester(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """On whose behalf and through which call a task is made. `key` is the caller's Idempotency-Key, if any,
    `body` the hash of the call's parameters that goes with it, `endpoint` is `METHOD /path/template`. `part` counts the
    tasks of one call: each has a key of its own."""

    user: str
    endpoint: str = ""
    key: str | None = None
    body: str = ""
    part: int = 0


class Tasks(Protocol):
    """The second door: what a `Call` uses. Only corrald has one that acts; elsewhere it refuses."""

    def plan(self, args: TaskArgs, draws: Draws) -> Intent:
        """Run `check` only."""
        ...

    def spawn(self, args: TaskArgs, draws: Draws, by: Requester) -> str:
        """Check, claim, journal and queue; answer the UPID. Raises what `check` raises."""
        ...

    def run(self, args: TaskArgs, draws: Draws, by: Requester, *, gone: Callable[[], bool] | None = None) -> Any:
        """The same, then wait for the end: the act's result as JSON values, or its error raised here.

        Blocks its thread. `gone` tells whether the caller has left (asked about twice a second while the task waits
        in the queue): a task that has not begun is then withdrawn, and `Cancelled` raised.
        """
        ...

    def wait(self, upid: str, timeout: float) -> bool:
        """Whether the task has ended, waiting at most `timeout` seconds for it."""
        ...


class Phase(StrEnum):
    """Where a task that has not ended stands."""

    WAITING = "waiting"
    RUNNING = "running"
    UNDOING = "undoing"


class Running(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task that has not ended, as lists and the feed show it. `waiting` says what it waits for."""

    upid: str
    user: str
    phase: Phase = Phase.WAITING
    waiting: str = ""
    progress: float | None = None
    text: str = ""
    awaited: bool = False


class Ended(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task that has ended: `status` is `OK`, `WARNINGS: N` or the error's text, `endtime` whole Unix seconds."""

    upid: str
    user: str
    status: str
    endtime: int


class TaskEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change of a task, for feed and event stream: `running` for a new or changed one, else `ended`.

    An end comes after the task's writes: `revision` is the store's at that moment. An awaited task that succeeded
    or was withdrawn ends with `hidden`: it leaves the list of running tasks and enters no other.
    """

    upid: str
    running: Running | None = None
    ended: Ended | None = None
    hidden: bool = False
    revision: Revision | None = None
