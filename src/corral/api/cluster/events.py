"""/cluster/events: what changes, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from corral.app import Call
from corral.core.errors import ParamError
from corral.metrics.board import StatusChange
from corral.metrics.hub import Event
from corral.rest import Events, Frame, anyone, endpoint
from corral.schema import doc
from corral.store.base import Revision
from corral.tasks.upid import Upid


class CallerSight:
    """What a caller may see, by the privileges it has at the moment."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def record(self, key: str) -> bool:
        """Guests by VM.Audit, storages by Datastore.Audit, users by Sys.Audit on /access, all else by Sys.Audit."""
        family, _, name = key.partition("/")
        if family == "guest":
            return self._call.may(f"/vms/{name}", "VM.Audit")
        if family == "node":
            return self._call.may(f"/nodes/{name}", "Sys.Audit")
        if key == "storage.cfg":
            return self._call.may("/storage", "Datastore.Audit")
        if key == "user.cfg":
            return self._call.may("/access", "Sys.Audit")
        return self._call.may("/", "Sys.Audit")

    def task(self, upid: str) -> bool:
        """Own ones, and all of a node with Sys.Audit there."""
        task = Upid.parse(upid)
        own = task.user == self._call.who.full or (self._call.who.token is None and task.owner == self._call.who.user)
        return own or self._call.may(f"/nodes/{task.node}", "Sys.Audit")

    def status(self, change: StatusChange) -> bool:
        """Guests by VM.Audit, nodes by Sys.Audit, storages by Datastore.Audit or AllocateSpace."""
        if change.kind == "guest":
            return self._call.may(f"/vms/{change.id}", "VM.Audit")
        if change.kind == "node":
            return self._call.may(f"/nodes/{change.id}", "Sys.Audit")
        storage = change.id.partition("/")[2]
        return self._call.may_any(f"/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")


@endpoint("GET", "/cluster/events", allow=anyone("each event is shown to those who may see its object"))
def events(
    call: Call,
    *,
    since: Annotated[str | None, doc("Resume after this revision, the id of the last `change` seen.")] = None,
) -> Events:
    """Stream of server-sent events: changes of records, tasks and status."""
    cursor = _cursor(since or call.resume)

    def subscribe(push: Callable[[Frame], None]) -> Callable[[], None]:
        def forward(event: Event) -> None:
            push(Frame(*event))

        return call.app.hub.subscribe(CallerSight(call), cursor, forward)

    return Events(subscribe)


def _cursor(text: str | None) -> Revision | None:
    if text is None:
        return None
    try:
        return Revision.parse(text)
    except ValueError as exc:
        raise ParamError({"since": f"not a revision: '{text[:50]}'"}) from exc


ENDPOINTS = (events,)
