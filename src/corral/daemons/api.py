"""corral-api: the unprivileged edge. TLS and HTTP; answers reads from its mirror, hands everything else to corrald.

It imports, opens and binds as root, then drops to the user `corral`, then connects to corrald. Afterwards it looks up
no path below the root directory.
"""

from __future__ import annotations

import argparse
import asyncio
import encodings.idna  # noqa: F401  what is imported late must be here before root is dropped
import grp
import logging
import os
import pwd
import signal
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

import uvloop
from aiohttp import web

from corral import api
from corral.app import App, build_api
from corral.core.errors import Error, NotImplementedCall, Unauthorized
from corral.core.layout import Layout
from corral.daemons import http, limits, listen, logs, static
from corral.daemons.corrald import GROUP, UNAUTHORIZED_DELAY
from corral.daemons.edge import Edge
from corral.daemons.feed import FeedClient
from corral.daemons.front import Front
from corral.daemons.ready import tell_ready
from corral.metrics.board import StatusBoard
from corral.rest.dispatch import Dispatcher
from corral.rest.endpoint import Endpoint
from corral.rest.envelope import FORMATS
from corral.rest.observe import CALL_LOG, log_call
from corral.store.base import RecordClass
from corral.store.mirror import Mirror
from corral.system import lifeline
from corral.system.clock import SystemClock
from corral.tasks.board import TaskBoard

log = logging.getLogger(__name__)

USER = "corral"
KEEP_ALIVE = 120.0
"""Seconds that a connection may idle between two requests: anybody may hold one, and each costs a descriptor."""


class Options(argparse.Namespace):
    """The command line."""

    root: str
    node: str
    host: str
    port: int
    ready: int


def served_here(made: Endpoint) -> bool:
    """Whether corral-api answers a call itself: reads that need neither the host nor records of class root."""
    return not made.changes and not made.root


class ApiEdge:
    """Serves what it can from the mirror and passes the rest on."""

    def __init__(self, dispatcher: Dispatcher[App], front: Front, site: static.Site) -> None:
        self._dispatcher = dispatcher
        self._front = front
        self._site = site
        self._delays = http.Delays(UNAUTHORIZED_DELAY)
        self._edge = Edge(dispatcher, None, self._delays, address=peer)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if not request.raw_path.startswith("/api2/"):
            return self._site.serve(request)
        try:
            here = self._here(request)
        except Unauthorized as exc:
            await self._delays.wait(asyncio.get_running_loop().time())
            return http.refused(exc, _format(request), request, bare=True)
        except Error as exc:
            return http.refused(exc, _format(request), request)
        if here:
            return await self._edge.handle(request)
        try:
            return await self._front.forward(request, peer(request))
        except Error as exc:
            return http.refused(exc, _format(request), request)

    def _here(self, request: web.BaseRequest) -> bool:
        """Whether this process answers. What is passed on has good credentials, or needs none."""
        if request.method not in http.METHODS:
            raise NotImplementedCall(f"method '{request.method}' not available")
        path = http.target_of(request.raw_path).path
        try:
            found = self._dispatcher.router.find(request.method, path).endpoint
        except NotImplementedCall:
            return True  # the dispatcher asks for credentials before it says so
        if served_here(found):
            return True
        if not found.allow.world:
            self._dispatcher.app.access.verify(http.credentials_of(request))
        return False


def peer(request: web.BaseRequest) -> str:
    """The address of the client."""
    return (request.remote or "").removeprefix("::ffff:")


def _format(request: web.BaseRequest) -> str:
    parts = request.raw_path.split("/", 3)
    return parts[2] if len(parts) > 2 and parts[2] in FORMATS else "json"


def main(argv: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser("corral-api")
    parser.add_argument("--root", default="/")
    parser.add_argument("--node", required=True)
    parser.add_argument("--host", default="")
    parser.add_argument("--port", type=int, default=8006)
    parser.add_argument("--ready", type=int, default=-1, help="a descriptor to write a line to when ready")
    options = parser.parse_args(argv, Options())
    layout = Layout(Path(options.root).resolve())
    logs.to_stderr("corral-api")
    limits.many_files()
    context = tls_context(layout)
    listener = listen.tcp_socket(options.host, options.port)
    site = static.Site.load()
    drop_root()
    lifeline.end_with_parent()  # after that: a change of user clears the wish
    uvloop.run(_serve(layout, options, listener, context, site))


def tls_context(layout: Layout) -> ssl.SSLContext:
    """TLS 1.2 and newer with the node's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(layout.pki / "node.pem", layout.pki / "node.key")
    return context


def drop_root() -> None:
    """Become the user `corral` for good; nothing when this process is not root."""
    if os.getuid() != 0:
        return
    account = pwd.getpwnam(USER)
    group = grp.getgrnam(GROUP).gr_gid
    os.chdir("/")
    os.setgroups([group])
    os.setresgid(group, group, group)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)


async def _serve(
    layout: Layout, options: Options, listener: socket.socket, context: ssl.SSLContext, site: static.Site
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    mirror, board, tasks = Mirror(RecordClass.API), StatusBoard(), TaskBoard()
    app = build_api(layout, options.node, SystemClock(), mirror, board=board, taskboard=tasks)
    feed = FeedClient(layout.feed_socket, mirror, board, tasks)
    front = Front(layout.front_socket, feed.settle)
    dispatcher: Dispatcher[App] = Dispatcher(
        app,
        api.endpoints(),
        index_keys=api.INDEX_KEYS,
        serves=served_here,
        observer=log_call if CALL_LOG in os.environ else None,
    )
    # A client that leaves ends its handler, and by that the connection to corrald, which may then withdraw the task.
    server = web.Server(
        ApiEdge(dispatcher, front, site).handle,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE,
    )
    async with asyncio.TaskGroup() as group:
        following = group.create_task(feed.follow())
        await feed.ready()
        accepting = group.create_task(listen.TlsServer(listener, server, context).serve())
        tell_ready(options.ready)
        log.info("corral-api serves port %d", options.port)
        await stop.wait()
        accepting.cancel()
        await server.shutdown(2)
        following.cancel()
    await front.close()


if __name__ == "__main__":
    main()
