"""What users see of tasks: rows of lists, a task's status and log, with who may see which."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from corral.core.errors import Error, NotFound, ParamError
from corral.schema.fields import doc
from corral.tasks.base import Ended, Running
from corral.tasks.log import Filter, Line, follow, log_path, read_log
from corral.tasks.runner import TaskRunner
from corral.tasks.upid import Upid

Source = Literal["archive", "active", "all"]
Leave = Callable[[], None]
RUNNING = "RUNNING"
"""The status of a task in a list that has not ended."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list. `user` is the user id; the name of a token stands apart."""

    upid: Annotated[str, doc("The task's unique ID.")]
    node: Annotated[str, doc("The node that runs it.")]
    pid: Annotated[int, doc("A number that is unique until the node's next boot.")]
    pstart: Annotated[int, doc("When it was made, in 1/100 s since boot.")]
    starttime: Annotated[int, doc("When it was made, in Unix seconds.")]
    type: Annotated[str, doc("What kind of task it is.")]
    id: Annotated[str, doc("What it works on: mostly a VMID, storage or device.")]
    user: Annotated[str, doc("The user who made it.")]
    tokenid: Annotated[str, doc("The API token that made it.")] | None = None
    endtime: Annotated[int, doc("When it ended, in Unix seconds.")] | None = None
    status: Annotated[str, doc("`OK`, `WARNINGS: N`, an error's text, or `RUNNING`.")] | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """One task."""

    upid: Annotated[str, doc("The task's unique ID.")]
    node: Annotated[str, doc("The node that runs it.")]
    pid: Annotated[int, doc("A number that is unique until the node's next boot.")]
    pstart: Annotated[int, doc("When it was made, in 1/100 s since boot.")]
    starttime: Annotated[int, doc("When it was made, in Unix seconds.")]
    type: Annotated[str, doc("What kind of task it is.")]
    id: Annotated[str, doc("What it works on: mostly a VMID, storage or device.")]
    user: Annotated[str, doc("The user who made it.")]
    tokenid: Annotated[str, doc("The API token that made it.")] | None = None
    status: Annotated[Literal["running", "stopped"], doc("Whether it has ended.")]
    exitstatus: Annotated[str, doc("How it ended: `OK`, `WARNINGS: N` or an error's text.")] | None = None
    waiting: Annotated[str, doc("What it waits for, while it waits.")] | None = None
    progress: Annotated[float, doc("How much of it is done, from 0 to 1, where that is known.")] | None = None
    text: Annotated[str, doc("What it does now.")] | None = None


def row(upid: str, *, status: str = RUNNING, endtime: int | None = None) -> Row:
    """The row of a task, running or ended."""
    name = Upid.parse(upid)
    return Row(
        upid=upid,
        node=name.node,
        pid=name.pid,
        pstart=name.pstart,
        starttime=name.starttime,
        type=name.type,
        id=name.id,
        user=name.owner,
        tokenid=name.token,
        endtime=endtime,
        status=status,
    )


def owns(caller: str, task_user: str) -> bool:
    """Whether a task is the caller's own: a token sees its own, a user also those of the user's tokens."""
    return task_user == caller or ("!" not in caller and task_user.partition("!")[0] == caller)


class TaskIndex:
    """Running and ended tasks of this node, for the API. Thread-safe."""

    def __init__(self, runner: TaskRunner) -> None:
        self._runner = runner
        self._directory = runner.index.directory

    def search(self, wanted: Filter, source: Source, start: int, limit: int) -> tuple[list[Row], int]:
        """A page of the admitted tasks and how many there are: running ones first, then the last ended first."""
        active: list[Running] = []
        if source != "archive":
            active = [task for task in reversed(self._runner.running()) if wanted.admits(Upid.parse(task.upid), None)]
        ended = self._runner.index.search(wanted) if source != "active" else []
        total = len(active) + len(ended)
        stop = start + limit if limit else total
        rows = [row(task.upid) for task in active[start:stop]]
        for entry in ended[max(0, start - len(active)) : max(0, stop - len(active))]:
            rows.append(row(str(entry.upid), status=entry.status, endtime=entry.endtime))
        return rows, total

    def recent(self, visible: Callable[[str], bool], count: int = 25) -> list[Row]:
        """The tasks that run, and the last `count` that ended, of users whom `visible` admits."""
        wanted = Filter(visible=visible)
        rows, _ = self.search(wanted, "active", 0, 0)
        return rows + self.search(wanted, "archive", 0, count)[0]

    def status(self, upid: str) -> Status:
        """A task; ParamError on `upid` if there is none."""
        found = self._find(upid)
        fields = {name: value for name, value in msgspec.structs.asdict(row(upid)).items() if name in _SHARED}
        ended = isinstance(found, Ended)
        return Status(
            **fields,
            status="stopped" if ended else "running",
            exitstatus=found.status if isinstance(found, Ended) else None,
            waiting=None if isinstance(found, Ended) else found.waiting or None,
            progress=None if isinstance(found, Ended) else found.progress,
            text=None if isinstance(found, Ended) else found.text or None,
        )

    def log(self, upid: str, start: int, limit: int) -> tuple[list[Line], int]:
        """A page of a task's log and how many lines there are; ParamError on `upid` if there is none."""
        self._find(upid)
        try:
            return read_log(self._directory, upid, start, limit)
        except NotFound as exc:
            raise ParamError({"upid": "no such task"}) from exc

    def log_file(self, upid: str) -> Path:
        """The path of a task's log; ParamError on `upid` if there is none."""
        self._find(upid)
        return log_path(self._directory, upid)

    def stop(self, upid: str, by: str) -> None:
        """Ask a task to stop; ParamError on `upid` if there is none, nothing if it has ended."""
        self._find(upid)
        self._runner.cancel(upid, by)

    def follow(self, upid: str, after: int, tell: Callable[[list[Line]], None], end: Callable[[str], None]) -> Leave:
        """Tell the log's lines after line `after`, then those that come, and at last the task's status; from a thread.

        Answers a function that ends it. ParamError on `upid` if there is no such task, Error if too many are followed.
        """
        self._find(upid)
        if not self._runner.followers.acquire(blocking=False):
            raise Error("too many logs are being followed; read this one page by page")
        left = threading.Event()

        def run() -> None:
            try:
                for lines in follow(self._directory, upid, ended=ended, clock=self._runner.clock, after=after):
                    if left.is_set():
                        return
                    tell(lines)
                found = self._runner.find(upid)
                end(found.status if isinstance(found, Ended) else "")
            finally:
                self._runner.followers.release()

        def ended() -> bool:
            return left.is_set() or not isinstance(self._runner.find(upid), Running)

        threading.Thread(target=run, name="follow", daemon=True).start()
        return left.set

    def _find(self, upid: str) -> Running | Ended:
        found = self._runner.find(upid)
        if found is None:
            raise ParamError({"upid": "no such task"})
        return found


_SHARED = frozenset(Status.__struct_fields__) & frozenset(Row.__struct_fields__) - {"status"}
