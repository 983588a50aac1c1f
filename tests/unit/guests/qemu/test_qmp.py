"""QMP: the state machine byte by byte, and the client against a scripted server."""

from __future__ import annotations

import os

import pytest

from corral.core.errors import TimedOut
from corral.guests.qemu.qmp import Event, Gone, Greeting, Protocol, Qmp, QmpError, Refused, Returned, State
from tests.unit.guests.qemu.servers import FakeQmp, Refuse

GREETING = (
    b'{"QMP": {"version": {"qemu": {"micro": 9, "minor": 2, "major": 7}, "package": "x"}, "capabilities": []}}\r\n'
)


def ready(server: FakeQmp) -> Qmp:
    qmp = Qmp(server.client, 100)
    qmp.negotiate(5)
    return qmp


def test_messages_come_whole_however_they_are_cut() -> None:
    stream = (
        GREETING + b'{"return": {"a": 1}, "id": 1}\n{"error": {"class": "DeviceNotFound", "desc": "no"}, "id": 2}\n'
    )
    stream += b'{"event": "STOP", "timestamp": {"seconds": 1, "microseconds": 500000}}\n'
    protocol = Protocol()
    seen = [message for byte in stream for message in protocol.receive(bytes([byte]))]
    assert seen == [
        Greeting((7, 2, 9)), Returned(1, {"a": 1}), Refused(2, "DeviceNotFound", "no"), Event("STOP", {}, 1.5),
    ]  # fmt: skip
    assert protocol.state is State.READY


def test_nothing_but_capabilities_is_sent_before_they_are_agreed() -> None:
    protocol = Protocol()
    protocol.receive(GREETING)
    with pytest.raises(AssertionError):
        protocol.command("cont")
    assert protocol.command("qmp_capabilities") == (1, b'{"execute":"qmp_capabilities","id":1}\n')


def test_hanging_up_ends_the_connection() -> None:
    protocol = Protocol()
    assert protocol.receive(b"") == []
    assert protocol.state is State.CLOSED


def test_a_command_after_that_is_told_so() -> None:
    protocol = Protocol()
    protocol.receive(b"")
    with pytest.raises(Gone, match="closed its monitor: 'query-status'"):
        protocol.command("query-status")


def test_what_is_not_json_is_an_error() -> None:
    with pytest.raises(QmpError, match="not a QMP message"):
        Protocol().receive(b"HTTP/1.1 400\n")


def test_a_command_answers_its_value_and_keeps_events() -> None:
    server = FakeQmp({"query-status": lambda _: {"status": "running"}})
    qmp = ready(server)
    server.event("RESUME")
    assert qmp.call("query-status") == {"status": "running"}
    assert qmp.version == (7, 2, 0)
    assert [event.name for event in qmp.events] == ["RESUME"]
    assert server.commands == [("qmp_capabilities", {}), ("query-status", {})]


def test_a_refusal_names_the_command_and_has_its_class() -> None:
    def refuse(_: object) -> None:
        raise Refuse("Device 'net9' not found", "DeviceNotFound")

    qmp = ready(FakeQmp({"device_del": refuse}))
    with pytest.raises(QmpError, match="VM 100 qmp command 'device_del' failed - Device 'net9' not found") as caught:
        qmp.call("device_del", {"id": "net9"})
    assert caught.value.kind == "DeviceNotFound"


def test_descriptors_go_along_with_a_command() -> None:
    server = FakeQmp()
    qmp = ready(server)
    read, write = os.pipe()
    qmp.call("getfd", {"fdname": "tap"}, fds=[write])
    os.write(server.fds[0], b"x")
    assert os.read(read, 1) == b"x"
    for descriptor in (read, write, *server.fds):
        os.close(descriptor)


def test_a_silent_qemu_is_a_timeout_that_names_the_command() -> None:
    qmp = ready(FakeQmp({"stop": lambda _: ...}))
    with pytest.raises(TimedOut, match="'stop' failed - got timeout"):
        qmp.call("stop", timeout=0.05)


def test_a_dead_qemu_is_told_apart_from_a_silent_one() -> None:
    server = FakeQmp()
    qmp = ready(server)
    server.close()
    with pytest.raises(Gone):
        qmp.call("stop")


def test_an_event_is_waited_for_and_others_stay() -> None:
    server = FakeQmp()
    qmp = ready(server)
    server.event("DEVICE_DELETED", path="/x/backend")
    server.event("DEVICE_DELETED", device="net1", path="/x")
    found = qmp.wait(lambda event: event.data.get("device") == "net1", timeout=5)
    assert found == Event("DEVICE_DELETED", {"device": "net1", "path": "/x"}, 5.25)
    assert [event.data for event in qmp.events] == [{"path": "/x/backend"}]
    assert qmp.next_event(0.01) is not None
    assert qmp.next_event(0.01) is None
