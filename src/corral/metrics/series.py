"""History of figures in files of fixed size, for `rrddata`: one file per node, guest and storage.

A file is a head and four archives of rows, each archive a ring:

    1 minute x 1 day · 30 minutes x 30 days · 6 hours x 1 year · 1 week x 10 years

A row holds its number (time / step), a checksum, and per column average and maximum. Rows tell by themselves whether
they are valid, so a crash at any moment costs at most the row being written, and nothing needs repair. A coarse row is
worked out from the finer archive when its time is over: nothing is lost by a restart but the minute under way.
"""

from __future__ import annotations

import contextlib
import logging
import math
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from corral.core.clock import Clock
from corral.core.errors import Error, NotFound
from corral.system import files

log = logging.getLogger(__name__)

Kind = Literal["node", "guest", "storage"]
Timeframe = Literal["hour", "day", "week", "month", "year", "decade"]
Consolidation = Literal["AVERAGE", "MAX"]

_PRESSURE = ("pressurecpusome", "pressurecpufull", "pressureiosome", "pressureiofull",
             "pressurememorysome", "pressurememoryfull")  # fmt: skip
COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "node": ("loadavg", "maxcpu", "cpu", "iowait", "memtotal", "memused", "swaptotal", "swapused", "roottotal",
             "rootused", "netin", "netout", "memavailable", "arcsize", *_PRESSURE),
    "guest": ("maxcpu", "cpu", "maxmem", "mem", "maxdisk", "disk", "netin", "netout", "diskread", "diskwrite",
              "memhost", *_PRESSURE),
    "storage": ("total", "used"),
}  # fmt: skip
"""Names of the figures, as the wire has them. Rates are per second. New ones are added at the end only."""


class Archive(NamedTuple):
    """A ring of `rows` rows of `step` seconds."""

    step: int
    rows: int


ARCHIVES = (Archive(60, 1440), Archive(1800, 1440), Archive(21600, 1460), Archive(604800, 570))
_WINDOWS: Mapping[Timeframe, tuple[int, int]] = {
    "hour": (0, 60),
    "day": (0, 1440),
    "week": (1, 336),
    "month": (1, 1440),
    "year": (2, 1460),
    "decade": (3, 570),
}
_MAGIC = b"corral-series-1\n"
_HEAD = 4096
_ROW_HEAD = struct.Struct("<II")
_NAN = float("nan")


class Row(NamedTuple):
    """Average and maximum per column; NaN: not known."""

    average: tuple[float, ...]
    maximum: tuple[float, ...]


