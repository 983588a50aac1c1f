"""An edge on loopback, and a client that shows what really goes over the wire."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from aiohttp import web

from corral.app import Call
from corral.core.errors import Error, ParamError
from corral.daemons import http
from corral.daemons.edge import Edge
from corral.daemons.pools import Pools
from corral.rest import anyone, endpoint, need, never, world
from corral.rest.dispatch import Dispatcher
from corral.rest.endpoint import Endpoint
from corral.rest.observe import log_call
from corral.rest.results import Console, Download, Events, Frame
from corral.schema import doc
from corral.schema.fields import Upload
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock
from tests.api import make_app

Doc = Annotated[str | None, doc("Anything.")]


@endpoint("GET", "/open", allow=world("a test"))
def open_call(call: Call) -> str:
    """Answer."""
    return "hello"


@endpoint("GET", "/echo", allow=anyone("a test"))
def echo_query(call: Call, *, a: Doc = None, b: Annotated[tuple[str, ...], doc("A list.")] = ()) -> Any:
    """Answer."""
    return {"a": a, "b": list(b)}


@endpoint("POST", "/echo", allow=anyone("a test"), plan=never("a test"))
def echo(call: Call, *, a: Doc = None, b: Annotated[tuple[str, ...], doc("A list.")] = ()) -> Any:
    """Answer."""
    return {"a": a, "b": list(b)}


@endpoint("GET", "/fails", allow=anyone("a test"))
def fails(call: Call) -> None:
    """Fail."""
    raise Error("VM 100 already running\nwith ä second line\r\n")


@endpoint("GET", "/nasty", allow=anyone("a test"))
def nasty(call: Call) -> None:
    """Fail in many parameters."""
    raise ParamError({"a": "<b>no</b>"})


@endpoint("GET", "/large", allow=anyone("a test"))
def large(call: Call) -> list[str]:
    """Answer much."""
    return ["x" * 100] * 100


@endpoint("DELETE", "/thing", allow=anyone("a test"), plan=never("a test"))
def delete(call: Call) -> None:
    """Delete."""


@endpoint("POST", "/access/ticket", allow=world("a test"), plan=never("a test"))
def ticket(call: Call, *, username: Doc = None) -> None:
    """Refuse, in the envelope."""
    from corral.core.errors import Unauthorized

    raise Unauthorized("authentication failure")


def _spool(app: Any, path: Mapping[str, str]) -> Path:
    return Path(app.layout.root) / "spool"


@endpoint("POST", "/upload", allow=need("/storage/x", "Datastore.AllocateTemplate"), spool=_spool, plan=never("a test"))
def upload(call: Call, *, content: Doc = None, filename: Annotated[Upload | None, doc("The file.")] = None) -> Any:
    """Take a file."""
    if filename is None:
        return "no file"
    text = Path(filename.path).read_bytes()
    if content == "fail":
        raise Error("no room")
    return {"name": filename.filename, "size": filename.size, "begins": text[:5].decode()}


@endpoint("GET", "/events", allow=anyone("a test"))
def events(call: Call) -> Any:
    """Two events, the first after the one that the client has seen."""
    begin = int(call.resume or "0")

    def subscribe(put: Callable[[Frame], None]) -> Callable[[], None]:
        put(Frame("change", str(begin + 1), b'{"n":1}'))
        put(Frame("status", "", b"{}"))
        return lambda: None

    return Events(subscribe)


@endpoint("GET", "/console", allow=anyone("a test"))
def console(call: Call, *, name: Doc = None) -> Any:
    """A console."""
    return Console(Path(call.app.layout.root) / (name or "console.sock"))


@endpoint("GET", "/file", allow=anyone("a test"), download=True)
def file(call: Call) -> Any:
    """A file."""
    path = Path(call.app.layout.root) / "file.log"
    path.write_bytes(b"one\ntwo\n")
    return Download(path, 'a"b.log', "text/plain")


ENDPOINTS = (
    open_call, echo_query, echo, fails, nasty, large, delete, ticket, upload, events, console, file,
)  # fmt: skip


class Answer(NamedTuple):
    """What came back."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The `data` of a JSON envelope."""
        return json.loads(self.body)["data"]

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


class Wire:
    """One edge. `local_root`: requests without credentials are root@pam's."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def send(
        self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None, bare: bool = False
    ) -> Answer:
        """Send one request, byte by byte as given, and read one answer. `bare`: without a Content-Length."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            fields = {"Host": "x", **(headers or {})}
            if body and not bare:
                fields.setdefault("Content-Length", str(len(body)))
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
            await writer.drain()
            return await read_answer(reader)
        finally:
            writer.close()

    async def form(self, method: str, path: str, text: str, **headers: str) -> Answer:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self.send(method, path, text.encode(), headers={**kind, **headers})


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """One answer of HTTP/1.1."""
    async with asyncio.timeout(20):
        first = (await reader.readline()).decode("utf-8").rstrip("\r\n")
        _, status, reason = first.split(" ", 2)
        headers = {}
        while line := (await reader.readline()).decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        size = headers.get("content-length")
        if size is None and headers.get("transfer-encoding") == "chunked":
            return Answer(int(status), reason, headers, b"")
        body = await reader.readexactly(int(size)) if size is not None else b""
        return Answer(int(status), reason, headers, body)


@cache
def bootstrapped() -> MemoryStore:
    """A store with its first administrator, made once: hashing a password takes its time, and no test writes."""
    store = MemoryStore(FakeClock())
    with tempfile.TemporaryDirectory() as scratch:
        make_app(Path(scratch), store=store)
    return store


@asynccontextmanager
async def serving(
    tmp_path: Path,
    *,
    local_root: bool = True,
    delay: float = 0.0,
    pools: Pools | None = None,
    endpoints: Sequence[Endpoint] = ENDPOINTS,
) -> AsyncIterator[Wire]:
    """Serve the endpoints above."""
    (tmp_path / "spool").mkdir(exist_ok=True)
    app = make_app(tmp_path, store=bootstrapped())
    edge = Edge(
        Dispatcher(app, endpoints, observer=log_call),
        pools,
        http.Delays(delay),
        address=lambda _: "192.0.2.7",
        local_root=local_root,
        console_wait=0.1,
    )
    server = web.Server(edge.handle, access_log=None)
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield Wire(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
        await server.shutdown(1)


def drive(work: Coroutine[Any, Any, None]) -> None:
    """Run a test's coroutine with the loop's own checks on."""
    asyncio.run(work, debug=False)
