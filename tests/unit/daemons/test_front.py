"""What of a request corrald gets to see."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from aiohttp import web

from corral.daemons.front import Front
from corral.store.base import Revision
from tests.unit.daemons.wires import Wire, drive

SENT = {
    "Cookie": "__Host-PVEAuthCookie=ticket",
    "CSRFPreventionToken": "token",
    "Sec-Fetch-Site": "same-site",
    "Idempotency-Key": "key",
    "Last-Event-ID": "12",
    "X-Other": "of no interest",
}


def test_headers_that_a_call_looks_at_are_passed_on() -> None:
    got: dict[str, str] = {}

    async def corrald(request: web.BaseRequest) -> web.StreamResponse:
        got.update(request.headers)
        return web.Response(text="{}")

    async def settle(_: Revision) -> None:
        return

    async def work(socket: Path) -> None:
        loop = asyncio.get_running_loop()
        behind = await loop.create_unix_server(web.Server(corrald, access_log=None), str(socket))
        front = Front(socket, settle)

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            return await front.forward(request, "192.0.2.1")

        before = await loop.create_server(web.Server(handle, access_log=None), "127.0.0.1", 0)
        try:
            wire = Wire(before.sockets[0].getsockname()[1])
            assert (await wire.send("GET", "/api2/json/version", headers=SENT)).status == 200
        finally:
            before.close()
            await front.close()
            behind.close()

    with tempfile.TemporaryDirectory() as directory:
        drive(work(Path(directory, "s")))
    passed = {name: value for name, value in SENT.items() if name != "X-Other"}
    assert {name: got.get(name) for name in SENT} == {**passed, "X-Other": None}
    assert got["PVEClientIP"] == "192.0.2.1"
