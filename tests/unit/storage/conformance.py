"""What every storage plugin must do. A test module defines the fixture `storage` and imports these tests."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

from corral.core.errors import AlreadyExists, Cancelled, Error, NotFound
from corral.storage.base import CONTENTS, Reporter, Storage

MIB = 1 << 20
AnyStorage = Storage[Any]


def names(storage: AnyStorage, **wanted: Any) -> set[str]:
    return {row.volname for row in storage.list(kind_of=lambda _: "qemu", **wanted)}


@pytest.fixture(params=["raw", "qcow2", "vmdk"])
def form(request: pytest.FixtureRequest, storage: AnyStorage) -> str:
    wanted: str = request.param
    if wanted not in storage.can.formats:
        pytest.skip(f"{storage.kind} has no {wanted} images")
    return wanted


def spooled(tmp_path: Path, storage: AnyStorage, data: bytes) -> Path:
    directory = storage.spool_dir()
    path = (directory if directory.is_dir() else tmp_path) / "upload"
    path.write_bytes(data)
    return path


def test_status_adds_up(storage: AnyStorage) -> None:
    status = storage.status()
    assert status.total > 0
    assert 0 <= status.available <= status.total
    assert 0 <= status.used <= status.total


def test_activation_is_idempotent(storage: AnyStorage) -> None:
    storage.activate()
    storage.activate()


def test_identity_is_stable(storage: AnyStorage) -> None:
    assert storage.identity() == storage.identity()
    assert storage.identity()


def test_an_image_is_created_listed_and_freed(storage: AnyStorage, form: str) -> None:
    volname = storage.free_volname(100, form)
    assert volname == f"100/vm-100-disk-0.{form}"
    storage.allocate(volname, 5 * MIB)
    info = storage.info(volname)
    assert (info.size, info.format, info.backing) == (5 * MIB, form, None)
    rows = storage.list(vmid=100, contents=("images",), kind_of=lambda _: "qemu")
    assert [(row.volname, row.size, row.vmid, row.format, row.content) for row in rows] == [
        (volname, 5 * MIB, 100, form, "images")
    ]
    assert storage.volname_at(storage.path(volname)) == volname
    storage.free(volname)
    storage.free(volname)
    assert names(storage) == set()
    with pytest.raises(NotFound, match="does not exist"):
        storage.info(volname)


def test_a_container_s_image_is_rootdir(storage: AnyStorage) -> None:
    storage.allocate("100/vm-100-disk-0.raw", MIB)
    assert [row.content for row in storage.list(kind_of=lambda _: "lxc")] == ["rootdir"]
    assert storage.list(contents=("images",), kind_of=lambda _: "lxc") == []


def test_creation_is_exclusive(storage: AnyStorage, form: str) -> None:
    volname = f"100/vm-100-disk-0.{form}"
    storage.allocate(volname, MIB)
    with pytest.raises(AlreadyExists, match="already exists"):
        storage.allocate(volname, 2 * MIB)
    assert storage.info(volname).size == MIB


def test_of_many_who_want_one_name_one_wins(storage: AnyStorage) -> None:
    won: list[int] = []
    lost: list[int] = []

    def want(number: int) -> None:
        try:
            storage.allocate("100/vm-100-disk-0.raw", MIB)
            won.append(number)
        except AlreadyExists:
            lost.append(number)

    threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)


def test_free_names_are_the_lowest_and_skip_what_is_drawn(storage: AnyStorage) -> None:
    storage.allocate("100/vm-100-disk-0.raw", MIB)
    storage.allocate("100/vm-100-disk-2.raw", MIB)
    assert storage.free_volname(100, "raw") == "100/vm-100-disk-1.raw"
    assert storage.free_volname(100, "raw", taken=frozenset({"100/vm-100-disk-1.raw"})) == "100/vm-100-disk-3.raw"
    assert storage.free_volname(100, "qcow2", kind="cloudinit") == "100/vm-100-cloudinit.qcow2"


@pytest.mark.parametrize(
    "volname",
    [
        "100/vm-101-disk-0.raw",
        "iso/x.iso",
        "100/base-9000-disk-0.raw",
        "../100/vm-100-disk-0.raw",
        "100/vm-100-../../../x.raw",
        "snippets/x",
        "nonsense",
    ],
)
def test_names_that_are_none_of_a_guest_s_image_are_refused(storage: AnyStorage, volname: str) -> None:
    with pytest.raises(Error):
        storage.allocate(volname, MIB)
    assert names(storage) == set()


def test_an_image_grows_and_never_shrinks(storage: AnyStorage, form: str) -> None:
    volname = f"100/vm-100-disk-0.{form}"
    storage.allocate(volname, MIB)
    if form not in storage.can.resize:
        with pytest.raises(Error, match="not supported"):
            storage.resize(volname, 3 * MIB)
        assert storage.info(volname).size == MIB
        return
    storage.resize(volname, 3 * MIB)
    assert storage.info(volname).size == 3 * MIB
    with pytest.raises(Error, match="shrinking"):
        storage.resize(volname, 2 * MIB)
    assert storage.info(volname).size == 3 * MIB


def test_an_image_is_imported_with_progress(storage: AnyStorage, form: str, tmp_path: Path) -> None:
    source = tmp_path / "source.raw"
    source.write_bytes(bytes(range(256)) * 4096)
    seen: list[float] = []
    storage.import_image(f"100/vm-100-disk-0.{form}", source, "raw", Reporter(progress=seen.append))
    assert storage.info(f"100/vm-100-disk-0.{form}").size == MIB
    assert seen
    assert seen[-1] == 1.0
    assert seen == sorted(seen)


def test_an_import_never_overwrites(storage: AnyStorage, tmp_path: Path) -> None:
    source = tmp_path / "source.raw"
    source.write_bytes(bytes(4096))
    storage.allocate("100/vm-100-disk-0.raw", MIB)
    with pytest.raises(AlreadyExists):
        storage.import_image("100/vm-100-disk-0.raw", source, "raw")
    assert storage.info("100/vm-100-disk-0.raw").size == MIB


def test_a_failed_or_withdrawn_import_leaves_nothing(storage: AnyStorage, tmp_path: Path) -> None:
    with pytest.raises((Error, OSError)):
        storage.import_image("100/vm-100-disk-0.raw", tmp_path / "missing", "raw")
    source = tmp_path / "source.raw"
    source.write_bytes(b"x" * 4096)
    with contextlib.suppress(Cancelled):
        storage.import_image("100/vm-100-disk-0.raw", source, "raw", Reporter(cancelled=lambda: True))
    assert names(storage) == set()


def test_a_template_s_image_is_cloned_and_kept_while_clones_stand_on_it(storage: AnyStorage) -> None:
    if "qcow2" not in storage.can.clone:
        pytest.skip(f"{storage.kind} has no linked clones")
    storage.allocate("9000/vm-9000-disk-0.qcow2", 4 * MIB)
    base = storage.make_base("9000/vm-9000-disk-0.qcow2")
    assert base == "9000/base-9000-disk-0.qcow2"
    assert storage.free_volname(9000, "qcow2") == "9000/vm-9000-disk-1.qcow2"
    clone = storage.clone(base, "100/vm-100-disk-0.qcow2")
    assert clone == "9000/base-9000-disk-0.qcow2/100/vm-100-disk-0.qcow2"
    info = storage.info(clone)
    assert (info.size, info.backing) == (4 * MIB, "../9000/base-9000-disk-0.qcow2")
    assert names(storage, vmid=100) == {clone}
    with pytest.raises(Error, match="still in use"):
        storage.free(base)
    storage.free(clone)
    storage.free(base)
    assert names(storage) == set()


def test_only_a_template_s_image_is_cloned(storage: AnyStorage) -> None:
    storage.allocate("100/vm-100-disk-0.qcow2", MIB)
    with pytest.raises(Error):
        storage.clone("100/vm-100-disk-0.qcow2", "101/vm-101-disk-0.qcow2")
    assert names(storage) == {"100/vm-100-disk-0.qcow2"}


def test_an_image_is_renamed_exclusively(storage: AnyStorage) -> None:
    storage.allocate("100/vm-100-disk-0.raw", MIB)
    storage.allocate("101/vm-101-disk-0.raw", 2 * MIB)
    with pytest.raises(AlreadyExists):
        storage.rename("100/vm-100-disk-0.raw", "101/vm-101-disk-0.raw")
    storage.rename("100/vm-100-disk-0.raw", "101/vm-101-disk-1.raw")
    assert names(storage) == {"101/vm-101-disk-0.raw", "101/vm-101-disk-1.raw"}
    assert storage.info("101/vm-101-disk-1.raw").size == MIB


def test_snapshots_where_the_format_has_them(storage: AnyStorage, form: str) -> None:
    volname = f"100/vm-100-disk-0.{form}"
    storage.allocate(volname, MIB)
    if form not in storage.can.snapshot:
        with pytest.raises(Error, match="snapshot"):
            storage.snapshot(volname, "create", "before")
        return
    storage.snapshot(volname, "create", "before")
    storage.snapshot(volname, "apply", "before")
    storage.snapshot(volname, "delete", "before")
    with pytest.raises(Error):
        storage.snapshot(volname, "apply", "before")


def test_a_file_is_placed_in_one_step(storage: AnyStorage, tmp_path: Path) -> None:
    storage.place("iso/small.iso", spooled(tmp_path, storage, b"first"))
    assert storage.info("iso/small.iso").size == 5
    with pytest.raises(AlreadyExists):
        storage.place("iso/small.iso", spooled(tmp_path, storage, b"second"))
    storage.place("iso/small.iso", spooled(tmp_path, storage, b"second"), replace=True)
    assert storage.info("iso/small.iso").size == 6
    assert names(storage, contents=("iso",)) == {"iso/small.iso"}
    storage.free("iso/small.iso")
    assert names(storage) == set()


@pytest.mark.parametrize("volname", ["100/vm-100-disk-0.raw", "iso/../x.iso", "import/a.ova/b.raw", "iso/x.exe"])
def test_a_file_is_not_placed_where_no_file_belongs(storage: AnyStorage, tmp_path: Path, volname: str) -> None:
    with pytest.raises(Error):
        storage.place(volname, spooled(tmp_path, storage, b"data"))
    assert names(storage) == set()


def test_backups_have_notes_and_protection(storage: AnyStorage, tmp_path: Path) -> None:
    archive = "backup/vzdump-qemu-100-2026_01_31-04_00_00.vma.zst"
    storage.place(archive, spooled(tmp_path, storage, b"archive"))
    storage.set_attributes(archive, notes="before the upgrade", protected=True)
    info = storage.info(archive)
    assert (info.notes, info.protected) == ("before the upgrade", True)
    row = next(iter(storage.list(contents=("backup",), kind_of=lambda _: None)))
    assert (row.notes, row.protected, row.vmid) == ("before the upgrade", True, 100)
    with pytest.raises(Error, match="protected"):
        storage.free(archive)
    storage.set_attributes(archive, notes="", protected=False)
    assert (storage.info(archive).notes, storage.info(archive).protected) == (None, False)
    storage.free(archive)
    assert names(storage) == set()


def test_other_volumes_have_no_attributes(storage: AnyStorage) -> None:
    storage.allocate("100/vm-100-disk-0.raw", MIB)
    with pytest.raises(Error, match="not supported"):
        storage.set_attributes("100/vm-100-disk-0.raw", notes="x")
    with pytest.raises(NotFound):
        storage.set_attributes("backup/vzdump-qemu-100-2026_01_31-04_00_00.vma", protected=True)


def test_lists_are_filtered_by_guest_and_content(storage: AnyStorage, tmp_path: Path) -> None:
    storage.allocate("100/vm-100-disk-0.raw", MIB)
    storage.allocate("101/vm-101-disk-0.raw", MIB)
    storage.place("backup/vzdump-qemu-100-2026_01_31-04_00_00.vma", spooled(tmp_path, storage, b"a"))
    storage.place("iso/x.iso", spooled(tmp_path, storage, b"a"))
    assert names(storage, vmid=101, contents=("images", "backup")) == {"101/vm-101-disk-0.raw"}
    assert names(storage, contents=("iso",)) == {"iso/x.iso"}
    assert len(names(storage, contents=CONTENTS)) == 4
