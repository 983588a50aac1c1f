"""How a task ended, as a value that crosses from the worker to whoever waits: a result, or an error with its class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from corral.core.errors import Error
from corral.core.secret import Secret


def _plain(value: Any) -> Any:  # Any: msgspec hands over whatever it can't encode itself
    if isinstance(value, Secret):
        return value.reveal()  # journals are root's, 0600: the worker needs the secret itself
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"{type(value).__name__} can't cross to a worker")


def _rich(kind: type, value: Any) -> Any:  # Any: as above
    if kind is Secret or issubclass(kind, Path):
        return kind(value)
    raise NotImplementedError(f"{kind.__name__} can't cross to a worker")


encoder = msgspec.json.Encoder(enc_hook=_plain)
"""Encodes arguments, undo steps and results; secrets are written as they are."""


def decode(data: bytes | msgspec.Raw, kind: Any) -> Any:  # Any: a type, or a union of types
    """The inverse of `encoder.encode` for a value of type `kind`."""
    return msgspec.json.decode(data, type=kind, dec_hook=_rich)


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as journalled: class name, message and attributes (`errors` of a ParamError, `stderr` of a command)."""

    kind: str
    message: str
    attributes: dict[str, Any] = {}  # Any: whatever JSON value an error carries

    @classmethod
    def of(cls, error: BaseException) -> Fault:
        """Describe an error. One that is not meant for users becomes a plain `Error` that says it is internal."""
        if isinstance(error, OSError) and error.strerror:
            where = f"'{error.filename}' - " if error.filename else ""
            return cls(kind="Error", message=f"{where}{error.strerror}")
        if not isinstance(error, Error):
            return cls(kind="Error", message=f"internal error - {type(error).__name__}: {error}".rstrip(": "))
        try:
            attributes = msgspec.to_builtins(vars(error), enc_hook=_shown, str_keys=True)
        except (TypeError, ValueError, NotImplementedError):
            attributes = {}
        return cls(kind=type(error).__name__, message=str(error), attributes=attributes)

    def restore(self) -> Error:
        """The error again, of its class (the nearest known: `Error`), with message and attributes."""
        kind = next((kind for kind in _kinds() if kind.__name__ == self.kind), Error)
        error = kind.__new__(kind)
        Exception.__init__(error, self.message)
        for name, value in self.attributes.items():
            setattr(error, name, value)
        return error


def _shown(value: Any) -> Any:  # Any: as above
    if isinstance(value, Path | Secret):
        return str(value)
    raise NotImplementedError


def _kinds(kind: type[Error] = Error) -> Iterator[type[Error]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The end of a task. `status` is what lists show; `result` is JSON, `null` if the act answered nothing."""

    status: str
    fault: Fault | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def ok(self) -> bool:
        """Whether it succeeded, warnings or not."""
        return self.fault is None

    @classmethod
    def success(cls, result: Any, warnings: int) -> Outcome:  # Any: a JSON value or a Struct
        """The act has returned."""
        status = f"WARNINGS: {warnings}" if warnings else "OK"
        return cls(status=status, result=msgspec.Raw(encoder.encode(result)))

    @classmethod
    def failure(cls, error: BaseException) -> Outcome:
        """The act has raised."""
        fault = Fault.of(error)
        return cls(status=one_line(fault.message), fault=fault)

    @property
    def closing_line(self) -> str:
        """The last line of the task's log."""
        if self.fault is not None:
            return f"TASK ERROR: {self.status}"
        return "TASK OK" if self.status == "OK" else f"TASK {self.status}"

    def value(self) -> Any:  # Any: the JSON value of the act
        """The result of an awaited task, or its error raised."""
        if self.fault is not None:
            raise self.fault.restore()
        return msgspec.json.decode(self.result)


def one_line(text: str) -> str:
    """An error's text as it stands in the index and in the closing line; never empty."""
    return " ".join(text.split()) or "unknown error"
