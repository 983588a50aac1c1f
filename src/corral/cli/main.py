"""Entry points of the command line tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from corral.cli import arguments, commands, show
from corral.cli.arguments import Given, Usage
from corral.cli.client import HERE, ApiError, Client, Interrupted
from corral.cli.commands import Command
from corral.cli.table import CallInfo, load
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.system.clock import SystemClock

OUTPUT_NAMES = frozenset(option.name for option in (*arguments.OUTPUT, *arguments.NODE))
PLAN_HEADERS = {"apply": "corral-apply", "idempotency-key": "Idempotency-Key"}

FAILED, USAGE, INTERRUPTED, BROKEN_PIPE = 1, 255, 130, 141
"""Exit codes: the call or task failed; the command line is wrong; by Ctrl-C; nobody reads our output."""


def qm() -> None:
    """Virtual machines."""
    sys.exit(guard("qm", sys.argv[1:]))


def pvesm() -> None:
    """Storages."""
    sys.exit(guard("pvesm", sys.argv[1:]))


def pveum() -> None:
    """Users and permissions."""
    sys.exit(guard("pveum", sys.argv[1:]))


def pvesh() -> None:
    """Any call of the API."""
    sys.exit(guard("pvesh", sys.argv[1:]))


def corral() -> None:
    """The node itself."""
    sys.exit(guard("corral", sys.argv[1:]))


Connect = Callable[[Layout], Client]


def _connect(layout: Layout) -> Client:
    return Client(layout, SystemClock())


def guard(tool: str, words: list[str], connect: Connect = _connect) -> int:
    """Run a tool and answer its exit code; errors become one clear text on stderr."""
    try:
        code = run(tool, words, connect)
        sys.stdout.flush()
    except Usage as exc:
        return _fail(tool, exc, USAGE)
    except ApiError as exc:
        _fail(tool, exc, FAILED)
        for wire, text in exc.errors.items():
            print(f"  {wire}: {text.rstrip()}", file=sys.stderr)
        return FAILED
    except Interrupted as exc:
        return _fail(tool, exc, INTERRUPTED)
    except Error as exc:
        return _fail(tool, exc, FAILED)
    except BrokenPipeError:
        # Whoever read our output has left; Python must not complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _fail(tool: str, error: Error, code: int) -> int:
    sys.stdout.flush()
    print(f"{tool}: {error}", file=sys.stderr)
    return code


def run(tool: str, words: list[str], connect: Connect = _connect) -> int:
    """Run a tool; errors are raised."""
    if tool == "corral":
        # Imported late: the other tools need none of it.
        code: int = import_module("corral.cli.admin").run(words, connect)
        return code
    return _pvesh(words, connect) if tool == "pvesh" else _tool(tool, words, connect)


def layout_of(given: dict[str, Any]) -> Layout:
    """The node's layout, by `--root` or CORRAL_ROOT."""
    root = given.pop("root", None) or os.environ.get("CORRAL_ROOT") or "/"
    return Layout(Path(str(root)).resolve())


def _tool(tool: str, words: list[str], connect: Connect) -> int:
    if not words or words[0] in ("help", "--help", "-h"):
        return _help(tool, words[1:])
    name, rest = commands.split(tool, words)
    if not name:
        _no_such(tool, words)
    command = commands.TOOLS[tool][name]
    info = load().call(command.call) if command.call else None
    if "--help" in rest or "-h" in rest or "-help" in rest:
        print(arguments.help_text(tool, name, command, info))
        return 0
    try:
        return run_command(command, info, rest, connect)
    except Usage as exc:
        usage = arguments.synopsis(tool, name, command, info)
        raise Usage(f"{exc}\nusage: {usage}\n`{tool} help {name}` tells more") from exc


def run_command(command: Command, info: CallInfo | None, words: Sequence[str], connect: Connect) -> int:
    """Run one command with the words after its name."""
    options = arguments.options_of(info, command)
    given = arguments.parse(words, options, command.args, arguments.optional_places(info, command))
    client = connect(layout_of(given))
    output = _take(given, OUTPUT_NAMES)
    if info is None:
        local = import_module("corral.cli.local")
        code: int = local.run(command.local, client, given, output)
        return code
    for secret in command.secrets:
        if secret not in given:
            given[secret] = ask_secret(secret)
    own = {option.name for option in command.options} - {option.name for option in info.options}
    try:
        params = command.derive(given) if command.derive else given
    except ValueError as exc:
        raise Usage(str(exc)) from exc
    said = {key: str(params[key]) for key in own if key in params}
    params = {key: value for key, value in params.items() if key not in own}
    layout = "" if said.get("verbose") == "1" else command.show
    return _call(client, info, {**params, **command.fixed}, output, show.pretty(layout, said))


