"""A writer killed at any moment loses nothing that was acknowledged and leaves no half transaction."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

ROUNDS = 220


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_writer_killed_at_random_moments(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    seed = request.config.getoption("randomly_seed", default=1)
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.store.killer", str(tmp_path / "store.db"), str(ROUNDS), str(seed)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=220,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    print(f"{found['rounds']} kills, {found['acknowledged']} acknowledged commits, {found['empty']} kills before any")
    assert found["faults"] == []
    assert found["rounds"] == ROUNDS
    assert found["acknowledged"] > ROUNDS, "the writers were killed before they wrote"
