"""Logs and the index: pages, filters, retention, following, torn files."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.errors import NotFound
from corral.tasks.base import Ended
from corral.tasks.log import Entry, Filter, Index, Line, LogWriter, Retention, follow, log_path, read_log, status_of
from corral.tasks.upid import Upid
from tests.unit.tasks.toys import FakeClock


def upid(number: int, *, kind: str = "qmstart", of: str = "100", user: str = "a@pve", start: int | None = None) -> str:
    name = Upid(
        node="n1", pid=number, pstart=1, starttime=number if start is None else start, type=kind, id=of, user=user
    )
    return str(name)


def enter(index: Index, name: str, status: str = "OK", endtime: int = 10) -> None:
    LogWriter.create(index.directory, name)
    index.add(Ended(upid=name, user="a@pve", status=status, endtime=endtime))


def test_logs_lie_where_clients_look(tmp_path: Path) -> None:
    name = upid(1, start=0x65A0CE4F)
    LogWriter.create(tmp_path, name).write("hello")
    assert (tmp_path / "F" / name).read_text() == "hello\n"


def test_pages_of_a_log(tmp_path: Path) -> None:
    writer = LogWriter.create(tmp_path, upid(1))
    assert read_log(tmp_path, upid(1)) == ([Line(1, "no content")], 1)
    writer.write("one\ntwo\x1b[1m\tx")
    writer.write("")
    writer.close("TASK OK")
    writer.close("TASK ERROR: late")
    assert read_log(tmp_path, upid(1), 1, 2) == ([Line(2, "two[1m\tx"), Line(3, "")], 4)
    assert len(read_log(tmp_path, upid(1), 0, 0)[0]) == 4
    assert read_log(tmp_path, upid(1), 9, 5) == ([], 4)
    with pytest.raises(NotFound):
        read_log(tmp_path, upid(2))


def test_status_comes_from_the_last_line() -> None:
    assert status_of("TASK OK\nmore\n") == "unexpected status"
    assert status_of("x\nTASK ERROR: a b\n") == "a b"


def test_filters(tmp_path: Path) -> None:
    index = Index(tmp_path / "tasks")
    enter(index, upid(1, kind="qmstart", user="Alice@pve"))
    enter(index, upid(2, kind="qmstop", of="101"), "WARNINGS: 2")
    enter(index, upid(3, kind="qmstop"), "no such disk")
    enter(index, upid(4), "unexpected status")

    def found(**wanted: object) -> list[int]:
        return [entry.upid.pid for entry in index.search(Filter(**wanted))]  # type: ignore[arg-type]

    assert found() == [4, 3, 2, 1]
    assert found(type="qmstop") == [3, 2]
    assert found(id="101") == [2]
    assert found(user="alice") == [1]
    assert found(errors=True) == [4, 3]
    assert found(kinds=frozenset({"ok", "warning"})) == [2, 1]
    assert found(since=2, until=3) == [3, 2]
    assert found(visible=lambda user: user == "Alice@pve") == [1]


def test_the_index_is_read_again_with_its_torn_line_left_out(tmp_path: Path) -> None:
    index = Index(tmp_path / "tasks")
    enter(index, upid(1), "error: with spaces  kept")
    with (tmp_path / "tasks" / "index").open("a") as file:
        file.write("garbage\n" + upid(2) + " 0000000A O")
    again = Index(tmp_path / "tasks")
    assert [entry.status for entry in again.search(Filter())] == ["error: with spaces  kept"]
    enter(again, upid(2))
    assert [entry.upid.pid for entry in Index(tmp_path / "tasks").search(Filter())] == [2, 1]


def test_an_index_line_is_what_clients_parse() -> None:
    entry = Entry(Upid.parse(upid(1)), 255, "OK")
    assert str(entry) == f"{upid(1)} 000000FF OK"
    assert Entry.parse(str(entry)) == entry


def test_old_tasks_go_by_age_and_by_count(tmp_path: Path) -> None:
    index = Index(tmp_path / "tasks", Retention(age=100, count=2))
    for number in range(4):
        enter(index, upid(number), endtime=number)
    assert index.prune(50) == 2
    assert [entry.upid.pid for entry in Index(tmp_path / "tasks").search(Filter())] == [3, 2]
    assert not log_path(tmp_path / "tasks", upid(0)).exists()
    assert log_path(tmp_path / "tasks", upid(3)).exists()
    assert index.prune(1000) == 2
    assert index.find(upid(3)) is None


def test_following_tells_what_comes_until_the_end(tmp_path: Path) -> None:
    writer = LogWriter.create(tmp_path, upid(1))
    writer.write("one")
    asked: list[int] = []

    def ended() -> bool:
        asked.append(1)
        if len(asked) == 2:
            writer.write("two")
        if len(asked) == 3:
            writer.write("three")
            return True
        return False

    batches = follow(tmp_path, upid(1), ended=ended, clock=FakeClock())
    assert [[line.t for line in batch] for batch in batches] == [["one"], ["two"], ["three"]]
    again = follow(tmp_path, upid(1), ended=lambda: True, clock=FakeClock(), after=1)
    assert list(again) == [[Line(2, "two"), Line(3, "three")]]
