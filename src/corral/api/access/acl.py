"""`/access/acl` and `/access/permissions`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec

from corral.access.names import identity
from corral.access.permissions import Rights
from corral.access.privileges import PERMISSIONS_MODIFY, is_acl_path, normalize_path
from corral.access.records import Grant, UserConfig
from corral.api.access.edit import change_users, modifying
from corral.app import Call
from corral.core.errors import Forbidden, NotFound, ParamError
from corral.core.identity import Identity
from corral.rest import anyone, endpoint, perm_modify
from corral.schema import formats
from corral.schema.fields import doc, pattern

_Roles = Annotated[tuple[Annotated[str, formats.ROLEID], ...], doc("A list of roles.")]
_Users = Annotated[tuple[Annotated[str, formats.USERID], ...], doc("A list of users.")]
_Groups = Annotated[tuple[Annotated[str, formats.GROUPID], ...], doc("A list of groups.")]
_Tokens = Annotated[tuple[Annotated[str, formats.TOKENID], ...], doc("A list of API tokens.")]


class AclRow(msgspec.Struct, frozen=True, kw_only=True):
    """An ACL entry."""

    path: str
    type: Literal["user", "group", "token"]
    ugid: str
    roleid: str
    propagate: bool


@endpoint("GET", "/access/acl", allow=anyone("lists only paths on which the caller may change permissions"))
def read(call: Call) -> list[AclRow]:
    """List ACL entries."""
    everything = call.may_any("/access", "Sys.Audit", PERMISSIONS_MODIFY)
    return [
        _row(grant, propagate)
        for grant, propagate in sorted(call.app.access.users.acl.items())
        if everything or call.may_any(grant.path, *modifying(grant.path))
    ]


def _row(grant: Grant, propagate: bool) -> AclRow:
    path, subject, role = grant
    if subject.startswith("@"):
        return AclRow(path=path, type="group", ugid=subject[1:], roleid=role, propagate=propagate)
    who = identity(subject)
    kind: Literal["user", "token"] = "token" if who and who.token is not None else "user"
    return AclRow(path=path, type=kind, ugid=subject, roleid=role, propagate=propagate)


@endpoint(
    "PUT",
    "/access/acl",
    allow=perm_modify("{path}"),
    example={"path": "/vms", "users": "joe@pve", "roles": "PVEVMUser"},
)
def update(
    call: Call,
    path: Annotated[str, doc("What the entries are for: an ACL path such as `/vms/100`.")],
    roles: _Roles,
    *,
    users: _Users | None = None,
    groups: _Groups | None = None,
    tokens: _Tokens | None = None,
    propagate: Annotated[bool, doc("Let the roles count below the path too.")] = True,
    delete: Annotated[bool, doc("Remove these entries instead of making them.")] | None = None,
) -> None:
    """Change the access control list."""
    normal = normalize_path(path)
    if normal is None or not is_acl_path(normal):
        raise ParamError({"path": f"invalid ACL path '{path}'"})
    subjects = [*(users or ()), *(f"@{group}" for group in groups or ()), *(tokens or ())]
    if not subjects:
        raise ParamError(dict.fromkeys(("users", "groups", "tokens"), "one of users, groups and tokens is required"))

    def decide(config: UserConfig) -> UserConfig:
        if not delete:
            _need_subjects(config, users or (), groups or (), tokens or ())
        for role in roles:
            if config.role_privileges(role) is None and not delete:
                raise NotFound(f"ACL update failed: role '{role}' does not exist")
        grants = [Grant(normal, subject, role) for subject in subjects for role in roles]
        changed = config.without_grants(grants) if delete else config.with_grants(grants, propagate=propagate)
        _Limits(call, normal, propagate=propagate or bool(delete)).check(config, changed, roles, subjects, bool(delete))
        return changed

    change_users(call, decide)


def _need_subjects(config: UserConfig, users: Sequence[str], groups: Sequence[str], tokens: Sequence[str]) -> None:
    for user in users:
        if config.user(user) is None:
            raise NotFound(f"ACL update failed: user '{user}' does not exist")
    for group in groups:
        if group not in config.groups:
            raise NotFound(f"ACL update failed: group '{group}' does not exist")
    for token in tokens:
        if token not in config.tokens:
            user, _, name = token.rpartition("!")
            raise NotFound(f"ACL update failed: no such token '{name}' for user '{user}'")


class _Limits:
    """What who has no `Permissions.Modify` (but may allocate the guest, storage or pool) may do to its ACL.

    It gives and takes roles whose privileges it has itself, gives nobody more than it has, and takes nothing from
    anybody by adding an entry: an entry on a path replaces what the subject inherits there, so `NoAccess`, or a small
    role for an administrator, would shut others out.
    """

    def __init__(self, call: Call, path: str, *, propagate: bool) -> None:
        self._call = call
        self._path = path
        # Nothing lies below a guest, storage, node, …: there it does not matter whether a privilege propagates.
        self._wide = propagate and is_acl_path(f"{path.rstrip('/')}/1000")

    def check(
        self, before: UserConfig, after: UserConfig, roles: Sequence[str], subjects: Sequence[str], deleting: bool
    ) -> None:
        """Raise `Forbidden` for a change that goes too far."""
        clock = self._call.app.clock
        old, new = Rights(before, clock), Rights(after, clock)
        own = self._held(old, self._call.who, self._path)
        if PERMISSIONS_MODIFY in own:
            return
        for role in roles:
            if not (before.role_privileges(role) or frozenset()) <= own:
                raise self._refusal()
        affected = {who for subject in subjects for who in _people(before, subject)}
        for path in self._paths(before):
            mine = self._held(old, self._call.who, path)
            for who in affected:
                had, has = self._held(old, who, path), self._held(new, who, path)
                lost = frozenset[str]() if deleting else had - has
                if lost or not has - had <= mine:
                    raise self._refusal()

    def _held(self, rights: Rights, who: Identity, path: str) -> frozenset[str]:
        granted = rights.granted(who, path)
        if not self._wide or path != self._path:
            return frozenset(granted)
        return frozenset(priv for priv, propagates in granted.items() if propagates)

    def _paths(self, config: UserConfig) -> Iterable[str]:
        """The path, and for a pool the members on which its entries count."""
        yield self._path
        for poolid, pool in config.pools.items():
            if f"/pool/{poolid}/".startswith(f"{self._path}/"):
                yield from (f"/vms/{vmid}" for vmid in pool.vms)
                yield from (f"/storage/{name}" for name in pool.storages)

    def _refusal(self) -> Forbidden:
        return Forbidden(f"Permission check failed ({self._path}, {PERMISSIONS_MODIFY})")


def _people(config: UserConfig, subject: str) -> list[Identity]:
    if subject.startswith("@"):
        group = config.groups.get(subject[1:])
        return [Identity(member) for member in group.members] if group else []
    who = identity(subject)
    return [who] if who else []


_BASE_PATHS = (
    "/",
    "/access",
    "/access/groups",
    "/access/realm",
    "/mapping",
    "/nodes",
    "/pool",
    "/sdn",
    "/storage",
    "/vms",
)


@endpoint("GET", "/access/permissions", allow=anyone("shows the caller's own; others' with Sys.Audit on /access"))
def permissions(
    call: Call,
    *,
    userid: Annotated[
        str,
        pattern(r"(?:[^\s:/]+)\@(?:[A-Za-z][A-Za-z0-9\.\-_]+)(?:!(?:[A-Za-z][A-Za-z0-9\.\-_]+))?"),
        doc("User or full token ID; the caller if not given."),
    ]
    | None = None,
    path: Annotated[str, doc("Only this ACL path; else every path that has entries.")] | None = None,
) -> dict[str, dict[str, bool]]:
    """Get effective permissions: path → privilege → whether it propagates."""
    rights = call.app.access.rights
    who = identity(userid) if userid is not None else call.who
    # A user may look at its tokens. A token may not look at its user: it would tell what else is to be had.
    own = who == call.who or (who is not None and call.who.token is None and who.user == call.who.user)
    if not own:
        call.need("/access", "Sys.Audit")
    if who is None or rights.config.user(who.user) is None:
        raise NotFound(f"no such user ('{userid}')")
    if who.token is not None and who.full not in rights.config.tokens:
        raise NotFound(f"no such token '{who.token}' for user '{who.user}'")
    if path is not None:
        normal = normalize_path(path)
        if normal is None:
            raise ParamError({"path": f"invalid ACL path '{path}'"})
        return {normal: dict(rights.granted(who, normal))}
    found = {each: dict(rights.granted(who, each)) for each in sorted({*_BASE_PATHS, *rights.paths()})}
    return {each: granted for each, granted in found.items() if granted}


ENDPOINTS = (read, update, permissions)
