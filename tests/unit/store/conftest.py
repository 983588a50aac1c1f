"""The etcd of the conformance suite runs outside of the fences, and only when a test needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.store import shared_etcd


@pytest.fixture(scope="session", autouse=True)
def etcd_for_the_conformance_suite(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    if not any("etcd" in item.nodeid for item in request.session.items):
        yield
        return
    with shared_etcd.started(tmp_path_factory.mktemp("etcd")):
        yield
