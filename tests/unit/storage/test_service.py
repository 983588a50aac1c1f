"""Storages as others see them, on storages in memory; and who may use a volume."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

from corral.core.errors import AlreadyExists, Conflict, Error, Forbidden, NotFound
from corral.core.layout import Layout
from corral.storage.access import check_removal, check_volume
from corral.storage.base import Environment
from corral.storage.memory import Disk, Memory, MemoryConfig
from corral.storage.plugins.dir import Dir
from corral.storage.service import FreeVolume, Storages, task_id
from corral.store.base import Cause, Transaction, Write
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock, FakeRun
from corral.tasks.base import Draws, Undo

MIB = 1 << 20
CONFIG = """\
memory: fast
\tcontent images,iso,backup,import

memory: slow
\tcontent images
\tformat qcow2
\tbwlimit default=100,clone=50

memory: off
\tdisable 1

memory: far
\tnodes other
"""


class Kept(Memory):
    """Each storage keeps one disk for the whole test."""

    disks: ClassVar[dict[str, Disk]] = {}

    def __init__(self, ident: str, config: MemoryConfig, outside: Environment) -> None:
        super().__init__(ident, config, outside, self.disks.setdefault(ident, Disk()))


class Undos:
    """An undo scope that notes."""

    def __init__(self) -> None:
        self.steps: dict[int, Undo] = {}

    def before(self, step: Undo) -> int:
        self.steps[len(self.steps) + 1] = step
        return len(self.steps)

    def void(self, number: int | None = None) -> None:
        self.steps = {} if number is None else {key: step for key, step in self.steps.items() if key != number}


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(FakeClock())


@pytest.fixture
def storages(tmp_path: Path, store: MemoryStore) -> Storages:
    Kept.disks.clear()
    put(store, "storage.cfg", CONFIG)
    return Storages(
        node="n1", tree=store, run=FakeRun(), clock=FakeClock(), layout=Layout(tmp_path), plugins=(Dir, Kept)
    )


def put(store: MemoryStore, key: str, text: str, **header: str) -> None:
    write = Write(key=key, text=text, header=header or None)
    store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))


def test_the_configuration_is_parsed_once_per_version(storages: Storages, store: MemoryStore) -> None:
    first = storages.config()
    assert storages.config() is first
    put(store, "storage.cfg", "memory: one\n")
    assert storages.ids() == ("local", "one")


@pytest.mark.parametrize(
    ("storage", "content", "text"),
    [
        ("nope", None, "storage 'nope' does not exist"),
        ("off", None, "storage 'off' is disabled"),
        ("far", None, "storage 'far' is not available on node 'n1'"),
        ("slow", "iso", "storage 'slow' does not support content-type 'iso'"),
    ],
)
def test_storages_that_can_t_be_used_say_why(storages: Storages, storage: str, content: str | None, text: str) -> None:
    with pytest.raises(Error) as caught:
        storages.usable(storage, content)
    assert str(caught.value) == text


def test_statuses_never_raise(storages: Storages) -> None:
    found = {status.storage: (status.enabled, status.active) for status in storages.statuses()}
    assert found == {
        "local": (True, True),
        "fast": (True, True),
        "slow": (True, True),
        "off": (False, False),
        "far": (False, False),
    }


def test_names_are_drawn_once_and_apart(storages: Storages) -> None:
    draws = Draws()
    first = storages.draw_volname(draws, "scsi0.volname", storage="fast", vmid=100)
    second = storages.draw_volname(draws, "scsi1.volname", storage="fast", vmid=100)
    other = storages.draw_volname(draws, "scsi2.volname", storage="slow", vmid=100)
    assert (first, second, other) == (
        "fast:100/vm-100-disk-0.raw",
        "fast:100/vm-100-disk-1.raw",
        "slow:100/vm-100-disk-0.qcow2",
    )
    assert storages.draw_volname(draws, "scsi0.volname", storage="fast", vmid=100) == first
    storages.allocate(first, MIB)
    bound = Draws(known={"scsi0.volname": first}, bound=True)
    with pytest.raises(Conflict):
        bound.redraw("scsi0.volname", lambda: storages.draw_volname(Draws(), "x", storage="fast", vmid=100))


def test_a_creation_journals_its_undo_first_and_spares_what_was_there(storages: Storages) -> None:
    undo: Any = Undos()
    with storages.created(undo, "fast:100/vm-100-disk-0.raw"):
        assert undo.steps == {1: FreeVolume(volid="fast:100/vm-100-disk-0.raw")}
        storages.allocate("fast:100/vm-100-disk-0.raw", MIB)
    undo = Undos()
    with pytest.raises(AlreadyExists), storages.created(undo, "fast:100/vm-100-disk-0.raw"):
        raise AssertionError("not reached")
    assert undo.steps == {}
    # Another creator was faster after we looked: our undo step must not remove what is theirs.
    undo = Undos()
    with pytest.raises(AlreadyExists):
        _create_after_another(storages, undo, "fast:100/vm-100-disk-1.raw")
    assert undo.steps == {}
    storages.undo_free(FreeVolume(volid="fast:100/vm-100-disk-0.raw"))
    storages.undo_free(FreeVolume(volid="fast:100/vm-100-disk-0.raw"))
    assert not storages.exists("fast:100/vm-100-disk-0.raw")


def _create_after_another(storages: Storages, undo: Any, volid: str) -> None:
    with storages.created(undo, volid):
        storages.allocate(volid, MIB)
        storages.allocate(volid, MIB)


def test_volumes_by_id(storages: Storages) -> None:
    storages.allocate("fast:100/vm-100-disk-0.qcow2", MIB)
    storages.resize("fast:100/vm-100-disk-0.qcow2", 2 * MIB)
    assert storages.info("fast:100/vm-100-disk-0.qcow2").size == 2 * MIB
    assert storages.volume_at(storages.path("fast:100/vm-100-disk-0.qcow2")) == "fast:100/vm-100-disk-0.qcow2"
    storages.rename("fast:100/vm-100-disk-0.qcow2", "fast:101/vm-101-disk-0.qcow2")
    base = storages.make_base("fast:101/vm-101-disk-0.qcow2")
    clone = storages.clone(base, "fast:102/vm-102-disk-0.qcow2")
    assert clone == "fast:101/base-101-disk-0.qcow2/102/vm-102-disk-0.qcow2"
    assert [volid for volid, _ in storages.list("fast")] == [base, clone]
    with pytest.raises(Error, match="another storage"):
        storages.clone(base, "slow:102/vm-102-disk-0.qcow2")
    for wrong in ("", "nonsense", "fast:", "fast:../x", "fast:iso/x.exe", "nope:iso/x.iso"):
        with pytest.raises(Error):
            storages.info(wrong)
    with pytest.raises(NotFound):
        storages.info("fast:iso/x.iso")


def test_an_image_that_a_guest_uses_is_not_removed(storages: Storages, store: MemoryStore) -> None:
    put(store, "guest/100", "scsi0: fast:100/vm-100-disk-0.raw,size=1G\n#fast:100/vm-100-disk-1.raw\n", kind="qemu")
    with pytest.raises(Error, match="guest 100 uses it as scsi0"):
        storages.refuse_used("fast:100/vm-100-disk-0.raw")
    storages.refuse_used("fast:100/vm-100-disk-1.raw")
    storages.refuse_used("fast:100/vm-100-disk-0.rawer.raw")
    storages.refuse_used("fast:iso/x.iso")
    put(store, "guest/101", "scsi0: fast:9/base-9-disk-0.qcow2/101/vm-101-disk-0.qcow2\n", kind="qemu")
    with pytest.raises(Error, match="guest 101 uses it as scsi0"):
        storages.refuse_used("fast:101/vm-101-disk-0.qcow2")
    with pytest.raises(Error, match="unable to parse"):
        storages.refuse_used("fast:0100/vm-100-disk-0.raw")
    assert (storages.kind_of(100), storages.kind_of(102)) == ("qemu", None)


def test_any_name_of_a_file_gives_a_short_id_of_its_task() -> None:
    assert task_id("debian-12.iso") == "debian-12.iso"
    assert task_id("a b:c/d\0\u00e9.iso") == "a_b_c_d__.iso"
    assert len(task_id("x" * 255)) == 64


def test_the_lowest_limit_of_both_storages_holds(storages: Storages) -> None:
    assert storages._rate("clone", "slow:1/vm-1-disk-0.raw", "fast:1/vm-1-disk-0.raw") == 50 * 1024
    assert storages._rate("move", "fast:1/vm-1-disk-0.raw", "slow:1/vm-1-disk-0.raw") == 100 * 1024
    assert storages._rate("move", "fast:1/vm-1-disk-0.raw", Path("/x")) is None


def test_the_spool_takes_uploads_and_nothing_else(storages: Storages, tmp_path: Path) -> None:
    spool = storages.spool_dir("local")
    assert spool.stat().st_mode & 0o777 == 0o700
    (spool / ".spool-x").write_bytes(b"data")
    kept = storages.keep_upload("local", str(spool / ".spool-x"))
    assert Path(kept).read_bytes() == b"data"
    assert storages.spooled("local", kept) == Path(kept)
    for path in (str(tmp_path / "x"), "/etc/passwd", str(spool / "../x"), str(spool / ".hidden"), f"{spool}/a/b"):
        with pytest.raises(Error, match="not in the spool"):
            storages.spooled("local", path)
    with pytest.raises(Error, match="not in the spool"):
        storages.keep_upload("local", "/etc/passwd")


def test_files_that_nobody_will_take_are_swept(storages: Storages, tmp_path: Path) -> None:
    spool, journals = storages.spool_dir("local"), tmp_path / "journals"
    journals.mkdir()
    now = storages.clock.now()
    ages = {"task-old": 120, "task-alive": 120, "task-new": 10, ".spool-a": 120, ".spool-b": 4 * 86400}
    for name, age in ages.items():
        (spool / name).write_bytes(b"data")
        os.utime(spool / name, (now - age, now - age))
    (journals / "UPID").write_text(f'{{"file":"{spool}/task-alive"}}\n')
    assert storages.sweep_spools(journals) == 2
    assert sorted(path.name for path in spool.iterdir()) == [".spool-a", "task-alive", "task-new"]


class Caller:
    """Has these privileges: path → words."""

    def __init__(self, granted: dict[str, str]) -> None:
        self.granted = {path: set(words.split()) for path, words in granted.items()}

    def may(self, path: str, *privs: str) -> bool:
        return set(privs) <= self.granted.get(path, set())

    def may_any(self, path: str, *privs: str) -> bool:
        return bool(set(privs) & self.granted.get(path, set()))

    def need(self, path: str, *privs: str) -> None:
        if not self.may(path, *privs):
            raise Forbidden(f"Permission check failed ({path}, {privs[0]})")

    def need_any(self, path: str, *privs: str) -> None:
        if not self.may_any(path, *privs):
            raise Forbidden(f"Permission check failed ({path}, {'|'.join(privs)})")


STORE, GUEST = "/storage/fast", "/vms/100"
IMAGE, ISO = "fast:100/vm-100-disk-0.raw", "fast:iso/x.iso"
ARCHIVE, SNIPPET = "fast:backup/vzdump-qemu-100-2026_01_31-04_00_00.vma", "fast:snippets/x.pl"


@pytest.mark.parametrize(
    ("volume", "granted", "use", "remove"),
    [
        (IMAGE, {}, False, False),
        (IMAGE, {STORE: "Datastore.Allocate"}, True, True),
        (IMAGE, {STORE: "Datastore.Audit", GUEST: "VM.Config.Disk"}, True, False),
        (IMAGE, {GUEST: "VM.Config.Disk"}, False, False),
        (ISO, {STORE: "Datastore.Audit"}, True, False),
        (ISO, {STORE: "Datastore.AllocateTemplate"}, False, False),
        (ARCHIVE, {STORE: "Datastore.AllocateSpace"}, False, False),
        (ARCHIVE, {STORE: "Datastore.AllocateSpace", GUEST: "VM.Backup"}, True, True),
        (SNIPPET, {STORE: "Datastore.AllocateSpace Datastore.Audit"}, False, False),
        (SNIPPET, {STORE: "Datastore.Allocate"}, True, True),
    ],
)
def test_rights(storages: Storages, volume: str, granted: dict[str, str], *, use: bool, remove: bool) -> None:
    caller = Caller(granted)
    for check, allowed in ((check_volume, use), (check_removal, remove)):
        if allowed:
            check(storages, caller, volume)
        else:
            with pytest.raises(Forbidden, match="Permission check failed"):
                check(storages, caller, volume)


def test_a_guest_s_own_images_are_free_to_it(storages: Storages) -> None:
    check_volume(storages, Caller({}), IMAGE, vmid=100)
    with pytest.raises(Forbidden):
        check_volume(storages, Caller({}), IMAGE, vmid=101)
    with pytest.raises(Error, match="not of type 'iso'"):
        check_volume(storages, Caller({}), IMAGE, vmid=100, content="iso")
