"""Files from the web, and machines out of OVAs."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.core.errors import Error
from corral.store.base import Write
from tests.integration.storage.bench import Bench
from tests.unit.storage.images import qcow2
from tests.unit.storage.test_images import OVF
from tests.unit.storage.web import Site, serving

HERE = "/nodes/testnode/storage"
MIB = 1 << 20
DATA = os.urandom(3 * MIB)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path) as made:
        yield made


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        made.files = {"/x.iso": DATA, "/x.gz": gzip.compress(DATA), "/bad.qcow2": qcow2(MIB, backing="/etc/passwd")}
        made.files["/t.tar.zst"] = b"template"
        made.files["/good.qcow2"] = qcow2(MIB)
        yield made


def download(bench: Bench, **params: Any) -> tuple[str, str]:
    wire = {key.replace("_", "-"): value for key, value in params.items()}
    upid = bench.client.call("POST", f"{HERE}/local/download-url", wire)
    return bench.ended(upid), bench.log(upid)


@pytest.mark.exercises(
    "POST /nodes/{node}/storage/{storage}/download-url",
    "node", "storage", "content", "filename", "url", "checksum", "checksum-algorithm", "compression",
    "verify-certificates",
)  # fmt: skip
def test_a_file_is_fetched_checked_and_unpacked(bench: Bench, site: Site) -> None:
    status, log = download(
        bench,
        content="iso",
        filename="unpacked.iso",
        url=f"{site.url}/x.gz",
        compression="gz",
        checksum_algorithm="sha512",
        checksum=hashlib.sha512(site.files["/x.gz"]).hexdigest(),
        verify_certificates=1,
    )
    assert status == "OK", log
    assert "OK, got correct file checksum" in log
    assert (bench.local / "template/iso/unpacked.iso").read_bytes() == DATA
    assert bench.spool() == []


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/download-url", "content", "filename", "url")
@pytest.mark.parametrize(
    ("content", "filename", "path"),
    [("iso", "x.iso", "/x.iso"), ("vztmpl", "t.tar.zst", "/t.tar.zst"), ("import", "good.qcow2", "/good.qcow2")],
)
def test_files_of_each_content(bench: Bench, site: Site, content: str, filename: str, path: str) -> None:
    status, log = download(bench, content=content, filename=filename, url=site.url + path)
    assert status == "OK", log
    assert bench.names(content=content) == {f"local:{content}/{filename}"}
    reply = bench.client.send(
        "POST", f"{HERE}/local/download-url", {"content": content, "filename": filename, "url": site.url + path}
    )
    assert "refusing to override existing file" in reply.reason


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"filename": "x.iso", "url": "/missing"}, "404"),
        (
            {"filename": "x.iso", "url": "/x.iso", "checksum-algorithm": "md5", "checksum": "0" * 32},
            "checksum mismatch",
        ),
        ({"filename": "x.iso", "url": "/x.iso", "compression": "gz"}, "decompression failed"),
        ({"content": "import", "filename": "x.qcow2", "url": "/bad.qcow2"}, "backing file"),
        ({"content": "import", "filename": "x.qcow2", "url": "/x.iso"}, "not a valid qcow2"),
    ],
)
def test_what_fails_leaves_nothing(bench: Bench, site: Site, params: dict[str, Any], said: str) -> None:
    wire = {"content": "iso", **params, "url": site.url + params["url"]}
    upid = bench.client.call("POST", f"{HERE}/local/download-url", wire)
    assert said in bench.ended(upid)
    assert bench.names() == set()
    assert bench.spool() == []


@pytest.mark.exercises("POST /nodes/{node}/storage/{storage}/download-url", "url", refused=True)
@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"url": "ftp://x/y"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"filename": "x.exe"}, "filename"),
        ({"content": "images"}, "content"),
        ({"content": "vztmpl", "filename": "x.tar.gz", "compression": "gz"}, "compression"),
        ({"checksum": "0" * 32}, "checksum-algorithm"),
        ({"checksum": "nonsense", "checksum-algorithm": "md5"}, "checksum"),
    ],
)
def test_wrong_parameters_are_named(bench: Bench, params: dict[str, Any], wrong: str) -> None:
    wire = {"content": "iso", "filename": "x.iso", "url": "http://127.0.0.1:9/x.iso", **params}
    reply = bench.client.send("POST", f"{HERE}/local/download-url", wire)
    assert (reply.status, list(reply.errors or {})) == (400, [wrong])


def test_certificates_are_verified_unless_told_not_to(bench: Bench, tmp_path: Path) -> None:
    pem = tmp_path / "server.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-out", pem, "-keyout", "-"],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl can't make a certificate here")
    pem.write_bytes(pem.read_bytes() + made.stdout)
    with serving(certificate=pem) as site:
        site.files["/x.iso"] = DATA
        status, _ = download(bench, content="iso", filename="x.iso", url=f"{site.url}/x.iso")
        assert "certificate verify failed" in status.lower()
        assert bench.names() == set()
        status, log = download(bench, content="iso", filename="x.iso", url=f"{site.url}/x.iso", verify_certificates=0)
        assert status == "OK", log
        with serving() as proxy:
            bench.put(Write(key="datacenter.cfg", text=f"http_proxy: {proxy.url}\n"))
            status, log = download(
                bench, content="iso", filename="y.iso", url=f"{site.url}/x.iso", verify_certificates=0
            )
            assert status == "OK", log
            assert proxy.asked == [f"CONNECT {site.url.removeprefix('https://')}"]
    assert (bench.local / "template/iso/y.iso").read_bytes() == DATA


# --- OVAs and images as sources ---------------------------------------------------------------------------------------


def ova(path: Path, members: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.exercises("GET /nodes/{node}/storage/{storage}/import-metadata", "node", "storage", "volume")
def test_an_ova_is_described_and_its_disk_imported(bench: Bench, tmp_path: Path) -> None:
    raw, vmdk = tmp_path / "disk.raw", tmp_path / "disk.vmdk"
    raw.write_bytes(DATA)
    subprocess.run(["qemu-img", "convert", "-O", "vmdk", raw, vmdk], check=True)
    ova(bench.local / "import/machine.ova", {"machine.ovf": OVF, "disk one.vmdk": vmdk.read_bytes()})
    found = bench.client.get(f"{HERE}/local/import-metadata", volume="local:import/machine.ova")
    assert found["create-args"] == {"name": "My-Appliance", "cores": 2, "memory": 1024}
    assert found["disks"] == {"sata0": {"volid": "local:import/machine.ova/disk one.vmdk", "size": 8 << 30}}
    assert found["net"] == {"net0": {"model": "vmxnet3"}}
    assert {warning["type"] for warning in found["warnings"]} == {"ova-needs-extracting", "cdrom-image-ignored"}
    bench.storages.import_into("local:100/vm-100-disk-0.raw", found["disks"]["sata0"]["volid"])
    assert (bench.local / "images/100/vm-100-disk-0.raw").read_bytes() == DATA
    assert bench.spool() == []


@pytest.mark.parametrize(
    ("member", "data", "said"),
    [
        ("disk.vmdk", None, "no disk"),
        ("disk.vmdk", b'# Disk DescriptorFile\nRW 1 FLAT "/etc/shadow" 0\n', "other files"),
        ("disk.qcow2", qcow2(MIB, backing="/etc/shadow"), "backing file"),
    ],
)
def test_a_trap_in_an_ova_is_refused(bench: Bench, member: str, data: bytes | None, said: str) -> None:
    ova(bench.local / "import/x.ova", {"x.ovf": OVF, **({member: data} if data is not None else {})})
    with pytest.raises(Error, match=said):
        bench.storages.import_into("local:100/vm-100-disk-0.raw", f"local:import/x.ova/{member}")
    assert bench.spool() == []
    assert bench.names(content="images") == set()


def test_what_describes_no_machine_says_so(bench: Bench) -> None:
    (bench.local / "import").mkdir(parents=True, exist_ok=True)
    (bench.local / "import/x.qcow2").write_bytes(qcow2(MIB))
    (bench.local / "import/y.ova").write_bytes(b"no archive" * 100)
    for volume, said in (
        ("import/x.qcow2", "describes no machine"),
        ("import/y.ova", "not a valid OVA"),
        ("import/z.ova", "not exist"),
    ):
        assert said in bench.client.refused("GET", f"{HERE}/local/import-metadata", volume=volume).reason
    assert "not of type" in bench.client.refused("GET", f"{HERE}/local/import-metadata", volume="iso/x.iso").reason


def test_an_image_kept_as_iso_is_read_by_what_it_is(bench: Bench, tmp_path: Path) -> None:
    """Cloud images come as `.img` and are often qcow2."""
    raw = tmp_path / "disk.raw"
    raw.write_bytes(DATA)
    target = bench.local / "template/iso/cloud.img"
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw, target], check=True)
    assert bench.storages.inspect("local:iso/cloud.img").format == "qcow2"
    bench.storages.import_into("local:100/vm-100-disk-0.raw", "local:iso/cloud.img")
    assert (bench.local / "images/100/vm-100-disk-0.raw").read_bytes() == DATA


def test_a_guest_s_raw_disk_is_raw_whatever_the_guest_wrote_into_it(bench: Bench) -> None:
    bench.client.post(f"{HERE}/local/content", filename="vm-100-disk-0.raw", vmid=100, size="1M")
    path = bench.local / "images/100/vm-100-disk-0.raw"
    path.write_bytes((qcow2(8 * MIB, backing="/etc/passwd")).ljust(MIB, b"\0"))
    assert bench.storages.inspect("local:100/vm-100-disk-0.raw").format == "raw"
    bench.storages.import_into("local:101/vm-101-disk-0.raw", "local:100/vm-100-disk-0.raw")
    assert (bench.local / "images/101/vm-101-disk-0.raw").read_bytes() == path.read_bytes()
    assert bench.client.get(f"{HERE}/local/content/100/vm-100-disk-0.raw")["size"] == MIB
