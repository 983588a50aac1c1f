"""Files: atomic, bounded, and never outside of their directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from corral.core.errors import AlreadyExists, Error, NotFound
from corral.system import files


def test_an_atomic_write_has_its_mode_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    files.atomic_write(target, "one", mode=0o600)
    files.atomic_write(target, "two", mode=0o640)
    assert target.read_text() == "two"
    assert target.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["a"]


def test_an_exclusive_write_keeps_what_is_there(tmp_path: Path) -> None:
    target = tmp_path / "a"
    files.atomic_write(target, "one", exclusive=True)
    with pytest.raises(AlreadyExists):
        files.atomic_write(target, "two", exclusive=True)
    assert target.read_text() == "one"
    assert os.listdir(tmp_path) == ["a"]


def test_a_write_replaces_a_symbolic_link_and_not_its_target(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    (tmp_path / "a").symlink_to("precious")
    files.atomic_write(tmp_path / "a", "x")
    assert (tmp_path / "precious").read_text() == ""
    assert not (tmp_path / "a").is_symlink()


def test_reading_is_bounded(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "a", "12345")
    assert files.read_text(tmp_path / "a", limit=5) == "12345"
    with pytest.raises(Error, match="larger than 4"):
        files.read_text(tmp_path / "a", limit=4)
    with pytest.raises(NotFound):
        files.read_text(tmp_path / "b")


def test_a_tail_starts_at_a_line(tmp_path: Path) -> None:
    files.atomic_write(tmp_path / "a", "first\nsecond\nthird\n")
    assert files.read_tail(tmp_path / "a", limit=10) == "third\n"
    assert files.read_tail(tmp_path / "a", limit=100).startswith("first")
    assert files.read_tail(tmp_path / "missing", limit=10) == ""


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "sub/../../x", "", ".", "a\0b", "link/x", "link", "sub/up/x"])
@pytest.mark.parametrize("by_steps", [False, True])
def test_no_path_leads_out_of_its_directory(
    tmp_path: Path, path: str, *, by_steps: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    (base / "sub").mkdir(parents=True)
    (tmp_path / "x").touch()
    (base / "link").symlink_to(tmp_path)
    (base / "sub/up").symlink_to("../..")
    if by_steps:
        monkeypatch.setattr(files, "_openat2", None)
    with pytest.raises(files.Outside):
        files.open_beneath(base, path)


def test_a_file_below_is_opened_and_created_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    descriptor = files.write_beneath(tmp_path, "sub/a")
    os.write(descriptor, b"hello")
    os.close(descriptor)
    with pytest.raises(AlreadyExists):
        files.write_beneath(tmp_path, "sub/a")
    descriptor = files.open_beneath(tmp_path, "./sub//a")
    assert os.read(descriptor, 10) == b"hello"
    os.close(descriptor)
    with pytest.raises(NotFound):
        files.open_beneath(tmp_path, "sub/b")


def test_a_tree_is_removed_only_below_its_base(tmp_path: Path) -> None:
    (tmp_path / "base/tree/deep").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    (tmp_path / "base/link").symlink_to(tmp_path / "other")
    files.remove_tree(tmp_path / "base/tree", below=tmp_path / "base")
    files.remove_tree(tmp_path / "base/tree", below=tmp_path / "base")
    files.remove_tree(tmp_path / "base/link", below=tmp_path / "base")
    assert (tmp_path / "other").is_dir()
    for outside in (tmp_path / "other", tmp_path / "base", tmp_path / "base/../other"):
        with pytest.raises(files.Outside):
            files.remove_tree(outside, below=tmp_path / "base")


def test_lines_are_appended(tmp_path: Path) -> None:
    files.append_line(tmp_path / "log", "one")
    files.append_line(tmp_path / "log", "two\n")
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_a_directory_gets_its_mode(tmp_path: Path) -> None:
    files.ensure_dir(tmp_path / "a/b", mode=0o700)
    files.ensure_dir(tmp_path / "a/b", mode=0o711)
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o711


def test_free_space_adds_up(tmp_path: Path) -> None:
    space = files.free_space(tmp_path)
    assert space.total >= space.used
    assert space.total >= space.available > 0
