"""Which backups are kept. Pure.

Backups of one guest form a group; archives with names of their own are left alone. Each rule walks the group from the
newest to the oldest and keeps the newest backup of each of its periods (hour, day, ISO week, month, year, local time),
until it has kept its number; periods in which an earlier rule has kept one do not count.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from corral.core.errors import ParamError
from corral.storage.base import Listed, PruneBackups
from corral.storage.volid import archive_info

Mark = Literal["keep", "remove", "protected", "renamed"]


class Marked(NamedTuple):
    """A backup and what is to become of it."""

    volid: str
    ctime: int
    type: str
    vmid: int | None
    mark: Mark


def check(rules: PruneBackups) -> PruneBackups:
    """The rules, if they make sense together; else `ParamError`."""
    numbers = (
        rules.keep_last,
        rules.keep_hourly,
        rules.keep_daily,
        rules.keep_weekly,
        rules.keep_monthly,
        rules.keep_yearly,
    )
    if rules.keep_all and any(numbers):
        raise ParamError({"prune-backups": "keep-all cannot be set together with other options."})
    return rules


def mark(backups: Iterable[tuple[str, Listed]], rules: PruneBackups, *, zone: dt.tzinfo | None = None) -> list[Marked]:
    """Every backup with its mark, newest first in each group. `zone` is the machine's own if None."""
    groups: dict[tuple[str, int], list[Marked]] = {}
    renamed: list[Marked] = []
    for volid, row in backups:
        standard = _is_standard(row.volname)
        entry = Marked(volid, row.ctime, _guest_type(row.subtype), row.vmid, "protected" if row.protected else "remove")
        if standard and row.vmid is not None:
            groups.setdefault((entry.type, row.vmid), []).append(entry)
        else:
            renamed.append(entry._replace(mark="protected" if row.protected else "renamed"))
    marked = [each for key in sorted(groups) for each in _mark_group(groups[key], rules, zone)]
    return marked + sorted(renamed, key=lambda each: each.volid)


def _is_standard(volname: str) -> bool:
    try:
        return archive_info(volname).is_std_name
    except ValueError:
        return False


def _guest_type(subtype: str | None) -> str:
    return {"openvz": "lxc", None: "unknown"}.get(subtype, subtype or "unknown")


def _mark_group(group: list[Marked], rules: PruneBackups, zone: dt.tzinfo | None) -> list[Marked]:
    group = sorted(group, key=lambda each: each.ctime, reverse=True)
    if rules.keeps_all():
        return [each if each.mark == "protected" else each._replace(mark="keep") for each in group]
    kept: set[str] = set()
    for number, period in _rules(rules, zone):
        _keep(group, number, period, kept)
    return [each._replace(mark="keep") if each.volid in kept else each for each in group]


def _keep(group: list[Marked], number: int, period: Callable[[Marked], str], kept: set[str]) -> None:
    before = {period(each) for each in group if each.volid in kept}
    chosen: set[str] = set()
    for each in group:
        name = period(each)
        if each.mark == "protected" or each.volid in kept or name in before or name in chosen:
            continue
        if len(chosen) == number:
            return
        chosen.add(name)
        kept.add(each.volid)


def _rules(rules: PruneBackups, zone: dt.tzinfo | None) -> list[tuple[int, Callable[[Marked], str]]]:
    def local(form: str) -> Callable[[Marked], str]:
        return lambda each: dt.datetime.fromtimestamp(each.ctime, dt.UTC).astimezone(zone).strftime(form)

    pairs: list[tuple[int | None, Callable[[Marked], str]]] = [
        (rules.keep_last, lambda each: each.volid),
        (rules.keep_hourly, local("%Y-%m-%d %H")),
        (rules.keep_daily, local("%Y-%m-%d")),
        (rules.keep_weekly, local("%G-%V")),
        (rules.keep_monthly, local("%Y-%m")),
        (rules.keep_yearly, local("%Y")),
    ]
    return [(number, period) for number, period in pairs if number]
