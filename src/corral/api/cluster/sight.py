"""What a caller may see of records, tasks and status: for the event stream and the history."""

from __future__ import annotations

from corral.app import Call
from corral.metrics.board import StatusChange
from corral.tasks.upid import Upid


class CallerSight:
    """What a caller may see, by the privileges it has at the moment."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def record(self, key: str) -> bool:
        """Guests by VM.Audit, storages by Datastore.Audit, users by Sys.Audit on /access, all else by Sys.Audit."""
        return self._call.may(*_right(key))

    def need_record(self, key: str) -> None:
        """`Forbidden` for a record that the caller may not see."""
        self._call.need(*_right(key))

    def all_pasts(self) -> bool:
        """Whether also the pasts of guests that are gone, by Sys.Audit on /: their numbers may be another's now."""
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


def _right(key: str) -> tuple[str, str]:
    """Where which privilege shows a record."""
    family, _, name = key.partition("/")
    if family == "guest":
        return f"/vms/{name}", "VM.Audit"
    if family == "node":
        return f"/nodes/{name}", "Sys.Audit"
    if key == "storage.cfg":
        return "/storage", "Datastore.Audit"
    return ("/access", "Sys.Audit") if key == "user.cfg" else ("/", "Sys.Audit")
