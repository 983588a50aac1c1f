"""Makes the command table from the declarations. Imports the whole API, which no tool does in everyday use."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from corral import __version__, api
from corral.cli.table import FILE, PACKAGE, newest
from corral.rest import export
from corral.rest import openapi as document
from corral.rest.endpoint import Endpoint
from corral.rest.router import Router
from corral.schema.fields import Field
from corral.schema.propstring import fields_by_wire
from corral.system.files import atomic_write


def renew() -> bytes:
    """The table's text; its file is renewed if that is possible, and left as it is on a read-only file system."""
    with contextlib.suppress(OSError):
        return write()
    return build()


def write() -> bytes:
    """Make the file; answers its text."""
    # A source that changes meanwhile is newer than this, so the table will be made again.
    stamp, text = newest(PACKAGE), build()
    atomic_write(FILE, text, mode=0o644)
    os.utime(FILE, ns=(stamp, stamp))
    return text


def build() -> bytes:
    """The table's text: all calls in the order of their names."""
    lines = (f"{made.pair}\t{json.dumps(_call(made), separators=(',', ':'))}\n" for made in endpoints())
    return "".join(sorted(lines)).encode()


def endpoints() -> list[Endpoint]:
    """Every call, indexes included."""
    return list(Router(api.endpoints(), api.INDEX_KEYS).endpoints)


def api_schema() -> list[dict[str, Any]]:
    """All calls in the yardstick's shape."""
    return export.api_schema(endpoints())


def openapi() -> dict[str, Any]:
    """All calls as OpenAPI 3.1."""
    return document.openapi(endpoints(), __version__)


def unplannable() -> list[tuple[str, str]]:
    """The changing calls that can't be planned, each with the reason."""
    return [(made.pair, made.plan.why) for made in endpoints() if made.changes and made.plan is not None]


def _call(made: Endpoint) -> dict[str, Any]:
    return {
        "text": made.summary,
        "options": [_option(field) for field in made.flat.values()],
        "never": made.plan.why if made.plan else "",
    }


def _option(field: Field) -> dict[str, Any]:
    default = field.shown_default
    if default is None and isinstance(field.default, str | int | float):
        default = field.default
    option = {
        "name": field.wire,
        "kind": field.kind,
        "required": not field.optional,
        "text": field.text,
        "values": list(field.enum),
        "default": None if default is None else str(int(default) if isinstance(default, bool) else default),
        "indexes": field.indexes,
        "keys": list(fields_by_wire(field.prop)) if field.prop else [],
        "listed": field.listed or field.kind == "array",
    }
    return {key: value for key, value in option.items() if value}
