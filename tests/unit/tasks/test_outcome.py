"""Outcomes: errors cross to the caller with their class."""

from __future__ import annotations

import msgspec
import pytest

from corral.core.errors import CommandError, Error, ParamError
from corral.tasks.outcome import Outcome, decode, encoder


def crossed(outcome: Outcome) -> Outcome:
    back: Outcome = decode(encoder.encode(outcome), Outcome)
    return back


def test_a_parameter_error_keeps_its_errors() -> None:
    outcome = crossed(Outcome.failure(ParamError({"memory": "too much"})))
    with pytest.raises(ParamError) as caught:
        outcome.value()
    assert caught.value.errors == {"memory": "too much"}
    assert caught.value.status == 400
    assert outcome.closing_line == "TASK ERROR: Parameter verification failed."


def test_a_command_error_keeps_what_the_program_said() -> None:
    error = crossed(Outcome.failure(CommandError(["qemu-img", "create"], 1, "no space\n"))).fault
    assert error is not None
    back = error.restore()
    assert isinstance(back, CommandError)
    assert (back.code, back.stderr, list(back.cmd)) == (1, "no space\n", ["qemu-img", "create"])
    assert str(back) == "command 'qemu-img create' failed: no space"


def test_an_unknown_class_is_an_error_and_a_bug_is_internal() -> None:
    assert type(decode(b'{"kind":"Nova","message":"m"}', type(Outcome.failure(Error("x")).fault)).restore()) is Error
    assert Outcome.failure(KeyError("k")).status == "internal error - KeyError: 'k'"


def test_results_are_json_values() -> None:
    class Pair(msgspec.Struct):
        a: int

    assert crossed(Outcome.success(Pair(1), 0)).value() == {"a": 1}
    assert crossed(Outcome.success(None, 0)).value() is None
    assert Outcome.success(None, 2).closing_line == "TASK WARNINGS: 2"


def test_texts_of_several_lines_become_one() -> None:
    assert Outcome.failure(Error("a\n  b\n")).status == "a b"
    assert Outcome.failure(Error("")).status == "unknown error"
