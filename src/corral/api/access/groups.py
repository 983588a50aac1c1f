"""`/access/groups`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from corral.access.records import Group, UserConfig
from corral.api.access.edit import change_users
from corral.app import Call
from corral.core.errors import AlreadyExists, NotFound
from corral.rest import anyone, endpoint, need, need_any
from corral.schema.fields import doc, length
from corral.schema.types import GroupId

_Comment = Annotated[str, length(0, 4096), doc("Description.")]


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group in a list; `users` is a list in one text."""

    groupid: str
    users: str
    comment: str | None = None


class GroupDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A group and its members."""

    members: list[str]
    comment: str | None = None


@endpoint("GET", "/access/groups", allow=anyone("lists only groups that the caller may see"))
def index(call: Call) -> list[GroupRow]:
    """List groups."""
    visible = call.app.access.rights.visible(call.who, "User.Modify", "Sys.Audit", "Group.Allocate")
    groups = call.app.access.users.groups
    return [
        GroupRow(groupid=name, users=",".join(sorted(group.members)), comment=group.comment or None)
        for name, group in sorted(groups.items())
        if visible(f"/access/groups/{name}")
    ]


@endpoint("POST", "/access/groups", allow=need("/access/groups", "Group.Allocate"), example={"groupid": "newgroup"})
def create(call: Call, groupid: GroupId, *, comment: _Comment = "") -> None:
    """Create a group."""

    def decide(config: UserConfig) -> UserConfig:
        if groupid in config.groups:
            raise AlreadyExists(f"create group failed: group '{groupid}' already exists")
        return config.with_group(Group(groupid=groupid, comment=comment))

    change_users(call, decide)


@endpoint("GET", "/access/groups/{groupid}", allow=need_any("/access/groups", "Sys.Audit", "Group.Allocate"))
def read(call: Call, groupid: GroupId) -> GroupDetails:
    """Get a group and its members."""
    group = _need_group(call.app.access.users, groupid)
    return GroupDetails(members=sorted(group.members), comment=group.comment or None)


@endpoint(
    "PUT",
    "/access/groups/{groupid}",
    allow=need("/access/groups", "Group.Allocate"),
    example={"groupid": "ops", "comment": "changed by an example"},
)
def update(call: Call, groupid: GroupId, *, comment: _Comment | None = None) -> None:
    """Change a group's description."""

    def decide(config: UserConfig) -> UserConfig:
        group = _need_group(config, groupid)
        return config if comment is None else config.with_group(msgspec.structs.replace(group, comment=comment))

    change_users(call, decide)


@endpoint(
    "DELETE",
    "/access/groups/{groupid}",
    allow=need("/access/groups", "Group.Allocate"),
    example={"groupid": "ops"},
)
def delete(call: Call, groupid: GroupId) -> None:
    """Delete a group and its ACL entries."""

    def decide(config: UserConfig) -> UserConfig:
        _need_group(config, groupid)
        return config.without_group(groupid)

    change_users(call, decide)


def _need_group(config: UserConfig, groupid: str) -> Group:
    group = config.groups.get(groupid)
    if group is None:
        raise NotFound(f"group '{groupid}' does not exist")
    return group


ENDPOINTS = (index, create, read, update, delete)
