"""One call: what came in, what a handler has in its hands, what goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from corral.core.clock import Clock
from corral.core.errors import Conflict, Error, Forbidden, ParamError
from corral.core.identity import Identity
from corral.rest.permission import Rights, missing
from corral.store.base import Cause, Check, Revision, Store, Transaction, Tree, Write
from corral.store.noted import NotedTree
from corral.tasks.base import Draws, Intent, Requester, TaskArgs, Tasks

EDIT_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request brought to say who makes it. `changing` demands the CSRF token beside a ticket.

    ticket      the cookie or header `PVEAuthCookie`, or the cookie `__Host-PVEAuthCookie`, URL-decoded
    session     the ticket came in `__Host-PVEAuthCookie`: only an answer of this host, over TLS, can have set that
    csrf        header `CSRFPreventionToken`
    token       what follows `PVEAPIToken` in the header `Authorization`
    local_root  the peer of a root-only socket
    foreign     a browser sends it for a page of another origin
    """

    ticket: str | None = None
    csrf: str | None = None
    token: str | None = None
    local_root: bool = False
    address: str = ""
    changing: bool = False
    session: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its transport. `path` is below `/api2/FORMAT`, still URL-encoded; `params` are raw.

    `resume` is the id of the last event that a client of an event stream saw; `gone` tells, from any thread, whether
    the client has left.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=Credentials)
    plan: bool = False
    apply: str | None = None
    idempotency_key: str | None = None
    gone: Callable[[], bool] | None = None
    resume: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """What a browser is to keep for its next calls, where no script can read it.

    ticket    "" takes it away
    lifetime  seconds to keep it; None: until the browser ends
    """

    ticket: str = field(repr=False)
    lifetime: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer without its envelope. `special` is a stream (Download, Events, Console) instead of `data`."""

    status: int = 200
    reason: str = "OK"
    data: Any = None
    errors: Mapping[str, str] | None = None
    message: str | None = None
    total: int | None = None
    changes: str | None = None
    revision: Revision | None = None
    special: Any = None
    session: Session | None = None

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return self.status < 400


class AccessPort(Protocol):
    """What dispatch asks of the access room."""

    @property
    def rights(self) -> Rights:
        """Privileges."""
        ...

    def verify(self, credentials: Credentials) -> Identity:
        """Who this is; `Unauthorized` with the wire's text if nobody."""
        ...


