"""A directory keeps the promises of all storages, on each file system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.storage.base import Environment
from corral.storage.plugins.dir import Dir, DirConfig
from corral.system.clock import SystemClock
from corral.system.run import SystemRun
from tests.integration.storage.mounts import mounted
from tests.unit.storage.conformance import *  # noqa: F403

CONTENT = ("images", "iso", "backup", "import", "snippets", "vztmpl")


@pytest.fixture(scope="module", params=["plain", "btrfs", "ext4"])
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    below = tmp_path_factory.mktemp(request.param)
    if request.param == "plain":
        yield below
        return
    with mounted(request.param, 256 << 20, below) as point:
        yield point


@pytest.fixture
def storage(ground: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Dir:
    path = ground / tmp_path.name
    made = Dir("test", DirConfig(path=str(path), content=CONTENT), Environment(SystemRun(), SystemClock()))
    made.activate()
    return made
