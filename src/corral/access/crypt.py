"""Passwords hashed by the system's libcrypt: the `$5$`, `$6$` and `$y$` of imported files."""

from __future__ import annotations

import ctypes
import hmac
from typing import Any, Final

from corral.core.errors import Error

_LIBRARIES: Final = ("libcrypt.so.1", "libcrypt.so.2")
_DATA_SIZE: Final = 32768
"""Size of `struct crypt_data` in libxcrypt; it clears and uses all of it."""

_SCHEMES: Final = ("$5$", "$6$", "$y$")


def is_crypt(digest: str) -> bool:
    """Whether this is a hash of one of the schemes that are still thought good enough to compare with."""
    return digest.startswith(_SCHEMES)


def matches(digest: str, password: str) -> bool:
    """Whether this is the hash of that password. `Error` without libcrypt."""
    if "\0" in password or not is_crypt(digest) or not digest.isascii():
        return False
    data = ctypes.create_string_buffer(_DATA_SIZE)
    made: bytes | None = _crypt()(password.encode(), digest.encode(), data)
    # A failure is told by a text that starts with `*`, which no hash does.
    return made is not None and not made.startswith(b"*") and hmac.compare_digest(made, digest.encode())


def _crypt() -> Any:  # Any: a function of a C library
    for name in _LIBRARIES:
        try:
            function = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):
            continue
        function.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)
        function.restype = ctypes.c_char_p
        return function
    raise Error("libcrypt is not installed on this node (package libcrypt1)")
