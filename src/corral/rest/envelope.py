"""Replies as bytes: the envelopes `json`, `extjs` and `htmljs`."""

from __future__ import annotations

import html
from typing import Any, NamedTuple

import msgspec

from corral.rest.call import Reply
from corral.rest.results import Wire, to_wire

FORMATS = frozenset({"json", "extjs", "htmljs"})


class Body(NamedTuple):
    """What goes over the wire: status, reason phrase, content type, bytes."""

    status: int
    reason: str
    content_type: str
    payload: bytes


def encode(reply: Reply, fmt: str) -> Body:
    """`json` carries the status of the call; `extjs` and `htmljs` answer 200 and tell it in the body."""
    body: dict[str, Any] = {"data": _data(reply.data)}
    if reply.ok:
        if reply.total:
            body["total"] = reply.total
        if reply.changes:
            body["changes"] = reply.changes
    else:
        body["data"] = None
        body["message"] = reply.message
        if reply.errors:
            body["errors"] = dict(reply.errors)
    status, reason = reply.status, reply.reason
    if fmt != "json":
        body["success"] = int(reply.ok)
        if not reply.ok:
            body["status"] = status
            status, reason = 200, "OK"
    payload = msgspec.json.encode(body)
    if fmt == "htmljs":
        return Body(status, reason, "text/html;charset=UTF-8", html.escape(payload.decode(), quote=False).encode())
    return Body(status, reason, "application/json;charset=UTF-8", payload)


def _data(value: Any) -> Any:
    return msgspec.Raw(value.json) if isinstance(value, Wire) else to_wire(value)
