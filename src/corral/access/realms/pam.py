"""Realm `pam`: the machine's own users, asked through libpam.

The service is `corral`; where `/etc/pam.d/corral` is missing, libpam takes `other`. Only root may check the passwords
of other users, so this works in `corrald` only.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, ClassVar, Final, Protocol

from corral.access.realms.base import RealmConfig
from corral.core.errors import Error, TimedOut
from corral.core.secret import Secret

log = logging.getLogger(__name__)

SERVICE: Final = "corral"
_AT_ONCE: Final = 4
_PATIENCE: Final = 10.0
_NOBODY: Final = "corral-no-such-user"

_SUCCESS, _CONV_ERROR, _BUF_ERROR = 0, 19, 5
_PROMPT_ECHO_OFF, _PROMPT_ECHO_ON = 1, 2
_SILENT, _DISALLOW_NULL_AUTHTOK = 0x8000, 0x0001
_RHOST = 4


class Conversation(Protocol):
    """Asks PAM whether a name and a password belong together; True for yes. Blocks about 2 s after a failure."""

    def __call__(self, name: str, password: str, address: str) -> bool:
        """Ask."""
        ...


class PamConfig(RealmConfig, frozen=True, kw_only=True, tag="pam"):
    """Settings of the realm `pam`."""


class Pam:
    """Users of this machine."""

    kind: ClassVar[str] = "pam"
    config: ClassVar[type[RealmConfig]] = PamConfig
    builtin: ClassVar[str] = "pam"
    comment: ClassVar[str] = "Linux PAM standard authentication"

    def __init__(self, ask: Conversation | None = None) -> None:
        self._ask = ask or LibPam()
        # A PAM module may hang on a directory server: such log-ins must not take every thread.
        self._slots = threading.BoundedSemaphore(_AT_ONCE)

    def authenticate(self, name: str, password: Secret, address: str, *, known: bool) -> bool:
        """Ask PAM. For a user unknown here it is asked about nobody: same time, and no oracle for system accounts."""
        if not known:
            # Only while nobody who may be real waits: made-up names must not keep others from logging in.
            if self._slots.acquire(blocking=False):
                with _released(self._slots):
                    self._ask(_NOBODY, "", address)
            return False
        if not self._slots.acquire(timeout=_PATIENCE):
            raise TimedOut("too many log-ins wait for PAM")
        with _released(self._slots):
            return self._ask(name, password.reveal(), address)

    def hash(self, password: Secret, salt: bytes) -> str:
        """PAM keeps its own passwords."""
        raise Error("can't set the password of a user in realm 'pam' here: run 'passwd' on the node")

    def outdated(self, name: str) -> bool:
        """Never: nothing is kept here."""
        return False


@contextmanager
def _released(slots: threading.Semaphore) -> Iterator[None]:
    try:
        yield
    finally:
        slots.release()


class _Message(ctypes.Structure):
    _fields_ = (("style", ctypes.c_int), ("text", ctypes.c_char_p))


class _Response(ctypes.Structure):
    _fields_ = (("text", ctypes.c_void_p), ("code", ctypes.c_int))


_CONVERSE = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(_Message)),
    ctypes.POINTER(ctypes.c_void_p),
    ctypes.c_void_p,
)


class _Conv(ctypes.Structure):
    _fields_ = (("converse", _CONVERSE), ("data", ctypes.c_void_p))


class LibPam:
    """The real `Conversation`. `directory` holds the services' files where that is not `/etc/pam.d`."""

    def __init__(self, service: str = SERVICE, directory: str | None = None) -> None:
        self._service = service
        self._directory = directory

    @cached_property
    def _libs(self) -> tuple[Any, Any]:  # Any: ctypes types its functions at run time
        name = ctypes.util.find_library("pam") or "libpam.so.0"
        try:
            pam, libc = ctypes.CDLL(name), ctypes.CDLL(None)
        except OSError as exc:
            raise Error("PAM is not installed on this node (package libpam0g)") from exc
        handle = ctypes.c_void_p
        start = (ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(_Conv))
        pam.pam_start.argtypes = (*start, ctypes.POINTER(handle))
        pam.pam_start_confdir.argtypes = (*start, ctypes.c_char_p, ctypes.POINTER(handle))
        pam.pam_set_item.argtypes = (handle, ctypes.c_int, ctypes.c_char_p)
        pam.pam_authenticate.argtypes = pam.pam_acct_mgmt.argtypes = (handle, ctypes.c_int)
        pam.pam_end.argtypes = (handle, ctypes.c_int)
        pam.pam_strerror.argtypes, pam.pam_strerror.restype = (handle, ctypes.c_int), ctypes.c_char_p
        libc.calloc.argtypes, libc.calloc.restype = (ctypes.c_size_t, ctypes.c_size_t), ctypes.c_void_p
        libc.strdup.argtypes, libc.strdup.restype = (ctypes.c_char_p,), ctypes.c_void_p
        return pam, libc

    def __call__(self, name: str, password: str, address: str) -> bool:
        """Authenticate, then ask whether the account may be used."""
        if "\0" in name or "\0" in password:
            return False
        pam, libc = self._libs
        converse = _CONVERSE(_answering(libc, password))
        conv = _Conv(converse, None)
        handle = ctypes.c_void_p()
        begin = (self._service.encode(), name.encode(), ctypes.byref(conv))
        if self._directory is None:
            code = pam.pam_start(*begin, ctypes.byref(handle))
        else:
            code = pam.pam_start_confdir(*begin, self._directory.encode(), ctypes.byref(handle))
        if code != _SUCCESS:
            raise Error(f"PAM can't be started (code {code})")
        try:
            if address:
                pam.pam_set_item(handle, _RHOST, address.encode())
            code = pam.pam_authenticate(handle, _SILENT | _DISALLOW_NULL_AUTHTOK)
            if code == _SUCCESS:
                code = pam.pam_acct_mgmt(handle, _SILENT | _DISALLOW_NULL_AUTHTOK)
            if code != _SUCCESS:
                text = (pam.pam_strerror(handle, code) or b"").decode(errors="replace")
                log.info("PAM refused user %s: %s", name, text)
            return bool(code == _SUCCESS)
        finally:
            pam.pam_end(handle, code)


def _answering(libc: Any, password: str) -> Any:  # Any: see `_libs`
    """A conversation that answers every hidden prompt with the password. libpam frees what it is given."""

    def converse(count: int, messages: Any, answer: Any, _data: Any) -> int:
        if not 0 < count <= 32:
            return _CONV_ERROR
        memory = libc.calloc(count, ctypes.sizeof(_Response))
        if not memory:
            return _BUF_ERROR
        responses = ctypes.cast(memory, ctypes.POINTER(_Response))
        for index in range(count):
            style = messages[index].contents.style
            if style == _PROMPT_ECHO_OFF:
                responses[index].text = libc.strdup(password.encode())
            elif style == _PROMPT_ECHO_ON:
                responses[index].text = libc.strdup(b"")
        answer[0] = memory
        return _SUCCESS

    return converse
