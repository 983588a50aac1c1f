"""Permissions as part of a declaration: an expression over ACL paths, checked before parameters are.

    allow=need("/vms/{vmid}", "VM.PowerMgmt")
    allow=any_of(need("/", "Sys.Modify"), need("/nodes/{node}", "Sys.AccessNetwork"))
    allow=anyone("lists only what the caller may see")

Paths are templates over the call's parameters. `need` names the first missing privilege in its refusal; `need_any`
joins them with `|`: clients of the API know these texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from corral.core.errors import Forbidden
from corral.core.identity import Identity


class Rights(Protocol):
    """What the access room answers about privileges."""

    def privileges(self, who: Identity, path: str) -> frozenset[str]:
        """All privileges of `who` on an ACL path."""
        ...

    def groups_of(self, user: str) -> frozenset[str]:
        """Names of the groups that the user is in."""
        ...


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: who calls with which parameters (raw, as sent, path parameters included)."""

    who: Identity
    params: Mapping[str, Any]
    rights: Rights


@dataclass(frozen=True, slots=True)
class Allow:
    """A permission expression. `refuse` answers None where it is met, else what is missing.

    `words` are the privileges named in it, `paths` its path templates, `dump` its form in the schema dump.
    """

    refuse: Callable[[Ask], str | None]
    dump: object
    words: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    world: bool = False

    def check(self, ask: Ask) -> None:
        """Raise `Forbidden` unless met."""
        missing = self.refuse(ask)
        if missing is not None:
            raise Forbidden(f"Permission check failed ({missing})")


def fill(template: str, params: Mapping[str, Any]) -> str | None:
    """The path for some parameters; None when one of them is not given."""
    out = template
    for key in re.findall(r"{([^}]+)}", template):
        value = params.get(key)
        if value is None or isinstance(value, list | dict):
            return None
        out = out.replace(f"{{{key}}}", str(value))
    return out


def need(path: str, *privs: str, require_param: str | None = None) -> Allow:
    """All of `privs` on `path`. With `require_param` it is not met while that parameter is not given."""
    return _need(path, privs, any_one=False, require_param=require_param)


def need_any(path: str, *privs: str, require_param: str | None = None) -> Allow:
    """At least one of `privs` on `path`."""
    return _need(path, privs, any_one=True, require_param=require_param)


def _need(path: str, privs: tuple[str, ...], *, any_one: bool, require_param: str | None) -> Allow:
    def refuse(ask: Ask) -> str | None:
        where = fill(path, ask.params)
        if where is None or (require_param is not None and ask.params.get(require_param) is None):
            return f"{path}, {privs[0]}"
        return missing(ask.rights.privileges(ask.who, where), where, privs, any_one=any_one)

    extra: list[object] = ["any", 1] if any_one else []
    if require_param is not None:
        extra += ["require_param", require_param]
    return Allow(refuse, {"check": ["perm", path, list(privs), *extra]}, privs, (path,))


def missing(held: frozenset[str], path: str, privs: tuple[str, ...], *, any_one: bool = False) -> str | None:
    """The text of a refusal, or None if what is held suffices."""
    if any_one:
        return None if held.intersection(privs) else f"{path}, {'|'.join(privs)}"
    return next((f"{path}, {priv}" for priv in privs if priv not in held), None)


def all_of(*parts: Allow) -> Allow:
    """Every part; the first that is not met is told."""

    def refuse(ask: Ask) -> str | None:
        return next((said for part in parts if (said := part.refuse(ask)) is not None), None)

    return _joined("and", refuse, parts)


def any_of(*parts: Allow) -> Allow:
    """At least one part; the last one's refusal is told."""

    def refuse(ask: Ask) -> str | None:
        said = None
        for part in parts:
            said = part.refuse(ask)
            if said is None:
                return None
        return said

    return _joined("or", refuse, parts)


def _joined(word: str, refuse: Callable[[Ask], str | None], parts: tuple[Allow, ...]) -> Allow:
    dumps = [
        part.dump["check"] if isinstance(part.dump, dict) and "check" in part.dump else part.dump for part in parts
    ]
    return Allow(
        refuse,
        {"check": [word, *dumps]},
        tuple(priv for part in parts for priv in part.words),
        tuple(path for part in parts for path in part.paths),
    )


def anyone(why: str) -> Allow:
    """Every user who is logged in; `why` says what keeps them apart instead."""
    assert why, "say why this call is open"
    return Allow(lambda _: None, {"user": "all", "description": why})


def world(why: str) -> Allow:
    """Everybody, logged in or not."""
    assert why, "say why this call is open to the world"
    return Allow(lambda _: None, {"user": "world", "description": why}, world=True)


def root_alone(why: str) -> Allow:
    """root@pam alone: for what equals root on the host."""
    assert why, "say why a privilege does not do"
    return Allow(lambda ask: None if ask.who.is_root else "user != root@pam", {"root_only": True, "description": why})


def user_param(word: str) -> Allow:
    """`self`: the call's `userid` is the caller, who is no token. Else a privilege on the realm of `userid`."""

    def refuse(ask: Ask) -> str | None:
        userid = str(ask.params.get("userid", ""))
        if word == "self":
            # Not `who.user`: a token is not its user, or one with few privileges could make itself one with all.
            return None if ask.who.full == userid else f"user != {userid}"
        where = f"/access/realm/{userid.rpartition('@')[2]}"
        return missing(ask.rights.privileges(ask.who, where), where, (word,))

    return Allow(refuse, {"check": ["userid-param", word]}, () if word == "self" else (word,))


def user_group(*privs: str, groups_param: str | None = None) -> Allow:
    """One of `privs` on `/access/groups`, or on a group of the call's `userid`.

    On `/access/groups/<group>` of at least one group that the user is in. With `groups_param`: also on each group that
    the parameter `groups` names (`create`: only those; `update`: those and the ones the user is in).
    """

    def held(ask: Ask, path: str) -> bool:
        return bool(ask.rights.privileges(ask.who, path).intersection(privs))

    def refuse(ask: Ask) -> str | None:
        if held(ask, "/access/groups"):
            return None
        userid = str(ask.params.get("userid", ""))
        asked = re.findall(r"[^,;\s]+", str(ask.params.get("groups") or "")) if groups_param else []
        for group in asked:
            if not held(ask, f"/access/groups/{group}"):
                return f"/access/groups/{group}, {'|'.join(privs)}"
        if groups_param == "create":
            return None if asked else f"/access/groups, {'|'.join(privs)}"
        if any(held(ask, f"/access/groups/{group}") for group in ask.rights.groups_of(userid)):
            return None
        return f"/access/groups, {'|'.join(privs)}"

    extra = ["groups_param", groups_param] if groups_param else []
    return Allow(refuse, {"check": ["userid-group", list(privs), *extra]}, privs)


def perm_modify(path: str) -> Allow:
    """May change who may do what on `path`: `Permissions.Modify` there, or, on a storage, guest or pool, the
    privilege to allocate it."""
    families = {"storage": "Datastore.Allocate", "vms": "VM.Allocate", "pool": "Pool.Allocate"}

    def refuse(ask: Ask) -> str | None:
        where = fill(path, ask.params)
        if where is None:
            return f"{path}, Permissions.Modify"
        where = "/" + "/".join(part for part in where.split("/") if part)
        privs = ["Permissions.Modify"]
        top, below = where.split("/")[1], where.count("/") > 1
        if below and top in families:
            privs.append(families[top])
        return missing(ask.rights.privileges(ask.who, where), where, tuple(privs), any_one=True)

    return Allow(refuse, {"check": ["perm-modify", path]}, ("Permissions.Modify",), (path,))
