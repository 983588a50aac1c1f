"""The web UI's files over HTTP: what browsers get, keep, and are forbidden."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from corral.daemons.static import Site
from tests.unit.daemons.wires import Answer, Wire, drive

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br, zstd"}
PAGE = b"""<meta property="csp-nonce" nonce="__CSP_NONCE__"><link rel="stylesheet" nonce="__CSP_NONCE__">"""
BUILT = {
    "index.html": PAGE,
    "index.html.br": b"packed page",
    "favicon.ico": b"icon",
    "manifest.webmanifest": b"{}",
    "schema-1.json": b'{"a":1}',
    "schema-1.json.br": b"packed schema",
    "assets/index-abc.js": b"let a = 1",
    "assets/index-abc.js.br": b"packed script",
    "assets/index-abc.js.map": b"source",
    "assets/style-abc.css": b"a {}",
    "assets/fonts/sans.woff2": b"font",
    "assets/logo.svg": b"<svg/>",
    "assets/logo.png": b"picture",
    "assets/crypt.wasm": b"\0asm",
    "locales/zh.txt": "中".encode(),
    ".vite/manifest.json": b"{}",
    "LICENSE": b"what has no type",
}


def site_of(directory: Path, files: dict[str, bytes] | None = None) -> Site:
    for name, content in (BUILT if files is None else files).items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    return Site.load(directory)


@asynccontextmanager
async def shown(site: Site) -> AsyncIterator[Wire]:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return site.serve(request)

    server = web.Server(handle, access_log=None)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield Wire(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
        await server.shutdown(1)


def get(site: Site, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    answers: list[Answer] = []

    async def work() -> None:
        async with shown(site) as wire:
            answers.append(await wire.send(method, path, headers=headers))

    drive(work())
    return answers[0]


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/favicon.ico", "image/x-icon", b"icon"),
        ("/manifest.webmanifest", "application/manifest+json;charset=UTF-8", b"{}"),
        ("/schema-1.json", "application/json;charset=UTF-8", b'{"a":1}'),
        ("/assets/index-abc.js", "text/javascript;charset=UTF-8", b"let a = 1"),
        ("/assets/index-abc.js?x=1", "text/javascript;charset=UTF-8", b"let a = 1"),
        ("/assets/style-abc.css", "text/css;charset=UTF-8", b"a {}"),
        ("/assets/fonts/sans.woff2", "font/woff2", b"font"),
        ("/assets/logo.svg", "image/svg+xml;charset=UTF-8", b"<svg/>"),
        ("/assets/logo.png", "image/png", b"picture"),
        ("/assets/crypt.wasm", "application/wasm", b"\0asm"),
        ("/locales/zh.txt", "text/plain;charset=UTF-8", "中".encode()),
    ],
)
def test_a_file_has_its_type(tmp_path: Path, path: str, kind: str, content: bytes) -> None:
    answer = get(site_of(tmp_path), path)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, kind, content)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self';" in answer.headers["content-security-policy"], "a worker follows its own file's"
    assert "content-encoding" not in answer.headers
    assert not answer.closes


@pytest.mark.parametrize(
    "path",
    [
        "/assets/index-abc.js.map", "/assets/index-abc.js.br", "/index.html.br", "/LICENSE", "/.vite/manifest.json",
        "/assets/../favicon.ico", "/assets/%69ndex-abc.js", "//favicon.ico", "/assets/", "/nothing", "/guests/100",
        "/api2", "/api2json/x",
    ],
)  # fmt: skip
def test_what_is_no_file_is_told_as_clients_know_it(tmp_path: Path, path: str) -> None:
    site = site_of(tmp_path)
    answer = get(site, path, {"Accept": "*/*"})
    assert (answer.status, answer.reason) == (500, f"no such file '{path}'")
    assert answer.closes
    if "." in path or path.startswith(("/api2", "/assets/")):
        assert get(site, path, BROWSER).status == 500, "not even to a browser that goes there"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_files_are_only_read(tmp_path: Path, method: str) -> None:
    answer = get(site_of(tmp_path), "/", method=method)
    assert (answer.status, answer.reason) == (501, f"method '{method}' not available")


def test_a_packed_file_is_sent_to_who_can_unpack_it(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    packed = get(site, "/assets/index-abc.js", BROWSER)
    assert (packed.body, packed.headers["content-encoding"]) == (b"packed script", "br")
    for accepts in ("gzip", "br;q=0", "br; q=0.0, gzip", "brotli"):
        plain = get(site, "/assets/index-abc.js", {"Accept-Encoding": accepts})
        assert (plain.body, plain.headers.get("content-encoding")) == (b"let a = 1", None)
        assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
        assert plain.headers["etag"] != packed.headers["etag"]
    assert get(site, "/assets/index-abc.js", {"Accept-Encoding": "gzip, BR;q=0.1"}).body == b"packed script"
    alone = get(site, "/assets/style-abc.css", BROWSER)
    assert (alone.body, alone.headers.get("vary")) == (b"a {}", None)


def test_what_has_a_hash_in_its_name_is_kept_for_ever_and_all_else_is_asked_for_again(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    assert get(site, "/assets/style-abc.css").headers["cache-control"] == "public, max-age=31536000, immutable"
    first = get(site, "/schema-1.json", BROWSER)
    assert first.headers["cache-control"] == "no-cache"
    assert "pragma" not in first.headers
    for known in (first.headers["etag"], f'"other", {first.headers["etag"]}', f"W/{first.headers['etag']}", "*"):
        again = get(site, "/schema-1.json", {**BROWSER, "If-None-Match": known})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    assert get(site, "/schema-1.json", {"If-None-Match": first.headers["etag"]}).body == b'{"a":1}'
    assert get(site, "/schema-1.json", {**BROWSER, "If-None-Match": '"other"'}).status == 200
    (tmp_path / "schema-1.json").write_bytes(b'{"a":2}')
    assert get(Site.load(tmp_path), "/schema-1.json", BROWSER).headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/index.html",
        "/guests/100",
        "/guests/100?tab=console",
        "/some/where/",
        "/storage/n1/fast.disks",
        "/pools/a.b/members",
        "/tasks/UPID%3An1%3A00000001%3A00000002%3A60000000%3Aqmstart%3A100%3Ajohn.doe%40pam%3A",
        "/?console=kvm&novnc=1&vmid=100&vmname=a.b&node=n1&resize=off&cmd=",
        "/?console=shell&xtermjs=1&vmid=0&vmname=&node=n1&cmd=",
    ],
)
def test_the_page_is_answered_wherever_in_the_application_a_browser_goes(tmp_path: Path, path: str) -> None:
    site = site_of(tmp_path)
    by_fetch = get(site, path, {"Accept": "*/*", "Sec-Fetch-Mode": "navigate"})
    for answer in (by_fetch, get(site, path, {"Accept": "text/html"})):
        assert (answer.status, answer.headers["content-type"]) == (200, "text/html;charset=UTF-8")
        assert b"csp-nonce" in answer.body
        assert answer.headers["cache-control"] == "no-cache"
        assert "etag" not in answer.headers


def test_each_answer_has_its_own_nonce_and_a_strict_policy(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    seen = set()
    for headers in ({}, BROWSER):
        answer = get(site, "/", headers)
        packed = answer.headers.get("content-encoding") == "gzip"
        body = (gzip.decompress(answer.body) if packed else answer.body).decode()
        nonces = set(re.findall(r'nonce="([\w-]{20,})"', body))
        assert len(nonces) == 1
        (nonce,) = nonces
        assert answer.headers["content-security-policy"] == (
            f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
            "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        seen.add(nonce)
    assert len(seen) == 2


def test_the_page_says_what_browsers_must_keep_from_it(tmp_path: Path) -> None:
    answer = get(site_of(tmp_path), "/")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "clipboard-read=(self)" in answer.headers["permissions-policy"]
    assert "strict-transport-security" not in answer.headers, "it would lock out who trusts the certificate by hand"


def test_head_is_answered_without_the_body(tmp_path: Path) -> None:
    site = site_of(tmp_path)

    async def work() -> None:
        async with shown(site) as wire:
            for path in ("/", "/assets/style-abc.css"):
                reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
                writer.write(f"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                got = await reader.read()
                writer.close()
                assert got.startswith(b"HTTP/1.1 200 OK\r\n")
                assert got.endswith(b"\r\n\r\n")
                assert b"Content-Length: 0" not in got

    drive(work())


def test_a_node_whose_ui_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    site = site_of(tmp_path / "absent", {})
    answer = get(site, "/", {"Accept": "text/html"})
    assert answer.status == 200
    assert b"./dev up" in answer.body
    assert b"./dev web" in answer.body
    nonce = answer.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    assert f'<style nonce="{nonce}">'.encode() in answer.body
    assert get(site, "/style.css").status == 500
