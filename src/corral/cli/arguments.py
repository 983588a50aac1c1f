"""From words on a command line to parameters, in the manner of the field's tools: `--name value` or `-name value`,
booleans also without a value, everything else by position. Errors say what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from corral.cli.commands import Command
from corral.cli.table import CallInfo, Option
from corral.core.errors import Error

Given = dict[str, str | list[str]]

OUTPUT: tuple[Option, ...] = (
    Option(name="output-format", values=("text", "json", "json-pretty", "yaml"), default="text", text="Output format."),
    Option(name="noborder", kind="boolean", text="Accepted for compatibility: text tables have no borders."),
    Option(name="noheader", kind="boolean", text="Leave out the header line of text tables."),
    Option(name="human-readable", kind="boolean", text="Accepted for compatibility: figures are shown as they are."),
    Option(name="quiet", kind="boolean", text="Show no result."),
)
PLAN: tuple[Option, ...] = (
    Option(name="plan", kind="boolean", text="Only say what would be done, and print a token for `--apply`."),
    Option(name="apply", text="Do what a plan says: its token. Refused when things have changed since."),
    Option(name="idempotency-key", text="The same key makes the same call happen once, however often it is sent."),
)
NODE: tuple[Option, ...] = (Option(name="root", text="The node's root directory (default: $CORRAL_ROOT, else /)."),)

BOOLEANS: Mapping[str, str] = {
    **dict.fromkeys(("1", "yes", "on", "true"), "1"),
    **dict.fromkeys(("0", "no", "off", "false"), "0"),
}


class Usage(Error):
    """The command line is wrong; the message says how it would be right."""


def options_of(info: CallInfo | None, command: Command) -> list[Option]:
    """Everything that may follow the command, `extra` being what the tool itself understands."""
    own = [option for option in info.options if option.name not in (*command.fixed, "node")] if info else []
    return [*own, *command.options, *plan_options(info), *OUTPUT, *NODE]


def plan_options(info: CallInfo | None) -> tuple[Option, ...]:
    """`--plan` and its companions, for calls that change something and can be planned."""
    if info is None or info.method == "GET":
        return ()
    return PLAN if not info.never else PLAN[2:]


def optional_places(info: CallInfo | None, command: Command) -> frozenset[str]:
    """The positional arguments that may be left out: the call itself does not need them."""
    if info is None:
        return frozenset(place for place in command.args if place.endswith("..."))
    return frozenset(
        place
        for place in command.args
        if f"{{{place}}}" not in info.path and (option := info.option(place)) and not option.required
    )


def parse(
    words: Sequence[str], options: Sequence[Option], positional: Sequence[str], optional: frozenset[str] = frozenset()
) -> Given:
    """The parameters. `Usage` names an unknown option (with the nearest known one), a missing value or argument."""
    known = _by_name(options)
    given: Given = {}
    free: list[str] = []
    rest = list(words)
    greedy = bool(positional) and positional[-1].endswith("...")
    while rest:
        word = rest.pop(0)
        if word == "--":
            free += rest
            break
        if not _is_option(word) or (greedy and len(free) >= len(positional)):
            free.append(word)
            continue
        name, equals, value = word.lstrip("-").partition("=")
        option = known.get(name) or _unknown(name, known)
        _give(given, name, option, value if equals else _value(option, name, rest))
    _place(given, free, positional, optional)
    return given


def _is_option(word: str) -> bool:
    return len(word) > 1 and word[0] == "-" and not re.fullmatch(r"-[\d.]+", word)


def _by_name(options: Sequence[Option]) -> dict[str, Option]:
    known: dict[str, Option] = {}
    for option in options:
        if option.indexes is None:
            known[option.name] = option
        else:
            known.update({f"{option.name}{index}": option for index in range(option.indexes)})
    return known


def _unknown(name: str, known: Mapping[str, Option]) -> NoReturn:
    raise Usage(f"unknown option '--{name}'{nearest(name, known, mark='--')}")


def _value(option: Option, name: str, rest: list[str]) -> str:
    if option.kind == "boolean" and (not rest or rest[0].lower() not in BOOLEANS):
        return "1"
    if not rest:
        raise Usage(f"option '--{name}' needs a value")
    return rest.pop(0)


def _give(given: Given, name: str, option: Option, value: str) -> None:
    before = given.get(name)
    if before is not None and not option.listed:
        raise Usage(f"option '--{name}' is given twice")
    if option.kind == "boolean":
        value = BOOLEANS.get(value.lower(), value)
    given[name] = value if before is None else [*([before] if isinstance(before, str) else before), value]


def _place(given: Given, free: list[str], positional: Sequence[str], optional: frozenset[str]) -> None:
    for place in positional:
        name = place.removesuffix("...")
        if place.endswith("..."):
            if free:
                given[name], free = free, []
        elif free and name not in given:
            given[name] = free.pop(0)
        elif free and positional[-1] == place:
            raise Usage(f"'{name}' is given twice: as '--{name}' and by position ('{free[0]}')")
    if free:
        raise Usage(f"too many arguments: '{free[0]}'")
    missing = [place for place in positional if place.removesuffix("...") not in given and place not in optional]
    if missing:
        raise Usage("missing: " + " ".join(f"<{place.removesuffix('...')}>" for place in missing))


def nearest(word: str, known: Iterable[str], *, mark: str = "") -> str:
    """`; did you mean 'x'?` for the known word that is most like this one; empty if none is."""
    near = import_module("difflib").get_close_matches(word, known, n=1)
    return f"; did you mean '{mark}{near[0]}'?" if near else ""


def synopsis(tool: str, name: str, command: Command, info: CallInfo | None) -> str:
    """`qm start <vmid> [OPTIONS]`, with what may be left out in brackets."""
    optional = optional_places(info, command)
    places = [_shown_place(place, optional=place in optional) for place in command.args]
    needed = [
        f"--{option.name} <{option.kind}>"
        for option in (info.options if info else ())
        if option.required and f"{{{option.name}}}" not in (info.path if info else "")
        if option.name not in (*command.args, *command.fixed, *command.secrets, "node")
    ]
    return " ".join([tool, name, *places, *needed, "[OPTIONS]"])


def _shown_place(place: str, *, optional: bool) -> str:
    text = f"<{place.removesuffix('...')}>" + ("..." if place.endswith("...") else "")
    return f"[{text}]" if optional else text


def help_text(tool: str, name: str, command: Command, info: CallInfo | None) -> str:
    """The help of one command."""
    lines = [f"usage: {synopsis(tool, name, command, info)}", "", command.help or (info.text if info else ""), ""]
    plan = plan_options(info)
    own = [option for option in options_of(info, command) if option not in (*plan, *OUTPUT, *NODE)]
    places = [option for option in own if option.name in command.args]
    if places:
        lines += ["arguments:", *(_line(option, place=True) for option in places), ""]
    if len(own) > len(places):
        lines += ["options:", *(_line(option) for option in own if option not in places), ""]
    if plan:
        lines += ["plans:", *(_line(option) for option in plan), ""]
    if info and info.never:
        lines += [f"This command has no plan: {info.never}.", ""]
    if command.example:
        lines += ["example:", f"  {tool} {name} {command.example}", ""]
    lines += ["output:", *(_line(option) for option in (*OUTPUT, *NODE))]
    return "\n".join(lines)


def _line(option: Option, *, place: bool = False) -> str:
    name = f"<{option.name}>" if place else f"--{option.name}" + (f"[0-{option.indexes - 1}]" if option.indexes else "")
    kind = "|".join(option.values) or ("" if option.kind == "boolean" else option.kind)
    if option.keys:
        kind = ",".join(f"{key}=…" for key in option.keys[:4]) + (",…" if len(option.keys) > 4 else "")
    default = f" (default: {option.default})" if option.default is not None else ""
    mark = " [required]" if option.required and not place else ""
    return f"  {name} {kind}".rstrip() + f"\n      {option.text}{default}{mark}"
