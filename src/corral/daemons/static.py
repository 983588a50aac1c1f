"""The web UI: files read once at start, so that no path comes from a request, and what browsers must know about them.

A page of the application is answered with a policy that lets it run and load nothing but its own files, see
docs/adr/0111-static-site-and-csp.md.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import hdrs, web

from corral.core.errors import Error, NotImplementedCall
from corral.daemons import http

TYPES: Final = {
    "css": "text/css;charset=UTF-8",
    "html": "text/html;charset=UTF-8",
    "ico": "image/x-icon",
    "jpg": "image/jpeg",
    "js": "text/javascript;charset=UTF-8",
    "json": "application/json;charset=UTF-8",
    "mjs": "text/javascript;charset=UTF-8",
    "png": "image/png",
    "svg": "image/svg+xml;charset=UTF-8",
    "txt": "text/plain;charset=UTF-8",
    "wasm": "application/wasm",
    "webmanifest": "application/manifest+json;charset=UTF-8",
    "webp": "image/webp",
    "woff2": "font/woff2",
}
"""What is served, by the end of its name. Source maps and everything else that a build leaves behind are not."""

_FILES: Final = {*TYPES, "br", "gz", "map"}
"""What names a file, be it there or not."""

INDEX: Final = "/index.html"
FOREVER: Final = "/assets/"
"""Names below it carry a hash of what is in them."""
PLACE_OF_NONCE: Final = b"__CSP_NONCE__"

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "style-src-attr": "'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "worker-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_NOT_FOR_US: Final = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer", "microphone",
    "midi", "payment", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
_ONLY_FOR_US: Final = ("clipboard-read", "clipboard-write", "fullscreen")
# Strict-Transport-Security is left out: with it a browser offers no way past a certificate that no authority has
# signed, which is what a fresh node has.
SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [*(f"{name}=()" for name in _NOT_FOR_US), *(f"{name}=(self)" for name in _ONLY_FOR_US)]
    ),
}

NOT_BUILT: Final = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Corral</title><meta name="viewport" content="width=device-width">
<style nonce="__CSP_NONCE__">
body { font: 16px/1.5 system-ui, sans-serif; margin: 4rem auto; max-width: 40rem; padding: 0 1rem }
:root { color-scheme: light dark }
</style></head>
<body>
<main>
<h1>Corral</h1>
<p>This node runs, but its web interface is not built: <code>./dev web</code> builds it, and so does
<code>./dev up</code> before it starts a node.</p>
<p>The API answers below <code>/api2/json</code>; the commands <code>qm</code>, <code>pvesh</code>, <code>pvesm</code>
and <code>pveum</code> work on the node itself.</p>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class File:
    """One file. `packed` is the same, compressed by Brotli, where the build has left that beside it."""

    kind: str
    plain: bytes
    packed: bytes | None
    forever: bool
    tag: str

    def answer(self, request: web.BaseRequest) -> web.Response:
        """The file, or the word that the browser has it already."""
        packed = self.packed if self.packed is not None and _takes_brotli(request) else None
        tag = f"{self.tag}-br" if packed is not None else self.tag  # other bytes are another representation
        headers = {
            hdrs.SERVER: http.STANDARD_HEADERS[hdrs.SERVER],
            **SECURITY_HEADERS,
            hdrs.CACHE_CONTROL: "public, max-age=31536000, immutable" if self.forever else "no-cache",
            hdrs.ETAG: f'"{tag}"',
            "Content-Security-Policy": policy(),  # workers and opened pictures follow their own
        }
        if self.packed is not None:
            headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if any(known.value in (tag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        headers[hdrs.CONTENT_TYPE] = self.kind
        if packed is not None:
            headers[hdrs.CONTENT_ENCODING] = "br"
        return web.Response(body=self.plain if packed is None else packed, headers=headers)


@dataclass(frozen=True, slots=True)
class Site:
    """Static files by URL path; `index` is the page, cut where each answer gets its own nonce."""

    files: dict[str, File]
    index: tuple[bytes, ...]

    @classmethod
    def load(cls, directory: Traversable | None = None) -> Site:
        """Read all files below `directory`: what the build has put into the package, unless told otherwise."""
        top = directory or resources.files("corral.daemons").joinpath("site")
        found = dict(_walk(top, "/")) if top.is_dir() else {}
        page = found.pop(INDEX, NOT_BUILT)
        files = {}
        for path, plain in found.items():
            if kind := TYPES.get(path.rpartition(".")[2]):
                tag = hashlib.sha256(plain).hexdigest()[:32]
                files[path] = File(kind, plain, found.get(f"{path}.br"), path.startswith(FOREVER), tag)
        return cls(files, tuple(page.split(PLACE_OF_NONCE)))

    def serve(self, request: web.BaseRequest) -> web.Response:
        """The file, the page of the application, or the answer that clients know for what is missing."""
        path = request.raw_path.partition("?")[0]
        if request.method not in ("GET", "HEAD"):
            return http.refused(NotImplementedCall(f"method '{request.method}' not available"), "json", request)
        if found := self.files.get(path):
            return found.answer(request)
        if path in ("/", INDEX) or _navigates(path, request):
            return self._page(request)
        return http.refused(Error(f"no such file '{path}'"), "json", request)

    def _page(self, request: web.BaseRequest) -> web.Response:
        # No ETag: an answer "not modified" would bring a new nonce to a page that has the old one.
        nonce = secrets.token_urlsafe(18)
        headers = {
            hdrs.SERVER: http.STANDARD_HEADERS[hdrs.SERVER],
            **SECURITY_HEADERS,
            hdrs.CACHE_CONTROL: "no-cache",
            hdrs.CONTENT_TYPE: TYPES["html"],
            hdrs.VARY: f"{hdrs.ACCEPT}, {hdrs.ACCEPT_ENCODING}",
            "Content-Security-Policy": policy(nonce),
        }
        response = web.Response(body=nonce.encode().join(self.index), headers=headers)
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response


def policy(nonce: str | None = None) -> str:
    """The Content-Security-Policy; styles that carry `nonce` hold."""
    words = dict(_POLICY)
    if nonce is not None:
        words["style-src"] += f" 'nonce-{nonce}'"
    return "; ".join(f"{name} {value}" for name, value in words.items())


def _walk(directory: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in directory.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.is_file():
            yield f"{prefix}{entry.name}", entry.read_bytes()


def _navigates(path: str, request: web.BaseRequest) -> bool:
    """Whether a browser goes to a page of the application, whose paths are known to the application alone.

    What only looks for a file, or is a client of the API with a wrong path, must read that there is none. A dot alone
    makes no file: storages, pools and users have it in their names too.
    """
    last = path.rpartition("/")[2]
    if not path.startswith("/") or path.startswith(("/api2", FOREVER, "/.")) or last.rpartition(".")[2] in _FILES:
        return False
    return request.headers.get("Sec-Fetch-Mode") == "navigate" or "text/html" in request.headers.get(hdrs.ACCEPT, "")


def _takes_brotli(request: web.BaseRequest) -> bool:
    for word in request.headers.get(hdrs.ACCEPT_ENCODING, "").split(","):
        name, _, weight = word.strip().partition(";")
        if name.strip().lower() == "br":
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return False
