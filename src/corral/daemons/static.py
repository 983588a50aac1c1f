"""Pages that need no login: the start page and static files, read once, so that no path comes from a request."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from aiohttp import hdrs, web

from corral.core.errors import Error
from corral.daemons import http

TYPES = {"html": "text/html;charset=UTF-8", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Site:
    """Static files by URL path."""

    files: dict[str, tuple[str, bytes]]

    @classmethod
    def load(cls) -> Site:
        """Read all files of the package directory `site`."""
        files = {}
        for entry in resources.files("corral.daemons").joinpath("site").iterdir():
            if entry.is_file() and (kind := TYPES.get(entry.name.rpartition(".")[2])):
                files["/" if entry.name == "index.html" else f"/{entry.name}"] = (kind, entry.read_bytes())
        return cls(files)

    def serve(self, request: web.BaseRequest) -> web.Response:
        """The file, or the answer that clients know for a missing one."""
        path = request.raw_path.partition("?")[0]
        found = self.files.get(path)
        if found is None:
            return http.refused(Error(f"no such file '{path}'"), "json", request)
        kind, payload = found
        headers = {
            **http.STANDARD_HEADERS,
            hdrs.CONTENT_TYPE: kind,
            "Content-Security-Policy": "default-src 'self'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
        }
        return web.Response(body=payload, headers=headers)
