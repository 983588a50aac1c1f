"""`/access/users/{userid}/token`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from corral.access.records import Token, UserConfig
from corral.api.access.edit import (
    change,
    need_user,
    read_users,
    refuse_lesser_hands,
    write_tokens,
    write_users,
)
from corral.api.access.types import ChangedToken, NewToken, TokenId, TokenRow, TokenSettings
from corral.app import Call
from corral.core.errors import NotFound, ParamError
from corral.rest import any_of, endpoint, user_group, user_param
from corral.schema import formats
from corral.schema.fields import between, doc, length
from corral.schema.types import UserId
from corral.store.base import Tree, Write

_ALLOW = any_of(user_param("self"), user_group("User.Modify"))
_PATH = "/access/users/{userid}/token/{tokenid}"
_REMOVABLE = ("comment", "expire", "privsep")

_Comment = Annotated[str, length(0, 2048), doc("Description.")]
_Expire = Annotated[
    int, between(0, 253402300799), doc("When the token ends, in seconds since the epoch; 0: with its user.", default=0)
]
_Privsep = Annotated[bool, doc("Give only what the token's own ACL entries say (1), or all its user has (0).")]


@endpoint("GET", "/access/users/{userid}/token", allow=_ALLOW)
def index(call: Call, userid: UserId) -> list[TokenRow]:
    """List a user's API tokens."""
    config = call.app.access.users
    need_user(config, userid)
    return [
        TokenRow(tokenid=it.name, expire=it.expire, privsep=it.privsep, comment=it.comment or None)
        for it in config.tokens_of(userid)
    ]


@endpoint("GET", _PATH, allow=_ALLOW)
def read(call: Call, userid: UserId, tokenid: TokenId) -> TokenSettings:
    """Get a token's settings."""
    return _settings(_need_token(call.app.access.users, userid, tokenid))


@endpoint("POST", _PATH, allow=_ALLOW, example={"userid": "joe@pve", "tokenid": "newtoken", "comment": "for CI"})
def create(
    call: Call,
    userid: UserId,
    tokenid: TokenId,
    *,
    comment: _Comment = "",
    expire: _Expire = 0,
    privsep: _Privsep = True,
) -> NewToken:
    """Make an API token. Its secret is in the answer and nowhere else."""
    refuse_lesser_hands(call, userid)
    token = Token(id=f"{userid}!{tokenid}", comment=comment, expire=expire, privsep=privsep)
    secret = call.draws.uuid("secret")

    def decide(tree: Tree) -> list[Write]:
        config = read_users(tree)
        need_user(config, userid)
        if token.id in config.tokens:
            raise ParamError({"tokenid": "Token already exists."})
        return [
            write_users(tree, config.with_token(token)),
            write_tokens(tree, lambda it: it.with_secret(token.id, secret)),
        ]

    change(call, decide)
    return NewToken(full_tokenid=token.id, value=secret, info=_settings(token))


@endpoint("PUT", _PATH, allow=_ALLOW, example={"userid": "joe@pve", "tokenid": "ci", "comment": "changed"})
def update(
    call: Call,
    userid: UserId,
    tokenid: TokenId,
    *,
    comment: _Comment | None = None,
    expire: _Expire | None = None,
    privsep: _Privsep | None = None,
    regenerate: Annotated[bool, doc("Make a new secret; the old one ends at once.")] = False,
    delete: Annotated[tuple[Annotated[str, formats.CONFIG_ID], ...], doc("A list of settings to reset.")] | None = None,
) -> ChangedToken:
    """Change a token's settings."""
    refuse_lesser_hands(call, userid)
    given = {"comment": comment, "expire": expire, "privsep": privsep}
    changes = {word: value for word, value in given.items() if value is not None}
    for word in delete or ():
        if word not in _REMOVABLE or word in changes:
            why = "is set too" if word in changes else "can't be deleted"
            raise ParamError({"delete": f"option '{word}' {why}"})
        changes[word] = getattr(Token(id=""), word)
    secret = call.draws.uuid("secret") if regenerate else None
    full = f"{userid}!{tokenid}"
    made: list[Token] = []

    def decide(tree: Tree) -> list[Write]:
        config = read_users(tree)
        token = msgspec.structs.replace(_need_token(config, userid, tokenid), **changes)
        made[:] = [token]
        writes = [write_users(tree, config.with_token(token))]
        if secret is not None:
            writes.append(write_tokens(tree, lambda it: it.with_secret(full, secret)))
        return writes

    change(call, decide)
    settings = _settings(made[0])
    return ChangedToken(
        expire=settings.expire,
        privsep=settings.privsep,
        comment=settings.comment,
        full_tokenid=full if regenerate else None,
        value=secret,
    )


@endpoint("DELETE", _PATH, allow=_ALLOW, example={"userid": "joe@pve", "tokenid": "ci"})
def delete(call: Call, userid: UserId, tokenid: TokenId) -> None:
    """Delete a token and its ACL entries."""
    refuse_lesser_hands(call, userid)
    full = f"{userid}!{tokenid}"

    def decide(tree: Tree) -> list[Write]:
        config = read_users(tree)
        _need_token(config, userid, tokenid)
        return [
            write_users(tree, config.without_token(full)),
            write_tokens(tree, lambda it: it.without(lambda known: known == full)),
        ]

    change(call, decide)


def _need_token(config: UserConfig, userid: str, tokenid: str) -> Token:
    need_user(config, userid)
    token = config.tokens.get(f"{userid}!{tokenid}")
    if token is None:
        raise NotFound(f"no such token '{tokenid}' for user '{userid}'")
    return token


def _settings(token: Token) -> TokenSettings:
    return TokenSettings(expire=token.expire, privsep=token.privsep, comment=token.comment or None)


ENDPOINTS = (index, read, create, update, delete)
