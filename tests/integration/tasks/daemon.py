"""A corrald with nothing but tasks: `python -m tests.integration.tasks.daemon ROOT`, spoken to through `ROOT/control`.

Each connection carries one request, a JSON object with `do`, and one answer.
"""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from corral.core.errors import Error
from corral.core.layout import Layout
from corral.daemons.zygote import Zygote
from corral.store.frames import HEAD, frame, length
from corral.store.serve import answer
from corral.store.sqlite import SqliteStore
from corral.system import files, proc
from corral.system.clock import SystemClock
from corral.tasks.base import Draws, Requester
from corral.tasks.outcome import Fault
from corral.tasks.queue import SlotSizes
from corral.tasks.runner import Node, TaskRunner
from tests.integration.tasks import toys

KINDS = {kind.__name__: kind for kind in (toys.Make, toys.Sleep, toys.Ask, toys.Fill)}


def serve(path: Path, handle: Callable[[socket.socket], None]) -> None:
    """Accept for ever; a thread for each connection."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(256)

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            handle(connection)

    threading.Thread(target=accept, daemon=True).start()


def store_client(store: SqliteStore, connection: socket.socket) -> None:
    """What corrald does on store.sock."""
    stream = connection.makefile("rwb")
    while len(head := stream.read(HEAD)) == HEAD:
        stream.write(frame(answer(store, stream.read(length(head)))))
        stream.flush()


def control(runner: TaskRunner, connection: socket.socket) -> None:
    """One request of the test."""
    request = json.loads(connection.makefile("r").readline())
    try:
        result = {"result": ask(runner, request, connection)}
    except Error as exc:
        result = {"fault": msgspec.to_builtins(Fault.of(exc))}
    connection.sendall(json.dumps(result).encode() + b"\n")


def ask(runner: TaskRunner, request: dict[str, Any], connection: socket.socket) -> Any:
    """Do what the test wants."""
    match request["do"]:
        case "spawn" | "run" as verb:
            args = msgspec.convert(request["args"], KINDS[request["task"]])
            by = Requester(user="t@pve", endpoint="POST /t", key=request.get("key"), body=request.get("body", ""))
            if verb == "spawn":
                return runner.spawn(args, Draws(), by)
            return runner.run(args, Draws(), by, gone=lambda: left(connection))
        case "cancel":
            return runner.cancel(request["upid"], "root@pam")
        case "running":
            return msgspec.to_builtins(runner.running())
        case "wait":
            return runner.wait(request["upid"], request["seconds"])
        case "find":
            return msgspec.to_builtins(runner.find(request["upid"]))
    raise Error("what?")


def left(connection: socket.socket) -> bool:
    """Whether the peer has gone."""
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def main(root: Path, boot: str) -> None:
    """Until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(process)d %(name)s %(message)s")
    layout = Layout(root)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    zygote = Zygote.fork(layout, toys.build_worker)
    files.ensure_dir(layout.run, mode=0o711)
    files.ensure_dir(layout.state, mode=0o700)
    store = SqliteStore(layout.store_db, SystemClock())
    app = toys.build(layout, store)
    node = Node("n1", layout, boot or proc.boot_id())
    sizes = SlotSizes({}, default=8)
    runner = TaskRunner(node, app.registry, lambda: app, store, spawner=zygote, clock=app.clock, sizes=sizes)
    serve(layout.store_socket, lambda connection: store_client(store, connection))
    runner.start()
    serve(root / "control", lambda connection: control(runner, connection))
    print("ready", flush=True)
    signal.sigwait([signal.SIGTERM])
    runner.stop()
    zygote.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
