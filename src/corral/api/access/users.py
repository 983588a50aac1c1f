"""`/access/users`."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import msgspec

from corral.access.names import ROOT_USER, local_name, realm_of
from corral.access.records import User, UserConfig
from corral.access.service import random_salt
from corral.api.access.edit import (
    change,
    change_users,
    check_new_userid,
    need_groups,
    need_user,
    read_users,
    refuse_lesser_hands,
    write_shadow,
    write_tokens,
    write_users,
)
from corral.api.access.types import (
    Comment,
    Email,
    Expire,
    FirstName,
    Groups,
    Keys,
    LastName,
    TokenRow,
    TokenSettings,
    UserDetails,
    UserRow,
)
from corral.app import Call
from corral.core.errors import AlreadyExists, Error, NotFound
from corral.core.secret import Secret
from corral.rest import all_of, anyone, endpoint, user_group, user_param
from corral.schema.fields import doc, length, requires
from corral.schema.types import UserId
from corral.store.base import Tree, Write

_READERS = ("User.Modify", "Sys.Audit")


@endpoint("GET", "/access/users", allow=anyone("lists only users whom the caller may see, and the caller"))
def index(
    call: Call,
    *,
    enabled: Annotated[bool, doc("Only enabled (1) or disabled (0) users.")] | None = None,
    full: Annotated[bool, doc("With groups and tokens.")] = False,
) -> list[UserRow]:
    """List users."""
    access = call.app.access
    config, domains = access.users, access.domains
    everyone = call.may_any("/access/groups", *_READERS)
    shown = {name for name in config.groups if call.may_any(f"/access/groups/{name}", *_READERS)}
    rows = []
    for userid in sorted({ROOT_USER, *config.users}):
        user = config.user(userid)
        assert user is not None
        groups = config.groups_of(userid) if full or not everyone else frozenset[str]()
        if not (everyone or userid == call.who.user or groups & shown) or enabled not in (None, user.enable):
            continue
        section = domains.realms.get(realm_of(userid))
        row = UserRow(realm_type=section.type if section else None, userid=userid, **_texts(user))
        if full:
            row = msgspec.structs.replace(row, groups=",".join(sorted(groups)), tokens=_tokens(config, userid))
        rows.append(row)
    return rows


def _texts(user: User) -> dict[str, Any]:  # Any: attributes of several types, by name
    words = ("firstname", "lastname", "email", "comment", "keys")
    return {"enable": user.enable, "expire": user.expire, **{word: getattr(user, word) or None for word in words}}


def _tokens(config: UserConfig, userid: str) -> list[TokenRow]:
    return [
        TokenRow(tokenid=it.name, expire=it.expire, privsep=it.privsep, comment=it.comment or None)
        for it in config.tokens_of(userid)
    ]


@endpoint(
    "POST",
    "/access/users",
    allow=all_of(user_param("Realm.AllocateUser"), user_group("User.Modify", groups_param="create")),
    pool="login",
    example={"userid": "new@pve", "password": "a good password", "comment": "made by an example"},
)
def create(
    call: Call,
    userid: UserId,
    *,
    password: Annotated[Secret, length(8, 64), doc("Initial password (realm pve).")] | None = None,
    groups: Groups | None = None,
    enable: Annotated[bool, doc("Whether the user may log in.")] = True,
    expire: Expire = 0,
    firstname: FirstName = "",
    lastname: LastName = "",
    email: Email = "",
    comment: Comment = "",
    keys: Keys = "",
) -> None:
    """Create a user."""
    check_new_userid(userid)
    digest = _hash(call, userid, password)
    user = User(
        userid=userid,
        enable=enable,
        expire=expire,
        firstname=firstname,
        lastname=lastname,
        email=email,
        comment=comment,
        keys=keys,
    )

    def decide(tree: Tree) -> list[Write]:
        config = read_users(tree)
        if config.user(userid) is not None:
            raise AlreadyExists(f"create user failed: user '{userid}' already exists")
        need_groups(config, groups or ())
        writes = [write_users(tree, config.with_user(user).with_memberships(userid, groups or ()))]
        if realm_of(userid) == "pve":
            # Also without a password: one that an earlier user of this name had must not come back.
            name = local_name(userid)
            writes.append(write_shadow(tree, lambda it: it.with_hash(name, digest) if digest else it.without(name)))
        return writes

    change(call, decide)


def _hash(call: Call, userid: str, password: Secret | None) -> str | None:
    realm = call.app.access.realm(realm_of(userid))
    if realm is None:
        raise NotFound(f"domain '{realm_of(userid)}' does not exist")
    if password is None:
        return None
    return realm.hash(password, base64.b64decode(call.draws.draw("salt", random_salt)))


@endpoint("GET", "/access/users/{userid}", allow=user_group(*_READERS))
def read(call: Call, userid: UserId) -> UserDetails:
    """Get a user."""
    config = call.app.access.users
    user = need_user(config, userid)
    tokens = {
        it.name: TokenSettings(expire=it.expire, privsep=it.privsep, comment=it.comment or None)
        for it in config.tokens_of(userid)
    }
    return UserDetails(groups=sorted(config.groups_of(userid)), tokens=tokens or None, **_texts(user))


@endpoint(
    "PUT",
    "/access/users/{userid}",
    allow=user_group("User.Modify", groups_param="update"),
    example={"userid": "joe@pve", "comment": "changed by an example"},
)
def update(
    call: Call,
    userid: UserId,
    *,
    groups: Groups | None = None,
    append: Annotated[bool, requires("groups"), doc("Add to the present groups instead of replacing them.")]
    | None = None,
    enable: Annotated[bool, doc("Whether the user may log in.")] | None = None,
    expire: Expire | None = None,
    firstname: FirstName | None = None,
    lastname: LastName | None = None,
    email: Email | None = None,
    comment: Comment | None = None,
    keys: Keys | None = None,
) -> None:
    """Change a user."""
    if (enable, expire, keys) != (None, None, None):
        refuse_lesser_hands(call, userid)
    texts = {
        "enable": enable,
        "expire": expire,
        "firstname": firstname,
        "lastname": lastname,
        "email": email,
        "comment": comment,
        "keys": keys,
    }

    def decide(config: UserConfig) -> UserConfig:
        user = need_user(config, userid)
        given = {word: value for word, value in texts.items() if value is not None}
        changed = config.with_user(msgspec.structs.replace(user, **given))
        if groups is None:
            return changed
        need_groups(config, groups)
        wanted = frozenset(groups) | (config.groups_of(userid) if append else frozenset())
        _need_memberships(call, config.groups_of(userid) ^ wanted)
        return changed.with_memberships(userid, wanted)

    change_users(call, decide)


def _need_memberships(call: Call, groups: frozenset[str]) -> None:
    """Leaving a group is a change of it too: one that denies access must not be left by who manages another."""
    if not call.may("/access/groups", "User.Modify"):
        for group in sorted(groups):
            call.need(f"/access/groups/{group}", "User.Modify")


@endpoint(
    "DELETE",
    "/access/users/{userid}",
    allow=all_of(user_param("Realm.AllocateUser"), user_group("User.Modify")),
    example={"userid": "joe@pve"},
)
def delete(call: Call, userid: UserId) -> None:
    """Delete a user with its tokens, memberships and ACL entries."""
    refuse_lesser_hands(call, userid)
    if userid == ROOT_USER:
        raise Error("delete user failed: unable to delete user 'root@pam'")

    def decide(tree: Tree) -> list[Write]:
        config = read_users(tree)
        need_user(config, userid)
        writes = [
            write_users(tree, config.without_user(userid)),
            write_tokens(tree, lambda it: it.without(lambda tokenid: tokenid.startswith(f"{userid}!"))),
        ]
        if realm_of(userid) == "pve":
            writes.append(write_shadow(tree, lambda it: it.without(local_name(userid))))
        return writes

    change(call, decide)


ENDPOINTS = (index, create, read, update, delete)
