"""Listening: TLS with a redirect for plain HTTP on the same port, and Unix sockets with their owner and mode."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import ssl
from asyncio import AbstractEventLoop
from pathlib import Path
from typing import cast

from aiohttp import web

log = logging.getLogger(__name__)

TLS_HANDSHAKE = 0x16
FIRST_BYTE_TIMEOUT = 10.0
FIRST_REQUEST_TIMEOUT = 30.0
"""Seconds within which a client must have sent the head of its first request; a connection costs a descriptor."""
MAX_CONNECTIONS = 2000


def tcp_socket(host: str, port: int) -> socket.socket:
    """A listening socket for all addresses (`""`: IPv6 and IPv4) or one."""
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=512)
    elif socket.has_dualstack_ipv6():
        listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
    else:
        listener = socket.create_server(("0.0.0.0", port), backlog=512)  # noqa: S104  all addresses are meant
    listener.settimeout(0)
    return listener


def unix_socket(path: Path, *, mode: int, group: int | None = None) -> socket.socket:
    """A listening Unix socket; an old one that nobody listens on any more is replaced."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    if group is not None:
        os.chown(path, 0, group)
    os.chmod(path, mode)
    listener.listen(512)
    listener.settimeout(0)
    return listener


class TlsServer:
    """Accepts on a TCP socket: TLS goes to `server`, plain HTTP is told to come back with TLS.

    Clients that have not made a request within `patience` seconds are dropped.
    """

    def __init__(
        self,
        listener: socket.socket,
        server: web.Server,
        context: ssl.SSLContext,
        *,
        patience: float = FIRST_REQUEST_TIMEOUT,
    ) -> None:
        self._patience = patience
        self._listener = listener
        self._server = server
        self._context = context
        self._starting: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                client, _ = await loop.sock_accept(self._listener)
            except OSError as exc:
                log.warning("can't accept connections: %s", exc)
                await asyncio.sleep(0.1)
                continue
            if len(self._starting) >= MAX_CONNECTIONS:
                client.close()
                continue
            task = loop.create_task(self._start(loop, client))
            self._starting.add(task)
            task.add_done_callback(self._starting.discard)

    async def _start(self, loop: AbstractEventLoop, client: socket.socket) -> None:
        try:
            client.settimeout(0)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first = await _peek(loop, client)
            if first == TLS_HANDSHAKE:
                transport, _ = await loop.connect_accepted_socket(
                    self._server, client, ssl=self._context, ssl_handshake_timeout=self._patience
                )
                loop.call_later(self._patience, _drop_silent, transport)
            elif first is not None:
                plain, _ = await loop.connect_accepted_socket(_Redirect, client)
                loop.call_later(self._patience, plain.close)
            else:
                client.close()
        except (OSError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError) as exc:
            log.debug("connection ended before its first request: %s", exc)
            with contextlib.suppress(OSError):  # a transport that failed has closed it already
                client.close()


def _drop_silent(transport: asyncio.Transport) -> None:
    # Asked of the transport: uvloop answers its own TLS protocol when a connection is made, not the server's.
    handler = transport.get_protocol()
    # aiohttp waits for a first request as long as it takes, and has no public word for how many there were.
    if isinstance(handler, web.RequestHandler) and not handler._request_count:
        transport.abort()


async def _peek(loop: AbstractEventLoop, client: socket.socket) -> int | None:
    """The first byte that the client sends, left in the socket; None if it sends none in time."""
    ready: asyncio.Future[None] = loop.create_future()

    def readable() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(client.fileno(), readable)
    try:
        async with asyncio.timeout(FIRST_BYTE_TIMEOUT):
            await ready
    except TimeoutError:
        return None
    finally:
        loop.remove_reader(client.fileno())
    first = client.recv(1, socket.MSG_PEEK)
    return first[0] if first else None


class _Redirect(asyncio.Protocol):
    """Answers one plain HTTP request with the same address under https."""

    def __init__(self) -> None:
        self._seen = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's, so this can't be asserted.
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._seen += data
        if b"\r\n\r\n" in self._seen or len(self._seen) > 8192:
            self._transport.write(redirect(self._seen))
            self._transport.close()


def redirect(head: bytes) -> bytes:
    """The answer to a plain HTTP request: 301 for GET and HEAD, 308 for others, 400 for what is no HTTP."""
    lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    hosts = [line[5:].strip() for line in lines[1:] if line.lower().startswith("host:")]
    uri = words[1] if len(words) == 3 else ""
    if not hosts or not uri.startswith("/") or any(char in hosts[0] + uri for char in "\r\n\0 "):
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    status = "301 Moved Permanently" if words[0] in ("GET", "HEAD") else "308 Permanent Redirect"
    answer = f"HTTP/1.1 {status}\r\nLocation: https://{hosts[0]}{uri}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    return answer.encode("latin-1")
