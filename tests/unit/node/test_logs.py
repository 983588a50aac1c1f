"""Logs: journal entries and daemons' files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from corral.core.errors import NotFound
from corral.node.logs import Entry, Logs, Wanted, journal_words, parse_file, parse_journal, select
from corral.system.fakes import FakeRun

FILE = """2026-11-23 14:16:37,123 corrald[12] INFO corral.app: ready
2026-11-23 14:16:38,000 corrald[12] ERROR corral.app: broken
Traceback (most recent call last):
2026-11-23 14:16:40,000 corrald[12] INFO corral.app: better
"""


def test_lines_without_a_time_belong_to_the_one_before() -> None:
    entries = parse_file("corrald", FILE)
    assert [entry.priority for entry in entries] == [6, 3, 6, 6]
    assert entries[2].time == entries[1].time
    assert entries[0].identifier == "corrald"


def test_filters_of_entries_from_files() -> None:
    entries = parse_file("corrald", FILE)
    assert select(entries, Wanted(priority="0..3")) == [entries[1]]
    assert select(entries, Wanted(last=1)) == [entries[-1]]
    assert select(entries, Wanted(after=entries[2].cursor)) == [entries[3]]
    assert select(entries, Wanted(before=entries[1].cursor)) == [entries[0]]
    assert select(entries, Wanted(service="other")) == []
    with pytest.raises(NotFound):
        select(entries, Wanted(after="nowhere"))


def test_files_of_several_daemons_are_one_log_in_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("2026-01-01 00:00:02,0 a[1] INFO x: two\n")
    (tmp_path / "b.log").write_text(
        "2026-01-01 00:00:01,0 b[1] INFO x: one\n2026-01-01 00:00:03,0 b[1] INFO x: three\n"
    )
    logs = Logs(FakeRun(), tmp_path, journal=False)
    assert [entry.text[-3:] for entry in logs.entries(Wanted())] == ["one", "two", "ree"]
    assert logs.names("units") == ["a", "b"]


def test_the_journal_is_asked_for_what_is_wanted() -> None:
    words = journal_words(Wanted(since=1, until=2, service="ssh", priority="0..3", kernel=True, last=5, after="c"))
    assert words == ["-q", "--no-pager", "-o", "json", "-n", "5", "--since=@1", "--until=@2", "--unit=ssh",
                     "--priority=0..3", "--dmesg", "--after-cursor=c"]  # fmt: skip


def test_journal_entries_of_all_shapes() -> None:
    raw = {
        "__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1700000000000000", "_HOSTNAME": "n1", "SYSLOG_IDENTIFIER": "sshd",
        "_PID": "7", "MESSAGE": "hello", "PRIORITY": "4", "_SYSTEMD_UNIT": "ssh.service",
    }  # fmt: skip
    binary = {**raw, "MESSAGE": [104, 105, 255]}
    found = parse_journal([json.dumps(raw), "not json", "{}", json.dumps(binary)])
    assert found[0].text.endswith("n1 sshd[7]: hello")
    assert (found[0].cursor, found[0].priority, found[0].unit) == ("s=1", 4, "ssh.service")
    assert found[1].text.endswith("hi�")
    assert len(found) == 2


def test_a_node_with_systemd_reads_the_journal(tmp_path: Path) -> None:
    run = FakeRun()
    run.expect("journalctl -q --no-pager -o json *", stdout='{"__REALTIME_TIMESTAMP": "5000000", "MESSAGE": "x"}\n')
    run.expect("journalctl -q -F *", stdout="b\na\n")
    logs = Logs(run, tmp_path, journal=True)
    assert isinstance(logs.entries(Wanted())[0], Entry)
    assert logs.names("units") == ["a", "b"]
