"""What is a valid key of a record."""

from __future__ import annotations

from corral.core.errors import ParamError

MAX_KEY = 512
"""Longest key, in bytes of UTF-8."""

MAX_NAME = 255
"""Longest part of a key between slashes, in bytes: a file name's limit, since the tree is also shown as files."""


def fault(key: str) -> str | None:
    """What is wrong with a key, or None.

    Keys are relative paths of printable characters without blanks; no part is empty, `.` or `..`.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "not valid text"
    if not 0 < size <= MAX_KEY:
        return f"length must be between 1 and {MAX_KEY} bytes"
    if not key.isprintable() or " " in key or "\\" in key:
        return "unprintable characters, blanks and backslashes are not allowed"
    for name in key.split("/"):
        if name in {"", ".", ".."}:
            return "parts must not be empty, '.' or '..'"
        if len(name.encode()) > MAX_NAME:
            return f"a part is longer than {MAX_NAME} bytes"
    return None


def check_key(key: str) -> None:
    """Raise `ParamError` for an invalid key."""
    if reason := fault(key):
        raise ParamError({"key": reason}, f"invalid key {key!r}: {reason}")
