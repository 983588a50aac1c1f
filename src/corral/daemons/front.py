"""From corral-api to corrald: calls that change something, or that must look at the host, go over `front.sock`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
from aiohttp import hdrs, web
from yarl import URL

from corral.core.errors import Unavailable
from corral.daemons import http
from corral.store.base import Revision

log = logging.getLogger(__name__)

ADDRESS_HEADER = "PVEClientIP"
PASSED_ON = (
    hdrs.CONTENT_TYPE,
    hdrs.COOKIE,
    hdrs.AUTHORIZATION,
    "CSRFPreventionToken",
    hdrs.HOST,
    hdrs.ORIGIN,
    http.SEC_FETCH_SITE,
    "corral-plan",
    "corral-apply",
    "Idempotency-Key",
    "Last-Event-ID",
    hdrs.ACCEPT_ENCODING,
)
PASSED_BACK = (
    hdrs.CONTENT_TYPE,
    hdrs.CONTENT_DISPOSITION,
    hdrs.CONTENT_ENCODING,
    hdrs.SET_COOKIE,
    *http.STANDARD_HEADERS,
)
CHUNK = 256 * 1024


class Front:
    """Passes requests on to corrald as they are, streaming both ways."""

    def __init__(self, socket: Path, settle: Callable[[Revision], Awaitable[None]]) -> None:
        self._connector = aiohttp.UnixConnector(str(socket), limit=500)
        self._session = aiohttp.ClientSession(
            connector=self._connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None, sock_connect=10)
        )
        self._settle = settle

    async def close(self) -> None:
        """End the connections."""
        await self._session.close()

    async def forward(self, request: web.BaseRequest, address: str) -> web.StreamResponse:
        """The answer of corrald; `Unavailable` when it is not there."""
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        headers[ADDRESS_HEADER] = address
        body = request.content if request.body_exists else None
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")  # else curl waits a second before each upload
        if body is not None and request.content_length is not None:
            headers[hdrs.CONTENT_LENGTH] = str(request.content_length)
        try:
            async with self._session.request(
                request.method,
                URL(f"http://corrald{request.raw_path}", encoded=True),  # as it came: `..` is a name like any other
                headers=headers,
                data=body,
                skip_auto_headers=(hdrs.USER_AGENT, hdrs.CONTENT_TYPE, hdrs.ACCEPT_ENCODING),
                allow_redirects=False,
            ) as answer:
                return await self._pass_back(answer, request)
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as exc:
            if request.transport is None or request.transport.is_closing():
                raise
            log.warning("corrald does not answer: %s", exc)
            raise Unavailable("corrald does not answer; is it being restarted?") from exc

    async def _pass_back(self, answer: aiohttp.ClientResponse, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name: answer.headers[name] for name in PASSED_BACK if name in answer.headers}
        if revision := answer.headers.get(http.REVISION_HEADER):
            await self._settle(Revision.parse(revision))
        reason = http.reason_phrase(answer.reason or "")
        size = answer.content_length
        if size is not None and size <= CHUNK:
            response = web.Response(status=answer.status, reason=reason, body=await answer.read(), headers=headers)
            if request.body_exists and not request.content.at_eof():
                answer.close()  # refused before it was read: don't wait for the rest to be sent
            if answer.status >= 400:
                response.force_close()
            return response
        streamed = web.StreamResponse(status=answer.status, reason=reason, headers=headers)
        if size is not None:
            streamed.content_length = size
        await streamed.prepare(request)
        async for chunk in answer.content.iter_chunked(CHUNK):
            await streamed.write(chunk)
        await streamed.write_eof()
        return streamed
