"""The calls on `store.sock` as messages: what a worker asks and what `corrald` answers. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from corral.core import errors
from corral.core.errors import Error, ParamError
from corral.store.base import Doc, Revision, Transaction

T = TypeVar("T")


class Get(msgspec.Struct, frozen=True, tag="get"):
    """`Tree.get`; answers a list of no or one `Doc`."""

    key: str


class List(msgspec.Struct, frozen=True, tag="list"):
    """`Store.view`: the records below a prefix and their revision."""

    prefix: str


class At(msgspec.Struct, frozen=True, tag="revision"):
    """`Tree.revision`."""


class Commit(msgspec.Struct, frozen=True, tag="commit"):
    """`Store.commit`; the transaction has an id, so that the call may be repeated."""

    txn: Transaction


class Take(msgspec.Struct, frozen=True, tag="lease"):
    """`Store.lease`; answers whether it was granted."""

    name: str
    holder: str
    ttl: float


class Held(msgspec.Struct, frozen=True, tag="held"):
    """`Store.held`; answers whether it is."""

    name: str
    holder: str


class Renew(msgspec.Struct, frozen=True, tag="renew"):
    """`Lease.renew`; answers what that does."""

    name: str
    holder: str


class Release(msgspec.Struct, frozen=True, tag="release"):
    """`Lease.release`; answers whether it was held."""

    name: str
    holder: str


class History(msgspec.Struct, frozen=True, tag="history"):
    """`Store.history`."""

    prefix: str
    limit: int
    before: Revision | None
    exact: bool


class AsOf(msgspec.Struct, frozen=True, tag="as_of"):
    """`Store.as_of`."""

    revision: Revision
    prefix: str
    exact: bool = False


class Touches(msgspec.Struct, frozen=True, tag="touches"):
    """`Store.touches`."""

    prefix: str
    exact: bool
    who: str
    after: Revision | None
    before: Revision | None
    limit: int


class Moment(msgspec.Struct, frozen=True, tag="moment"):
    """`Store.moment`; answers a list of no or one revision."""

    time: float


class Prune(msgspec.Struct, frozen=True, tag="prune"):
    """`Store.prune`."""

    older_than: float
    max_bytes: int


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot"):
    """`Store.snapshot`; answers bytes."""


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """`Store.restore`; never repeated by the client on its own."""

    image: bytes


Request = (
    Get | List | At | Commit | Take | Held | Renew | Release
    | History | Touches | Moment | AsOf | Prune | Snapshot | Restore
)  # fmt: skip


class View(msgspec.Struct, frozen=True):
    """The answer to `List`."""

    revision: Revision
    docs: list[Doc]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It worked; `value` is what the request's docstring says."""

    value: msgspec.Raw


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It raised an `Error` of that class; `errors` is a `ParamError`'s."""

    kind: str
    message: str
    errors: dict[str, str] = {}


Answer = Done | Failed

requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_KINDS: dict[str, Callable[[str], Error]] = {
    kind.__name__: kind
    for kind in (
        Error,
        errors.Unauthorized,
        errors.Forbidden,
        errors.NotFound,
        errors.AlreadyExists,
        errors.Conflict,
        errors.Locked,
        errors.NoQuorum,
        errors.TimedOut,
        errors.Unavailable,
    )
}

encode = msgspec.msgpack.encode


def done(value: object) -> bytes:
    """The payload of a good answer."""
    return encode(Done(msgspec.Raw(encode(value))))


def failed(error: Error) -> bytes:
    """The payload that carries an error."""
    fields = error.errors if isinstance(error, ParamError) else {}
    return encode(Failed(type(error).__name__, str(error), fields))


def result(payload: bytes, kind: type[T]) -> T:
    """The value in an answer, or the error in it raised."""
    answer = _answers.decode(payload)
    if isinstance(answer, Done):
        return msgspec.msgpack.decode(answer.value, type=kind)
    if answer.kind == "ParamError":
        raise ParamError(answer.errors, answer.message)
    raise _KINDS.get(answer.kind, Error)(answer.message)
