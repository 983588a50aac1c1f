"""The calls of /storage and /nodes/{node}/storage, through the dispatcher."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.core.identity import Identity
from corral.metrics.series import Metrics
from corral.store.base import Write
from tests.integration.storage.bench import Bench
from tests.unit.storage.images import qcow2
from tests.unit.storage.prepared import prepare

HERE = "/nodes/testnode/storage"
MIB = 1 << 20


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


def backup(bench: Bench, name: str, data: bytes = b"archive") -> str:
    path = bench.local / "dump" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"local:backup/{name}"


# --- /storage ---------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("GET /storage", "type")
def test_the_storage_local_is_there_without_configuration(bench: Bench) -> None:
    rows = bench.client.get("/storage", type="dir")
    assert [(row["storage"], row["type"], row["path"]) for row in rows] == [("local", "dir", str(bench.local))]
    assert rows[0]["content"] == "iso,vztmpl,backup,import,images,rootdir,snippets"
    assert len(rows[0]["digest"]) == 40
    assert bench.client.get("/storage", type="nfs") == []


@pytest.mark.exercises(
    "POST /storage", "storage", "type", "path", "content", "nodes", "disable", "shared", "content-dirs",
    "prune-backups", "preallocation", "format", "bwlimit", "mkdir", "create-base-path", "create-subdirs",
    "is_mountpoint", "max-protected-backups", "snapshot-as-volume-chain",
)  # fmt: skip
@pytest.mark.exercises("GET /storage/{storage}", "storage")
def test_every_option_of_a_directory_is_kept(bench: Bench, tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "path": str(tmp_path / "more"),
        "content": "images,iso,backup",
        "nodes": "testnode,other",
        "disable": 0,
        "shared": 1,
        "content-dirs": "iso=isos,backup=old/dumps",
        "prune-backups": "keep-daily=7,keep-last=3",
        "preallocation": "off",
        "format": "qcow2",
        "bwlimit": "clone=1000,restore=500.5",
        "mkdir": 0,
        "create-base-path": 1,
        "create-subdirs": 1,
        "is_mountpoint": "no",
        "max-protected-backups": 3,
        "snapshot-as-volume-chain": 0,
    }
    answer = bench.client.call("POST", "/storage", {"storage": "more", "type": "dir", **options})
    assert answer == {"storage": "more", "type": "dir"}
    row = bench.client.get("/storage/more")
    shown = {key: value for key, value in row.items() if key not in ("storage", "type", "digest")}
    assert shown == options
    # What it says holds: the directories are where it says, an image has the default format.
    assert bench.client.get(f"{HERE}/more/status")["active"] == 1
    assert (tmp_path / "more/isos").is_dir()
    assert (tmp_path / "more/old/dumps").is_dir()
    volid = bench.client.post(f"{HERE}/more/content", filename="vm-100-disk-0", vmid=100, size="1M")
    assert volid == "more:100/vm-100-disk-0.qcow2"


@pytest.mark.exercises("POST /storage", "storage", refused=True)
@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"storage": "x1", "type": "dir"}, "path"),
        ({"storage": "x1", "type": "dir", "path": "relative"}, "path"),
        ({"storage": "x1", "type": "dir", "path": "/"}, "path"),
        ({"storage": "x1", "type": "dir", "path": "/srv/../etc"}, "path"),
        ({"storage": "x1", "type": "dir", "path": "//etc/cron.d"}, "path"),
        ({"storage": "x1", "type": "dir", "path": "/proc/1/root/srv"}, "path"),
        ({"storage": "1x", "type": "dir", "path": "/srv/x"}, "storage"),
        ({"storage": "x1", "type": "nfs", "path": "/srv/x"}, "type"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x", "content": "nonsense"}, "content"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x", "content": "none,iso"}, "content"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x", "content-dirs": "iso=../../etc"}, "content-dirs"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x", "content-dirs": "nonsense=x"}, "content-dirs"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x", "prune-backups": "keep-last=x"}, "prune-backups"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x", "is_mountpoint": "perhaps"}, "is_mountpoint"),
        ({"storage": "x1", "type": "dir", "path": "/srv/x\n\tdisable 1"}, "path"),
    ],
)
def test_wrong_options_are_named(bench: Bench, params: dict[str, Any], wrong: str) -> None:
    reply = bench.client.send("POST", "/storage", params)
    assert reply.status == 400
    assert list(reply.errors or {}) == [wrong]
    assert [row["storage"] for row in bench.client.get("/storage")] == ["local"]


def test_a_storage_is_defined_once(bench: Bench, tmp_path: Path) -> None:
    assert "already defined" in (
        bench.client.refused("POST", "/storage", storage="local", type="dir", path="/srv/x").reason
    )


def test_a_missing_mount_is_told_at_once(bench: Bench, tmp_path: Path) -> None:
    reply = bench.client.refused("POST", "/storage", storage="x1", type="dir", path=str(tmp_path), is_mountpoint="yes")
    assert "not mounted" in reply.reason


@pytest.mark.exercises(
    "PUT /storage/{storage}", "storage", "content", "nodes", "disable", "shared", "content-dirs", "prune-backups",
    "preallocation", "format", "bwlimit", "mkdir", "create-base-path", "create-subdirs", "is_mountpoint",
    "max-protected-backups", "snapshot-as-volume-chain", "delete", "digest",
)  # fmt: skip
def test_options_are_changed_and_deleted(bench: Bench, tmp_path: Path) -> None:
    made: dict[str, Any] = {"storage": "more", "type": "dir", "path": str(tmp_path / "more"), "shared": 1}
    bench.client.call("POST", "/storage", {**made, "snapshot-as-volume-chain": 0})
    changes: dict[str, Any] = {
        "content": "iso,import",
        "nodes": "testnode",
        "disable": 1,
        "content-dirs": "iso=isos",
        "prune-backups": "keep-all=1",
        "preallocation": "full",
        "format": "raw",
        "bwlimit": "default=10",
        "mkdir": 1,
        "create-base-path": 0,
        "create-subdirs": 0,
        "is_mountpoint": "yes",
        "max-protected-backups": -1,
        "shared": 0,
        "snapshot-as-volume-chain": 0,
    }
    digest = bench.client.get("/storage/more")["digest"]
    assert bench.client.call("PUT", "/storage/more", {**changes, "digest": digest}) == {
        "storage": "more",
        "type": "dir",
    }
    row = bench.client.get("/storage/more")
    assert {key: row[key] for key in changes} == changes
    reply = bench.client.send("PUT", "/storage/more", {"disable": 0, "digest": digest})
    assert reply.reason == "detected modified configuration - file changed by other user? Try again."
    bench.client.put("/storage/more", delete="disable,nodes is_mountpoint;content-dirs")
    row = bench.client.get("/storage/more")
    assert not {"disable", "nodes", "is_mountpoint", "content-dirs"} & set(row)
    for delete, text in (("path", "required"), ("snapshot-as-volume-chain", "fixed"), ("nonsense", "unknown")):
        assert text in (bench.client.refused("PUT", "/storage/more", delete=delete).errors or {})["delete"]
    reply = bench.client.refused("PUT", "/storage/more", **{"snapshot-as-volume-chain": 1})
    assert "fixed" in (reply.errors or {})["snapshot-as-volume-chain"]
    reply = bench.client.refused("PUT", "/storage/more", shared=1, delete="shared")
    assert "shared" in (reply.errors or {})


@pytest.mark.exercises("DELETE /storage/{storage}", "storage")
def test_a_storage_goes_and_its_content_stays(bench: Bench, tmp_path: Path) -> None:
    bench.client.post("/storage", storage="more", type="dir", path=str(tmp_path / "more"), content="images")
    bench.client.post(f"{HERE}/more/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
    bench.client.delete("/storage/more")
    assert [row["storage"] for row in bench.client.get("/storage")] == ["local"]
    assert (tmp_path / "more/images/100/vm-100-disk-0.raw").exists()
    assert bench.client.refused("DELETE", "/storage/more").reason == "storage 'more' does not exist"


def test_what_is_not_understood_is_kept(bench: Bench, tmp_path: Path) -> None:
    bench.configure(
        "nfs: far\n\texport /x\n\tserver 192.0.2.1\n\n"
        f"dir: near\n\tpath {tmp_path}/near\n\tcontent iso\n\tfuture option\n"
    )
    bench.client.put("/storage/near", shared=1)
    doc = bench.app.tree.get("storage.cfg")
    assert doc is not None
    assert "nfs: far\n\texport /x\n\tserver 192.0.2.1\n" in doc.text
    assert "\tfuture option\n" in doc.text
    rows = {row["storage"]: row for row in bench.client.get(HERE)}
    assert rows["far"]["active"] == 0
    assert rows["near"]["active"] == 1
    assert "not supported here yet" in bench.client.refused("GET", f"{HERE}/far/content").reason


# --- the node's view --------------------------------------------------------------------------------------------------


@pytest.mark.exercises("GET /nodes/{node}/storage", "node", "content", "enabled", "format", "storage", "target")
def test_storages_of_a_node_are_listed_by_what_they_are_for(bench: Bench, tmp_path: Path) -> None:
    for name, options in (
        ("isos", {"content": "iso"}),
        ("off", {"content": "iso", "disable": 1}),
        ("wide", {"content": "images", "shared": 1}),
        ("elsewhere", {"content": "images", "nodes": "other"}),
    ):
        bench.client.call("POST", "/storage", {"storage": name, "type": "dir", "path": str(tmp_path / name), **options})

    def listed(**wanted: Any) -> set[str]:
        return {row["storage"] for row in bench.client.get(HERE, **wanted)}

    assert listed() == {"local", "isos", "off", "wide", "elsewhere"}
    assert listed(enabled=1) == {"local", "isos", "wide"}
    assert listed(content="iso", enabled=1) == {"local", "isos"}
    assert listed(content="backup,snippets") == {"local"}
    assert listed(storage="isos") == {"isos"}
    assert listed(target="other") == {"wide"}
    assert listed(target="testnode") == listed()
    row = bench.client.get(HERE, storage="local", format=1)[0]
    assert row["formats"] == {"supported": ["raw", "qcow2", "vmdk", "subvol"], "default": "raw"}
    assert (row["active"], row["enabled"], row["shared"], row["type"]) == (1, 1, 0, "dir")
    assert row["total"] >= row["used"] >= 0
    assert 0 <= row["used_fraction"] <= 1
    rows = {row["storage"]: row for row in bench.client.get(HERE)}
    assert (rows["off"]["active"], rows["off"]["enabled"]) == (0, 0)


@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/status", "node", "storage")
@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}", "node", "storage")
@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/identity", "node", "storage")
def test_status_and_identity(bench: Bench, tmp_path: Path) -> None:
    status = bench.client.get(f"{HERE}/local/status")
    found = os.statvfs(bench.local)
    assert status["total"] == found.f_blocks * found.f_frsize
    assert status["active"] == 1
    assert {"subdir": "content"} in bench.client.get(f"{HERE}/local")
    link = tmp_path / "link"
    link.symlink_to(bench.local)
    bench.client.post("/storage", storage="again", type="dir", path=str(link))
    bench.client.post("/storage", storage="more", type="dir", path=str(tmp_path / "more"))
    identities = {name: bench.client.get(f"{HERE}/{name}/identity") for name in ("local", "again", "more")}
    assert identities["local"] == identities["again"]
    assert identities["local"] != identities["more"]
    assert identities["local"]["type"] == "dir"


@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/rrddata", "node", "storage", "timeframe", "cf")
def test_history_of_a_storage(bench: Bench) -> None:
    from corral.metrics.sampler import storage_series

    bench.app.metrics = Metrics(bench.root / "metrics", bench.app.clock)
    bench.app.metrics.update("storage", storage_series("testnode", "local"), {"total": 100.0, "used": 40.0})
    rows = bench.client.get(f"{HERE}/local/rrddata", timeframe="hour", cf="MAX")
    assert rows[-1]["used"] == 40
    assert (
        bench.client.refused("GET", f"{HERE}/nope/rrddata", timeframe="hour").reason == "storage 'nope' does not exist"
    )


# --- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.exercises(
    "POST /nodes/{node}/storage/{storage}/content", "node", "storage", "filename", "size", "vmid", "format"
)
@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/content", "node", "storage", "content", "vmid")
@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/content/{volume}", "node", "storage", "volume")
@pytest.mark.exercises("DELETE /nodes/{node}/storage/{storage}/content/{volume}", "node", "storage", "volume", "delay")
def test_an_image_is_made_seen_and_removed(bench: Bench) -> None:
    content = f"{HERE}/local/content"
    for filename, size, form, expected in (
        ("vm-100-disk-0.raw", "2048", None, 2 * MIB),
        ("vm-100-disk-1.qcow2", "3M", "qcow2", 3 * MIB),
        ("vm-100-disk-2", "1G", "vmdk", 1024 * MIB),
    ):
        params = {"filename": filename, "vmid": 100, "size": size, **({"format": form} if form else {})}
        volid = bench.client.call("POST", content, params)
        assert bench.client.get(f"{content}/{volid}")["size"] == expected
    bench.client.post(content, filename="vm-101-disk-0.raw", vmid=101, size="1M")
    assert bench.names(vmid=100) == {
        "local:100/vm-100-disk-0.raw", "local:100/vm-100-disk-1.qcow2", "local:100/vm-100-disk-2.vmdk"
    }  # fmt: skip
    assert bench.names(content="iso") == set()
    info = bench.client.get(f"{content}/local:100/vm-100-disk-1.qcow2")
    assert info["path"] == str(bench.local / "images/100/vm-100-disk-1.qcow2")
    assert (info["format"], info["size"]) == ("qcow2", 3 * MIB)
    assert bench.client.get(f"{content}/100/vm-100-disk-1.qcow2") == info
    row = next(row for row in bench.client.get(content, vmid=101))
    assert (row["content"], row["format"], row["vmid"], row["size"]) == ("images", "raw", 101, MIB)
    upid = bench.client.delete(f"{content}/local:100/vm-100-disk-0.raw")
    assert bench.ended(upid) == "OK"
    assert ":imgdel:100@local:" in upid
    assert bench.client.delete(f"{content}/local:100/vm-100-disk-1.qcow2", delay=20) is None
    assert bench.names(vmid=100) == {"local:100/vm-100-disk-2.vmdk"}
    assert not (bench.local / "images/100/vm-100-disk-1.qcow2").exists()


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"filename": "vm-101-disk-0.raw", "vmid": 100, "size": "1M"}, "illegal name"),
        ({"filename": "../../x.raw", "vmid": 100, "size": "1M"}, "unable to parse"),
        ({"filename": "/etc/vm-100-disk-0.raw", "vmid": 100, "size": "1M"}, "unable to parse"),
        ({"filename": "vm-100-disk-0.raw", "vmid": 100, "size": "1T"}, "Parameter verification failed"),
        ({"filename": "vm-100-disk-0.raw", "vmid": 99, "size": "1M"}, "Parameter verification failed"),
        (
            {"filename": "vm-100-disk-0.raw", "vmid": 100, "size": "1M", "format": "qcow2"},
            "Parameter verification failed",
        ),
        ({"filename": "vm-100-disk-0.raw", "vmid": 100}, "Parameter verification failed"),
        ({"filename": "subvol-100-disk-0.subvol", "vmid": 100, "size": "1M"}, "size must be 0"),
    ],
)
def test_images_that_can_t_be_are_refused_and_leave_nothing(bench: Bench, params: dict[str, Any], text: str) -> None:
    assert text in bench.client.send("POST", f"{HERE}/local/content", params).reason
    assert bench.names() == set()
    assert list((bench.local / "images").rglob("*")) == []


def test_an_image_is_made_once(bench: Bench) -> None:
    params = {"filename": "vm-100-disk-0.raw", "vmid": 100, "size": "1M"}
    bench.client.call("POST", f"{HERE}/local/content", params)
    assert "already exists" in bench.client.send("POST", f"{HERE}/local/content", {**params, "size": "2M"}).reason
    assert bench.client.get(f"{HERE}/local/content/100/vm-100-disk-0.raw")["size"] == MIB


@pytest.mark.exercises(
    "POST /nodes/{node}/storage/{storage}/content/{volume}", "node", "storage", "volume", "target", "target_node"
)
def test_an_image_is_copied_into_another_format(bench: Bench) -> None:
    content = f"{HERE}/local/content"
    bench.client.post(content, filename="vm-100-disk-0.raw", vmid=100, size="1M")
    (bench.local / "images/100/vm-100-disk-0.raw").write_bytes(b"corral" * 1000 + bytes(MIB - 6000))
    upid = bench.client.post(
        f"{content}/100/vm-100-disk-0.raw", target="101/vm-101-disk-0.qcow2", target_node="testnode"
    )
    assert bench.ended(upid) == "OK"
    assert bench.client.get(f"{content}/101/vm-101-disk-0.qcow2")["size"] == MIB
    assert (
        bench.ended(bench.client.post(f"{content}/101/vm-101-disk-0.qcow2", target="local:102/vm-102-disk-0.raw"))
        == "OK"
    )
    copied = (bench.local / "images/102/vm-102-disk-0.raw").read_bytes()
    assert copied == (bench.local / "images/100/vm-100-disk-0.raw").read_bytes()
    assert (
        "already exists"
        in bench.client.refused("POST", f"{content}/100/vm-100-disk-0.raw", target="101/vm-101-disk-0.qcow2").reason
    )
    assert (
        "no such cluster node"
        in bench.client.refused("POST", f"{content}/100/vm-100-disk-0.raw", target="x", target_node="n2").reason
    )


def test_an_image_in_use_is_not_removed(bench: Bench) -> None:
    bench.client.post(f"{HERE}/local/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
    bench.put(Write(key="guest/100", text="scsi0: local:100/vm-100-disk-0.raw,size=1M\n", header={"kind": "qemu"}))
    reply = bench.client.refused("DELETE", f"{HERE}/local/content/100/vm-100-disk-0.raw")
    assert "guest 100 uses it as scsi0" in reply.reason
    bench.put(Write(key="guest/100", text="unused0: local:100/vm-100-disk-0.raw\n"))
    assert bench.ended(bench.client.delete(f"{HERE}/local/content/100/vm-100-disk-0.raw")) == "OK"


def test_a_volume_that_is_not_there(bench: Bench) -> None:
    for method in ("GET", "DELETE"):
        reply = bench.client.refused(method, f"{HERE}/local/content/local:100/vm-100-disk-0.raw")
        assert reply.reason == "volume 'local:100/vm-100-disk-0.raw' does not exist"
    assert bench.client.refused("GET", f"{HERE}/local/content/other:iso/x.iso").status == 400


@pytest.mark.parametrize(
    "volume",
    [
        "../../etc/passwd",
        "iso/..%2f..%2fetc%2fpasswd",
        "iso/../../../etc/shadow.iso",
        "%2e%2e/x",
        "snippets/%00",
        "local:/etc/passwd",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
def test_no_volume_name_leads_out(bench: Bench, method: str, volume: str) -> None:
    params = {"PUT": {"notes": "x"}, "POST": {"target": "100/vm-100-disk-0.raw"}}.get(method, {})
    assert not bench.client.send(method, f"{HERE}/local/content/{volume}", params).ok


def test_a_link_out_of_the_storage_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret.iso"
    secret.write_text("secret")
    for vtype, name in (("template/iso", "x.iso"), ("images/100", "vm-100-disk-0.raw")):
        (bench.local / vtype).mkdir(parents=True, exist_ok=True)
        (bench.local / vtype / name).symlink_to(secret)
    assert bench.names() == set()
    for volume in ("iso/x.iso", "100/vm-100-disk-0.raw"):
        assert not bench.client.send("GET", f"{HERE}/local/content/{volume}").ok
    reply = bench.client.send(
        "POST", f"{HERE}/local/content/100/vm-100-disk-0.raw", {"target": "101/vm-101-disk-0.raw"}
    )
    assert not reply.ok


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.exercises(
    "POST /nodes/{node}/storage/{storage}/upload",
    "node",
    "storage",
    "content",
    "filename",
    "checksum",
    "checksum-algorithm",
)
@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_an_upload_is_checked_and_put_in_place(bench: Bench, algorithm: str) -> None:
    data = os.urandom(200_000)
    params = {
        "content": "iso",
        "filename": bench.spooled("debian 12.iso", data),
        "checksum-algorithm": algorithm,
        "checksum": hashlib.new(algorithm, data).hexdigest(),
    }
    upid = bench.client.call("POST", f"{HERE}/local/upload", params)
    assert bench.ended(upid) == "OK"
    assert "checksum verified" in bench.log(upid)
    assert (bench.local / "template/iso/debian_12.iso").read_bytes() == data
    assert bench.names(content="iso") == {"local:iso/debian_12.iso"}
    assert bench.spool() == []
    # The same name again: the newer file replaces the older one in one step.
    upid = bench.client.call(
        "POST", f"{HERE}/local/upload", {"content": "iso", "filename": bench.spooled("debian 12.iso", b"new")}
    )
    assert bench.ended(upid) == "OK"
    assert (bench.local / "template/iso/debian_12.iso").read_bytes() == b"new"


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/upload", "content", "filename")
@pytest.mark.parametrize(
    ("content", "filename", "data", "volume"),
    [
        ("iso", "../../../etc/x.iso", b"x", "iso/x.iso"),
        ("vztmpl", "debian.tar.zst", b"x", "vztmpl/debian.tar.zst"),
        ("import", "disk.qcow2", qcow2(MIB), "import/disk.qcow2"),
        ("import", "disk.raw", bytes(1000), "import/disk.raw"),
        ("import", "machine.ova", b"x", "import/machine.ova"),
    ],
)
def test_uploads_of_each_content(bench: Bench, content: str, filename: str, data: bytes, volume: str) -> None:
    upid = bench.client.call(
        "POST", f"{HERE}/local/upload", {"content": content, "filename": bench.spooled(filename, data)}
    )
    assert bench.ended(upid) == "OK"
    assert bench.names(content=content) == {f"local:{volume}"}


def test_a_wrong_checksum_leaves_nothing(bench: Bench) -> None:
    params = {
        "content": "iso",
        "filename": bench.spooled("x.iso", b"x"),
        "checksum-algorithm": "md5",
        "checksum": "0" * 32,
    }
    assert "checksum mismatch" in bench.ended(bench.client.call("POST", f"{HERE}/local/upload", params))
    assert bench.names() == set()
    assert bench.spool() == []


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/upload", "content", "filename", refused=True)
@pytest.mark.parametrize(
    ("content", "filename"),
    [("iso", "x.exe"), ("iso", ".."), ("vztmpl", "x.zip"), ("import", "x.ovf"), ("iso", ".iso")],
)
def test_uploads_with_wrong_names_are_refused_and_leave_nothing(bench: Bench, content: str, filename: str) -> None:
    reply = bench.client.send(
        "POST", f"{HERE}/local/upload", {"content": content, "filename": bench.spooled(filename, b"x")}
    )
    assert reply.status == 400
    assert "filename" in (reply.errors or {})
    assert bench.spool() == []
    assert bench.names() == set()


def test_an_upload_without_a_file_is_refused(bench: Bench) -> None:
    reply = bench.client.send("POST", f"{HERE}/local/upload", {"content": "iso", "filename": "x.iso"})
    assert (reply.status, list(reply.errors or {})) == (400, ["filename"])


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("a.qcow2", qcow2(MIB, backing="/etc/passwd")),
        ("b.qcow2", qcow2(MIB, data_file=True)),
        ("c.qcow2", b"no image"),
        ("d.vmdk", b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n'),
        ("e.vmdk", b"KDMV" + (1).to_bytes(4, "little") + bytes(504)),
    ],
)
def test_images_that_lead_to_other_files_are_refused(bench: Bench, filename: str, data: bytes) -> None:
    upid = bench.client.call(
        "POST", f"{HERE}/local/upload", {"content": "import", "filename": bench.spooled(filename, data)}
    )
    assert bench.ended(upid) != "OK"
    assert bench.names() == set()
    assert bench.spool() == []


# --- backups ----------------------------------------------------------------------------------------------------------


@pytest.mark.exercises(
    "PUT /nodes/{node}/storage/{storage}/content/{volume}", "node", "storage", "volume", "notes", "protected"
)
def test_a_backup_s_attributes(bench: Bench) -> None:
    volume = backup(bench, "vzdump-qemu-100-2026_01_31-04_00_00.vma.zst")
    path = f"{HERE}/local/content/{volume}"
    assert bench.client.put(path, notes="before\nthe upgrade", protected=1) is None
    assert bench.client.get(path)["notes"] == "before\nthe upgrade"
    assert bench.client.get(path)["protected"] == 1
    row = bench.client.get(f"{HERE}/local/content", content="backup")[0]
    assert (row["notes"], row["protected"], row["subtype"], row["ctime"]) == (
        "before\nthe upgrade",
        1,
        "qemu",
        1769832000,
    )
    assert "protected" in bench.client.refused("DELETE", path).reason
    bench.client.put(path, notes="", protected=0)
    assert "notes" not in bench.client.get(path)
    assert bench.ended(bench.client.delete(path)) == "OK"
    assert os.listdir(bench.local / "dump") == []


def test_no_more_backups_are_protected_than_allowed(bench: Bench) -> None:
    bench.client.put("/storage/local", **{"max-protected-backups": 1})
    first = backup(bench, "vzdump-qemu-100-2026_01_31-04_00_00.vma")
    second = backup(bench, "vzdump-qemu-100-2026_02_01-04_00_00.vma")
    bench.client.put(f"{HERE}/local/content/{first}", protected=1)
    bench.client.put(f"{HERE}/local/content/{first}", protected=1)
    assert "limited to 1" in bench.client.refused("PUT", f"{HERE}/local/content/{second}", protected=1).reason
    bench.client.post(f"{HERE}/local/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
    assert (
        "not supported" in bench.client.refused("PUT", f"{HERE}/local/content/100/vm-100-disk-0.raw", notes="x").reason
    )


@pytest.mark.exercises(
    "GET /nodes/{node}/storage/{storage}/prunebackups", "node", "storage", "prune-backups", "type", "vmid"
)
@pytest.mark.exercises(
    "DELETE /nodes/{node}/storage/{storage}/prunebackups", "node", "storage", "prune-backups", "type", "vmid"
)
def test_old_backups_are_pruned(bench: Bench) -> None:
    for day in ("01", "02", "03"):
        backup(bench, f"vzdump-qemu-100-2026_01_{day}-04_00_00.vma.zst")
        backup(bench, f"vzdump-lxc-101-2026_01_{day}-04_00_00.tar.zst")
    kept = backup(bench, "vzdump-qemu-100-my_own_name.vma")
    bench.client.put(f"{HERE}/local/content/backup/vzdump-qemu-100-2026_01_01-04_00_00.vma.zst", protected=1)
    prune = f"{HERE}/local/prunebackups"
    rules = {"prune-backups": "keep-last=1", "type": "qemu", "vmid": 100}
    rows = bench.client.call("GET", prune, rules)
    marks = {row["volid"].rpartition("/")[2]: row["mark"] for row in rows}
    assert marks == {
        "vzdump-qemu-100-2026_01_01-04_00_00.vma.zst": "protected",
        "vzdump-qemu-100-2026_01_02-04_00_00.vma.zst": "remove",
        "vzdump-qemu-100-2026_01_03-04_00_00.vma.zst": "keep",
        "vzdump-qemu-100-my_own_name.vma": "renamed",
    }
    assert len(bench.names()) == 7
    assert "no prune-backups options" in bench.client.refused("GET", prune).reason
    assert bench.client.send("GET", prune, {"prune-backups": "keep-all=1,keep-last=2"}).status == 400
    upid = bench.client.call("DELETE", prune, rules)
    assert bench.ended(upid) == "OK"
    assert ":prunebackups:100@local:" in upid
    assert len(bench.names()) == 6
    bench.client.call("PUT", "/storage/local", {"prune-backups": "keep-last=1"})
    assert bench.ended(bench.client.delete(prune)) == "OK"
    assert bench.names() == {
        "local:backup/vzdump-qemu-100-2026_01_01-04_00_00.vma.zst",
        "local:backup/vzdump-qemu-100-2026_01_03-04_00_00.vma.zst",
        "local:backup/vzdump-lxc-101-2026_01_03-04_00_00.tar.zst",
        kept,
    }


# --- what a directory can't do ----------------------------------------------------------------------------------------


@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/file-restore/list", "volume", "filepath", refused=True)
@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/file-restore/download", "volume", "filepath", refused=True)
@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/oci-registry-pull", "reference", refused=True)
def test_what_is_not_possible_says_so(bench: Bench) -> None:
    volume = backup(bench, "vzdump-qemu-100-2026_01_31-04_00_00.vma.zst")
    for verb in ("list", "download"):
        reply = bench.client.refused("GET", f"{HERE}/local/file-restore/{verb}", volume=volume, filepath="Lw==")
        assert "backup server" in reply.reason
    reply = bench.client.refused("POST", f"{HERE}/local/oci-registry-pull", reference="docker.io/library/alpine:3")
    assert "not supported yet" in reply.reason


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def as_user(bench: Bench) -> Any:
    """A function that makes a client for a user with these rights: path → privileges."""

    class Rights:
        def __init__(self, granted: dict[str, set[str]]) -> None:
            self.granted = granted

        def privileges(self, _who: Identity, path: str) -> frozenset[str]:
            return frozenset(self.granted.get(path, ()))

        def groups_of(self, _user: str) -> frozenset[str]:
            return frozenset()

    class Access:
        def __init__(self, granted: dict[str, set[str]]) -> None:
            self.rights = Rights(granted)

        def verify(self, _credentials: object) -> Identity:
            return Identity("alice@pve")

    def make(granted: dict[str, set[str]]) -> Any:
        bench.app.access = Access(granted)  # type: ignore[assignment]
        return bench.client

    return make


def test_only_storages_and_volumes_that_one_may_see_are_listed(bench: Bench, as_user: Any, tmp_path: Path) -> None:
    bench.client.post("/storage", storage="more", type="dir", path=str(tmp_path / "more"))
    prepare(bench.local)
    bench.client.post(f"{HERE}/local/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
    (bench.local / "template/iso/x.iso").write_bytes(b"x")
    (bench.local / "snippets/hook.pl").write_bytes(b"x")
    alice = as_user(
        {"/storage/local": {"Datastore.AllocateSpace"}, "/vms/100": {"VM.Config.Disk"}, "/vms/4711": {"VM.Backup"}}
    )
    assert [row["storage"] for row in alice.get("/storage")] == ["local"]
    assert [row["storage"] for row in alice.get(HERE)] == ["local"]
    assert {row["volid"] for row in alice.get(f"{HERE}/local/content")} == {
        "local:100/vm-100-disk-0.raw",
        "local:iso/x.iso",
        "local:backup/vzdump-qemu-4711-2026_01_31-04_00_00.vma.zst",
        "local:backup/vzdump-qemu-4711-2026_02_01-04_00_00.vma.zst",
    }
    assert alice.refused("GET", f"{HERE}/more/content").status == 403
    assert (
        alice.refused("GET", "/storage/local").reason == "Permission check failed (/storage/local, Datastore.Allocate)"
    )


IMAGE = "4712/vm-4712-disk-0.raw"
ARCHIVE = "backup/vzdump-qemu-4711-2026_01_31-04_00_00.vma.zst"


@pytest.mark.parametrize(
    ("method", "volume", "on_storage", "on_guest", "allowed"),
    [
        ("GET", IMAGE, "Datastore.Audit", "", False),
        ("GET", IMAGE, "Datastore.Audit", "VM.Config.Disk", True),
        ("DELETE", IMAGE, "Datastore.AllocateSpace", "VM.Config.Disk", False),
        ("DELETE", IMAGE, "Datastore.Allocate", "", True),
        ("DELETE", ARCHIVE, "Datastore.AllocateSpace", "", False),
        ("DELETE", ARCHIVE, "Datastore.AllocateSpace", "VM.Backup", True),
        ("PUT", ARCHIVE, "Datastore.Audit", "", False),
        ("PUT", ARCHIVE, "Datastore.AllocateSpace", "VM.Backup", True),
        ("POST", IMAGE, "Datastore.Audit", "VM.Config.Disk", False),
        ("POST", IMAGE, "Datastore.AllocateSpace", "VM.Config.Disk", True),
    ],
)
def test_who_may_do_what_with_a_volume(
    bench: Bench, as_user: Any, *, method: str, volume: str, on_storage: str, on_guest: str, allowed: bool
) -> None:
    prepare(bench.local)
    params = {"PUT": {"notes": "x"}, "POST": {"target": "4712/vm-4712-disk-5.raw"}}.get(method, {})
    guest = "/vms/4712" if volume == IMAGE else "/vms/4711"
    alice = as_user({"/storage/local": {on_storage}, guest: {on_guest}})
    reply = alice.send(method, f"{HERE}/local/content/{volume}", params)
    assert reply.ok == allowed, reply.reason
    if not allowed:
        assert reply.status == 403


def test_calls_need_their_privileges(bench: Bench, as_user: Any) -> None:
    alice = as_user({})
    for method, path, params in (
        ("POST", "/storage", {"storage": "x1", "type": "dir", "path": "/srv/x"}),
        ("PUT", "/storage/local", {"shared": 1}),
        ("DELETE", "/storage/local", {}),
        ("GET", f"{HERE}/local/status", {}),
        ("GET", f"{HERE}/local/content", {}),
        ("GET", f"{HERE}/local/identity", {}),
        ("POST", f"{HERE}/local/content", {"filename": "vm-100-disk-0.raw", "vmid": 100, "size": "1M"}),
        ("POST", f"{HERE}/local/upload", {"content": "iso"}),
        ("POST", f"{HERE}/local/download-url", {"content": "iso"}),
        ("DELETE", f"{HERE}/local/prunebackups", {"prune-backups": "keep-last=1"}),
        ("GET", f"{HERE}/local/prunebackups", {}),
    ):
        assert alice.send(method, path, params).status == 403, (method, path)
    web = {"content": "iso", "filename": "x.iso", "url": "http://127.0.0.1:9/x.iso"}
    alice = as_user({"/storage/local": {"Datastore.AllocateTemplate"}})
    assert alice.send("POST", f"{HERE}/local/download-url", web).status == 403
    alice = as_user({"/storage/local": {"Datastore.AllocateTemplate"}, "/nodes/testnode": {"Sys.AccessNetwork"}})
    upid = alice.call("POST", f"{HERE}/local/download-url", web)
    assert "address of this machine" in bench.ended(upid)


# --- plans ------------------------------------------------------------------------------------------------------------


def test_every_example_can_be_planned_and_changes_nothing_then(bench: Bench) -> None:
    from corral.api.nodes.storage import ENDPOINTS as NODE_ENDPOINTS
    from corral.api.storage import ENDPOINTS
    from tests.unit.storage.prepared import SECTION

    bench.configure(SECTION)
    prepare(bench.local)

    def world() -> dict[str, tuple[int, float]]:
        return {str(path): (path.stat().st_size, path.stat().st_mtime) for path in bench.local.rglob("*")}

    revision, before, planned = bench.app.store.revision, world(), []
    for each in (*ENDPOINTS, *NODE_ENDPOINTS):
        if each.changes and each.plan is None:
            assert each.example is not None, each.pair
            params = {key: str(value) for key, value in each.example.items()}
            path = each.path
            for name in each.path_params:
                path = path.replace(f"{{{name}}}", params.pop(name))
            reply = bench.client.send(each.method, path, params, plan=True)
            assert reply.ok, (each.pair, reply.reason, reply.errors)
            assert reply.data["token"]
            plan = reply.data["plan"]
            assert plan["writes"] or plan["volumes"], each.pair
            planned.append(each.pair)
    assert len(planned) == 9
    assert (bench.app.store.revision, world()) == (revision, before)


def test_a_plan_is_applied_and_refused_once_the_configuration_has_changed(bench: Bench) -> None:
    params = {"filename": "vm-100-disk-0.raw", "vmid": "100", "size": "1M"}
    planned = bench.client.send("POST", f"{HERE}/local/content", params, plan=True)
    assert planned.data["plan"]["volumes"] == [{"volid": "local:100/vm-100-disk-0.raw", "verb": "create", "size": MIB}]
    assert bench.names() == set()
    token = planned.data["token"]
    assert bench.client.send("POST", f"{HERE}/local/content", params, apply=token).ok
    assert bench.names() == {"local:100/vm-100-disk-0.raw"}
    planned = bench.client.send("DELETE", f"{HERE}/local/content/100/vm-100-disk-0.raw", {}, plan=True)
    bench.client.put("/storage/local", shared=1)
    reply = bench.client.send("DELETE", f"{HERE}/local/content/100/vm-100-disk-0.raw", {}, apply=planned.data["token"])
    assert "storage.cfg" in reply.reason
    assert bench.names() == {"local:100/vm-100-disk-0.raw"}
