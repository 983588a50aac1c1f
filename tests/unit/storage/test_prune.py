"""Which backups are kept."""

from __future__ import annotations

import datetime as dt

import pytest

from corral.core.errors import ParamError
from corral.storage import prune
from corral.storage.base import Listed, PruneBackups
from corral.storage.volid import archive_info


def row(name: str, *, protected: bool = False) -> tuple[str, Listed]:
    found = archive_info(name)
    listed = Listed(
        f"backup/{name}", "backup", "vma", 1, found.ctime or 0, vmid=found.vmid, subtype=found.type, protected=protected
    )
    return f"local:backup/{name}", listed


def daily(count: int, vmid: int = 100, kind: str = "qemu") -> list[tuple[str, Listed]]:
    start = dt.datetime(2026, 1, 1, 4, tzinfo=dt.UTC)
    days = [start + dt.timedelta(days=number) for number in range(count)]
    return [row(f"vzdump-{kind}-{vmid}-{day:%Y_%m_%d-%H_%M_%S}.vma") for day in days]


@pytest.mark.parametrize(
    ("rules", "days"),
    [
        ("keep-last=2", ["2026_02_09", "2026_02_10"]),
        ("keep-daily=3", ["2026_02_08", "2026_02_09", "2026_02_10"]),
        ("keep-weekly=2", ["2026_02_08", "2026_02_10"]),
        ("keep-monthly=5", ["2026_01_31", "2026_02_10"]),
        ("keep-yearly=1", ["2026_02_10"]),
        ("keep-last=1,keep-daily=2", ["2026_02_08", "2026_02_09", "2026_02_10"]),
        ("keep-last=1,keep-monthly=1", ["2026_01_31", "2026_02_10"]),
        ("keep-hourly=1", ["2026_02_10"]),
    ],
)
def test_rules_keep_the_newest_of_their_periods(rules: str, days: list[str]) -> None:
    rows = daily(41)
    marked = prune.mark(rows, PruneBackups.parse(rules), zone=dt.UTC)
    assert sorted(each.volid.rpartition("100-")[2][:10] for each in marked if each.mark == "keep") == days
    assert {each.mark for each in marked} == {"keep", "remove"}


@pytest.mark.parametrize("rules", ["keep-all=1", "keep-last=0", "keep-daily=0,keep-last=0"])
def test_without_a_number_all_are_kept(rules: str) -> None:
    assert {each.mark for each in prune.mark(daily(5), PruneBackups.parse(rules))} == {"keep"}


def test_each_guest_counts_for_itself_and_own_names_and_protected_ones_stay() -> None:
    rows = [*daily(3), *daily(3, 101, "lxc"), *daily(1, 100, "lxc")]
    rows += [row("vzdump-qemu-100-own_name.vma"), row("vzdump-qemu-100-2026_03_01-04_00_00.vma", protected=True)]
    marks: dict[str, int] = {}
    for each in prune.mark(rows, PruneBackups.parse("keep-last=1"), zone=dt.UTC):
        marks[each.mark] = marks.get(each.mark, 0) + 1
    assert marks == {"keep": 3, "remove": 4, "renamed": 1, "protected": 1}


def test_keep_all_stands_alone() -> None:
    with pytest.raises(ParamError):
        prune.check(PruneBackups.parse("keep-all=1,keep-last=2"))
    prune.check(PruneBackups.parse("keep-all=0,keep-last=2"))
