"""From request to reply, in the order that clients of the API rely on.

authenticate → route → path/parameter conflict → token allowed → permission → forward → bind → plan or run
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic

from corral.core.errors import Error, Forbidden, NotFound, ParamError
from corral.core.identity import Identity
from corral.rest.call import AppT, Call, Reply, Request, failure
from corral.rest.endpoint import Endpoint
from corral.rest.permission import Ask
from corral.rest.plan import Token, describe, hash_params, plan_key, refuse_changed, seal, unseal
from corral.rest.results import Console, Download, Events, Listing
from corral.rest.router import Router
from corral.tasks.base import Draws, Intent

log = logging.getLogger(__name__)

NOBODY = Identity("")
Observer = Callable[[Endpoint, Mapping[str, Any], Reply], None]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be served: known caller, known call, permission checked; parameters not yet."""

    request: Request
    endpoint: Endpoint
    path_params: dict[str, str]
    who: Identity


class Dispatcher(Generic[AppT]):
    """Serves endpoints for one app.

    `serves` tells which endpoints are answered in this process; the others are for `forward_to`. `observer` is told
    of each finished call: for the record of which calls tests exercise.
    """

    def __init__(
        self,
        app: AppT,
        endpoints: Sequence[Endpoint],
        *,
        index_keys: Mapping[str, str] | None = None,
        serves: Callable[[Endpoint], bool] = lambda _: True,
        observer: Observer | None = None,
    ) -> None:
        self.app = app
        self.router = Router(endpoints, index_keys)
        self._serves = serves
        self._observer = observer

    def dispatch(self, request: Request) -> Reply:
        """The reply, whatever happens; a fault of ours is logged with its trace and answered as 500."""
        return self.guard(lambda: self.finish(self.admit(request)))

    def guard(self, work: Callable[[], Reply]) -> Reply:
        """Run `work`; errors become replies."""
        try:
            return work()
        except Error as exc:
            return failure(exc)
        except Exception as exc:
            log.exception("internal error")
            return failure(Error(f"internal error: {type(exc).__name__} (the daemon's log has the details)"))

    def admit(self, request: Request) -> Admitted:
        """Everything up to the permission check. Raises `Unauthorized`, `NotImplementedCall`, `Forbidden`…"""
        open_route = self._world(request)
        who = NOBODY if open_route else self.app.access.verify(request.credentials)
        found, path_params = self.router.find(request.method, request.path)
        admitted = Admitted(request, found, path_params, who)
        try:
            self._refuse_conflict(path_params, request.params)
            if who.token is not None and not found.tokens:
                raise Forbidden(f"Permission check failed (calling '{found.pair}' is not allowed with an API token)")
            # This node has one name in the ACL, whatever it was called by.
            here = {"node": self.app.node} if path_params.get("node") == "localhost" else {}
            found.allow.check(Ask(who, {**request.params, **path_params, **here}, self.app.access.rights))
        except Error as exc:
            self._observe(admitted, request.params, failure(exc))
            raise
        return admitted

    def _observe(self, admitted: Admitted, params: Mapping[str, Any], reply: Reply) -> None:
        if self._observer and not admitted.request.plan:
            self._observer(admitted.endpoint, params, reply)

    def _world(self, request: Request) -> bool:
        """Whether the call needs no login. Found before authentication, so an unknown path still asks for one."""
        try:
            return self.router.find(request.method, request.path).endpoint.allow.world
        except Error:
            return False

    @staticmethod
    def _refuse_conflict(path_params: Mapping[str, str], params: Mapping[str, Any]) -> None:
        clashes = [name for name, value in path_params.items() if name in params and str(params[name]) != value]
        if clashes:
            text = "duplicate parameter (already defined in URI) with conflicting values!"
            raise ParamError(dict.fromkeys(clashes, text))

    def served_here(self, admitted: Admitted) -> bool:
        """Whether this process answers; else it is for corrald."""
        return self._serves(admitted.endpoint)

    def node_of(self, admitted: Admitted) -> str:
        """The node that must answer. `NotFound` for one that is not in the cluster."""
        if admitted.endpoint.runs == "node":
            node = admitted.path_params.get("node", self.app.node)
            if node not in ("localhost", self.app.node):
                raise NotFound(f"no such cluster node '{node}'")
        return self.app.node

    def finish(self, admitted: Admitted, extra: Mapping[str, Any] | None = None) -> Reply:
        """Bind the parameters (`extra`: those that came later, as an upload's parts) and plan or run the call."""
        params = {**admitted.request.params, **(extra or {}), **admitted.path_params}
        try:
            reply = self._finish(admitted, params)
        except Error as exc:
            self._observe(admitted, params, failure(exc))
            raise
        self._observe(admitted, params, reply)
        return reply

    def _finish(self, admitted: Admitted, params: Mapping[str, Any]) -> Reply:
        self.node_of(admitted)
        found, request = admitted.endpoint, admitted.request
        arguments = found.bind(params, is_root=admitted.who.is_root)
        if "node" in arguments and found.runs == "node":
            arguments["node"] = self.app.node
        call = Call(
            app=self.app,
            who=admitted.who,
            endpoint=found.pair,
            params=params,
            address=request.credentials.address,
            credentials=request.credentials,
            key=request.idempotency_key,
            resume=request.resume,
            gone=request.gone,
        )
        if found.changes and (request.plan or request.apply or call.key):
            call.body = hash_params({key: value for key, value in params.items() if not hasattr(value, "path")})
        if request.plan or request.apply:
            planned = self._planned(call, found, arguments, request)
            if planned is not None:
                return planned
        return _reply(found.handler(call, **arguments), call)

    def _planned(self, call: Call[AppT], found: Endpoint, arguments: dict[str, Any], request: Request) -> Reply | None:
        """Plan the call; None when it is to be applied and may be."""
        if not found.changes:
            raise ParamError({"corral-plan": "a GET changes nothing"})
        if found.plan is not None:
            raise ParamError({"corral-plan": f"this call can't be planned: {found.plan.why}"})
        now = self.app.clock.now()
        token = unseal(request.apply, plan_key(self.app.tree), now) if request.apply else None
        if token and (token.user, token.call, token.params) != (call.who.full, call.endpoint, call.body):
            raise ParamError({"corral-apply": "the plan is for another call, other parameters or another user"})
        intents: list[Intent] = []
        draft = replace(call, planned=intents, draws=Draws(dict(token.draws) if token else {}))
        with self.app.tree.noting() as reads:
            found.handler(draft, **arguments)
        if token:
            refuse_changed(token.reads, self.app.tree.now)
            call.draws = Draws(dict(token.draws), bound=True)
            return None
        made = Token(
            user=call.who.full, call=call.endpoint, params=call.body, draws=draft.draws.known, reads=reads, time=now
        )
        plan = describe(intents, draft.draws.known, self.app.tree, lambda key: _sees(call, key))
        return Reply(data={"plan": plan, "token": seal(made, plan_key(self.app.tree))})


def _sees(call: Call[Any], key: str) -> bool:
    """Whether the caller may read a record whole: a guest's by VM.Audit, all others by Sys.Audit on everything."""
    kind, _, name = key.partition("/")
    return call.may(f"/vms/{name}", "VM.Audit") if kind == "guest" else call.may("/", "Sys.Audit")


def _reply(value: Any, call: Call[Any]) -> Reply:
    match value:
        case Listing(rows, total, changes):
            return Reply(data=rows, total=total, changes=changes, revision=call.revision)
        case Download() | Events() | Console():
            return Reply(special=value)
        case _:
            return Reply(data=value, revision=call.revision, session=call.session)
