"""A disk that is full: nothing is lost, nothing is half there, and it goes on when there is room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.core.errors import NoQuorum
from corral.store.base import Cause, Transaction, Write
from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock
from tests.integration.store.writer import number_in, text


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting takes root")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "corral-test", tmp_path], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs here: {mounted.stderr}")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


def write(store: SqliteStore, number: int) -> None:
    # What doesn't compress, so that the history fills the disk.
    noise = os.urandom(20_000).hex()
    writes = (Write(key="a", text=f"{text(number)}{noise}"), Write(key="b", text=text(number)))
    store.commit(Transaction(cause=Cause(who="root@pam"), writes=writes))


def fill(store: SqliteStore) -> int:
    """Write until the disk is full; the number that failed."""
    for number in range(1, 1000):
        try:
            write(store, number)
        except NoQuorum:
            return number
    raise AssertionError("the disk is never full")


def kept(store: SqliteStore) -> list[int]:
    return [number_in(doc.text) for doc in store.list()]


def test_a_full_disk(small_disk: Path) -> None:
    path = small_disk / "store.db"
    store = SqliteStore(path, SystemClock())
    number = fill(store)
    last = number - 1
    assert last > 5
    assert kept(store) == [last, last]
    assert store.revision.number == last
    for _turn in range(3):
        with pytest.raises(NoQuorum):
            write(store, number)
    assert kept(store) == [last, last]
    store.close()

    store = SqliteStore(path, SystemClock())
    assert kept(store) == [last, last]
    assert store.check() == []
    subprocess.run(["mount", "-o", "remount,size=9m", small_disk], check=True)
    write(store, number)
    assert kept(store) == [number, number]
    assert store.check() == []
    store.close()


def test_room_comes_back_while_it_is_open(small_disk: Path) -> None:
    filler = small_disk / "filler"
    store = SqliteStore(small_disk / "store.db", SystemClock())
    filler.write_bytes(b"x" * 2_000_000)
    number = fill(store)
    filler.unlink()
    write(store, number)
    assert kept(store) == [number, number]
    assert store.check() == []
    store.close()
