"""What readers of the event stream are sent, and what is kept from them."""

from __future__ import annotations

import msgspec

from corral.metrics.board import GuestStatus, StatusBoard, StatusChange
from corral.metrics.hub import KEPT, Event, Hub
from corral.store.base import Batch, Cause, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.mirror import Mirror
from corral.system.fakes import FakeClock
from corral.tasks.base import Running, TaskEvent
from corral.tasks.board import TaskBoard


class World:
    """A store, a mirror that follows it by hand, and a hub on top."""

    def __init__(self) -> None:
        self.store = MemoryStore(FakeClock())
        self.mirror = Mirror()
        self.mirror.load(*self.store.view())
        self.board, self.tasks = StatusBoard(), TaskBoard()
        self.hub = Hub(lambda: self.mirror.revision, self.mirror.listen, self.board, self.tasks)

    def write(self, key: str, text: str | None = "text") -> Revision:
        before = self.mirror.revision
        revision = self.store.commit(
            Transaction(cause=Cause(who="joe@pve", why="PUT /x"), writes=(Write(key=key, text=text),))
        )
        watch = self.store.watch(before)
        for batch in watch:
            assert isinstance(batch, Batch)
            self.mirror.apply(batch)
            if batch.revision >= revision:
                break
        watch.close()
        return revision


class Sight:
    """Sees what has an even number, and all else."""

    def record(self, key: str) -> bool:
        return not key.endswith("1")

    def task(self, upid: str) -> bool:
        return not upid.endswith("1")

    def status(self, change: StatusChange) -> bool:
        return not change.id.endswith("1")


def kinds(events: list[Event]) -> list[str]:
    return [event.event for event in events]


def test_a_new_reader_gets_everything_that_is_and_then_what_changes() -> None:
    world, seen = World(), list[Event]()
    world.board.put(GuestStatus(vmid=100, node="n1", status="running"))
    world.board.put(GuestStatus(vmid=101, node="n1", status="running"))
    world.tasks.apply(TaskEvent(upid="UPID:2", running=Running(upid="UPID:2", user="joe@pve")))
    world.hub.subscribe(Sight(), None, seen.append)
    assert kinds(seen) == ["ready", "status", "task"]
    assert [row["id"] for row in msgspec.json.decode(seen[1].data)] == ["100"]
    assert [row["upid"] for row in msgspec.json.decode(seen[2].data)] == ["UPID:2"]

    revision = world.write("guest/100")
    change = msgspec.json.decode(seen[3].data)
    assert (seen[3].event, seen[3].id) == ("change", str(revision))
    assert change == {
        "revision": str(revision),
        "who": "joe@pve",
        "why": "PUT /x",
        "records": [{"key": "guest/100", "action": "write"}],
    }
    world.write("guest/100", None)
    assert msgspec.json.decode(seen[4].data)["records"] == [{"key": "guest/100", "action": "delete"}]


def test_what_a_reader_may_not_see_is_not_sent() -> None:
    world, seen = World(), list[Event]()
    world.hub.subscribe(Sight(), None, seen.append)
    del seen[:]
    world.write("guest/101")
    world.board.put(GuestStatus(vmid=101, node="n1", status="running"))
    world.tasks.apply(TaskEvent(upid="UPID:1", running=Running(upid="UPID:1", user="joe@pve")))
    assert seen == []


def test_a_change_of_permissions_tells_readers_to_begin_anew() -> None:
    world, seen = World(), list[Event]()
    world.hub.subscribe(Sight(), None, seen.append)
    del seen[:]
    world.write("user.cfg")
    assert kinds(seen) == ["reset", "change"]


def test_a_stream_resumes_without_gap_and_without_repetition() -> None:
    world = World()
    revisions = [world.write(f"guest/{number}0") for number in range(1, 6)]
    seen: list[Event] = []
    world.hub.subscribe(Sight(), revisions[1], seen.append)
    assert [event.id for event in seen if event.event == "change"] == [str(each) for each in revisions[2:]]


def test_a_cursor_of_another_time_is_told_to_begin_anew() -> None:
    world = World()
    now = world.write("guest/100")
    for cursor in (Revision(now.era + 1, 1), Revision(now.era, now.number + 5), Revision(now.era, -1)):
        seen: list[Event] = []
        world.hub.subscribe(Sight(), cursor, seen.append)
        assert kinds(seen)[0] == "reset", cursor


def test_a_cursor_behind_what_is_kept_is_told_to_begin_anew() -> None:
    world = World()
    first = world.write("guest/100")
    for number in range(KEPT + 1):
        world.write("guest/100", str(number))
    seen: list[Event] = []
    world.hub.subscribe(Sight(), first, seen.append)
    assert kinds(seen)[0] == "reset"


def test_one_who_has_left_is_sent_nothing_more() -> None:
    world, seen = World(), list[Event]()
    leave = world.hub.subscribe(Sight(), None, seen.append)
    leave()
    del seen[:]
    world.write("guest/100")
    world.board.put(GuestStatus(vmid=100, node="n1"))
    world.tasks.apply(TaskEvent(upid="UPID:2", hidden=True))
    assert seen == []


def test_texts_are_not_kept() -> None:
    world = World()
    world.write("guest/100", "a secret")
    assert "a secret" not in repr(world.hub._recent)