class Services(Protocol):
    """What this room needs of an app."""

    @property
    def node(self) -> str:
        """Name of this node."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def tree(self) -> NotedTree:
        """Reading."""
        ...

    @property
    def store(self) -> Store:
        """Writing; raises where there is no store (corral-api)."""
        ...

    @property
    def tasks(self) -> Tasks:
        """Spawning; raises where there are no tasks."""
        ...

    @property
    def access(self) -> AccessPort:
        """Authentication and privileges."""
        ...

    def settle(self, revision: Revision) -> None:
        """Wait until `tree` shows `revision`."""
        ...


AppT = TypeVar("AppT", bound=Services)


@dataclass(slots=True)
class Call(Generic[AppT]):
    """What a handler has in its hands. Changes go through `commit`, `edit`, `spawn` and `run` alone: when the call is
    only planned, these note what would be done and do nothing. A handler returns what they answer, never acts on it.

    credentials  as they came, and unchecked where the call is open to the world: `who` says who calls
    session      a handler's word on what a browser is to keep beside the answer
    """

    app: AppT
    who: Identity
    endpoint: str
    params: Mapping[str, Any]
    address: str = ""
    credentials: Credentials = field(default_factory=Credentials, repr=False)
    draws: Draws = field(default_factory=Draws)
    planned: list[Intent] | None = None
    key: str | None = None
    body: str = ""
    resume: str | None = None
    revision: Revision | None = None
    session: Session | None = None
    gone: Callable[[], bool] | None = None
    made: int = 0

    @property
    def tree(self) -> Tree:
        """The records."""
        return self.app.tree

    @property
    def planning(self) -> bool:
        """Whether nothing may be changed. For the few handlers that must leave something out then."""
        return self.planned is not None

    def privileges(self, path: str) -> frozenset[str]:
        """The caller's privileges on an ACL path."""
        return self.app.access.rights.privileges(self.who, path)

    def may(self, path: str, *privs: str) -> bool:
        """Whether the caller has all of `privs` on `path`."""
        return missing(self.privileges(path), path, privs) is None

    def may_any(self, path: str, *privs: str) -> bool:
        """Whether the caller has one of `privs` on `path`."""
        return missing(self.privileges(path), path, privs, any_one=True) is None

    def need(self, path: str, *privs: str) -> None:
        """`Forbidden` unless the caller has all of `privs` on `path`: for rights that depend on data."""
        if (text := missing(self.privileges(path), path, privs)) is not None:
            raise Forbidden(f"Permission check failed ({text})")

    def need_any(self, path: str, *privs: str) -> None:
        """`Forbidden` unless the caller has one of `privs` on `path`."""
        if (text := missing(self.privileges(path), path, privs, any_one=True)) is not None:
            raise Forbidden(f"Permission check failed ({text})")

    def commit(self, *writes: Write, checks: tuple[Check, ...] = ()) -> Revision:
        """The first door: one store transaction."""
        if self.planned is not None:
            expected = [(each.key, each.expect) for each in writes] + [(each.key, each.expect) for each in checks]
            for key, version in expected:
                doc = self.app.tree.get(key)
                if version is not None and version != (doc.version if doc else 0):
                    raise Conflict(f"'{key}' has changed, or exists already")
            self.planned.append(Intent(writes=writes))
            return self.app.tree.revision
        self.revision = self.app.store.commit(Transaction(cause=self.cause, writes=writes, checks=checks))
        self.app.settle(self.revision)
        return self.revision

    def edit(self, key: str, change: Callable[[str], str]) -> Revision:
        """Replace a record's text by `change` of it (an absent one counts as empty), however often it takes.

        `change` may be called several times: it must only compute, and raise what the caller should read.
        """
        for _ in range(EDIT_ATTEMPTS):
            doc = self.app.tree.get(key)
            text = change(doc.text if doc else "")
            try:
                return self.commit(Write(key=key, text=text, expect=doc.version if doc else 0))
            except Conflict:
                # The tree may be behind the store that refused: wait for it, then decide again.
                self.app.settle(self.app.store.revision)
        raise Conflict(f"'{key}' is changed by others all the time; try again")

    def spawn(self, args: TaskArgs) -> str:
        """The second door: a task; answers its UPID at once."""
        if self.planned is not None:
            self.planned.append(self.app.tasks.plan(args, self.draws))
            return ""
        return self.app.tasks.spawn(args, self.draws, self._requester())

    def run(self, args: TaskArgs) -> Any:
        """The second door, awaited: answers the task's result, or raises its error here."""
        if self.planned is not None:
            self.planned.append(self.app.tasks.plan(args, self.draws))
            return None
        leave = {} if self.gone is None else {"gone": self.gone}
        result = self.app.tasks.run(args, self.draws, self._requester(), **leave)
        self.revision = self.app.store.revision
        self.app.settle(self.revision)
        return result

    @property
    def cause(self) -> Cause:
        """Who and why, for the history."""
        return Cause(who=self.who.full, why=self.endpoint)

    def _requester(self) -> Requester:
        """On whose behalf a task is made; a call that makes several has one key for each."""
        part, self.made = self.made, self.made + 1
        return Requester(user=self.who.full, endpoint=self.endpoint, key=self.key, body=self.body, part=part)


def failure(error: Error) -> Reply:
    """The reply for an error: the reason phrase is the message's first line."""
    text = str(error)
    return Reply(
        status=error.status,
        reason=text.strip().partition("\n")[0].replace("\r", " ") or type(error).__name__,
        message=text if text.endswith("\n") else text + "\n",
        errors=error.errors if isinstance(error, ParamError) else None,
    )
