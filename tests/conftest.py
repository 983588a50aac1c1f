"""What all tests share: the fences around unit tests, fakes, and where cases and the test guest are."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from corral.system.fakes import FakeClock, FakeRun
from tests import fences
from tests.lab import guest as lab_guest

pytest_plugins = ["tests.coverage_api"]

ROOT = Path(__file__).parent.parent

# A slow machine is no failure, and examples that failed once are written down as tests, not in a database.
hypothesis.settings.register_profile("corral", database=None, deadline=None, print_blob=True)
hypothesis.settings.load_profile("corral")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each ring by its folder."""
    for item in items:
        for ring in ("integration", "compat"):
            if ROOT / "tests" / ring in item.path.parents:
                item.add_marker(ring)


@pytest.fixture(autouse=True)
def fence(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Unit tests start no process, reach no network and write only below `tmp_path`."""
    if ROOT / "tests" / "unit" not in request.path.parents:
        yield
        return
    opened: set[str] = set()
    for marker in request.node.iter_markers("unfenced"):
        assert marker.kwargs.get("why"), "say why: @pytest.mark.unfenced('processes', why='…')"
        opened.update(marker.args)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.getbasetemp()))
    writable = [tmp_path_factory.getbasetemp(), ROOT / ".cache"]
    writable.append(Path(os.environ["CORRAL_CALL_LOG"]).parent)
    with fences.closed(opened=opened, writable=writable):
        yield


@pytest.fixture
def run() -> FakeRun:
    """A `Run` that starts nothing; announce commands by `run.expect`."""
    return FakeRun()


@pytest.fixture
def clock() -> FakeClock:
    """A `Clock` that moves only when told to."""
    return FakeClock()


@pytest.fixture(scope="session")
def cases() -> Path:
    """The directory of shared cases: `$CORRAL_CASES`, or `../shared/cases` beside the checkout."""
    path = Path(os.environ.get("CORRAL_CASES", ROOT.parent / "shared" / "cases"))
    if not path.is_dir():
        pytest.skip(f"no cases at {path} (set CORRAL_CASES)")
    return path


@pytest.fixture(scope="session")
def guest_image() -> lab_guest.Guest:
    """The small test guest, built at first use."""
    if not shutil.which("qemu-system-x86_64"):
        pytest.skip("qemu-system-x86_64 is not installed")
    try:
        return lab_guest.build()
    except lab_guest.CannotBuild as error:
        pytest.skip(f"the test guest can't be built: {error}")
