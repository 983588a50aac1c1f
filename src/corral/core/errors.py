"""Every error a caller can tell apart: one class per reaction of a caller, never one per cause.

    Error                  500  the message is what the user reads
    ├── ParamError         400  parameters are wrong; `.errors` names each
    ├── Unauthorized       401  no or bad credentials
    ├── Forbidden          403  known, but not allowed
    ├── NotFound           500  the named thing does not exist
    ├── AlreadyExists      500  the named thing exists already
    ├── Conflict           500  what was read has changed since
    ├── Locked             500  something holds the thing
    ├── NoQuorum           500  the store can't take writes now
    ├── TimedOut           500  the outside did not answer in time
    ├── Cancelled          500  the task was asked to stop
    ├── NotImplementedCall 501  no such path or method
    ├── CommandError       500  a program failed; `.cmd .code .stderr`
    └── Unavailable        595  another node or daemon can't be reached

The statuses are those of the Proxmox VE API, whose clients read status and text (there is no 404 and no 409).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class Error(Exception):
    """Base of all errors meant for the user; `str(error)` is the whole message."""

    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message if not hint else f"{message} ({hint})")


class ParamError(Error):
    """Parameters failed validation; `errors` maps each parameter's wire name to its text."""

    status = 400

    def __init__(self, errors: Mapping[str, str], message: str = "Parameter verification failed.") -> None:
        super().__init__(message)
        self.errors: dict[str, str] = dict(errors)


class Unauthorized(Error):
    """No credentials, or credentials that do not hold; answered after a delay."""

    status = 401


class Forbidden(Error):
    """The caller is known but may not do this."""

    status = 403


class NotFound(Error):
    """The named object does not exist (status 500, as clients of the API expect)."""


class AlreadyExists(Error):
    """The named object exists already (status 500)."""


class Conflict(Error):
    """What the caller read has changed since; reading again and retrying is the way out."""


class Locked(Error):
    """Something else holds the thing; the message says who and why."""


class NoQuorum(Error):
    """The store can't take writes now; nothing was written."""


class TimedOut(Error):
    """A thing outside of Corral did not answer within the time it was given."""


class Cancelled(Error):
    """The task was asked to stop."""

    def __init__(self, message: str = "received interrupt") -> None:
        super().__init__(message)


class NotImplementedCall(Error):
    """No such path, or no such method on it."""

    status = 501


class Unavailable(Error):
    """The node or daemon that must answer can't be reached."""

    status = 595


class CommandError(Error):
    """A program ended with a code that its caller does not accept.

    `cmd` is the argument list with secrets masked, `stderr` its error output (last 64 KiB).
    """

    def __init__(self, cmd: Sequence[str], code: int, stderr: str) -> None:
        self.cmd = tuple(cmd)
        self.code = code
        self.stderr = stderr
        tail = stderr.strip().splitlines()
        super().__init__(f"command '{' '.join(cmd)}' failed: " + (tail[-1] if tail else f"exit code {code}"))
