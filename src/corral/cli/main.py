"""Entry points of the command line tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from corral.cli import arguments, commands, local, show
from corral.cli.client import ApiError, Client
from corral.cli.table import CallInfo, load
from corral.core.errors import Error
from corral.core.layout import Layout
from corral.system.clock import SystemClock

OUTPUT_NAMES = frozenset(option.name for option in (*arguments.OUTPUT, *arguments.NODE))
PLAN_HEADERS = {"apply": "corral-apply", "idempotency-key": "Idempotency-Key"}
VERBS = {"get": "GET", "set": "PUT", "create": "POST", "delete": "DELETE"}


def qm() -> None:
    """Virtual machines."""
    _guard(lambda words: _tool("qm", words))


def pvesm() -> None:
    """Storages."""
    _guard(lambda words: _tool("pvesm", words))


def pveum() -> None:
    """Users and permissions."""
    _guard(lambda words: _tool("pveum", words))


def pvesh() -> None:
    """Any call of the API."""
    _guard(_pvesh)


def corral() -> None:
    """The node itself."""
    _guard(_corral)


def _guard(run: Callable[[list[str]], int]) -> None:
    """Run a tool; errors become one clear text on stderr and exit code 1 (255 for a wrong command line)."""
    name = Path(sys.argv[0]).name
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except arguments.Usage as exc:
        print(f"{name}: {exc}", file=sys.stderr)
        code = 255
    except ApiError as exc:
        print(f"{name}: {exc}", file=sys.stderr)
        for wire, text in exc.errors.items():
            print(f"  {wire}: {text.rstrip()}", file=sys.stderr)
        code = 1
    except Error as exc:
        print(f"{name}: {exc}", file=sys.stderr)
        code = 1
    except BrokenPipeError:
        # Whoever read our output has left; Python must not complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 141
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def layout_of(given: dict[str, Any]) -> Layout:
    """The node's layout, by `--root` or CORRAL_ROOT."""
    root = given.pop("root", None) or os.environ.get("CORRAL_ROOT") or "/"
    return Layout(Path(str(root)).resolve())


def _tool(tool: str, words: list[str]) -> int:
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
    options = [*arguments.options_of(info, command), *local.options(command.local)]
    try:
        given = arguments.parse(rest, options, command.args)
    except arguments.Usage as exc:
        usage = arguments.synopsis(tool, name, command)
        raise arguments.Usage(f"{exc}\nusage: {usage}\n`{tool} help {name}` tells more") from exc
    client = Client(layout_of(given), SystemClock())
    output = {key: str(given.pop(key)) for key in list(given) if key in OUTPUT_NAMES}
    if command.local:
        return local.run(command.local, client, given, output)
    assert info is not None
    params = {command.rename.get(key, key): value for key, value in given.items()} | dict(command.fixed)
    return _call(client, info, params, output, command.show)


def _call(client: Client, info: CallInfo, params: dict[str, Any], output: dict[str, str], layout: str) -> int:
    headers = {wire: str(params.pop(key)) for key, wire in PLAN_HEADERS.items() if key in params}
    if params.pop("plan", None) == "1":
        headers["corral-plan"] = "1"
    node = str(params.pop("node", "") or (client.node() if "{node}" in info.path else ""))
    path = info.path
    for key in [part[1:-1] for part in info.path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{key}}}", quote(node if key == "node" else str(params.pop(key)), safe=""))
    data = client.call(info.method, path, params, headers)
    if "corral-plan" in headers:
        return local.print_plan(data, output)
    return finish(client, node, data, output, layout)


def finish(client: Client, node: str, data: Any, output: dict[str, str], layout: str = "") -> int:
    """Show a result; a task is followed to its end, whose failure is ours."""
    quiet = output.get("quiet") == "1"
    fmt = output.get("output-format", "text")
    if isinstance(data, str) and data.startswith("UPID:"):
        ended = client.follow(node or data.split(":")[1], data, quiet=quiet or fmt != "text")
        if fmt != "text" and not quiet:
            print(show.render(data, fmt))
        if ended == "OK":
            return 0
        print(f"task ended with: {ended}" if ended.startswith("WARNINGS") else ended, file=sys.stderr)
        return 0 if ended.startswith("WARNINGS") else 1
    if not quiet:
        text = show.render(data, fmt, layout, header=output.get("noheader") != "1")
        if text:
            print(text)
    return 0


def _help(tool: str, words: list[str]) -> int:
    name = commands.resolve(tool, " ".join(words))
    if name in commands.TOOLS[tool]:
        command = commands.TOOLS[tool][name]
        print(arguments.help_text(tool, name, command, load().call(command.call) if command.call else None))
        return 0
    known = {key: each for key, each in commands.TOOLS[tool].items() if not name or key.startswith(f"{name} ")}
    print(f"usage: {tool} <COMMAND> [ARGUMENTS] [OPTIONS]\n")
    table = load()
    rows = [
        [" ".join([key, *(f"<{place}>" for place in each.args)]), each.help or table.call(each.call).text]
        for key, each in known.items()
    ]
    print(show.table(rows, None))
    print(f"\n`{tool} help <COMMAND>` shows a command's options.")
    return 0


def _no_such(tool: str, words: Sequence[str]) -> NoReturn:
    following = [name.partition(" ")[2] for name in commands.TOOLS[tool] if name.startswith(f"{words[0]} ")]
    if following:
        raise arguments.Usage(f"'{tool} {words[0]}' needs one of: {', '.join(following)}")
    hint = arguments.nearest(words[0], commands.TOOLS[tool])
    raise arguments.Usage(f"no such command: '{words[0]}'{hint}\n`{tool} help` lists them all")


def _pvesh(words: list[str]) -> int:
    verbs = [*VERBS, "ls", "usage"]
    if not words or words[0] in ("help", "--help", "-h"):
        print("usage: pvesh <get|set|create|delete|ls|usage> <API path> [--name value …]\n")
        print("`pvesh ls /` shows what there is, `pvesh usage <path>` the parameters of a path's calls.")
        return 0
    if words[0] not in verbs:
        raise arguments.Usage(f"no such command: '{words[0]}'; one of {', '.join(verbs)}")
    if len(words) < 2:
        raise arguments.Usage(f"missing: <API path>\nusage: pvesh {words[0]} <API path> [--name value …]")
    verb, path = words[0], "/" + words[1].strip("/")
    if verb in ("ls", "usage"):
        given = arguments.parse(words[2:], [*arguments.OUTPUT, *arguments.NODE, *local.options("usage")], ())
        client = Client(layout_of(given), SystemClock())
        return local.browse(verb, client, path, given)
    info = local.find_call(load(), VERBS[verb], path)
    options = [*info.options, *arguments.PLAN, *arguments.OUTPUT, *arguments.NODE]
    options = [option for option in options if f"{{{option.name}}}" not in info.path]
    given = arguments.parse(words[2:], options, ())
    client = Client(layout_of(given), SystemClock())
    output = {key: str(given.pop(key)) for key in list(given) if key in OUTPUT_NAMES}
    places = local.path_values(info.path, path)
    return _call(client, info, {**given, **places}, output, "")


def _corral(words: list[str]) -> int:
    # Imported late: the other tools need none of it.
    code: int = import_module("corral.cli.admin").run(words)
    return code
