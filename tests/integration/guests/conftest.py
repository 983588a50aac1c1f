"""Stages for tests with real guests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.guests.stage import Stage
from tests.lab.guest import Guest


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A node without guests, and without the test guest's image."""
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("qemu-system-x86_64 is not installed")
    with Stage(tmp_path / "root") as made:
        yield made


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, guest_image: Guest) -> Iterator[Stage]:
    """A node with the test guest's image at `local:import/tiny.qcow2`; one for a module."""
    with Stage(tmp_path_factory.mktemp("lab") / "root", guest_image) as made:
        yield made
