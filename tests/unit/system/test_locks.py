"""Locks on files."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.errors import Locked
from corral.system import locks
from corral.system.fakes import FakeClock


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locks.lock(path, timeout=0):
        assert locks.is_held(path)
        assert locks.try_lock(path) is None
        with pytest.raises(Locked, match="got timeout"):
            locks.lock(path, timeout=3, clock=FakeClock())
    assert not locks.is_held(path)


def test_shared_locks_live_together(tmp_path: Path) -> None:
    with locks.lock(tmp_path / "a", timeout=0, shared=True), locks.lock(tmp_path / "a", timeout=0, shared=True):
        assert locks.try_lock(tmp_path / "a") is None


def test_a_missing_file_is_not_held(tmp_path: Path) -> None:
    assert not locks.is_held(tmp_path / "none")
    assert not (tmp_path / "none").exists()
