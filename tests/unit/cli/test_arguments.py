from __future__ import annotations

import pytest

from corral.cli.arguments import Usage, help_text, options_of, parse, synopsis
from corral.cli.commands import Command
from corral.cli.table import CallInfo, Option

OPTIONS = (
    Option(name="memory", kind="integer"),
    Option(name="onboot", kind="boolean"),
    Option(name="net", kind="string", indexes=32),
    Option(name="privs", listed=True),
    Option(name="vmid", kind="integer"),
)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("100 --memory 512", {"vmid": "100", "memory": "512"}),
        ("--memory=512 100", {"vmid": "100", "memory": "512"}),
        ("-memory 512 100", {"vmid": "100", "memory": "512"}),
        ("--vmid 100", {"vmid": "100"}),
        ("100 --onboot", {"vmid": "100", "onboot": "1"}),
        ("100 --onboot 0", {"vmid": "100", "onboot": "0"}),
        ("100 --onboot yes", {"vmid": "100", "onboot": "1"}),
        ("100 --onboot=off", {"vmid": "100", "onboot": "0"}),
        ("--onboot 100", {"vmid": "100", "onboot": "1"}),
        ("100 --memory -5", {"vmid": "100", "memory": "-5"}),
        ("-- -100", {"vmid": "-100"}),
        ("100 --net31 virtio", {"vmid": "100", "net31": "virtio"}),
        ("100 --privs a --privs b", {"vmid": "100", "privs": ["a", "b"]}),
    ],
)
def test_words_become_parameters(words: str, given: dict[str, object]) -> None:
    assert parse(words.split(), OPTIONS, ("vmid",)) == given


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("", "missing: <vmid>"),
        ("100 --memry 5", "unknown option '--memry'; did you mean '--memory'?"),
        ("100 --zzz 5", "unknown option '--zzz'"),
        ("100 --net32 virtio", "unknown option '--net32'"),
        ("100 --memory", "option '--memory' needs a value"),
        ("100 --memory 1 --memory 2", "option '--memory' is given twice"),
        ("100 101", "too many arguments: '101'"),
        ("--vmid 100 101", "'vmid' is given twice: as '--vmid' and by position ('101')"),
    ],
)
def test_a_wrong_line_is_told_what_is_wrong(words: str, says: str) -> None:
    with pytest.raises(Usage) as caught:
        parse(words.split(), OPTIONS, ("vmid",))
    assert str(caught.value).startswith(says)


def test_the_rest_of_the_line_belongs_to_a_greedy_argument() -> None:
    assert parse(["100", "ls", "-l", "--memory", "5"], OPTIONS, ("vmid", "extra...")) == {
        "vmid": "100",
        "extra": ["ls", "-l", "--memory", "5"],
    }
    assert parse(["100", "--memory", "5", "--", "-l"], OPTIONS, ("vmid", "extra...")) == {
        "vmid": "100",
        "memory": "5",
        "extra": ["-l"],
    }


def test_an_optional_place_may_stay_empty() -> None:
    assert parse([], OPTIONS, ("vmid",), frozenset({"vmid"})) == {}


INFO = CallInfo(
    method="POST",
    path="/nodes/{node}/things/{thing}",
    text="Do something.",
    options=(
        Option(name="node", required=True),
        Option(name="thing", required=True, text="The thing."),
        Option(name="size", kind="integer", required=True, text="How large."),
        Option(name="kind", values=("a", "b"), default="a", text="Which kind."),
        Option(name="drive", indexes=4, keys=("file", "cache", "size", "ssd", "iothread"), text="A drive."),
        Option(name="mode", text="Preset."),
    ),
)


def test_help_shows_what_a_command_takes() -> None:
    command = Command("POST /nodes/{node}/things/{thing}", ("thing",), fixed={"mode": "x"}, example="big --size 3")
    text = help_text("tool", "make", command, INFO)
    assert text.startswith(
        "usage: tool make <thing> --size <integer> [OPTIONS]\n\nDo something.\n\narguments:\n  <thing>"
    )
    assert "  --size integer\n      How large. [required]" in text
    assert "  --kind a|b\n      Which kind. (default: a)" in text
    assert "  --drive[0-3] file=…,cache=…,size=…,ssd=…,…\n" in text
    assert "  --plan\n" in text
    assert "example:\n  tool make big --size 3\n" in text
    assert "--mode" not in text
    assert "--node" not in text


def test_a_call_that_cannot_be_planned_says_why() -> None:
    info = INFO._replace(never="it is a stream")
    assert "This command has no plan: it is a stream." in help_text("tool", "make", Command("POST /x"), info)
    names = {option.name for option in options_of(info, Command("POST /x"))}
    assert "plan" not in names
    assert "idempotency-key" in names


def test_a_reading_call_has_no_plan() -> None:
    assert not {"plan", "apply"} & {option.name for option in options_of(INFO._replace(method="GET"), Command())}


def test_the_synopsis_puts_into_brackets_what_may_be_left_out() -> None:
    info = CallInfo("POST", "/x", "", (Option(name="vmid"),))
    assert synopsis("qm", "create", Command("POST /x", ("vmid",)), info) == "qm create [<vmid>] [OPTIONS]"
