"""corrald: root's daemon. Holds the store and the tree, runs mutating calls, spawns tasks, samples status."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import grp
import logging
import os
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import uvloop
from aiohttp import web

from corral import api
from corral.app import App, Daemon, build_daemon, build_worker, warm
from corral.core.errors import TimedOut
from corral.core.layout import Layout
from corral.core.secret import Secret
from corral.daemons import http, limits, listen, logs
from corral.daemons.edge import Edge
from corral.daemons.feed import FeedServer
from corral.daemons.front import ADDRESS_HEADER
from corral.daemons.pools import Pools
from corral.daemons.ready import tell_ready
from corral.daemons.timers import Timers
from corral.daemons.zygote import Zygote
from corral.rest.dispatch import Dispatcher
from corral.rest.observe import CALL_LOG, log_call
from corral.store.frames import HEAD, frame, length
from corral.store.serve import answer
from corral.system import lifeline
from corral.system.clock import SystemClock

log = logging.getLogger(__name__)

GROUP = "corral"
UNAUTHORIZED_DELAY = 3.0
PRELOAD = ("pyroute2",)
"""What only workers need: a machine's start must not wait 0.2 s for an import."""
ZYGOTE_CHECK = 1.0


class Options(argparse.Namespace):
    """The command line."""

    root: str
    node: str
    ready: int


def main(argv: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT; guests and workers go on."""
    parser = argparse.ArgumentParser("corrald")
    parser.add_argument("--root", default="/")
    parser.add_argument("--node", required=True)
    parser.add_argument("--ready", type=int, default=-1, help="a descriptor to write a line to when ready")
    options = parser.parse_args(argv, Options())
    layout = Layout(Path(options.root).resolve())
    logs.to_stderr("corrald")
    limits.many_files()
    lifeline.end_with_parent()
    # First of all: the zygote may hold no threads, and a fork of it costs 2 ms only while it is small.
    zygote = Zygote.fork(layout, partial(build_worker, node=options.node), PRELOAD, warm)
    password = Secret(os.environ.pop("CORRAL_ADMIN_PASSWORD", ""))
    daemon = build_daemon(layout, options.node, SystemClock(), zygote, password)
    try:
        uvloop.run(_serve(daemon, layout, zygote, options.ready))
    finally:
        daemon.close()
        zygote.close()


async def _serve(daemon: Daemon, layout: Layout, zygote: Zygote, ready: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    group = grp.getgrnam(GROUP).gr_gid
    pools = Pools()
    observer = log_call if CALL_LOG in os.environ else None
    dispatcher: Dispatcher[App] = Dispatcher(daemon.app, api.endpoints(), index_keys=api.INDEX_KEYS, observer=observer)
    edge = partial(Edge, dispatcher, pools, http.Delays(UNAUTHORIZED_DELAY))
    servers: list[asyncio.AbstractServer] = [
        await _http(edge(address=lambda _: "", local_root=True), listen.unix_socket(layout.api_socket, mode=0o600)),
        await _http(
            edge(address=lambda request: request.headers.get(ADDRESS_HEADER, "")),
            listen.unix_socket(layout.front_socket, mode=0o660, group=group),
        ),
        await _streams(
            FeedServer(daemon.mirror, daemon.app.board, daemon.taskboard).serve,
            listen.unix_socket(layout.feed_socket, mode=0o660, group=group),
        ),
        await _streams(partial(_store_calls, daemon, pools), listen.unix_socket(layout.store_socket, mode=0o600)),
    ]
    timers = Timers(daemon.duties)
    timers.start()
    tell_ready(ready)
    log.info("corrald of node %s is ready", daemon.app.node)
    while not stop.is_set():
        if not zygote.alive():
            log.error("the zygote has died; the supervisor starts corrald again with another one")
            break
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ZYGOTE_CHECK):
                await stop.wait()
    log.info("corrald stops")
    timers.stop()
    for server in servers:
        server.close()


async def _http(edge: Edge, listener: socket.socket) -> asyncio.AbstractServer:
    server = web.Server(edge.handle, access_log=None)
    return await asyncio.get_running_loop().create_unix_server(server, sock=listener)


async def _streams(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], listener: socket.socket
) -> asyncio.AbstractServer:
    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:  # corrald stops; the streams' own callback would log it as an error
            writer.close()

    return await asyncio.start_unix_server(quietly, sock=listener)


async def _store_calls(
    daemon: Daemon, pools: Pools, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One client of `store.sock`: requests one after the other, each in a thread. Only for root."""
    try:
        if not _is_root(writer):
            return
        while head := await reader.read(HEAD):
            if len(head) < HEAD:
                head += await reader.readexactly(HEAD - len(head))
            payload = await reader.readexactly(length(head))
            result = await pools.run("store", partial(answer, daemon.app.store, payload), 60)
            if writer.is_closing():  # uvloop would raise a RuntimeError
                return
            writer.write(frame(result))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        log.debug("a client of the store has left")
    except TimedOut as exc:
        log.warning("the store does not answer: %s", exc)  # the client finds its connection closed, and tries again
    finally:
        writer.close()


def _is_root(writer: asyncio.StreamWriter) -> bool:
    peer = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", credentials)
    return bool(uid == 0)


if __name__ == "__main__":
    main()
