"""`pvesh`: any call of the API by its path."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from corral.cli import arguments
from corral.cli.arguments import Usage
from corral.cli.client import ApiError, Client
from corral.cli.table import CallInfo, Option, Table, load

VERBS: Mapping[str, str] = {"get": "GET", "set": "PUT", "create": "POST", "delete": "DELETE"}
WORDS: Mapping[str, str] = {method: word for word, method in VERBS.items()}

HELP = """usage: pvesh <get|set|create|delete|ls|usage> <API path> [--name value …]

`pvesh ls /` shows what there is, `pvesh usage <path>` the parameters of a path's calls."""

_NOPROXY = Option(name="noproxy", kind="boolean", text="Accepted for compatibility.")
_USAGE = (
    Option(name="command", values=tuple(VERBS), text="Only this command."),
    Option(name="returns", kind="boolean", text="Accepted for compatibility."),
    Option(name="verbose", kind="boolean", text="Describe each parameter."),
)


def split(words: Sequence[str]) -> tuple[str, str, list[str]]:
    """Verb, path and what follows; `Usage` says what is wrong."""
    verbs = [*VERBS, "ls", "usage"]
    if words[0] not in verbs:
        raise Usage(f"no such command: '{words[0]}'{arguments.nearest(words[0], verbs)}; one of {', '.join(verbs)}")
    if len(words) < 2:
        raise Usage(f"missing: <API path>\nusage: pvesh {words[0]} <API path> [--name value …]")
    return words[0], "/" + "/".join(part for part in words[1].split("/") if part), list(words[2:])


def browse_options(verb: str) -> list[Option]:
    """What may follow `ls` and `usage`."""
    return [*(_USAGE if verb == "usage" else ()), _NOPROXY, *arguments.OUTPUT, *arguments.NODE]


def call_options(info: CallInfo) -> list[Option]:
    """What may follow a call's path."""
    own = [option for option in info.options if f"{{{option.name}}}" not in info.path]
    return [*own, *arguments.plan_options(info), _NOPROXY, *arguments.OUTPUT, *arguments.NODE]


def find_call(table: Table, method: str, path: str) -> CallInfo:
    """The call for a path; `Usage` names the methods that it has."""
    pairs = [pair for pair in table.pairs if _matches(pair.partition(" ")[2], path)]
    # A word of the path beats a parameter, as in the router.
    exact = sorted((pair for pair in pairs if pair.startswith(f"{method} ")), key=lambda pair: pair.count("{"))
    if exact:
        return table.call(exact[0])
    if pairs:
        others = sorted({WORDS[pair.partition(" ")[0]] for pair in pairs})
        raise Usage(f"no '{WORDS[method]}' on '{path}'; it has: {', '.join(others)}")
    raise Usage(f"no such resource: '{path}'; `pvesh ls /` shows what there is")


def _matches(template: str, path: str) -> bool:
    pattern = "".join(
        "/" + (".+" if part == "{volume}" else "[^/]+" if part.startswith("{") else re.escape(part))
        for part in template.split("/")
        if part
    )
    return re.fullmatch(pattern or "/", path) is not None


def path_values(template: str, path: str) -> dict[str, str]:
    """The values of a template's parameters in a path."""
    values: dict[str, str] = {}
    parts = path.strip("/").split("/")
    for index, part in enumerate(template.strip("/").split("/")):
        if part == "{volume}":
            values["volume"] = "/".join(parts[index:])
        elif part.startswith("{"):
            values[part[1:-1]] = parts[index]
    return values


def usage(path: str, given: Mapping[str, Any]) -> str:
    """The parameters of a path's calls."""
    table, lines = load(), []
    wanted = [VERBS[str(given["command"])]] if "command" in given else list(VERBS.values())
    for method in wanted:
        try:
            info = find_call(table, method, path)
        except Usage:
            if len(wanted) == 1:
                raise
            continue
        options = [option for option in info.options if f"{{{option.name}}}" not in info.path]
        lines += [f"USAGE: pvesh {WORDS[method]} {path}{''.join(_usage(option) for option in options)}"]
        lines += [f"  {info.text}"]
        if given.get("verbose") == "1":
            lines += [f"  --{option.name}: {option.text}" for option in options]
        lines.append("")
    if not lines:
        raise Usage(f"no such resource: '{path}'; `pvesh ls /` shows what there is")
    return "\n".join(lines[:-1])


def _usage(option: Option) -> str:
    kind = "|".join(option.values) or option.kind
    text = f"--{option.name}{'[n]' if option.indexes else ''} <{kind}>"
    return f" {text}" if option.required else f" [{text}]"


def listing(client: Client, path: str) -> str:
    """What is below a path, with a letter for what can be done there: Directory, read, write, create, delete."""
    table = load()
    depth = len([part for part in path.split("/") if part])
    rows: dict[str, set[str]] = {}
    letters = {"GET": "r", "PUT": "w", "POST": "c", "DELETE": "d"}
    for pair in table.pairs:
        method, _, template = pair.partition(" ")
        parts = [part for part in template.split("/") if part]
        if len(parts) > depth and _matches("/" + "/".join(parts[:depth]), path):
            marks = rows.setdefault(parts[depth], set())
            marks.add(letters[method] if len(parts) == depth + 1 else "D")
    if not rows:
        find_call(table, "GET", path)  # says so if there is no such path
        return ""
    lines = []
    for name in sorted(rows):
        shown = "".join(letter if letter in rows[name] else "-" for letter in "Drwcd")
        members = _members(client, path) if name.startswith("{") else [name]
        lines += [f"{shown}  {each}" for each in members or [name]]
    return "\n".join(lines)


# In this order: a guest's row also names its node, a task's its user.
_MEMBER_KEYS = ("upid", "volid", "vmid", "tokenid", "storage", "userid", "groupid", "roleid", "poolid", "realm", "node")


def _members(client: Client, path: str) -> list[str]:
    """The objects that stand for a parameter in a path."""
    try:
        listed = client.call("GET", path, {})
    except ApiError:
        return []
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    key = next((key for key in _MEMBER_KEYS if rows and key in rows[0]), "")
    return [str(row[key]) for row in rows if key in row]
