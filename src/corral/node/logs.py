"""The node's logs: systemd's journal where there is one, else the files that daemons write."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from corral.core.errors import NotFound
from corral.system import files
from corral.system.run import ANY, Run

MAX_LINES = 100_000
"""As many lines are looked through at most, the newest."""
MAX_BYTES = 8 * 1024 * 1024
"""As much is read of each file at most, its end."""

_STAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})")
_WHO = re.compile(r"^\S+ \S+ (?P<name>[\w.@-]+?)(?:\[(?P<pid>\d+)\])?:? ")


class Wanted(NamedTuple):
    """Which lines. Times are Unix seconds."""

    since: float | None = None
    until: float | None = None
    service: str = ""
    priority: str = ""
    kernel: bool = False
    last: int | None = None
    after: str = ""
    before: str = ""


class Entry(NamedTuple):
    """A line with its place in the log (`cursor`)."""

    cursor: str
    time: float
    text: str
    unit: str = ""
    identifier: str = ""
    priority: int = 6


class Logs:
    """Reads one node's logs. `directory` holds its daemons' files; `system` are the machine's."""

    def __init__(self, run: Run, directory: Path, system: Sequence[Path] = (), *, journal: bool) -> None:
        self._run = run
        self._directory = directory
        self._system = system
        self._journal = journal

    def entries(self, wanted: Wanted) -> list[Entry]:
        """The wanted entries, oldest first, at most `MAX_LINES`."""
        return self._from_journal(wanted) if self._journal else select(self._from_files(wanted), wanted)

    def names(self, what: str) -> list[str]:
        """All `units` or `identifiers` that wrote something."""
        if self._journal:
            field = "_SYSTEMD_UNIT" if what == "units" else "SYSLOG_IDENTIFIER"
            output = self._run(["journalctl", "-q", "-F", field], timeout=30, ok=ANY)
            return sorted(output.stdout.split("\n"))[1:] if output.stdout else []
        found = {each.unit if what == "units" else each.identifier for each in self._from_files(Wanted())}
        return sorted(found - {""})

    def _from_journal(self, wanted: Wanted) -> list[Entry]:
        output = self._run(["journalctl", *journal_words(wanted)], timeout=60, ok=ANY)
        found = parse_journal(output.stdout.splitlines())
        return found[: _position(found, wanted.before)] if wanted.before else found

    def _from_files(self, wanted: Wanted) -> list[Entry]:
        paths = sorted(self._directory.glob("*.log")) if self._directory.is_dir() else []
        found: list[Entry] = []
        for path in [*paths, *self._system]:
            found += parse_file(path.name.removesuffix(".log"), files.read_tail(path, limit=MAX_BYTES))
        found.sort(key=lambda entry: entry.time)
        return found[-MAX_LINES:]


def journal_words(wanted: Wanted) -> list[str]:
    """journalctl's arguments for some entries."""
    words = ["-q", "--no-pager", "-o", "json", "-n", str(min(wanted.last or MAX_LINES, MAX_LINES))]
    if wanted.since is not None:
        words.append(f"--since=@{wanted.since:.0f}")
    if wanted.until is not None:
        words.append(f"--until=@{wanted.until:.0f}")
    if wanted.service:
        words.append(f"--unit={wanted.service}")
    if wanted.priority:
        words.append(f"--priority={wanted.priority}")
    if wanted.kernel:
        words.append("--dmesg")
    if wanted.after:
        words.append(f"--after-cursor={wanted.after}")
    return words


def parse_journal(lines: Iterable[str]) -> list[Entry]:
    """journalctl's JSON lines; a line that is none is skipped."""
    found = []
    for line in lines:
        try:
            raw = json.loads(line)
            time = int(raw["__REALTIME_TIMESTAMP"]) / 1e6
        except (ValueError, KeyError, TypeError):
            continue
        message = raw.get("MESSAGE") or ""
        if isinstance(message, list):  # bytes that are no text come as numbers
            message = bytes(message).decode("utf-8", "replace")
        identifier = str(raw.get("SYSLOG_IDENTIFIER") or raw.get("_COMM") or "unknown")
        pid = f"[{raw['_PID']}]" if "_PID" in raw else ""
        stamp = dt.datetime.fromtimestamp(time).strftime("%b %d %H:%M:%S")  # noqa: DTZ006 - the node's own time
        found.append(
            Entry(
                cursor=str(raw.get("__CURSOR", "")),
                time=time,
                text=f"{stamp} {raw.get('_HOSTNAME', 'localhost')} {identifier}{pid}: {message}",
                unit=str(raw.get("_SYSTEMD_UNIT", "")),
                identifier=identifier,
                priority=int(raw["PRIORITY"]) if str(raw.get("PRIORITY", "")).isdigit() else 6,
            )
        )
    return found


_LEVELS = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}


def parse_file(name: str, text: str) -> list[Entry]:
    """Lines of a daemon's log; a line without a time belongs to the one before."""
    found: list[Entry] = []
    time = 0.0
    for number, line in enumerate(text.splitlines()):
        match = _STAMP.match(line)
        if match:
            time = dt.datetime.fromisoformat(f"{match[1]}T{match[2]}").timestamp()
        who = _WHO.match(line)
        words = line.split(" ", 4)
        level = next((_LEVELS[word] for word in words[2:4] if word in _LEVELS), 6)
        identifier = who["name"] if match and who else name
        found.append(Entry(f"{name}:{number}:{time:.0f}", time, line, name, identifier, level))
    return found


def select(found: list[Entry], wanted: Wanted) -> list[Entry]:
    """The wanted ones among entries from files."""
    low, _, high = (wanted.priority or "0..7").rpartition("..")
    levels = range(int(low or 0), int(high or 7) + 1)
    start = _position(found, wanted.after) + 1 if wanted.after else 0
    stop = _position(found, wanted.before) if wanted.before else len(found)
    chosen = [
        entry
        for entry in found[start:stop]
        if (wanted.since is None or entry.time >= wanted.since)
        and (wanted.until is None or entry.time <= wanted.until)
        and (not wanted.service or _same(wanted.service, entry))
        and entry.priority in levels
        and not wanted.kernel
    ]
    return chosen[-wanted.last :] if wanted.last else chosen


def _same(service: str, entry: Entry) -> bool:
    return service.removesuffix(".service") in (entry.unit, entry.identifier)


def _position(found: Sequence[Entry], cursor: str) -> int:
    for index, entry in enumerate(found):
        if entry.cursor == cursor:
            return index
    raise NotFound(f"no such cursor '{cursor[:100]}'")
