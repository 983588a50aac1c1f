"""Figures, ours beside a peer's: `./dev bench [NAME…]`.

Each module here with a function `measure() -> Iterator[Row]` is one bench, named like its file.
Figures are printed, never asserted: they depend on the machine and on what else it does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure: `ours` against `peer`, in the unit that the metric's name ends with."""

    bench: str
    metric: str
    ours: float
    peer: float | None = None
    note: str = ""

    def line(self) -> str:
        """As a line of JSON; `ratio` is ours by the peer's."""
        ratio = round(self.ours / self.peer, 3) if self.peer else None
        row = {"bench": self.bench, "metric": self.metric, "ours": _short(self.ours)}
        row |= {"peer": None if self.peer is None else _short(self.peer), "ratio": ratio}
        return json.dumps(row | ({"note": self.note} if self.note else {}))


def _short(number: float) -> float:
    return round(number, 2) if abs(number) < 1000 else round(number)


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0…1) of all are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
