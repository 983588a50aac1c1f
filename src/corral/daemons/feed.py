"""The feed between daemons: corrald streams records, status and tasks; corral-api keeps its copies by them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from corral.core.errors import Error
from corral.metrics.board import StatusBoard, StatusChange
from corral.store import feed
from corral.store.base import Batch, RecordClass, Reset, Revision
from corral.store.mirror import Mirror
from corral.tasks.base import Running, TaskEvent
from corral.tasks.board import TaskBoard

log = logging.getLogger(__name__)

QUEUE = 100_000
RETRY = 0.2
SETTLE = 2.0

STATUS = "status"
STATUS_ALL = "status-all"
TASK = "task"
TASK_ALL = "task-all"


class FeedServer:
    """corrald's side: one stream per connection, of what a reader of `reader` may see."""

    def __init__(
        self, mirror: Mirror, board: StatusBoard, tasks: TaskBoard, *, reader: RecordClass = RecordClass.API
    ) -> None:
        self._mirror = mirror
        self._board = board
        self._tasks = tasks
        self._reader = reader

    async def serve(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Stream until the reader leaves, or is too slow: it then connects again and begins anew."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)

        def put(message: bytes | None) -> None:
            try:
                waiting.put_nowait(message)
            except asyncio.QueueFull:
                writer.transport.abort()

        def send(message: bytes | None) -> None:
            try:
                loop.call_soon_threadsafe(put, message)
            except RuntimeError:  # the loop has ended
                return

        cancels = self._subscribe(send)
        try:
            while (message := await waiting.get()) is not None and not writer.is_closing():
                writer.write(message)
                if waiting.empty():
                    await writer.drain()
        except ConnectionError:
            log.debug("a reader of the feed has left")
        finally:
            for cancel in cancels:
                cancel()
            writer.close()

    def _subscribe(self, send: Callable[[bytes | None], None]) -> list[Callable[[], None]]:
        """Snapshots first, then every change; a reset of the store ends the stream, so that it begins anew."""

        def on_batch(event: Batch | Reset) -> None:
            send(feed.update(event, self._reader) if isinstance(event, Batch) else None)

        subscription = self._mirror.subscribe(on_batch)
        for message in feed.snapshot(subscription.revision, subscription.docs, self._reader):
            send(message)
        changes, leave_board = self._board.subscribe(lambda change: send(feed.note(STATUS, change)))
        send(feed.note(STATUS_ALL, changes))
        running, leave_tasks = self._tasks.subscribe(lambda event: send(feed.note(TASK, event)))
        send(feed.note(TASK_ALL, running))
        return [subscription.cancel, leave_board, leave_tasks]


class FeedClient:
    """corral-api's side: keeps mirror and boards by the stream, connecting again whenever it ends."""

    def __init__(self, socket: Path, mirror: Mirror, board: StatusBoard, tasks: TaskBoard) -> None:
        self._socket = socket
        self._mirror = mirror
        self._board = board
        self._tasks = tasks
        self._ready = asyncio.Event()
        self._waiting: list[tuple[Revision, asyncio.Future[None]]] = []
        mirror.listen(self._wake)

    async def follow(self) -> None:
        """Follow until cancelled."""
        told = ""
        while True:
            try:
                await self._stream()
                told = ""
            except (OSError, Error, msgspec.DecodeError) as exc:
                if str(exc) != told:  # once for each reason: it is tried again five times a second
                    told = str(exc)
                    log.info("the feed of corrald ended: %s", told)
            await asyncio.sleep(RETRY)

    async def ready(self) -> None:
        """Wait until the first snapshot is complete."""
        await self._ready.wait()

    async def settle(self, revision: Revision) -> None:
        """Wait until the mirror shows `revision`, at most two seconds."""
        if self._mirror.revision >= revision:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((revision, future))
        try:
            async with asyncio.timeout(SETTLE):
                await future
        except TimeoutError:
            log.warning("the feed is behind: %s, wanted %s", self._mirror.revision, revision)

    def _wake(self, event: Batch | Reset) -> None:
        if not self._waiting:
            return
        still = []
        for revision, future in self._waiting:
            if event.revision < revision and not future.done():
                still.append((revision, future))
            elif not future.done():
                future.set_result(None)
        self._waiting = still

    async def _stream(self) -> None:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        decoder, intake = feed.Decoder(), feed.Intake(self._mirror)
        try:
            while data := await reader.read(256 * 1024):
                for message in decoder.feed(data):
                    if isinstance(message, feed.Note):
                        self._note(message)
                    else:
                        intake.take(message)
                if intake.ready:
                    self._ready.set()
        finally:
            writer.close()

    def _note(self, note: feed.Note) -> None:
        if note.topic == STATUS:
            self._board.apply(msgspec.msgpack.decode(note.body, type=StatusChange))
        elif note.topic == STATUS_ALL:
            self._board.load(msgspec.msgpack.decode(note.body, type=list[StatusChange]))
        elif note.topic == TASK:
            self._tasks.apply(msgspec.msgpack.decode(note.body, type=TaskEvent))
        elif note.topic == TASK_ALL:
            self._tasks.load(msgspec.msgpack.decode(note.body, type=list[Running]))