class _Layout:
    """Where a kind's rows are in the file."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self.values = struct.Struct(f"<{2 * len(columns)}f")
        self.row = _ROW_HEAD.size + self.values.size
        self.starts = [_HEAD + self.row * sum(archive.rows for archive in ARCHIVES[:index]) for index in range(4)]
        self.size = _HEAD + self.row * sum(archive.rows for archive in ARCHIVES)
        self.head = (_MAGIC + ",".join(columns).encode() + b"\n").ljust(_HEAD, b"\0")

    def offset(self, archive: int, number: int) -> int:
        return self.starts[archive] + number % ARCHIVES[archive].rows * self.row

    def pack(self, number: int, row: Row) -> bytes:
        body = self.values.pack(*map(_float32, row.average), *map(_float32, row.maximum))
        return _ROW_HEAD.pack(number, zlib.crc32(body, number & 0xFFFFFFFF)) + body

    def unpack(self, data: bytes, number: int) -> Row | None:
        """The row if it is there, whole, and of that number."""
        if len(data) != self.row:
            return None
        found, checksum = _ROW_HEAD.unpack_from(data)
        body = data[_ROW_HEAD.size :]
        if found != number or checksum != zlib.crc32(body, number & 0xFFFFFFFF):
            return None
        values = self.values.unpack(body)
        count = len(self.columns)
        return Row(values[:count], values[count:])


class _Minute:
    """What a series has gathered in the minute under way."""

    def __init__(self, number: int, columns: int) -> None:
        self.number = number
        self.sums = [0.0] * columns
        self.counts = [0] * columns
        self.tops = [-math.inf] * columns

    def add(self, values: Sequence[float]) -> None:
        for index, value in enumerate(values):
            if not math.isnan(value):
                self.sums[index] += value
                self.counts[index] += 1
                self.tops[index] = max(self.tops[index], value)

    def row(self) -> Row:
        pairs = list(zip(self.sums, self.counts, strict=True))
        return Row(
            tuple(total / count if count else _NAN for total, count in pairs),
            tuple(top if count else _NAN for top, count in zip(self.tops, self.counts, strict=True)),
        )


class Metrics:
    """The history of everything on this node, below one directory. Thread-safe."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._minutes: dict[tuple[Kind, str], _Minute] = {}
        self._coarse: dict[tuple[Kind, str], tuple[int, ...]] = {}
        self._layouts = {kind: _Layout(columns) for kind, columns in COLUMNS.items()}

    def update(self, kind: Kind, ident: str, values: Mapping[str, float]) -> None:
        """Add a sample taken now. Unknown names are ignored, missing ones are unknown for this sample."""
        number = int(self._clock.now()) // ARCHIVES[0].step
        layout = self._layouts[kind]
        sample = [float(values.get(column, _NAN)) for column in layout.columns]
        with self._lock:
            minute = self._minutes.get((kind, ident))
            if minute is not None and minute.number != number:
                self._flush(kind, ident, minute)
                minute = None
            if minute is None:
                minute = self._minutes[kind, ident] = _Minute(number, len(layout.columns))
            minute.add(sample)

    def flush(self) -> None:
        """Write the minutes under way, before a stop; a later sample of the same minute replaces them."""
        with self._lock:
            for (kind, ident), minute in self._minutes.items():
                self._flush(kind, ident, minute)

    def forget(self, kind: Kind, ident: str) -> None:
        """Drop the history of something that is no more."""
        with self._lock:
            self._minutes.pop((kind, ident), None)
            self._coarse.pop((kind, ident), None)
            files.remove_file(self._path(kind, ident))

    def fetch(
        self, kind: Kind, ident: str, timeframe: Timeframe, cf: Consolidation = "AVERAGE"
    ) -> list[dict[str, float | int]]:
        """Rows of the time frame up to now, oldest first, each with `time`; a row without figures has that alone."""
        layout, (archive, count) = self._layouts[kind], _WINDOWS[timeframe]
        step = ARCHIVES[archive].step
        last = int(self._clock.now()) // step
        wanted = range(last - count + 1, last + 1)
        with self._lock:
            rows = self._read(kind, ident, archive, wanted)
            minute = self._minutes.get((kind, ident))
            if archive == 0 and minute is not None and minute.number in wanted:
                rows[minute.number] = minute.row()
        out = []
        for number in wanted:
            entry: dict[str, float | int] = {"time": number * step}
            if row := rows.get(number):
                figures = row.maximum if cf == "MAX" else row.average
                entry |= {name: _plain(x) for name, x in zip(layout.columns, figures, strict=True) if not math.isnan(x)}
            out.append(entry)
        return out

    def _path(self, kind: Kind, ident: str) -> Path:
        if not ident or "/" in ident or ident.startswith("."):
            raise Error(f"invalid name of a series: '{ident}'")
        return self._directory / kind / ident

    def _flush(self, kind: Kind, ident: str, minute: _Minute) -> None:
        layout, path = self._layouts[kind], self._path(kind, ident)
        pieces = []
        try:
            files.ensure_dir(path.parent, mode=0o750)
            if not self._has_head(path, layout):
                files.remove_file(path)
                pieces.append((0, layout.head))
            pieces.append((layout.offset(0, minute.number), layout.pack(minute.number, minute.row())))
            files.patch(path, pieces, size=layout.size)
            self._consolidate(kind, ident, minute.number)
        except OSError as exc:
            # A full disk must stop no sampler; the figures of this minute are lost.
            log.warning("can't write history of %s '%s': %s", kind, ident, exc.strerror)

    def _has_head(self, path: Path, layout: _Layout) -> bool:
        """Whether the file is one of ours with these columns; one of other columns is begun anew."""
        try:
            with path.open("rb") as file:
                return file.read(_HEAD) == layout.head
        except FileNotFoundError:
            return False

    def _consolidate(self, kind: Kind, ident: str, minute: int) -> None:
        """Write the coarse rows that ended before this minute and are not written yet.

        The first time after a start that means looking at all whose finer rows are still held.
        """
        now = minute * ARCHIVES[0].step
        due = tuple(now // archive.step for archive in ARCHIVES[1:])
        done = self._coarse.get((kind, ident))
        if done == due:
            return
        self._coarse[kind, ident] = due
        layout, path = self._layouts[kind], self._path(kind, ident)
        for archive, last in enumerate(due, start=1):
            share = ARCHIVES[archive].step // ARCHIVES[archive - 1].step
            first = done[archive - 1] if done else max(0, last - ARCHIVES[archive - 1].rows // share)
            if first == last:
                continue
            written = self._read(kind, ident, archive, range(first, last))
            parts = self._read(kind, ident, archive - 1, range(first * share, last * share))
            for number in range(first, last):
                own = [parts[part] for part in range(number * share, (number + 1) * share) if part in parts]
                if own and number not in written:
                    row = layout.pack(number, _merged(own))
                    files.patch(path, [(layout.offset(archive, number), row)], size=layout.size)

    def _read(self, kind: Kind, ident: str, archive: int, wanted: range) -> dict[int, Row]:
        layout = self._layouts[kind]
        rows = {}
        with contextlib.suppress(FileNotFoundError, NotFound), self._path(kind, ident).open("rb") as file:
            if len(wanted) > 1 and file.read(_HEAD) != layout.head:
                return {}
            for number, data in _slots(file, layout, archive, wanted):
                if (row := layout.unpack(data, number)) is not None:
                    rows[number] = row
        return rows


def _slots(file: BinaryIO, layout: _Layout, archive: int, wanted: range) -> Iterator[tuple[int, bytes]]:
    """The raw rows of consecutive numbers, read in at most two pieces of the ring."""
    rows = ARCHIVES[archive].rows
    number = wanted.start
    while number < wanted.stop:
        run = min(wanted.stop - number, rows - number % rows)
        file.seek(layout.offset(archive, number))
        data = file.read(run * layout.row)
        for index in range(run):
            yield number + index, data[index * layout.row : (index + 1) * layout.row]
        number += run


def _merged(rows: Sequence[Row]) -> Row:
    """The average of averages and the highest maximum, column by column, of what is known."""
    averages, maxima = [], []
    for column in range(len(rows[0].average)):
        known = [row.average[column] for row in rows if not math.isnan(row.average[column])]
        tops = [row.maximum[column] for row in rows if not math.isnan(row.maximum[column])]
        averages.append(sum(known) / len(known) if known else _NAN)
        maxima.append(max(tops) if tops else _NAN)
    return Row(tuple(averages), tuple(maxima))


def _float32(value: float) -> float:
    return value if abs(value) < 3.4e38 else _NAN


def _plain(value: float) -> float | int:
    """A stored figure without the digits that a 32-bit number does not have; large ones are whole, and exact powers
    of two (sizes of memory) stay exact."""
    if abs(value) >= 1 << 24:
        return int(value)
    rounded = float(f"{value:.8g}")
    return int(rounded) if rounded.is_integer() else rounded
