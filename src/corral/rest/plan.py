"""Plans: what a call would do, and the token that lets exactly that be done.

A token is `BODY.MAC`, both base64url: BODY holds user, call, hash of the parameters, draws, the versions of what was
read, and the time; MAC is an HMAC-SHA256 over it with a key that only corrald reads. It is good for one hour.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from typing import Any

import msgspec

from corral.core.errors import Conflict, Error, ParamError
from corral.store.base import RecordClass, Tree, Write
from corral.store.history import redact
from corral.tasks.base import Intent

KEY = "priv/plan-key"
LIFETIME = 3600.0


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says. `reads` maps what was read to its version (see `NotedTree`)."""

    user: str
    call: str
    params: str
    draws: dict[str, str]
    reads: dict[str, str]
    time: float


def hash_params(params: Mapping[str, Any]) -> str:
    """A hash over the parameters that does not depend on their order."""
    return hashlib.sha256(msgspec.json.encode(params, order="deterministic")).hexdigest()


def seal(token: Token, key: bytes) -> str:
    """The text of a token."""
    body = msgspec.json.encode(token)
    return f"{_b64(body)}.{_b64(hmac.digest(key, body, 'sha256'))}"


def unseal(text: str, key: bytes, now: float) -> Token:
    """The inverse; `ParamError` for one that is forged, broken or older than an hour."""
    try:
        body_text, mac_text = text.split(".")
        body, mac = _unb64(body_text), _unb64(mac_text)
    except ValueError as exc:
        raise ParamError({"corral-apply": "not a plan token"}) from exc
    if not hmac.compare_digest(mac, hmac.digest(key, body, "sha256")):
        raise ParamError({"corral-apply": "not a plan token of this cluster"})
    token = msgspec.json.decode(body, type=Token)
    if not now - LIFETIME <= token.time <= now + 60:
        raise ParamError({"corral-apply": "the plan is older than an hour; plan again"})
    return token


def plan_key(tree: Tree) -> bytes:
    """The cluster's key for tokens."""
    doc = tree.get(KEY)
    if doc is None:
        raise Error("plans can't be made here: their key is not readable by this daemon")
    return bytes.fromhex(doc.text.strip())


def refuse_changed(reads: Mapping[str, str], now: Callable[[str], str]) -> None:
    """`Conflict` naming the first record that is not as it was read; `now` answers a note's present value.

    What was read is asked for again, not what applying happens to read: with its draws known, it looks at less.
    """
    for key, version in reads.items():
        if now(key) != version:
            raise Conflict(f"'{key}' has changed since the plan was made; plan again")


def describe(
    intents: Sequence[Intent], draws: Mapping[str, str], tree: Tree, sees: Callable[[str], bool]
) -> dict[str, Any]:
    """The plan as the caller sees it: each write comes with its diff, secrets and texts of class root are masked.

    `sees` tells which records the caller may read. Of others only the lines that change are shown: who may make a token
    of its own need not learn who else there is.
    """
    return {
        "writes": [_write(each, tree, sees(each.key)) for intent in intents for each in intent.writes],
        "volumes": [msgspec.to_builtins(each) for intent in intents for each in intent.volumes],
        "locks": sorted({lock for intent in intents for lock in intent.locks}),
        "effects": [effect for intent in intents for effect in intent.effects],
        "warnings": [warning for intent in intents for warning in intent.warnings],
        "seconds": sum(intent.seconds for intent in intents),
        "draws": dict(draws),
    }


def _write(write: Write, tree: Tree, whole: bool) -> dict[str, Any]:
    doc = tree.get(write.key)
    hidden = RecordClass.ROOT in (write.cls, doc.cls if doc else None)
    before, after = redact(doc.text if doc else ""), redact(write.text or "")
    row: dict[str, Any] = {"key": write.key, "action": _action(write, exists=doc is not None)}
    if not hidden:
        if whole:
            row["text"] = None if write.text is None else after
        context = 2 if whole else 0
        lines = unified_diff(before.splitlines(), after.splitlines(), "now", "then", n=context, lineterm="")
        row["diff"] = "\n".join(lines)
    return row


def _action(write: Write, *, exists: bool) -> str:
    if write.text is None:
        return "delete"
    return "change" if exists else "create"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
