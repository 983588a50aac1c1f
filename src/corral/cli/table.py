"""The command table: what the tools need of the declarations, made once so that no tool imports the API.

It stands beside this module as `table.json`, made by `corral cli-table` when Corral is installed, and is made again in
memory when a source is newer than it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import msgspec

from corral.schema.fields import name
from corral.system.files import atomic_write

FILE = Path(__file__).with_name("table.json")
PACKAGE = Path(__file__).parent.parent


class Option(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One parameter, as help and parsing need it. `count` is the size of a numbered family."""

    name: str
    kind: str = "string"
    required: bool = False
    text: str = ""
    values: tuple[str, ...] = ()
    default: str | None = None
    count: int | None = None
    keys: tuple[str, ...] = ()
    listed: Annotated[bool, name("list")] = False


class CallInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of the API."""

    method: str
    path: str
    text: str
    options: tuple[Option, ...] = ()
    never: str = ""


class Table(msgspec.Struct, frozen=True):
    """All calls, by `METHOD /path`, each still encoded: a tool decodes the one that it needs."""

    calls: dict[str, msgspec.Raw]

    def call(self, pair: str) -> CallInfo:
        """One call; KeyError if there is none of that name."""
        return msgspec.json.decode(self.calls[pair], type=CallInfo)


@cache
def load() -> Table:
    """The table: from its file, or made anew where that is missing or older than a source."""
    try:
        stamp = FILE.stat().st_mtime_ns
        if all(path.stat().st_mtime_ns <= stamp for path in _sources()):
            return msgspec.json.decode(FILE.read_bytes(), type=Table)
    except OSError:
        pass
    return msgspec.json.decode(build(), type=Table)


def write() -> Path:
    """Make the file."""
    atomic_write(FILE, build(), mode=0o644)
    return FILE


def build() -> bytes:
    """The table's text, from the declarations. Imports the whole API."""
    api = import_module("corral.api")
    router = import_module("corral.rest.router").Router(api.endpoints(), api.INDEX_KEYS)
    calls = {made.pair: _call(made) for made in router.endpoints}
    return msgspec.json.encode({"calls": calls})


def _call(made: Any) -> CallInfo:  # Any: an Endpoint, which this module must not import
    return CallInfo(
        method=made.method,
        path=made.path,
        text=made.summary,
        options=tuple(_option(field) for field in made.flat.values()),
        never=made.plan.why if made.plan else "",
    )


def _option(field: Any) -> Option:
    default = field.shown_default
    if default is None and isinstance(field.default, str | int | float):
        default = field.default
    keys = import_module("corral.schema.propstring").fields_by_wire(field.prop) if field.prop else ()
    return Option(
        name=field.wire,
        kind=field.kind,
        required=not field.optional,
        text=field.text,
        values=field.enum,
        default=None if default is None else str(int(default) if isinstance(default, bool) else default),
        count=field.indexes,
        keys=tuple(keys),
        listed=field.listed or field.kind == "array",
    )


def _sources() -> Iterable[Path]:
    for room in ("api", "schema", "guests", "storage", "cli", "access"):
        yield from (PACKAGE / room).rglob("*.py")
