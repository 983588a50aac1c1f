"""What a handler may answer beside plain values, and how answers become what the wire carries."""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from corral.core.secret import Secret
from corral.schema.fields import Name


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows with what stands beside them on the wire: `total` (left out when 0) and `changes`."""

    rows: Any
    total: int | None = None
    changes: str | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """A JSON text that is ready as it is: for lists kept encoded."""

    json: bytes


@dataclass(frozen=True, slots=True)
class Download:
    """A file to be streamed."""

    path: Path
    filename: str
    content_type: str = "application/octet-stream"


class Frame(NamedTuple):
    """One server-sent event; `id` is empty where nothing can be resumed from it."""

    event: str
    id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Events:
    """A stream of server-sent events. `subscribe` is called with a function that takes frames (from any thread, never
    blocking) and answers the function that ends the subscription."""

    subscribe: Callable[[Callable[[Frame], None]], Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Console:
    """A WebSocket that is relayed, byte by byte, to the Unix socket `path` of a console session."""

    path: Path


@dataclass(frozen=True, slots=True)
class Shaped:
    """Mark of a return annotation: the answer looks like `like`, where the handler's own types don't tell it."""

    like: Any


@dataclass(frozen=True, slots=True)
class Configured:
    """Mark of a return annotation: the options of a record by name, with the record's digest and texts named `also`."""

    options: type[msgspec.Struct]
    also: tuple[str, ...] = ()


def to_wire(value: Any) -> Any:
    """Plain JSON values in the API's manner: booleans are 0 and 1, unset attributes are left out, names are the wire's.

    Structs use the `Name` marks of their annotations. Secrets print masked.
    """
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, str | int | float | msgspec.Raw):
        return value if not isinstance(value, str) or type(value) is str else str(value)
    if isinstance(value, dict):
        return {str(key): to_wire(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_wire(item) for item in value]
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, msgspec.Struct):
        names = wire_names(type(value))
        pairs = ((wire, getattr(value, attr)) for attr, wire in names)
        return {wire: to_wire(item) for wire, item in pairs if item is not None}
    return str(value)


_NAMES: dict[type, tuple[tuple[str, str], ...]] = {}


def wire_names(cls: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """(attribute, wire name) of a Struct's fields; computed once a class."""
    if cls not in _NAMES:
        hints = typing.get_type_hints(cls, include_extras=True)
        pairs = []
        for info in msgspec.structs.fields(cls):
            marks = getattr(hints[info.name], "__metadata__", ())
            wire = next((mark.wire for mark in marks if isinstance(mark, Name)), info.encode_name)
            pairs.append((info.name, wire))
        _NAMES[cls] = tuple(pairs)
    return _NAMES[cls]
