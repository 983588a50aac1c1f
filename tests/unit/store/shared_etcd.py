"""The etcd that tests of this folder share, each with a root of its own in it: one member, without TLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.lab import etcd

_running: list[etcd.Etcd] = []


@contextmanager
def started(directory: Path) -> Iterator[None]:
    """Run it; does nothing where etcd is not installed."""
    if etcd.PROGRAM is None:
        yield
        return
    with etcd.running(directory) as cluster:
        _running.append(cluster)
        try:
            yield
        finally:
            _running.remove(cluster)


def endpoints() -> list[str]:
    """Where it is; skips the test where there is none."""
    if not _running:
        pytest.skip("etcd is not installed")
    return _running[0].endpoints
