"""Volume names and paths: the shared cases, and names that try to lead out of a storage."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.storage import volid
from corral.storage.base import Environment
from corral.storage.plugins.dir import Dir, DirConfig
from corral.system.fakes import FakeClock, FakeRun
from tests.unit.storage.images import qcow2, reserve


def load(cases: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((cases / "storage" / f"{name}.json").read_text())
    return loaded


def storage_at(path: str, **config: Any) -> Dir:
    return Dir("local", DirConfig(path=path, **config), Environment(FakeRun(), FakeClock()))


def test_volume_names_of_the_yardstick(cases: Path) -> None:
    for case in load(cases, "parse_volname")["cases"]:
        if case.get("error"):
            with pytest.raises(ValueError, match="unable to parse"):
                volid.parse_volname(case["volname"])
            continue
        found = volid.parse_volname(case["volname"])
        assert found._asdict() == case["expect"], case["volname"]
        assert volid.volname_text(found) == case["volname"]


def test_paths_of_the_yardstick_and_back(cases: Path, tmp_path: Path) -> None:
    facts = load(cases, "path_to_volume_id")
    storage = storage_at(str(tmp_path), content=tuple(facts["storage"]["local"]["content"]))
    for case in facts["cases"]:
        path = Path(case["path"].replace("@DIR@", str(tmp_path)))
        volname = storage.volname_at(path)
        if case["expect"] is None:
            assert volname is None, case["path"]
        else:
            assert volname is not None, case["path"]
            assert f"local:{volname}" == case["expect"]["volid"]
            assert storage.parse(volname).vtype == case["expect"]["vtype"]
            assert storage.path(volname) == path


def test_archive_names_of_the_yardstick(cases: Path) -> None:
    for case in load(cases, "archive_info")["cases"]:
        if case.get("error"):
            with pytest.raises(ValueError, match="archive"):
                volid.archive_info(case["archive"])
            continue
        found = volid.archive_info(case["archive"])._asdict()
        assert {key: value for key, value in found.items() if value is not None} == case["expect"], case["archive"]


def test_file_paths_of_the_yardstick(cases: Path) -> None:
    facts = load(cases, "filesystem_path")
    storage = storage_at(facts["storage_path"])
    for case in facts["cases"]:
        if case.get("error"):
            with pytest.raises(Error):
                storage.path(case["volname"], case["snapname"])
            continue
        name = storage.parse(case["volname"])
        found = {"path": str(storage.path(case["volname"], case["snapname"])), "vmid": name.vmid, "vtype": name.vtype}
        assert found == case["expect"]


def test_content_directories_of_the_yardstick(cases: Path) -> None:
    for case in load(cases, "get_subdir")["cases"]:
        config = case["storage"]
        if case.get("error"):
            # A directory without a path can't be configured at all, an unknown type has no directory.
            if "path" not in config:
                with pytest.raises(TypeError):
                    DirConfig()  # type: ignore[call-arg]
            else:
                with pytest.raises(Error):
                    storage_at(config["path"]).content_dir(case["vtype"])
            continue
        overrides = tuple(f"{vtype}={path}" for vtype, path in config.get("content-dirs", {}).items())
        assert str(storage_at(config["path"], content_dirs=overrides).content_dir(case["vtype"])) == case["expect"]


def test_lists_of_the_yardstick(cases: Path, tmp_path: Path) -> None:
    facts = load(cases, "list_volumes")
    world = _World(facts["every_file"], {int(vmid): guest["type"] for vmid, guest in facts["guests"].items()})
    for number, case in enumerate(facts["cases"]):
        directory = tmp_path / str(number)
        backing = case.get("backing", [])
        for index, text in enumerate(case["files"]):
            world.make(Path(text.replace("@DIR@", str(directory))), backing[index] if index < len(backing) else None)
        storage = storage_at(str(directory), content=tuple(facts["storage"]["content"]))
        rows = storage.list(vmid=case["vmid"], contents=tuple(facts["content_queried"]), kind_of=world.kinds.get)
        found = [_shown(row) for row in rows]
        assert sorted(found, key=lambda row: row["volid"]) == sorted(case["expect"], key=lambda row: row["volid"]), (
            number
        )


@dataclass
class _World:
    every_file: dict[str, int]
    kinds: dict[int, str]

    def make(self, path: Path, backing: str | None) -> None:
        if path.suffix in (".subvol",) or path.name.isdigit():
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        size = self.every_file["size"]
        with path.open("wb") as file:
            if "images" in path.parts and path.suffix == ".qcow2":
                file.write(qcow2(size, backing=backing))
            elif "images" in path.parts and path.suffix == ".vmdk":
                file.write(
                    b"KDMV" + (1).to_bytes(4, "little") + bytes(4) + (size // 512).to_bytes(8, "little") + bytes(500)
                )
            else:
                file.truncate(size)
            if "images" in path.parts:
                reserve(file.fileno(), self.every_file["used"])
        import os

        os.utime(path, (self.every_file["ctime"], self.every_file["ctime"]))


def _shown(row: Any) -> dict[str, Any]:
    shown = {
        "volid": f"local:{row.volname}",
        "content": row.content,
        "format": row.format,
        "size": row.size,
        "ctime": row.ctime,
    }
    if row.content in ("images", "rootdir"):
        shown |= {"used": row.used, "parent": row.parent}
    return shown | {key: value for key in ("vmid", "subtype") if (value := getattr(row, key)) is not None}


TRICKS = [
    "../etc/passwd",
    "iso/../../etc/shadow.iso",
    "iso/..",
    "iso/.",
    "iso/",
    "iso//x.iso",
    "/etc/passwd",
    "iso/a/b.iso",
    "iso/.hidden.iso",
    "snippets/../x",
    "snippets/.x",
    "snippets/a/b",
    "100/../vm-100-disk-0.raw",
    "100/vm-100-disk-0.raw/",
    "100/vm-100-../../x.raw",
    "100/vm-100-disk-0\n.raw",
    "100/vm-100-disk-0\0.raw",
    "iso/x\n.iso",
    "import/a.ova/../b.vmdk",
    "import/a.ova/b/c.vmdk",
    "backup/../vzdump-qemu-100-x.vma",
    "１００/vm-100-disk-0.raw",
    "1000000000/vm-1-disk-0.raw",
    "",
    "iso",
    "none/x",
    "rootdir/..",
    "rootdir/x",
]


@pytest.mark.parametrize("volname", TRICKS)
def test_no_volume_name_leads_out_of_its_directory(volname: str) -> None:
    with pytest.raises(ValueError, match="unable to parse"):
        volid.parse_volname(volname)


@given(st.text(alphabet="/.-_:0123456789abvmisocqw2 \0\n%", max_size=40) | st.sampled_from(TRICKS))
def test_a_name_that_parses_stays_below_its_content_directory(text: str) -> None:
    for volname in (text, f"iso/{text}.iso", f"100/vm-100-{text}.raw", f"snippets/{text}"):
        try:
            found = volid.parse_volname(volname)
        except ValueError:
            continue
        relative = volid.relative_path(found)
        assert not relative.startswith("/")
        assert not {"..", ".", ""} & set(relative.split("/"))
        assert "\0" not in relative


@pytest.mark.parametrize(
    ("vtype", "given_name", "kept"),
    [
        ("iso", "debian 12.iso", "debian_12.iso"),
        ("iso", "../../etc/x.iso", "x.iso"),
        ("iso", "C:\\images\\x.ISO", "x.ISO"),
        ("vztmpl", "debian-12.tar.zst", "debian-12.tar.zst"),
        ("import", "disk.qcow2", "disk.qcow2"),
    ],
)
def test_uploaded_names_are_made_plain(vtype: str, given_name: str, kept: str) -> None:
    assert volid.upload_name(vtype, given_name) == kept


@pytest.mark.parametrize(
    ("vtype", "given_name"), [("iso", "x.exe"), ("iso", ".iso"), ("iso", ""), ("import", "a.ovf"), ("vztmpl", "..")]
)
def test_other_uploaded_names_are_refused(vtype: str, given_name: str) -> None:
    with pytest.raises(ValueError, match="extension"):
        volid.upload_name(vtype, given_name)


def test_volume_ids() -> None:
    assert volid.Volid.parse("local:iso/x.iso") == ("local", "iso/x.iso")
    assert str(volid.Volid("a1", "b")) == "a1:b"
    for text in ("local", ":x", "l:x", "local:", "local: x", "-a:x", "local:x\ny", "http://x"):
        if text == "http://x":
            assert volid.Volid.parse(text).storage == "http"
            continue
        with pytest.raises(ValueError, match="volume ID"):
            volid.Volid.parse(text)
