"""Connections that cost a descriptor each: who says nothing is dropped."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from corral.cluster import pki
from corral.core.layout import Layout
from corral.daemons import listen
from corral.system.clock import SystemClock
from tests.unit.daemons.wires import drive

Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(tmp_path: Path) -> AsyncIterator[int]:
    """A listener that waits a quarter of a second for a first request; its port."""
    layout = Layout(tmp_path)
    pki.ensure(layout, SystemClock(), node="here", names=[])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(layout.pki / "node.pem", layout.pki / "node.key")
    listener = listen.tcp_socket("127.0.0.1", 0)

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="yes")

    server = web.Server(answer, access_log=None)
    accepting = asyncio.create_task(listen.TlsServer(listener, server, context, patience=0.25).serve())
    try:
        yield listener.getsockname()[1]
    finally:
        accepting.cancel()
        await server.shutdown(1)
        listener.close()


async def opened(port: int, *, tls: bool) -> Wire:
    context = None
    if tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def ended(wire: Wire) -> bool:
    try:
        async with asyncio.timeout(5):
            return await wire[0].read() == b""
    except ConnectionError:
        return True
    finally:
        wire[1].close()


def test_who_begins_a_request_and_does_not_end_it_is_dropped(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as port:
            for tls in (False, True):
                wire = await opened(port, tls=tls)
                wire[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n")
                assert await ended(wire), f"tls={tls}"
            assert await ended(await opened(port, tls=True)), "said nothing at all"

    drive(work())


def test_who_has_made_a_request_may_wait_with_the_next(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path) as port:
            reader, writer = await opened(port, tls=True)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.readuntil(b"yes")
            assert await ended(await opened(port, tls=True)), "a later one was dropped meanwhile"
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert await reader.readuntil(b"yes")
            writer.close()

    drive(work())
