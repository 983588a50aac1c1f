"""One request on its way through a daemon: read, dispatch, answer; uploads and streams included."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import BodyPartReader, WSMsgType, hdrs, web

from corral.core.errors import Error, NotImplementedCall, ParamError, Unauthorized
from corral.daemons import http
from corral.daemons.pools import Pools
from corral.rest.call import Reply, Request, failure
from corral.rest.dispatch import Admitted, Dispatcher
from corral.rest.permission import fill
from corral.rest.results import Console, Download, Events, Frame
from corral.schema.fields import Upload
from corral.system import files

log = logging.getLogger(__name__)

CALL_TIMEOUT = 3600.0
MAX_FORM_FIELD = 65536
MAX_PARTS = 100
EVENT_QUEUE = 10000
KEEP_ALIVE = 15.0
CONSOLE_WAIT = 5.0

Address = Callable[[web.BaseRequest], str]
Thread = Callable[..., Awaitable[Any]]  # any function with its arguments


class Edge:
    """Serves a dispatcher over HTTP. `local_root`: the peer of this socket may act as root@pam."""

    def __init__(
        self,
        dispatcher: Dispatcher[Any],
        pools: Pools | None,
        delays: http.Delays,
        *,
        address: Address,
        local_root: bool = False,
        console_wait: float = CONSOLE_WAIT,
    ) -> None:
        self.dispatcher = dispatcher
        self._pools = pools
        self._delays = delays
        self._address = address
        self._local_root = local_root
        self._console_wait = console_wait

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one API request."""
        fmt = "json"
        begun = asyncio.get_running_loop().time()
        try:
            if request.method not in http.METHODS:
                raise NotImplementedCall(f"method '{request.method}' not available")
            fmt, path = http.target_of(request.raw_path)
            reply = await self._serve(request, path)
            return await self._answer(reply, fmt, request, begun)
        except Unauthorized as exc:
            await self._delays.wait(begun)
            return http.refused(exc, fmt, request, bare=True)
        except Error as exc:
            return http.refused(exc, fmt, request)

    async def _serve(self, request: web.BaseRequest, path: str) -> Reply:
        credentials = http.credentials_of(request, local_root=self._local_root, address=self._address(request))
        params = http.read_query(request.raw_path)
        if request.content_type == "multipart/form-data":
            return await self._upload(request, http.request_of(request, path, params, credentials))
        params = {**await http.read_body(request), **params}
        wanted = http.request_of(request, path, params, credentials)
        return await self._finish(self.dispatcher.admit(wanted))

    async def _finish(self, admitted: Admitted, extra: dict[str, Any] | None = None) -> Reply:
        def job() -> Reply:
            return self.dispatcher.guard(lambda: self.dispatcher.finish(admitted, extra))

        if self._pools is None:
            return job()
        pool = fill(admitted.endpoint.pool, admitted.path_params) or ""
        try:
            return await self._pools.run(pool, job, CALL_TIMEOUT)
        except Error as exc:
            return failure(exc)

    async def _answer(self, reply: Reply, fmt: str, request: web.BaseRequest, begun: float) -> web.StreamResponse:
        if reply.status == Unauthorized.status:
            await self._delays.wait(begun)
        match reply.special:
            case Download() as download:
                return _file(download)
            case Events() as events:
                return await stream_events(events, request)
            case Console() as console:
                return await relay_console(console, request, self._console_wait)
            case _:
                return http.respond(reply, fmt, request)

    async def _upload(self, request: web.BaseRequest, wanted: Request) -> Reply:
        """Permissions are checked before a byte of the file is read; the file goes straight to its spool."""
        admitted = self.dispatcher.admit(wanted)
        if admitted.endpoint.spool is None:
            raise http.UnsupportedBody(f"upload file not allowed on '{admitted.endpoint.pair}'")
        spool = admitted.endpoint.spool
        async with AsyncExitStack() as stack:
            thread = self._uploading(admitted)
            directory = await thread(spool, self.dispatcher.app, admitted.path_params)
            parts = await _read_parts(request, str(directory), stack, thread)
            reply = await self._finish(admitted, parts)
            if reply.ok:
                stack.pop_all()  # the file is the task's now
        return reply

    def _uploading(self, admitted: Admitted) -> Thread:
        """Runs what may hang in threads of this storage's uploads: the loop's own are few, and everybody's."""
        if self._pools is None:
            return asyncio.to_thread
        pools, name = self._pools, f"{fill(admitted.endpoint.pool, admitted.path_params) or ''}/upload"
        return lambda job, *args: pools.run(name, partial(job, *args), CALL_TIMEOUT)


