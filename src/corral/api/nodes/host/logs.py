"""`/nodes/{node}/syslog` and `/nodes/{node}/journal`."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Annotated

import msgspec

from corral.api import shapes
from corral.app import Call
from corral.core.errors import ParamError
from corral.node import timezone
from corral.node.logs import Entry, Wanted
from corral.rest import endpoint, need
from corral.rest.results import Listing
from corral.schema import between, doc, length, pattern
from corral.schema.types import NodeName

_ALLOW = need("/nodes/{node}", "Sys.Syslog")
_MOMENT = r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?"

Service = Annotated[str, length(0, 128), pattern(r"[A-Za-z0-9_.@:*?!\[\]/-]+"), doc("Only what this service wrote.")]
Time = Annotated[int, between(0), doc("In Unix seconds.")]
Cursor = Annotated[str, length(0, 4096), pattern(r"[\x21-\x7e]+"), doc("A place in the journal.")]


@endpoint("GET", "/nodes/{node}/syslog", allow=_ALLOW, runs="node", root=True)
def syslog(
    call: Call,
    node: NodeName,
    *,
    start: Annotated[int, between(0), doc("Leave out that many lines.")] = 0,
    limit: Annotated[int, between(0), doc("At most that many lines; 0 is all.")] = 50,
    since: Annotated[str, pattern(_MOMENT), doc("Only lines at or after this local time.")] | None = None,
    until: Annotated[str, pattern(_MOMENT), doc("Only lines at or before this local time.")] | None = None,
    service: Service | None = None,
) -> shapes.LogLines:
    """Read the system log."""
    zone = timezone.read(call.app.layout.root)
    wanted = Wanted(since=_moment("since", since, zone), until=_moment("until", until, zone), service=service or "")
    entries = call.app.host.logs.entries(wanted)
    stop = start + limit if limit else len(entries)
    rows = [{"n": n, "t": entry.text} for n, entry in enumerate(entries[start:stop], start=start + 1)]
    return Listing(rows, total=len(entries))  # type: ignore[return-value]  # the rows, with what stands beside them


def _moment(name: str, text: str | None, zone: str) -> float | None:
    if text is None:
        return None
    try:
        return dt.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone)).timestamp()
    except (ValueError, zoneinfo.ZoneInfoNotFoundError) as exc:
        raise ParamError({name: f"no such time: {text}"}) from exc


@endpoint("GET", "/nodes/{node}/journal", allow=_ALLOW, runs="node", root=True)
def journal(
    call: Call,
    node: NodeName,
    *,
    since: Time | None = None,
    until: Time | None = None,
    lastentries: Annotated[int, between(0), doc("Only that many of the last lines.")] | None = None,
    startcursor: Cursor | None = None,
    endcursor: Cursor | None = None,
    service: Service | None = None,
    unit: Annotated[str, length(0, 256), pattern(r"[A-Za-z0-9_.@:-]+"), doc("Only lines of this unit.")] | None = None,
    priority: Annotated[str, pattern(r"([0-7](\.\.[0-7])?)?"), doc("Only these levels, as `3` or `0..4`.")]
    | None = None,
    kernel: Annotated[bool, doc("Only the kernel's lines.")] = False,
    structured: Annotated[bool, doc("Answer each line as a JSON text.")] = False,
    units: Annotated[bool, doc("Answer the names of the units that wrote something.")] = False,
    identifiers: Annotated[bool, doc("Answer the names of the programs that wrote something.")] = False,
) -> list[str]:
    """Read the journal: a cursor, the lines, a cursor."""
    logs = call.app.host.logs
    if units or identifiers:
        return logs.names("units" if units else "identifiers")
    wanted = Wanted(
        since=since,
        until=until,
        service=unit or service or "",
        priority=priority or "",
        kernel=kernel,
        last=lastentries,
        after=startcursor or "",
        before=endcursor or "",
    )
    entries = logs.entries(wanted)
    if structured:
        return [_structured(entry) for entry in entries]
    if not entries:
        return [startcursor, startcursor] if startcursor else []
    return [entries[0].cursor, *(entry.text for entry in entries), entries[-1].cursor]


def _structured(entry: Entry) -> str:
    return msgspec.json.encode(entry._asdict()).decode()


ENDPOINTS = (syslog, journal)
