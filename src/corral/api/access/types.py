"""Field types of `/access` and what its calls answer."""

from __future__ import annotations

from typing import Annotated

import msgspec

from corral.schema import formats
from corral.schema.fields import allow_empty, between, doc, length, name, pattern

Groups = Annotated[tuple[Annotated[str, formats.GROUPID], ...], doc("A list of groups.")]
Privileges = Annotated[tuple[Annotated[str, formats.PRIV], ...], doc("A list of privileges.")]
TokenId = Annotated[
    str, pattern(r"[A-Za-z][A-Za-z0-9.\-_]+"), length(2, 128), doc("The token's name, unique for its user.")
]
Comment = Annotated[str, length(0, 2048), doc("Description.")]
Expire = Annotated[
    int, between(0, 253402300799), doc("When the account ends, in seconds since the epoch; 0 for never.", default=0)
]
FirstName = Annotated[str, length(0, 1024), doc("First name.")]
LastName = Annotated[str, length(0, 1024), doc("Last name.")]
Email = Annotated[str, formats.EMAIL, allow_empty, length(0, 254), doc("E-mail address; empty for none.")]
Keys = Annotated[str, pattern(r"[0-9a-zA-Z!=]{0,4096}"), doc("Keys of a Yubico or OATH second factor.")]


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A token, without its secret."""

    tokenid: str
    expire: int
    privsep: bool
    comment: str | None = None


class TokenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A token's settings."""

    expire: int
    privsep: bool
    comment: str | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was just made: the only time that its secret is shown."""

    full_tokenid: Annotated[str, name("full-tokenid")]
    value: str
    info: TokenSettings


class ChangedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token's settings after a change, with the new secret if there is one."""

    expire: int
    privsep: bool
    comment: str | None = None
    full_tokenid: Annotated[str | None, name("full-tokenid")] = None
    value: str | None = None


class UserDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A user."""

    enable: bool
    expire: int
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    comment: str | None = None
    keys: str | None = None
    groups: list[str] = []
    tokens: dict[str, TokenSettings] | None = None


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    """A user in a list; `groups` and `tokens` with `full` only."""

    userid: str
    enable: bool
    expire: int
    realm_type: Annotated[str | None, name("realm-type")] = None
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    comment: str | None = None
    keys: str | None = None
    groups: str | None = None
    tokens: list[TokenRow] | None = None
