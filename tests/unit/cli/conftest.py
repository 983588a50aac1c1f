from __future__ import annotations

from pathlib import Path

import pytest

from corral.cli import table
from tests.unit.cli.desk import Desk


@pytest.fixture(autouse=True, scope="session")
def commands() -> None:
    """The table of calls is made before a test needs it: tests may not write where it stands."""
    table.load()


@pytest.fixture
def desk(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("CORRAL_ROOT", str(tmp_path))
    return Desk(capsys, tmp_path)
