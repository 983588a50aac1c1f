"""The feed on the wire: what goes in comes out, in order, however it is cut."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.core.errors import Error
from corral.store import feed
from corral.store.base import Batch, Cause, Change, Doc, RecordClass, Revision
from corral.store.frames import MAX_FRAME, Splitter, frame
from corral.store.mirror import Mirror


def doc(key: str, cls: RecordClass = RecordClass.API, text: str = "x") -> Doc:
    return Doc(key=key, text=text, version=1, cls=cls, header={"k": "v"})


def batch(number: int, *docs: Doc, era: int = 1) -> Batch:
    changes = tuple(Change(key=d.key, cls=d.cls, doc=d) for d in docs)
    return Batch(revision=Revision(era, number), changes=changes, cause=Cause(who="a@pve"))


@given(st.lists(st.binary(max_size=20), max_size=6), st.lists(st.integers(0, 100), max_size=6))
def test_frames_come_out_as_they_went_in(payloads: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frame(payload) for payload in payloads)
    splitter, found, start = Splitter(), [], 0
    for end in [*sorted(cuts), len(stream)]:
        found += splitter.feed(stream[start:end])
        start = max(start, end)
    assert found == payloads


def test_a_frame_has_a_limit() -> None:
    with pytest.raises(Error, match="too long"):
        Splitter().feed((MAX_FRAME + 1).to_bytes(4, "big"))


def test_a_mirror_is_fed_over_the_wire() -> None:
    docs = [doc("a"), doc("b", RecordClass.PUBLIC), doc("s", RecordClass.ROOT)]
    stream = b"".join(feed.snapshot(Revision(1, 7), docs))
    stream += feed.update(batch(8, doc("c"), doc("t", RecordClass.ROOT)))
    stream += feed.update(batch(9, doc("u", RecordClass.ROOT)))
    mirror, decoder = Mirror(RecordClass.API), feed.Decoder()
    intake = feed.Intake(mirror)
    for byte in stream:
        for message in decoder.feed(bytes([byte])):
            intake.take(message)
    assert mirror.revision == Revision(1, 9)
    assert mirror.list() == [docs[0], docs[1], doc("c")]
    assert b"\xa1s" not in stream


def test_a_new_snapshot_replaces_when_it_is_complete() -> None:
    mirror = Mirror()
    intake, decoder = feed.Intake(mirror), feed.Decoder()
    for message in decoder.feed(b"".join(feed.snapshot(Revision(1, 7), [doc("a")]))):
        intake.take(message)
    *begin, end = decoder.feed(b"".join(feed.snapshot(Revision(2, 8), [doc("b")])))
    for message in begin:
        intake.take(message)
    assert [d.key for d in mirror.list()] == ["a"]
    intake.take(end)
    assert [d.key for d in mirror.list()] == ["b"]
    assert mirror.revision == Revision(2, 8)


def test_a_big_snapshot_comes_in_pieces() -> None:
    docs = [doc(f"a/{i:03}", text="x" * 300_000) for i in range(10)]
    frames = list(feed.snapshot(Revision(1, 1), docs))
    assert len(frames) > 4
    assert max(map(len, frames)) < 3 * feed.CHUNK
    decoder = feed.Decoder()
    found: list[Doc] = []
    for message in decoder.feed(b"".join(frames)):
        if isinstance(message, feed.Records):
            found += message.docs
    assert found == docs


def test_batches_that_overtake_the_snapshot_wait_for_it() -> None:
    mirror = Mirror()
    intake = feed.Intake(mirror)
    messages: list[feed.Message] = [
        feed.Update(batch(7, doc("old"))),
        feed.Begin(Revision(1, 7)),
        feed.Update(batch(8, doc("b"))),
        feed.Records((doc("a"),)),
        feed.Update(batch(9, doc("c"))),
    ]
    for message in messages:
        intake.take(message)
    assert mirror.list() == []
    intake.take(feed.Ready())
    intake.take(feed.Update(batch(10, doc("d"))))
    assert [d.key for d in mirror.list()] == ["a", "b", "c", "d"]
    assert mirror.revision == Revision(1, 10)


def test_batches_of_another_era_are_refused() -> None:
    intake = feed.Intake(Mirror())
    intake.take(feed.Begin(Revision(1, 1)))
    intake.take(feed.Ready())
    with pytest.raises(Error, match="without a snapshot"):
        intake.take(feed.Update(batch(2, era=2)))


def test_a_gap_is_refused() -> None:
    intake = feed.Intake(Mirror())
    intake.take(feed.Begin(Revision(1, 1)))
    intake.take(feed.Ready())
    intake.take(feed.Update(batch(2)))
    intake.take(feed.Update(batch(2)))
    with pytest.raises(Error, match="misses"):
        intake.take(feed.Update(batch(4)))


def test_notes_keep_their_place() -> None:
    stream = feed.note("status", {"vmid": 100}) + feed.update(batch(2)) + feed.note("task", ["UPID:x"])
    first, _middle, last = feed.Decoder().feed(stream)
    assert isinstance(first, feed.Note)
    assert isinstance(last, feed.Note)
    assert (first.topic, msgspec.msgpack.decode(first.body)) == ("status", {"vmid": 100})
    assert (last.topic, msgspec.msgpack.decode(last.body)) == ("task", ["UPID:x"])


def test_rubbish_is_an_error() -> None:
    with pytest.raises(Error, match="can't be read"):
        feed.Decoder().feed(frame(b"\xc1rubbish"))
