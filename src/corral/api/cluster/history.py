"""/cluster/history: who changed what, when and why; each line's author; how things stood; and taking it back."""

from __future__ import annotations

from typing import Annotated

from corral.api.cluster import revert as reverting
from corral.api.cluster.revert import Reverted
from corral.api.cluster.sight import CallerSight
from corral.app import Call
from corral.core.errors import ParamError
from corral.rest import anyone, endpoint
from corral.schema import between, doc, length, pattern
from corral.schema.types import VMID
from corral.store.base import Revision
from corral.store.chronicle import Asked, Blame, Chronicle, Details, Rows, Then
from corral.store.paths import GUEST

Path = Annotated[str, length(1, 600), doc("A file such as `nodes/n1/qemu-server/100.conf`, or the key of a record.")]
When = Annotated[int, between(0, 2**40), doc("A time in Unix seconds.")]
RevisionId = Annotated[
    str, pattern(r"[0-9]{1,9}\.[0-9]{1,18}"), doc("A revision, as the history names it: `ERA.NUMBER`.")
]

_SEEN = "each record is shown to those who may see its object"


def chronicle(call: Call) -> Chronicle:
    """The history as the caller may see it."""
    sight = CallerSight(call)
    return Chronicle(call.app.store, call.tree, sight.record, all_pasts=sight.all_pasts(), local=call.app.node)


@endpoint("GET", "/cluster/history", allow=anyone(_SEEN), root=True)
def index(
    call: Call,
    *,
    path: Annotated[Path | None, doc("Only changes of this file or record.")] = None,
    vmid: Annotated[VMID | None, doc("Only changes of this guest's configuration.")] = None,
    user: Annotated[str | None, length(1, 200), doc("Only changes by this user or API token.")] = None,
    since: Annotated[When | None, doc("Only changes from this time on, in Unix seconds.")] = None,
    until: Annotated[When | None, doc("Only changes up to this time, in Unix seconds.")] = None,
    before: Annotated[RevisionId | None, doc("Only changes before this revision: the last answer's `next`.")] = None,
    limit: Annotated[int, between(1, 500), doc("At most so many revisions.")] = 50,
) -> Rows:
    """List what was changed, the newest first, one row a revision."""
    story = chronicle(call)
    key = story.key(path) if path else ""
    if vmid is not None:
        if path and key != f"{GUEST}{vmid}":
            raise ParamError({"vmid": "give either 'path' or 'vmid'"})
        key = f"{GUEST}{vmid}"
    cursor = Revision.parse(before) if before else None
    return story.rows(Asked(key=key, user=user or "", since=since, until=until, before=cursor, limit=limit))


@endpoint("GET", "/cluster/history/{revision}", allow=anyone(_SEEN), root=True)
def read(call: Call, revision: RevisionId) -> Details:
    """Show one revision: what it changed, with the differences."""
    return chronicle(call).revision(Revision.parse(revision))


@endpoint("GET", "/cluster/history/blame", allow=anyone("needs the privilege to see the record"), root=True)
def blame(call: Call, *, path: Path) -> Blame:
    """Show each line of a file with the change that brought it."""
    story = chronicle(call)
    key = story.key(path)
    CallerSight(call).need_record(key)
    return story.blame(key)


@endpoint("GET", "/cluster/history/at", allow=anyone(_SEEN), root=True)
def at(
    call: Call,
    *,
    revision: RevisionId | None = None,
    time: When | None = None,
    path: Annotated[Path | None, doc("Show the text of this file or record, as it was then.")] = None,
) -> Then:
    """Show how things stood at a revision or a time: all files, or one with its text."""
    if (revision is None) == (time is None):
        raise ParamError({"revision": "give either 'revision' or 'time'"})
    story = chronicle(call)
    key = story.key(path) if path else ""
    if key:
        CallerSight(call).need_record(key)
    return story.at(Revision.parse(revision) if revision else story.moment(time or 0), key)


@endpoint(
    "POST",
    "/cluster/history/revert",
    allow=anyone("needs what the calls need that bring the options back, and to see the records"),
    pool="history/revert",
    example={"path": "user.cfg"},
)
def revert(
    call: Call,
    *,
    revision: Annotated[RevisionId | None, doc("What to take back; by default the last change of `path`.")] = None,
    path: Annotated[Path | None, doc("Take it back in this file or record alone, not in all it changed.")] = None,
) -> Reverted:
    """Take back what a revision changed: by the calls that bring options back, never by making or removing a guest."""
    if revision is None and path is None:
        raise ParamError({"revision": "give 'revision', 'path' or both"})
    story = chronicle(call)
    key = story.key(path) if path else ""
    if key:
        CallerSight(call).need_record(key)
    return reverting.revert(call, story.changes(Revision.parse(revision) if revision else None, key))


ENDPOINTS = (index, read, blame, at, revert)
