"""File systems on loop devices."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.core.errors import Error
from corral.system.run import SystemRun

run = SystemRun()


@contextlib.contextmanager
def mounted(kind: str, size: int, below: Path) -> Iterator[Path]:
    """A new file system of that kind and size, mounted; skips the test where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if shutil.which(f"mkfs.{kind}") is None:
        pytest.skip(f"mkfs.{kind} is not installed")
    image, point = below / f"{kind}.img", below / kind
    with image.open("wb") as file:
        file.truncate(size)
    run([f"mkfs.{kind}", "-q", image], timeout=60)
    point.mkdir()
    try:
        run(["mount", "-o", "loop", "-t", kind, image, point], timeout=60)
    except Error as error:
        pytest.skip(f"can't mount {kind}: {error}")
    try:
        yield point
    finally:
        run(["umount", point], timeout=60, ok=range(256))
