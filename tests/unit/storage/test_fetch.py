"""Downloads: from a server on loopback, which is asked only where that is allowed."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from corral.core.errors import Cancelled, Error
from corral.storage.fetch import Fetcher, check_checksum, unpack
from corral.system.fakes import FakeRun
from tests.unit.storage.web import Site, serving

DATA = bytes(range(256)) * 5000


@pytest.fixture
def server() -> Iterator[Site]:
    with serving() as site:
        site.files = dict.fromkeys(("/file.iso", "/short", "/endless"), DATA)
        site.cut["/short"] = 1000
        site.lengthless.add("/endless")
        site.moved = {
            "/moved": "/file.iso",
            "/loop": "/loop",
            "/out": "file:///etc/passwd",
            "/inner": "http://[::1]:1/x",
        }
        yield site


def url(site: Site, path: str) -> str:
    return site.url + path


def fetch(address: str, target: Path, *, limit: int = 1 << 30, **more: Any) -> list[tuple[int, int | None]]:
    seen: list[tuple[int, int | None]] = []
    Fetcher(anywhere=True).fetch(
        address,
        target,
        limit=limit,
        on_progress=lambda done, total: seen.append((done, total)),
        check_cancelled=more.get("check_cancelled", lambda: None),
    )
    return seen


def test_a_file_is_streamed_with_progress(server: Site, tmp_path: Path) -> None:
    seen = fetch(url(server, "/moved"), tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    assert server.asked == ["/moved", "/file.iso"]
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_what_a_server_says(server: Site) -> None:
    found = Fetcher(anywhere=True).look(url(server, "/moved"))
    assert (found.size, found.mimetype, found.filename) == (len(DATA), "application/x-iso9660-image", "file.iso")


@pytest.mark.parametrize(
    ("path", "text"),
    [("/missing", "404"), ("/loop", "too many redirects"), ("/out", "no http"), ("/short", "ended after")],
)
def test_what_can_t_be_fetched_is_told(server: Site, tmp_path: Path, path: str, text: str) -> None:
    with pytest.raises(Error, match=text):
        fetch(url(server, path), tmp_path / "x")


def test_no_more_is_written_than_there_is_room(server: Site, tmp_path: Path) -> None:
    with pytest.raises(Error, match="not enough space"):
        fetch(url(server, "/file.iso"), tmp_path / "x", limit=1000)
    assert not (tmp_path / "x").exists()
    with pytest.raises(Error, match="not enough space"):
        fetch(url(server, "/endless"), tmp_path / "y", limit=1000)
    assert (tmp_path / "y").stat().st_size <= 1000


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://x/y", "http://", "gopher://x", "http://h:99999/x", "http://a b/"]
)
def test_only_web_addresses_are_asked(tmp_path: Path, address: str) -> None:
    with pytest.raises(Error, match="no http or https address"):
        fetch(address, tmp_path / "x")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "[fe80::1]"]
)
def test_addresses_of_this_machine_and_link_are_for_administrators(server: Site, host: str) -> None:
    with pytest.raises(Error, match=r"address of this machine|can't resolve"):
        Fetcher(anywhere=False).look(f"http://{host}:{server.url.rpartition(':')[2]}/file.iso")
    assert server.asked == []


def test_a_redirect_to_this_machine_is_refused_too(server: Site) -> None:
    # The first address counts as one of the world outside, the one that it redirects to does not.
    fetcher = Fetcher(anywhere=False, is_public=lambda address: address == "127.0.0.1")
    with pytest.raises(Error, match=r"address of this machine|can't resolve"):
        fetcher.look(url(server, "/inner"))


def test_a_proxy_is_asked_instead(server: Site, tmp_path: Path) -> None:
    server.files["http://mirror.example/x.iso?a=b"] = DATA
    proxy = server.url.replace("http://", "http://me:se%20cret@")
    fetcher = Fetcher(anywhere=False, proxy=proxy)
    assert fetcher.look("http://mirror.example/x.iso?a=b").size == len(DATA)
    assert server.authorized[-1] == "Basic " + base64.b64encode(b"me:se cret").decode()
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "[::1]"):
        with pytest.raises(Error, match="address of this machine"):
            fetcher.look(f"http://{host}/x.iso")
    assert len(server.asked) == 1
    with pytest.raises(Error, match="through proxy"):
        Fetcher(proxy="http://127.0.0.1:9").look("http://mirror.example/")


def test_a_withdrawn_download_stops(server: Site, tmp_path: Path) -> None:
    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch(url(server, "/file.iso"), tmp_path / "x", check_cancelled=stop)


def test_checksums(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(DATA)
    right = hashlib.sha256(DATA).hexdigest()
    assert check_checksum(tmp_path / "x", "sha256", f" {right.upper()} ") == right
    with pytest.raises(Error, match=f"got '{right}' != expect"):
        check_checksum(tmp_path / "x", "sha256", "00")


PACKED = {"gz": gzip.compress(DATA), "bz2": bz2.compress(DATA), "zst": zstandard.compress(DATA)}


def plain(source: Path, target: Path, compression: Any, limit: int = 1 << 30) -> int:
    return unpack(
        source, target, compression, limit=limit, run=FakeRun(), check_cancelled=lambda: None, cancelled=lambda: False
    )


@pytest.mark.parametrize("compression", sorted(PACKED))
def test_files_are_unpacked(tmp_path: Path, compression: str) -> None:
    source = tmp_path / "packed"
    source.write_bytes(PACKED[compression])
    assert plain(source, tmp_path / "plain", compression) == len(DATA)
    assert (tmp_path / "plain").read_bytes() == DATA
    source.write_bytes(PACKED[compression] * 2)
    assert plain(source, tmp_path / "twice", compression) == 2 * len(DATA)


@pytest.mark.parametrize("compression", sorted(PACKED))
def test_broken_and_oversized_files_are_refused(tmp_path: Path, compression: str) -> None:
    source = tmp_path / "packed"
    for number, data in enumerate((PACKED[compression][:-20], b"no such thing at all", b"")):
        source.write_bytes(data)
        with pytest.raises(Error, match="decompression failed"):
            plain(source, tmp_path / f"plain{number}", compression)
    source.write_bytes(PACKED[compression])
    with pytest.raises(Error, match="not enough space"):
        plain(source, tmp_path / "plain", compression, limit=1000)


def test_lzo_is_unpacked_by_its_program(tmp_path: Path) -> None:
    run = FakeRun()
    run.expect(
        f"lzop -d -f -o {tmp_path}/plain -- {tmp_path}/packed",
        effect=lambda words: (Path(words[4]).write_bytes(DATA), "")[1],
    )
    source, target = tmp_path / "packed", tmp_path / "plain"
    size = unpack(source, target, "lzo", limit=1 << 30, run=run, check_cancelled=lambda: None, cancelled=lambda: False)
    assert size == len(DATA)
