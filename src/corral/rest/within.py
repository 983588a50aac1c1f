"""Calls made within a call: other endpoints, for the same caller, all in one transaction.

    with parts_of(call) as parts:
        parts.make(update, {"storage": "local", "content": "iso"})
        parts.make(update, {"storage": "spare", "content": "images"})
    parts.finish("revert of revision 1.55")

Each is made as if its caller had sent it: permission, binding, handler. Its writes are only gathered, and the calls
after it see them. `finish` makes them good, then runs the tasks that were asked for; in a plan it notes both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from corral.core.errors import Conflict, Error, Forbidden, NotFound
from corral.rest.call import AppT, Call
from corral.rest.endpoint import Endpoint
from corral.rest.permission import Ask
from corral.store.base import Check, Revision, Write
from corral.store.noted import Overlay
from corral.tasks.base import Intent, TaskArgs, VolumeChange


@dataclass(slots=True)
class _Part(Call[AppT]):
    """A call that is planned; what it would write shows in the tree at once, what it would run is kept."""

    overlay: Overlay | None = None
    awaited: list[TaskArgs] = field(default_factory=list)
    checked: list[Check] = field(default_factory=list)

    def commit(self, *writes: Write, checks: tuple[Check, ...] = ()) -> Revision:
        """See `Call`; the writes are compared again when they are made."""
        assert self.overlay is not None
        for key, version in [(each.key, each.expect) for each in writes] + [(each.key, each.expect) for each in checks]:
            doc = self.app.tree.get(key)
            if version is not None and version != (doc.version if doc else 0):
                raise Conflict(f"'{key}' has changed, or exists already")
        for write in writes:
            self.overlay.put(write)
        self.checked += [check for check in checks if check.key not in self.overlay.docs]
        return self.app.tree.revision

    def spawn(self, args: TaskArgs) -> str:
        """Refuses: a call that begins a task answers before its end."""
        raise Error(f"{self.endpoint} begins a task and can't be part of another call")

    def run(self, args: TaskArgs) -> Any:
        """See `Call`; the task is checked now and run by `Parts.finish`."""
        assert self.planned is not None
        self.planned.append(self.app.tasks.plan(args, self.draws))
        self.awaited.append(args)
        return None


@dataclass(slots=True)
class Parts(Generic[AppT]):
    """The calls within one call; see the module."""

    call: Call[AppT]
    overlay: Overlay
    intents: list[Intent] = field(default_factory=list)
    awaited: list[TaskArgs] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def make(self, endpoint: Endpoint, params: Mapping[str, str]) -> None:
        """Make one call. Raises what it would answer."""
        call, app = self.call, self.call.app
        if call.who.token is not None and not endpoint.tokens:
            raise Forbidden(f"Permission check failed (calling '{endpoint.pair}' is not allowed with an API token)")
        endpoint.allow.check(Ask(call.who, params, app.access.rights))
        if endpoint.runs == "node" and params.get("node", app.node) != app.node:
            raise NotFound(f"no such cluster node '{params['node']}'")
        arguments = endpoint.bind(params, is_root=call.who.is_root)
        part = _Part(
            app=app,
            who=call.who,
            endpoint=endpoint.pair,
            params=params,
            address=call.address,
            draws=call.draws,
            planned=[],
            overlay=self.overlay,
        )
        endpoint.handler(part, **arguments)
        self.intents += part.planned or []
        self.awaited += part.awaited
        self.checks += part.checked

    @property
    def volumes(self) -> Sequence[VolumeChange]:
        """What the calls so far would do to volumes."""
        return [change for intent in self.intents for change in intent.volumes]

    @property
    def writes(self) -> tuple[Write, ...]:
        """The records that the calls so far would write themselves."""
        return self.overlay.writes

    def finish(self, why: str, warnings: Sequence[str] = ()) -> None:
        """Do it all: the writes in one transaction with that cause, then the tasks. To be called after the `with`.

        `Conflict` if others were faster.
        """
        call = self.call
        if call.planned is not None:
            call.planned.append(Intent(writes=self.writes, warnings=tuple(warnings)))
            call.planned += self.intents
            return
        if self.writes:
            try:
                call.revision = replace(call, endpoint=why).commit(*self.writes, checks=tuple(self.checks))
            except Conflict as exc:
                raise Conflict(f"{exc}; try again") from exc
        for args in self.awaited:
            call.run(args)


@contextmanager
def parts_of(call: Call[AppT]) -> Iterator[Parts[AppT]]:
    """Make calls within a call; what they write shows in the tree for this thread until the end of the `with`."""
    with call.app.tree.overlaid() as overlay:
        yield Parts(call, overlay)
