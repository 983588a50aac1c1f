"""Names of users, tokens, groups and realms, and the subjects of an ACL, told apart without doubt.

A user is `name@realm`, a token `name@realm!token`, a group as a subject `@group`. Names are stricter than the wire's
grammar where a looser one could be read as something else: lists in `user.cfg` are separated by commas, so a user
called `x,root@pam` would be two members of a group; a `!` would make a user look like a token.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from corral.core.identity import Identity

ROOT_USER: Final = "root@pam"

_REALM = r"[A-Za-z][A-Za-z0-9.\-_]+"
_USER = rf"[^\s:/,;!]+@{_REALM}"
_TOKEN = r"[A-Za-z][A-Za-z0-9.\-_]+"  # noqa: S105 (a pattern)
_NAME = r"[A-Za-z0-9.\-_]+"

_USERID = re.compile(_USER)
_TOKENID = re.compile(rf"(?P<user>{_USER})!(?P<token>{_TOKEN})")
_PLAIN = re.compile(_NAME)
_POOLID = re.compile(rf"{_NAME}(?:/{_NAME}){{0,2}}")

SubjectKind = Literal["user", "group", "token"]


def is_userid(text: str) -> bool:
    """Whether this can be a user."""
    return len(text) <= 64 and _USERID.fullmatch(text) is not None and text.isprintable()


def is_tokenid(text: str) -> bool:
    """Whether this can be a full token id."""
    match = _TOKENID.fullmatch(text)
    return match is not None and is_userid(match["user"])


def is_name(text: str) -> bool:
    """Whether this can be a group or a role."""
    return _PLAIN.fullmatch(text) is not None


def is_poolid(text: str) -> bool:
    """Whether this can be a pool: up to three levels."""
    return _POOLID.fullmatch(text) is not None


def identity(text: str) -> Identity | None:
    """The user or token that a text names, or None."""
    if is_userid(text):
        return Identity(text)
    match = _TOKENID.fullmatch(text)
    if match and is_userid(match["user"]):
        return Identity(match["user"], match["token"])
    return None


def realm_of(userid: str) -> str:
    """The realm of a user: what follows the last `@`."""
    return userid.rpartition("@")[2]


def local_name(userid: str) -> str:
    """The user's name within its realm."""
    return userid.rpartition("@")[0]


def subject_kind(subject: str) -> SubjectKind | None:
    """What the subject of an ACL entry is; None if it is nothing."""
    if subject.startswith("@") and is_name(subject[1:]):
        return "group"
    if is_userid(subject):
        return "user"
    return "token" if is_tokenid(subject) else None
