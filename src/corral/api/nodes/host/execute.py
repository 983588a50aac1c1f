"""`/nodes/{node}/execute`: several calls in one."""

from __future__ import annotations

import json
from typing import Annotated, Any

from corral.app import Call
from corral.core.errors import ParamError
from corral.rest import endpoint, never, root_alone
from corral.rest.call import Credentials, Request
from corral.rest.dispatch import Dispatcher
from corral.rest.results import to_wire
from corral.schema import doc
from corral.schema.types import NodeName

MAX_CALLS = 1000


@endpoint(
    "POST", "/nodes/{node}/execute", runs="node", root=True,
    allow=root_alone("it equals the right to make any call"),
    plan=never("each call of the batch has a plan of its own"),
)  # fmt: skip
def execute(
    call: Call,
    node: NodeName,
    *,
    commands: Annotated[str, doc("JSON: an array of `{path, method, args}`.")],
) -> list[dict[str, Any]]:
    """Make several calls, one after the other; each has its own outcome."""
    # The table of all endpoints has this one in it.
    from corral import api

    requests = _parse(commands)
    dispatcher: Dispatcher[Any] = Dispatcher(call.app, api.endpoints(), index_keys=api.INDEX_KEYS)
    return [_outcome(dispatcher, request) for request in requests]


def _outcome(dispatcher: Dispatcher[Any], request: Request) -> dict[str, Any]:
    reply = dispatcher.dispatch(request)
    if reply.ok and reply.special is None:
        return {"status": reply.status, "data": to_wire(reply.data)}
    out: dict[str, Any] = {"status": reply.status, "message": reply.message or "this call can't be part of a batch"}
    return {**out, "errors": dict(reply.errors)} if reply.errors else out


def _parse(text: str) -> list[Request]:
    try:
        batch = json.loads(text)
        if not isinstance(batch, list) or len(batch) > MAX_CALLS:
            raise ValueError(f"not a list of at most {MAX_CALLS} calls")
        return [_request(item) for item in batch]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
        raise ParamError({"commands": f"invalid format - {exc}"}) from exc


def _request(item: dict[str, Any]) -> Request:
    method, path, args = item["method"], item["path"], item.get("args") or {}
    if method not in ("GET", "POST", "PUT", "DELETE") or not isinstance(path, str) or not isinstance(args, dict):
        raise ValueError("each call needs path, method and perhaps args")
    if path.strip("/").endswith("/execute"):
        raise ValueError("a batch can't hold a batch")
    path = path if path.startswith("/") else f"/{path}"
    return Request(method=method, path=path, params=args, credentials=Credentials(local_root=True))


ENDPOINTS = (execute,)
