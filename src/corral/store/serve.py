"""Answers the calls on `store.sock`: `corrald` reads a frame, calls `answer` in a thread and writes what it returns."""

from __future__ import annotations

import logging

import msgspec

from corral.core.errors import Error
from corral.store import calls
from corral.store.base import Store

log = logging.getLogger(__name__)


def answer(store: Store, payload: bytes) -> bytes:
    """The payload that answers a payload; never raises. Blocks as long as the store does.

    It keeps no state: a client may go on at another server of the same store.
    """
    try:
        return _run(store, calls.requests.decode(payload))
    except Error as exc:
        return calls.failed(exc)
    except msgspec.DecodeError as exc:
        return calls.failed(Error(f"the request can't be read: {exc}"))
    except Exception as exc:
        log.exception("a call on the store's socket failed")
        return calls.failed(Error(f"the store failed: {exc}"))


def _run(store: Store, request: calls.Request) -> bytes:
    match request:
        case calls.Get(key):
            found = store.get(key)
            return calls.done([found] if found else [])
        case calls.List(prefix):
            return calls.done(calls.View(*store.view(prefix)))
        case calls.At():
            return calls.done(store.revision)
        case calls.Commit(txn):
            return calls.done(store.commit(txn))
        case calls.History(prefix, limit, before, exact):
            return calls.done(store.history(prefix, limit=limit, before=before, exact=exact))
        case calls.AsOf(revision, prefix, exact):
            return calls.done(store.as_of(revision, prefix, exact=exact))
        case calls.Touches() | calls.Moment():
            return calls.done(_past(store, request))
        case calls.Prune(older_than, max_bytes):
            return calls.done(store.prune(older_than=older_than, max_bytes=max_bytes))
        case calls.Snapshot():
            return calls.done(store.snapshot())
        case calls.Restore(image):
            return calls.done(store.restore(image))
        case _:
            return calls.done(_lease(store, request))


def _past(store: Store, request: calls.Touches | calls.Moment) -> object:
    if isinstance(request, calls.Moment):
        found = store.moment(request.time)
        return [found] if found else []
    r = request
    return store.touches(r.prefix, exact=r.exact, who=r.who, after=r.after, before=r.before, limit=r.limit)


def _lease(store: Store, request: calls.Take | calls.Held | calls.Renew | calls.Release) -> bool:
    if isinstance(request, calls.Take):
        return store.lease(request.name, request.holder, request.ttl) is not None
    lease = store.held(request.name, request.holder)
    if lease is None:
        return False
    if isinstance(request, calls.Renew):
        return lease.renew()
    if isinstance(request, calls.Release):
        lease.release()
    return True
