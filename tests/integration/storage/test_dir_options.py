"""What the options of a directory do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from corral.core.errors import Error
from corral.storage.base import Environment
from corral.storage.plugins.dir import Dir, DirConfig
from corral.system.clock import SystemClock
from corral.system.run import SystemRun

MIB = 1 << 20


def directory(path: Path, **options: Any) -> Dir:
    return Dir("test", DirConfig(path=str(path), **options), Environment(SystemRun(), SystemClock()))


@pytest.mark.parametrize(
    ("options", "made"),
    [
        ({}, ["images", "private"]),
        ({"content": ("iso", "backup")}, ["dump", "template", "template/iso"]),
        ({"content": ("iso",), "content_dirs": ("iso=a/b",)}, ["a", "a/b"]),
        ({"create_subdirs": False}, []),
        ({"mkdir": False, "create_base_path": True}, []),
        ({"mkdir": False}, None),
        ({"create_base_path": False}, None),
    ],
)
def test_which_directories_are_made(tmp_path: Path, options: dict[str, Any], made: list[str] | None) -> None:
    path = tmp_path / "base"
    if made is None:
        with pytest.raises(Error, match="does not exist or is unreachable"):
            directory(path, **options).activate()
        assert not path.exists()
        return
    directory(path, **options).activate()
    assert sorted(str(each.relative_to(path)) for each in path.rglob("*")) == made


@pytest.mark.parametrize("form", ["raw", "qcow2"])
@pytest.mark.parametrize(
    ("preallocation", "least"), [("off", 0), ("metadata", 0), (None, 0), ("falloc", 4 * MIB), ("full", 4 * MIB)]
)
def test_how_much_is_allocated_at_once(tmp_path: Path, form: str, preallocation: Any, least: int) -> None:
    storage = directory(tmp_path, preallocation=preallocation)
    storage.allocate(f"100/vm-100-disk-0.{form}", 4 * MIB)
    info = storage.info(f"100/vm-100-disk-0.{form}")
    assert info.size == 4 * MIB
    assert info.used >= least
    if not least:
        assert info.used < 2 * MIB


def test_a_bandwidth_limit_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "source.raw"
    source.write_bytes(b"x" * 4 * MIB)
    storage = directory(tmp_path / "base")
    storage.activate()
    began = time.monotonic()
    storage.import_image("100/vm-100-disk-0.raw", source, "raw", rate=4 * MIB)
    # Bursts are allowed; without a limit this takes a few milliseconds.
    assert time.monotonic() - began > 0.3


def test_subvolumes_are_directories_without_a_limit(tmp_path: Path) -> None:
    storage = directory(tmp_path)
    name = storage.free_volname(100, "subvol")
    assert name == "100/subvol-100-disk-0.subvol"
    with pytest.raises(Error, match="size must be 0"):
        storage.allocate(name, MIB)
    storage.allocate(name, 0)
    assert storage.path(name).is_dir()
    rows = storage.list(kind_of=lambda _: "lxc")
    assert [(row.volname, row.content, row.format, row.size) for row in rows] == [(name, "rootdir", "subvol", 0)]
    (storage.path(name) / "file").write_text("x")
    storage.free(name)
    storage.free(name)
    assert not storage.path(name).parent.exists()


def test_files_on_another_file_system_are_copied_into_place(tmp_path: Path) -> None:
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system here")
    (tmp_path / "template").mkdir()
    isos = shm / f"corral-test-{tmp_path.name}"
    isos.mkdir()
    try:
        (tmp_path / "template/iso").symlink_to(isos)
        storage = directory(tmp_path, content=("iso",))
        upload = storage.spool_dir() / "upload"
        upload.write_bytes(b"data")
        storage.place("iso/x.iso", upload)
        assert not upload.exists()
        assert [path.name for path in isos.iterdir()] == ["x.iso"]
        assert storage.info("iso/x.iso").size == 4
        storage.free("iso/x.iso")
        assert list(isos.iterdir()) == []
    finally:
        for path in isos.iterdir():
            path.unlink()
        isos.rmdir()