def ask_secret(name: str) -> str:
    """A secret typed twice without being shown, or the first line of stdin where that is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    getpass = import_module("getpass").getpass
    first: str = getpass(f"{name}: ")
    if getpass(f"{name} once more: ") != first:
        raise Error("the two differ; nothing was changed")
    return first


def _take(given: Given, names: frozenset[str]) -> dict[str, str]:
    return {key: str(given.pop(key)) for key in list(given) if key in names}


def _call(client: Client, info: CallInfo, params: dict[str, Any], output: dict[str, str], layout: str) -> int:
    headers = {wire: str(params.pop(key)) for key, wire in PLAN_HEADERS.items() if key in params}
    if params.pop("plan", None) == "1":
        headers["corral-plan"] = "1"
    node = str(params.pop("node", HERE)) if "{node}" in info.path else ""
    path = info.path
    for key in [part[1:-1] for part in info.path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{key}}}", quote(node if key == "node" else str(params.pop(key)), safe=""))
    data = client.call(info.method, path, params, headers)
    if "corral-plan" in headers:
        print(show.plan(data) if output.get("output-format", "text") == "text" else _render(data, output, ""))
        return 0
    return finish(client, node or HERE, data, output, layout)


def finish(client: Client, node: str, data: Any, output: dict[str, str], layout: str = "") -> int:
    """Show a result; a task is followed to its end, whose failure is ours."""
    quiet = output.get("quiet") == "1"
    text = output.get("output-format", "text") == "text"
    if isinstance(data, str) and data.startswith("UPID:"):
        ended = client.follow(node, data, quiet=quiet or not text)
        if not text and not quiet:
            print(_render(data, output, ""))
        if ended == "OK":
            return 0
        print(f"task ended with: {ended}" if ended.startswith("WARNINGS") else ended, file=sys.stderr)
        return 0 if ended.startswith("WARNINGS") else FAILED
    if not quiet and (shown := _render(data, output, layout)):
        print(shown)
    return 0


def _render(data: Any, output: Mapping[str, str], layout: str) -> str:
    fmt = output.get("output-format", "text")
    try:
        return show.render(data, fmt, layout, header=output.get("noheader") != "1")
    except KeyError as exc:
        raise Usage(f"no such output format: '{fmt}'; one of {', '.join(arguments.OUTPUT[0].values)}") from exc


def _help(tool: str, words: list[str]) -> int:
    name = commands.resolve(tool, " ".join(words))
    known = commands.TOOLS[tool]
    if name in known:
        command = known[name]
        print(arguments.help_text(tool, name, command, load().call(command.call) if command.call else None))
        return 0
    listed = {key: each for key, each in known.items() if not name or key.startswith(f"{name} ")}
    if not listed:
        _no_such(tool, words)
    table, rows = load(), []
    for key, each in listed.items():
        info = table.call(each.call) if each.call else None
        usage = arguments.synopsis(tool, key, each, info).removeprefix(f"{tool} ").removesuffix(" [OPTIONS]")
        rows.append([usage, each.help or (info.text if info else "")])
    print(f"usage: {tool} <COMMAND> [ARGUMENTS] [OPTIONS]\n")
    print(show.table(rows, None))
    print(f"\n`{tool} help <COMMAND>` shows a command's options.")
    return 0


def _no_such(tool: str, words: Sequence[str]) -> NoReturn:
    following = [name.partition(" ")[2] for name in commands.TOOLS[tool] if name.startswith(f"{words[0]} ")]
    if following:
        raise Usage(f"'{tool} {words[0]}' needs one of: {', '.join(following)}")
    hint = arguments.nearest(words[0], commands.TOOLS[tool])
    raise Usage(f"no such command: '{words[0]}'{hint}\n`{tool} help` lists them all")


def _pvesh(words: list[str], connect: Connect) -> int:
    pvesh = import_module("corral.cli.pvesh")
    if not words or words[0] in ("help", "--help", "-h"):
        print(pvesh.HELP)
        return 0
    verb, path, rest = pvesh.split(words)
    if verb in ("ls", "usage"):
        given = arguments.parse(rest, pvesh.browse_options(verb), ())
        client = connect(layout_of(given))
        print(pvesh.usage(path, given) if verb == "usage" else pvesh.listing(client, path))
        return 0
    info = pvesh.find_call(load(), pvesh.VERBS[verb], path)
    given = arguments.parse(rest, pvesh.call_options(info), ())
    given.pop("noproxy", None)
    client = connect(layout_of(given))
    output = _take(given, OUTPUT_NAMES)
    return _call(client, info, {**given, **pvesh.path_values(info.path, path)}, output, "")
