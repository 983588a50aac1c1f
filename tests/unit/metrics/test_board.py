"""The status board: differences are told once, and a board fed by another becomes equal to it."""

from __future__ import annotations

from corral.metrics.board import GuestStatus, NodeStatus, StatusBoard, StatusChange, StorageStatus


def test_listeners_hear_of_differences_only() -> None:
    board, heard = StatusBoard(), list[StatusChange]()
    cancel = board.listen(heard.append)
    board.put(GuestStatus(vmid=100, node="n1"))
    board.put(GuestStatus(vmid=100, node="n1"))
    board.put(GuestStatus(vmid=100, node="n1", status="running"))
    board.drop("guest", "100")
    board.drop("guest", "100")
    cancel()
    board.put(GuestStatus(vmid=100, node="n1"))
    assert [change.status and change.status.id for change in heard] == ["100", "100", None]


def test_a_board_fed_by_another_is_equal() -> None:
    source, copy = StatusBoard(), StatusBoard()
    copy.put(GuestStatus(vmid=1, node="gone"))
    source.put(NodeStatus(node="n1", maxcpu=2))
    snapshot, _ = source.subscribe(copy.apply)
    copy.load(snapshot)
    source.put(StorageStatus(storage="local", node="n1", total=5))
    source.update_guest(100, "n1", status="running", pid=7)
    assert copy.snapshot() == source.snapshot()
    assert copy.guest(1) is None
    assert [guest.pid for guest in copy.guests()] == [7]


def test_a_failing_listener_disturbs_nobody() -> None:
    board, heard = StatusBoard(), list[StatusChange]()

    def broken(_: StatusChange) -> None:
        raise ValueError

    board.listen(broken)
    board.listen(heard.append)
    board.put(NodeStatus(node="n1"))
    assert len(heard) == 1
