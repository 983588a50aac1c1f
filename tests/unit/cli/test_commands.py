"""The tables against the yardstick's facts and against our own calls."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.cli import builder, commands
from corral.cli.table import Table

ROOT = Path(__file__).parent.parent.parent.parent

# What the field's tools do in the tool itself is a call here, or the other way round.
OTHER_WAY = {"qm showcmd", "qm status", "qm unlock", "pveum user token permissions", "pvesm path"}


@pytest.fixture(scope="module")
def table() -> Table:
    return Table(builder.build())


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    path = Path(os.environ.get("CORRAL_PVE_API", ROOT.parent / "shared" / "pve-api")) / "cli.json"
    if not path.is_file():
        pytest.skip(f"no facts at {path} (set CORRAL_PVE_API)")
    found: dict[str, Any] = json.loads(path.read_text())["tools"]
    return found


def flat(listed: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The facts' commands, nested ones joined by blanks."""
    for name, each in listed.items():
        if "args" in each or "alias" in each:
            yield prefix + name, each
        else:
            yield from flat(each, f"{prefix}{name} ")


TOOLS = ("qm", "pvesm", "pveum")


@pytest.mark.parametrize("tool", TOOLS)
def test_arguments_stand_in_the_order_that_users_know(tool: str, facts: dict[str, Any]) -> None:
    known = dict(flat(facts[tool]["commands"]))
    for name, command in commands.TOOLS[tool].items():
        assert name in known, f"{tool} {name} is our own: say so here if that is meant"
        fact = known[name]
        assert [place.removesuffix("...") for place in command.args] == fact["args"], name
        if f"{tool} {name}" in OTHER_WAY:
            assert "local" in fact
        elif command.call:
            assert command.call in {f"{api['method']} {api['path']}" for api in fact["api"]}, name
        else:
            assert "local" in fact, name
        fixed = {key: str(value) for key, value in fact.get("fixed", {}).items() if key != "node"}
        if command.call and f"{tool} {name}" not in OTHER_WAY:
            assert dict(command.fixed) == fixed, name


@pytest.mark.parametrize("tool", TOOLS)
def test_options_of_the_tools_themselves_are_known_there(tool: str, facts: dict[str, Any]) -> None:
    known = dict(flat(facts[tool]["commands"]))
    for name, command in commands.TOOLS[tool].items():
        if "params" in known[name]:
            assert {option.name for option in command.options} <= set(known[name]["params"]), name


@pytest.mark.parametrize("tool", TOOLS)
def test_each_call_that_we_have_has_its_command(tool: str, facts: dict[str, Any], table: Table) -> None:
    missing = [
        name
        for name, fact in flat(facts[tool]["commands"])
        if name not in commands.TOOLS[tool]
        and any(f"{api['method']} {api['path']}" in table.pairs for api in fact.get("api", []))
    ]
    assert missing == []


@pytest.mark.parametrize("tool", TOOLS)
def test_aliases_are_those_that_users_know(tool: str, facts: dict[str, Any]) -> None:
    for name, fact in flat(facts[tool]["commands"]):
        if "alias" in fact:
            group = name.rpartition(" ")[0]
            meant = (
                fact["alias"] if fact["alias"] in dict(flat(facts[tool]["commands"])) else f"{group} {fact['alias']}"
            )
            if meant in commands.TOOLS[tool]:
                assert commands.resolve(tool, name) == meant


@pytest.mark.parametrize("tool", TOOLS)
def test_each_command_has_its_call_and_every_path_parameter(tool: str, table: Table) -> None:
    for name, command in commands.TOOLS[tool].items():
        assert bool(command.call) != bool(command.local), name
        if command.call:
            info = table.call(command.call)
            known = {option.name for option in info.options} | {option.name for option in command.options}
            assert set(command.args) <= known, name
            assert set(command.fixed) <= known, name
            assert set(command.secrets) <= known, name


def test_every_parameter_of_every_call_has_a_text(table: Table) -> None:
    for pair in table.pairs:
        info = table.call(pair)
        assert info.text, pair
        assert all(option.text for option in info.options), pair


def test_words_are_split_at_the_longest_command() -> None:
    assert commands.split("pveum", ["user", "token", "add", "joe@pve", "ci"]) == ("user token add", ["joe@pve", "ci"])
    assert commands.split("qm", ["importdisk", "100"]) == ("disk import", ["100"])
    assert commands.split("qm", ["nonsense"]) == ("", ["nonsense"])
    assert commands.split("qm", []) == ("", [])
