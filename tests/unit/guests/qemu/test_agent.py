"""The guest agent's client against a scripted agent."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest

from corral.core.errors import Error, ParamError, TimedOut
from corral.guests.qemu.agent import Agent, AgentError
from tests.unit.guests.qemu.servers import FakeAgent, Refuse


def in_step(fake: FakeAgent) -> Agent:
    agent = Agent(fake.client)
    agent.sync()
    return agent


def test_leftovers_of_an_earlier_client_are_dropped() -> None:
    fake = FakeAgent(
        {"guest-get-host-name": lambda _: {"host-name": "a"}}, leftover=b'{"return": {"host-n\n{"return": 7}\n'
    )
    assert in_step(fake).call("guest-get-host-name") == {"host-name": "a"}


def test_an_error_of_the_agent_keeps_its_words() -> None:
    def refuse(_: object) -> None:
        raise Refuse("unable to freeze")

    with pytest.raises(AgentError, match="Agent error: unable to freeze"):
        in_step(FakeAgent({"guest-fsfreeze-freeze": refuse})).call("guest-fsfreeze-freeze")


def test_a_silent_agent_is_a_timeout() -> None:
    with pytest.raises(TimedOut):
        in_step(FakeAgent({"guest-ping": lambda _: ...})).call("guest-ping", timeout=0.05)


def test_no_socket_reads_as_clients_know_it(tmp_path: Any) -> None:
    with pytest.raises(Error, match="QEMU guest agent is not running"):
        Agent.connect(tmp_path / "qga")


def test_a_program_runs_with_input_and_its_output_is_text() -> None:
    fake = FakeAgent({
        "guest-exec": lambda _: {"pid": 9},
        "guest-exec-status": lambda _: {
            "exited": True, "exitcode": 3, "out-data": base64.b64encode(b"\xffhi").decode(), "out-truncated": True
        },
    })  # fmt: skip
    agent = in_step(fake)
    assert agent.exec(["/bin/sh", "-c", "x"], b"in") == 9
    assert fake.commands[-1][1] == {
        "path": "/bin/sh", "arg": ["-c", "x"], "capture-output": True, "input-data": base64.b64encode(b"in").decode(),
    }  # fmt: skip
    assert agent.exec_status(9) == {"exited": True, "exitcode": 3, "out-data": "\ufffdhi", "out-truncated": True}
    with pytest.raises(ParamError):
        agent.exec(["x"], bytes(2_000_000))


def test_a_file_is_read_in_pieces_and_cut() -> None:
    content = bytes(range(256)) * 8192  # 2 MiB
    position = 0

    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        nonlocal position
        piece = content[position : position + arguments["count"]]
        position += len(piece)
        return {"count": len(piece), "buf-b64": base64.b64encode(piece).decode(), "eof": position >= len(content)}

    fake = FakeAgent({"guest-file-open": lambda _: 4, "guest-file-read": read})
    assert in_step(fake).read_file("/x", count=1_500_000) == (content[:1_500_000], True)
    assert fake.commands[-1] == ("guest-file-close", {"handle": 4})
    position = 0
    assert in_step(FakeAgent(fake.answers)).read_file("/x") == (content, False)


def test_a_file_is_written_whole_or_it_is_an_error() -> None:
    fake = FakeAgent({"guest-file-open": lambda _: 4, "guest-file-write": lambda _: {"count": 3}})
    in_step(fake).write_file("/x", b"abc")
    with pytest.raises(AgentError, match="only 3 of 4"):
        in_step(FakeAgent(fake.answers)).write_file("/x", b"abcd")


@pytest.mark.parametrize("answer", [None, 7, "x", [], {}, {"pid": "9"}, {"buf-b64": 5}, {"out-data": "é"}])
def test_a_guest_may_answer_anything(answer: object) -> None:
    words = ("guest-exec", "guest-exec-status", "guest-file-read", "guest-file-write")
    fake = FakeAgent({**dict.fromkeys(words, lambda _: answer), "guest-file-open": lambda _: 1,
                      "guest-file-close": lambda _: {}})  # fmt: skip
    agent = in_step(fake)
    with pytest.raises(AgentError):
        agent.exec(["true"])
    with pytest.raises(AgentError):
        agent.write_file("/x", b"content")
    with pytest.raises(AgentError):
        agent.read_file("/x", count=1)
    with contextlib.suppress(AgentError):  # an object without output is a program that still runs
        assert "out-data" not in agent.exec_status(9)
