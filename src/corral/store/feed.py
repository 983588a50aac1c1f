"""The feed from `corrald` to `corral-api`: all records first, then every batch, as messages on a byte stream.

Pure: it turns messages into bytes and back; the sockets are the daemons'. Other streams (status, tasks) travel between
the batches as notes, so that a note that follows a commit also arrives after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from corral.core.errors import Error
from corral.store.base import Batch, Doc, RecordClass, Revision
from corral.store.frames import Splitter, frame
from corral.store.mirror import Mirror

CHUNK = 1024 * 1024
"""About how many characters of texts go into one `Records` message."""


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """A snapshot starts: forget what was collected."""

    revision: Revision


class Records(msgspec.Struct, frozen=True, tag="records"):
    """Some records of the snapshot."""

    docs: tuple[Doc, ...]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The snapshot is complete."""


class Update(msgspec.Struct, frozen=True, tag="update"):
    """The batch that follows."""

    batch: Batch


class Note(msgspec.Struct, frozen=True, tag="note"):
    """A message of another stream: `body` is msgpack that the topic's owner decodes."""

    topic: str
    body: msgspec.Raw


Message = Begin | Records | Ready | Update | Note

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """The message as it goes over the stream."""
    return frame(_encoder.encode(message))


def update(batch: Batch, reader: RecordClass = RecordClass.API) -> bytes:
    """A batch as a reader of that class may see it."""
    return encode(Update(batch.seen_by(reader)))


def note(topic: str, body: object) -> bytes:
    """A message of another stream."""
    return encode(Note(topic, msgspec.Raw(_encoder.encode(body))))


def snapshot(revision: Revision, docs: Iterable[Doc], reader: RecordClass = RecordClass.API) -> Iterator[bytes]:
    """All records that a reader of that class may see; what a stream starts with, and goes on with after a `Reset`."""
    yield encode(Begin(revision))
    chunk: list[Doc] = []
    size = 0
    for doc in docs:
        if not reader.sees(doc.cls):
            continue
        chunk.append(doc)
        size += len(doc.text) + len(doc.key)
        if size >= CHUNK:
            yield encode(Records(tuple(chunk)))
            chunk, size = [], 0
    if chunk:
        yield encode(Records(tuple(chunk)))
    yield encode(Ready())


class Decoder:
    """Turns what arrives into messages; for one stream."""

    def __init__(self) -> None:
        self._splitter = Splitter()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes; `Error` for what is none: end the connection then."""
        try:
            return [_decoder.decode(payload) for payload in self._splitter.feed(data)]
        except msgspec.DecodeError as exc:
            raise Error(f"the feed can't be read: {exc}") from exc


class Intake:
    """Feeds a mirror from the messages of one stream.

    The mirror keeps answering from what it has until a snapshot is complete. Batches that overtake the snapshot on the
    sender's side wait for it. A batch that does not follow the last one raises `Error`: end the connection and begin
    anew.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._docs: list[Doc] = []
        self._early: list[Batch] = []
        self._revision: Revision | None = None
        self.ready = False

    def take(self, message: Message) -> None:
        """Take in a message; notes are not for it."""
        if isinstance(message, Begin):
            self._revision, self._docs = message.revision, []
        elif isinstance(message, Records):
            self._docs += message.docs
        elif isinstance(message, Ready):
            if self._revision is None:
                raise Error("the feed ends a snapshot that has not begun")
            self._finish(self._revision)
        elif isinstance(message, Update):
            self._update(message.batch)

    def _finish(self, revision: Revision) -> None:
        self._mirror.load(revision, self._docs)
        early, self._docs, self._early, self.ready = self._early, [], [], True
        for batch in early:
            self._update(batch)

    def _update(self, batch: Batch) -> None:
        if not self.ready:
            self._early.append(batch)
            return
        present = self._mirror.revision
        if batch.revision.era != present.era:
            raise Error(f"the feed goes on at {batch.revision} without a snapshot")
        if batch.revision.number > present.number + 1:
            raise Error(f"the feed misses what came between {present} and {batch.revision}")
        self._mirror.apply(batch)
