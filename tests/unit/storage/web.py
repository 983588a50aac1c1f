"""A web server on loopback that serves bytes by path and notes what was asked."""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Site:
    """`files`: path → content; `moved`: path → address; `lengthless`: paths served without Content-Length."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    lengthless: set[str] = field(default_factory=set)
    cut: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    authorized: list[str | None] = field(default_factory=list)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    site: Site


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        if (data := self._head()) is not None:
            with contextlib.suppress(OSError):
                self.wfile.write(data)

    def do_CONNECT(self) -> None:
        """As a proxy does: bytes are passed on to and fro."""
        assert isinstance(self.server, _Server)
        self.server.site.asked.append(f"CONNECT {self.path}")
        self.server.site.authorized.append(self.headers.get("Proxy-Authorization"))
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port)), 10) as upstream:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: upstream, upstream: self.connection}
            while True:
                ready, _, _ = select.select(list(ends), [], [], 10)
                for one in ready:
                    if not (data := one.recv(65536)):
                        return
                    ends[one].sendall(data)
                if not ready:
                    return

    def _head(self) -> bytes | None:
        assert isinstance(self.server, _Server)
        site, path = self.server.site, self.path
        site.asked.append(path)
        site.authorized.append(self.headers.get("Proxy-Authorization"))
        if path in site.moved:
            self.send_response(302)
            self.send_header("Location", site.moved[path])
            self.end_headers()
            return None
        if path not in site.files:
            self.send_error(404, "Not Found")
            return None
        data = site.files[path]
        self.send_response(200)
        if path not in site.lengthless:
            self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Type", "application/x-iso9660-image; charset=x")
        self.end_headers()
        return data[: site.cut.get(path)]

    def log_message(self, *_: Any) -> None:
        return


@contextlib.contextmanager
def serving(*, certificate: Path | None = None) -> Iterator[Site]:
    """A site; by TLS if there is a certificate (a PEM file with its key)."""
    server = _Server(("127.0.0.1", 0), _Handler)
    site = server.site = Site(url=f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}")
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
