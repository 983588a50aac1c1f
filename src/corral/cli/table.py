"""The command table: what the tools need of the declarations, made once so that no tool imports the API.

It stands beside this module as `table.json`: one line for each call, its name, a tab, and its parameters as JSON. It is
made by `corral cli-table` when Corral is installed, and made anew when a source is newer than it. Reading it costs a
tool a millisecond; the libraries that make it would cost a hundred.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("table.json")
PACKAGE = Path(__file__).parent.parent


class Option(NamedTuple):
    """One parameter, as help and parsing need it. `indexes` is the size of a numbered family."""

    name: str
    kind: str = "string"
    required: bool = False
    text: str = ""
    values: tuple[str, ...] = ()
    default: str | None = None
    indexes: int | None = None
    keys: tuple[str, ...] = ()
    listed: bool = False


class CallInfo(NamedTuple):
    """One call of the API. `never` says why it can't be planned; empty where it can."""

    method: str
    path: str
    text: str
    options: tuple[Option, ...] = ()
    never: str = ""

    def option(self, name: str) -> Option | None:
        """The parameter of that name, if there is one."""
        return next((option for option in self.options if option.name == name), None)


class Table:
    """All calls, by `METHOD /path`, each still encoded: a tool decodes the one that it needs."""

    def __init__(self, text: bytes) -> None:
        self._calls: Mapping[str, bytes] = {
            name.decode(): rest for name, _, rest in (line.partition(b"\t") for line in text.splitlines())
        }

    @property
    def pairs(self) -> list[str]:
        """The names of all calls."""
        return list(self._calls)

    def call(self, pair: str) -> CallInfo:
        """One call; KeyError if there is none of that name."""
        fields: dict[str, Any] = json.loads(self._calls[pair])
        options = (
            Option(**{**each, "values": tuple(each.get("values", ())), "keys": tuple(each.get("keys", ()))})
            for each in fields.pop("options")
        )
        method, _, path = pair.partition(" ")
        return CallInfo(method=method, path=path, options=tuple(options), **fields)


@cache
def load() -> Table:
    """The table: from its file, or made anew where that is missing or older than a source."""
    try:
        if newest(PACKAGE) <= FILE.stat().st_mtime_ns:
            return Table(FILE.read_bytes())
    except OSError:
        pass
    made: bytes = import_module("corral.cli.builder").renew()
    return Table(made)


def newest(directory: Path | str) -> int:
    """The time of the newest source below a directory, in nanoseconds."""
    latest = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                latest = max(latest, entry.stat().st_mtime_ns)
            elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir(follow_symlinks=False):
                latest = max(latest, newest(entry.path))
    return latest
