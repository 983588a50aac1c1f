"""Tasks of a node: lists, logs, stopping. A caller without `Sys.Audit` on the node sees the caller's own tasks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

import msgspec

from corral.app import Call
from corral.rest import anyone, endpoint, never
from corral.rest.results import Download, Events, Frame, Listing
from corral.schema.fields import Format, between, doc
from corral.schema.types import VMID, NodeName
from corral.schema.types import Upid as UpidText
from corral.tasks.listing import Row, Source, Status, TaskIndex, owns
from corral.tasks.log import Filter, Line
from corral.tasks.upid import Upid

_OWN = "own tasks; those of others with Sys.Audit on /nodes/<node>"
_KINDS = ("ok", "error", "warning", "unknown")


def _kinds(text: str) -> str:
    if not all(word in _KINDS for word in re.findall(r"[^,;\s]+", text)):
        raise ValueError(f"value must be a list of: {', '.join(_KINDS)}")
    return text


STATUS_LIST = Format("pve-task-status-type-list", _kinds)


def _see(call: Call, node: str, upid: str, priv: str = "Sys.Audit") -> Upid:
    """The task's name, if the caller may look at it (or, by another `priv`, touch it)."""
    name = Upid.parse(upid)
    if not owns(call.who.full, name.user):
        call.need(f"/nodes/{node}", priv)
    return name


@endpoint("GET", "/nodes/{node}/tasks", allow=anyone(_OWN), runs="node", root=True)
def index(
    call: Call,
    node: NodeName,
    *,
    start: Annotated[int, between(0), doc("Leave out that many tasks.")] = 0,
    limit: Annotated[int, between(0), doc("At most that many; 0 is all.")] = 50,
    userfilter: Annotated[str, doc("Only tasks of users whose name contains this.")] | None = None,
    typefilter: Annotated[str, doc("Only tasks of this type, such as `qmstart`.")] | None = None,
    vmid: VMID | None = None,
    errors: Annotated[bool, doc("Only tasks that ended with an error.")] = False,
    source: Annotated[Source, doc("Ended tasks, running ones, or both.")] = "archive",
    since: Annotated[int, doc("Only tasks made at or after this time, in Unix seconds.")] | None = None,
    until: Annotated[int, doc("Only tasks made at or before this time, in Unix seconds.")] | None = None,
    statusfilter: Annotated[str, STATUS_LIST, doc("Only tasks that ended like this: a list of words.")] | None = None,
) -> list[Row]:
    """List tasks of one node."""
    everything = call.may(f"/nodes/{node}", "Sys.Audit")
    wanted = Filter(
        type=typefilter,
        id=None if vmid is None else str(vmid),
        user=userfilter,
        since=since,
        until=until,
        errors=errors,
        kinds=frozenset(re.findall(r"[^,;\s]+", statusfilter or "")),
        visible=lambda user: everything or owns(call.who.full, user),
    )
    rows, total = TaskIndex(call.app.runner).search(wanted, source, start, limit)
    return Listing(rows, total=total)  # type: ignore[return-value]  # the rows, with what stands beside them


@endpoint(
    "DELETE",
    "/nodes/{node}/tasks/{upid}",
    allow=anyone("own tasks; those of others with Sys.Modify on /nodes/<node>"),
    runs="node",
    root=True,
    plan=never("stopping a task concerns what happens now; there is nothing to compute beforehand"),
)
def stop(call: Call, node: NodeName, upid: UpidText) -> None:
    """Stop a task: what it has done is undone, unless it ends before."""
    _see(call, node, upid, "Sys.Modify")
    TaskIndex(call.app.runner).stop(upid, call.who.full)


@endpoint("GET", "/nodes/{node}/tasks/{upid}/status", allow=anyone(_OWN), runs="node", root=True)
def status(call: Call, node: NodeName, upid: UpidText) -> Status:
    """Read a task's status."""
    _see(call, node, upid)
    return TaskIndex(call.app.runner).status(upid)


@endpoint("GET", "/nodes/{node}/tasks/{upid}/log", allow=anyone(_OWN), runs="node", root=True, download=True)
def read_log(
    call: Call,
    node: NodeName,
    upid: UpidText,
    *,
    start: Annotated[int, between(0), doc("Leave out that many lines.")] = 0,
    limit: Annotated[int, between(0), doc("At most that many lines; 0 is all.")] = 50,
    download: Annotated[bool, doc("Answer the whole log as a file; not with start and limit.")] = False,
    follow: Annotated[bool, doc("Answer a stream of events instead: the lines as they come, then the end.")] = False,
) -> list[Line]:
    """Read a task's log."""
    name = _see(call, node, upid)
    if download:
        path = TaskIndex(call.app.runner).log_file(upid)
        filename = f"task-{name.node}-{name.type}-{name.starttime:08X}.log"
        return Download(path, filename, "text/plain")  # type: ignore[return-value]  # a file instead of the lines
    if follow:
        return _follow(call, upid)  # type: ignore[return-value]  # a stream instead of the lines
    lines, total = TaskIndex(call.app.runner).log(upid, start, limit)
    return Listing(lines, total=total)  # type: ignore[return-value]  # the lines, with what stands beside them


def _follow(call: Call, upid: str) -> Events:
    """Events `lines` (a list like the call's answer; resumable by their ids) and at last one `end` with the status."""
    index = TaskIndex(call.app.runner)
    index.status(upid)
    after = int(call.resume) if call.resume and call.resume.isdecimal() else 0

    def subscribe(put: Callable[[Frame], None]) -> Callable[[], None]:
        def tell(lines: list[Line]) -> None:
            put(Frame("lines", str(lines[-1].n), msgspec.json.encode(lines)))

        return index.follow(
            upid, after, tell, lambda said: put(Frame("end", "", msgspec.json.encode({"status": said})))
        )

    return Events(subscribe)


ENDPOINTS = (index, stop, status, read_log)