async def _read_parts(
    request: web.BaseRequest, directory: str, stack: AsyncExitStack, thread: Thread
) -> dict[str, Any]:
    """The fields of a form, its file part spooled below `directory` and removed again unless somebody moved it."""
    parts: dict[str, Any] = {}
    try:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or not part.name:
                raise ParamError({"_root": "the form has a part without a name"})
            if part.name in parts or len(parts) >= MAX_PARTS:
                raise ParamError({"_root": f"the form has too many parts, or '{part.name}' twice"})
            if part.filename is None:
                value = await part.read_chunk(MAX_FORM_FIELD)
                if not part.at_eof() and await part.read_chunk(1):
                    raise ParamError({part.name: f"value may only be {MAX_FORM_FIELD} bytes long"})
                parts[part.name] = value.decode()
            else:
                parts[part.name] = await _spool(part, directory, stack, thread)
    except (ValueError, AssertionError) as exc:
        raise ParamError({"_root": f"the form can't be read: {exc}"}) from exc
    return parts


async def _spool(part: BodyPartReader, directory: str, stack: AsyncExitStack, thread: Thread) -> Upload:
    try:
        path, descriptor = await thread(files.spool, directory)
    except OSError as exc:
        raise Error(f"can't keep the upload in '{directory}' - {exc.strerror}") from exc
    stack.push_async_callback(thread, files.remove_file, path)
    size = 0
    try:
        while chunk := await part.read_chunk(1024 * 1024):
            await thread(_write, descriptor, chunk, directory)
            size += len(chunk)
    finally:
        await thread(os.close, descriptor)
    return Upload(filename=part.filename or "", path=str(path), size=size)


def _write(descriptor: int, chunk: bytes, directory: str) -> None:
    try:
        files.write_all(descriptor, chunk)
    except OSError as exc:  # a full disk, mostly
        raise Error(f"can't keep the upload in '{directory}' - {exc.strerror}") from exc


def _file(download: Download) -> web.FileResponse:
    quoted = download.filename.replace("\\", "").replace('"', "")
    headers = {
        **http.STANDARD_HEADERS,
        hdrs.CONTENT_TYPE: download.content_type,
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{http.reason_phrase(quoted)}"',
    }
    return web.FileResponse(download.path, headers=headers)


async def stream_events(events: Events, request: web.BaseRequest) -> web.StreamResponse:
    """Send events until the client leaves. A client that is too slow gets `reset` and is disconnected."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[Frame | None] = asyncio.Queue(EVENT_QUEUE)

    def take(frame: Frame) -> None:
        try:
            waiting.put_nowait(frame)
        except asyncio.QueueFull:
            while not waiting.empty():
                waiting.get_nowait()
            waiting.put_nowait(None)

    response = web.StreamResponse(headers={hdrs.CONTENT_TYPE: "text/event-stream", hdrs.CACHE_CONTROL: "no-store"})
    await response.prepare(request)
    cancel = events.subscribe(lambda frame: _from_any_thread(loop, take, frame))
    try:
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE):
                    frame = await waiting.get()
            except TimeoutError:
                await response.write(b": \n\n")
                continue
            if frame is None:
                await response.write(b"event: reset\ndata: {}\n\n")
                return response
            await response.write(_event(frame))
    except (ConnectionError, asyncio.CancelledError):
        return response
    finally:
        cancel()


def _from_any_thread(loop: asyncio.AbstractEventLoop, take: Callable[[Frame], None], frame: Frame) -> None:
    try:
        loop.call_soon_threadsafe(take, frame)
    except RuntimeError:  # the loop has ended
        return


def _event(frame: Frame) -> bytes:
    ident = b"id: " + frame.id.encode() + b"\n" if frame.id else b""
    return b"event: " + frame.event.encode() + b"\n" + ident + b"data: " + frame.data + b"\n\n"


async def relay_console(console: Console, request: web.BaseRequest, wait: float) -> web.StreamResponse:
    """Pass bytes between a WebSocket and the socket of a console session."""
    reader, writer = await _connect(console.path, wait)
    socket = web.WebSocketResponse(protocols=("binary",), max_msg_size=4 * 1024 * 1024, heartbeat=30)
    try:
        await socket.prepare(request)
        async with asyncio.TaskGroup() as group:
            outgoing = group.create_task(_to_client(reader, socket))
            await _to_console(socket, writer)
            outgoing.cancel()
    except* (ConnectionError, OSError):
        log.debug("console %s: connection lost", console.path.name)
    finally:
        writer.close()
    return socket


async def _connect(path: Path, wait: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client may be faster than the worker that makes the socket: the UPID is answered before."""
    try:
        async with asyncio.timeout(wait):
            while True:
                try:
                    return await asyncio.open_unix_connection(str(path))
                except (FileNotFoundError, ConnectionRefusedError):
                    await asyncio.sleep(0.05)
    except (OSError, TimeoutError) as exc:
        raise Error("the console session is not there (any more); open a new one") from exc


async def _to_client(reader: asyncio.StreamReader, socket: web.WebSocketResponse) -> None:
    while data := await reader.read(65536):
        await socket.send_bytes(data)
    await socket.close()


async def _to_console(socket: web.WebSocketResponse, writer: asyncio.StreamWriter) -> None:
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            writer.write(message.data)
        elif message.type == WSMsgType.TEXT:
            writer.write(message.data.encode())
        await writer.drain()
