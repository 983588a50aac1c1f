"""The storage in memory keeps the promises of all storages."""

from __future__ import annotations

import pytest

from corral.storage.base import Environment
from corral.storage.memory import Memory, MemoryConfig
from corral.system.fakes import FakeClock, FakeRun
from tests.unit.storage.conformance import *  # noqa: F403


@pytest.fixture
def storage() -> Memory:
    return Memory("fake", MemoryConfig(), Environment(FakeRun(), FakeClock()))
