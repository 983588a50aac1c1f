"""`/access/roles`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from corral.access.privileges import BUILTIN_ROLES, PRIVILEGES
from corral.access.records import Role, UserConfig
from corral.api.access.edit import change_users
from corral.api.access.types import Privileges
from corral.app import Call
from corral.core.errors import AlreadyExists, Error, NotFound, ParamError
from corral.rest import anyone, endpoint, need
from corral.schema.fields import doc, requires
from corral.schema.types import RoleId

_ALLOW = need("/access", "Sys.Modify")


class RoleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A role in a list; `special` are built in."""

    roleid: str
    privs: str
    special: bool


@endpoint("GET", "/access/roles", allow=anyone("roles are no secret"))
def index(call: Call) -> list[RoleRow]:
    """List roles."""
    own = call.app.access.users.roles
    every = {**{name: role.privs for name, role in own.items()}, **BUILTIN_ROLES}
    return [
        RoleRow(roleid=name, privs=",".join(sorted(privs)), special=name in BUILTIN_ROLES)
        for name, privs in sorted(every.items())
    ]


@endpoint("POST", "/access/roles", allow=_ALLOW, example={"roleid": "NewRole", "privs": "VM.Audit"})
def create(call: Call, roleid: RoleId, *, privs: Privileges | None = None) -> None:
    """Create a role."""
    _check_privileges(privs or ())

    def decide(config: UserConfig) -> UserConfig:
        if config.role_privileges(roleid) is not None:
            raise AlreadyExists(f"create role failed: role '{roleid}' already exists")
        return config.with_role(Role(roleid=roleid, privs=frozenset(privs or ())))

    change_users(call, decide)


@endpoint("GET", "/access/roles/{roleid}", allow=anyone("roles are no secret"))
def read(call: Call, roleid: RoleId) -> dict[str, bool]:
    """Get the privileges of a role."""
    privs = call.app.access.users.role_privileges(roleid)
    if privs is None:
        raise NotFound(f"role '{roleid}' does not exist")
    return dict.fromkeys(sorted(privs), True)


@endpoint("PUT", "/access/roles/{roleid}", allow=_ALLOW, example={"roleid": "Operator", "privs": "VM.Audit"})
def update(
    call: Call,
    roleid: RoleId,
    *,
    privs: Privileges | None = None,
    append: Annotated[bool, requires("privs"), doc("Add to the present privileges instead of replacing them.")]
    | None = None,
) -> None:
    """Change the privileges of a role."""
    _check_privileges(privs or ())
    _refuse_builtin(roleid, "modified")

    def decide(config: UserConfig) -> UserConfig:
        role = _need_role(config, roleid)
        if privs is None:
            return config
        wanted = frozenset(privs) | (role.privs if append else frozenset())
        return config.with_role(msgspec.structs.replace(role, privs=wanted))

    change_users(call, decide)


@endpoint("DELETE", "/access/roles/{roleid}", allow=_ALLOW, example={"roleid": "Operator"})
def delete(call: Call, roleid: RoleId) -> None:
    """Delete a role and the ACL entries that give it."""
    _refuse_builtin(roleid, "deleted")

    def decide(config: UserConfig) -> UserConfig:
        _need_role(config, roleid)
        return config.without_role(roleid)

    change_users(call, decide)


def _check_privileges(privs: Sequence[str]) -> None:
    unknown = [priv for priv in privs if priv not in PRIVILEGES]
    if unknown:
        raise ParamError({"privs": f"invalid format - invalid privilege '{unknown[0]}'"})


def _refuse_builtin(roleid: str, deed: str) -> None:
    if roleid in BUILTIN_ROLES:
        raise Error(f"auto-generated role '{roleid}' cannot be {deed}")


def _need_role(config: UserConfig, roleid: str) -> Role:
    role = config.roles.get(roleid)
    if role is None:
        raise NotFound(f"role '{roleid}' does not exist")
    return role


ENDPOINTS = (index, create, read, update, delete)
