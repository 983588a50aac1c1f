"""What the tools do themselves, in one or several calls."""

from __future__ import annotations

import os
import re
import select
import socket
import sys
import termios
import tty
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from corral.cli import show
from corral.cli.arguments import Usage
from corral.cli.client import ApiError, Client
from corral.cli.table import CallInfo, Option, Table, load
from corral.core.errors import Error, TimedOut

ESCAPE = b"\x0f"  # Ctrl-O

_OPTIONS: Mapping[str, tuple[Option, ...]] = {
    "import_disk": (
        Option(name="format", values=("raw", "qcow2", "vmdk"), text="Format of the new volume."),
        Option(name="target-disk", text="Attach it as this disk, such as scsi0 (default: keep it as unused)."),
    ),
    "guest_exec": (
        Option(name="timeout", kind="integer", default="30", text="Seconds to wait for the command's end."),
        Option(name="synchronous", kind="boolean", default="1", text="Wait for the command's end."),
        Option(name="pass-stdin", kind="boolean", text="Give the command what stands on this tool's stdin."),
    ),
    "terminal": (
        Option(name="iface", values=("serial0", "serial1", "serial2", "serial3"), default="serial0", text="Which one."),
    ),
    "wait": (Option(name="timeout", kind="integer", text="Give up after this many seconds."),),
    "usage": (
        Option(name="command", values=("get", "set", "create", "delete"), text="Only this command."),
        Option(name="verbose", kind="boolean", text="Describe each parameter."),
    ),
}


def options(name: str) -> tuple[Option, ...]:
    """The options of a local command; none for calls."""
    return _OPTIONS.get(name, ())


def run(name: str, client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    """Run a local command; answers the exit code."""
    return _COMMANDS[name](client, given, output)


def print_plan(data: Mapping[str, Any], output: Mapping[str, str]) -> int:
    """Show a plan."""
    fmt = output.get("output-format", "text")
    if fmt != "text":
        print(show.render(data, fmt))
        return 0
    plan = data["plan"]
    for write in plan["writes"]:
        print(f"{write['action']} {write['key']}")
        for line in (write.get("diff") or "").splitlines()[2:]:
            print(f"    {line}")
    for volume in plan["volumes"]:
        size = f" ({volume['size']} bytes)" if volume.get("size") else ""
        print(f"{volume['verb']} volume {volume['volid']}{size}")
    for effect in plan["effects"]:
        print(effect)
    for warning in plan["warnings"]:
        print(f"WARNING: {warning}")
    print(f"\nTo do exactly this within an hour: the same command with --apply {data['token']}")
    return 0


# --- qm ----------------------------------------------------------------------------------------------------------


def _vm(client: Client, given: Mapping[str, Any]) -> str:
    vmid = str(given["vmid"])
    if not vmid.isdigit():
        raise Usage(f"'{vmid}' is not the number of a VM")
    return f"/nodes/{client.node()}/qemu/{vmid}"


def _import_disk(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    base = _vm(client, given)
    config = client.call("GET", f"{base}/config", {})
    target = given.get("target-disk") or next(name for i in range(31) if (name := f"scsi{i}") not in config)
    if target in config:
        raise Error(f"'{target}' is in use by VM {given['vmid']}: {config[target]}")
    value = f"{given['storage']}:0,import-from={given['source']}"
    if "format" in given:
        value += f",format={given['format']}"
    node = base.split("/")[2]
    upid = client.call("POST", f"{base}/config", {target: value})
    quiet = output.get("quiet") == "1"
    ended = client.follow(node, upid, quiet=quiet) if upid else "OK"
    if ended != "OK" and not ended.startswith("WARNINGS"):
        raise Error(ended)
    if "target-disk" not in given:
        client.call("PUT", f"{base}/config", {"delete": target})
    if not quiet:
        print(f"imported '{given['source']}'")
    return 0


def _guest_exec(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    base = _vm(client, given)
    params: dict[str, Any] = {"command": given["command"]}
    if given.get("pass-stdin") == "1":
        params["input-data"] = sys.stdin.read()
    started = client.call("POST", f"{base}/agent/exec", params)
    if given.get("synchronous") == "0":
        print(show.render(started, "json-pretty"))
        return 0
    patience = float(given.get("timeout", 30))
    while patience > 0:
        status = client.call("GET", f"{base}/agent/exec-status", {"pid": started["pid"]})
        if status.get("exited"):
            print(show.render(status, output.get("output-format", "json-pretty").replace("text", "json-pretty")))
            return 0
        client.pause(0.2)
        patience -= 0.2
    raise TimedOut(f"the command (pid {started['pid']}) goes on; `qm guest exec-status` tells when it has ended")


def _monitor(client: Client, given: dict[str, Any], _: dict[str, str]) -> int:
    base = _vm(client, given)
    if sys.stdin.isatty():
        print("Commands go to QEMU's monitor; `help` lists them, `quit` ends this session (not the VM).")
    while True:
        if sys.stdin.isatty():
            print("qm> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line or line.strip() in ("quit", "q", "exit"):
            return 0
        if line.strip():
            try:
                print(client.call("POST", f"{base}/monitor", {"command": line.strip()}).rstrip())
            except ApiError as exc:
                print(f"ERROR: {exc}")


def _show_command(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    print(show.render(client.call("GET", f"{_vm(client, given)}/command", {}), output.get("output-format", "text")))
    return 0


def _wait(client: Client, given: dict[str, Any], _: dict[str, str]) -> int:
    base, waited = _vm(client, given), 0.0
    limit = float(given["timeout"]) if "timeout" in given else None
    while client.call("GET", f"{base}/status/current", {})["status"] != "stopped":
        if limit is not None and waited >= limit:
            raise TimedOut(f"VM {given['vmid']} still runs after {limit:g} seconds")
        client.pause(0.25)
        waited += 0.25
    return 0


def _terminal(client: Client, given: dict[str, Any], _: dict[str, str]) -> int:
    name = str(given.get("iface", "serial0"))
    path = client.layout.guest_socket(int(given["vmid"]), name)
    console = socket.socket(socket.AF_UNIX)
    try:
        console.connect(str(path))
    except OSError as exc:
        raise Error(
            f"VM {given['vmid']} has no console '{name}' now: is it running, and has it `{name}: socket`?"
        ) from exc
    with console:
        print(f"connected to {name} of VM {given['vmid']}; Ctrl-O ends the session", file=sys.stderr)
        _relay(console)
    return 0


def _relay(console: socket.socket) -> None:
    stdin, saved = sys.stdin.fileno(), None
    if sys.stdin.isatty():
        saved = termios.tcgetattr(stdin)
        tty.setraw(stdin)
    try:
        sources: list[Any] = [console, stdin]
        while console in sources:
            for source in select.select(sources, [], [])[0]:
                if source is console:
                    data = console.recv(65536)
                    if not data:
                        return
                    sys.stdout.buffer.write(data)
                    sys.stdout.buffer.flush()
                elif not _typed(console, stdin):
                    return
    finally:
        if saved is not None:
            termios.tcsetattr(stdin, termios.TCSADRAIN, saved)


def _typed(console: socket.socket, stdin: int) -> bool:
    """Pass on what was typed; False at the end of the input or for the escape key."""
    data = os.read(stdin, 4096)
    before, escape, _ = data.partition(ESCAPE)
    console.sendall(before)
    return bool(data) and not escape


# --- pvesm ---------------------------------------------------------------------------------------------------------


def _volume(client: Client, given: Mapping[str, Any]) -> str:
    storage, colon, _ = str(given["volume"]).partition(":")
    if not colon:
        raise Usage(f"'{given['volume']}' is no volume id: it has the form STORAGE:NAME")
    return f"/nodes/{client.node()}/storage/{quote(storage, safe='')}/content/{quote(str(given['volume']), safe='')}"


def _free_volume(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    path = _volume(client, given)
    upid = client.call("DELETE", path, {})
    ended = client.follow(path.split("/")[2], upid, quiet=output.get("quiet") == "1") if upid else "OK"
    if ended != "OK":
        raise Error(ended)
    return 0


def _volume_path(client: Client, given: dict[str, Any], _: dict[str, str]) -> int:
    print(client.call("GET", _volume(client, given), {})["path"])
    return 0


# --- pvesh ---------------------------------------------------------------------------------------------------------


def find_call(table: Table, method: str, path: str) -> CallInfo:
    """The call for a path; `Usage` names the methods that it has."""
    pairs = [pair for pair in table.calls if _matches(pair.partition(" ")[2], path)]
    exact = sorted((pair for pair in pairs if pair.startswith(f"{method} ")), key=lambda pair: pair.count("{"))
    if exact:
        return table.call(exact[0])
    names = {"GET": "get", "PUT": "set", "POST": "create", "DELETE": "delete"}
    if pairs:
        others = sorted({names[pair.partition(" ")[0]] for pair in pairs})
        raise Usage(f"no '{names[method]}' on '{path}'; it has: {', '.join(others)}")
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


def browse(verb: str, client: Client, path: str, given: Mapping[str, Any]) -> int:
    """`ls`: what is below a path; `usage`: the parameters of its calls."""
    table = load()
    if verb == "ls":
        return _list(table, client, path)
    methods = {"get": "GET", "set": "PUT", "create": "POST", "delete": "DELETE"}
    wanted = [methods[str(given["command"])]] if "command" in given else ["GET", "POST", "PUT", "DELETE"]
    found = False
    for method in wanted:
        try:
            info = find_call(table, method, path)
        except Usage:
            continue
        found = True
        word = next(word for word, each in methods.items() if each == method)
        asked = "".join(_usage(option) for option in info.options if f"{{{option.name}}}" not in info.path)
        print(f"USAGE: pvesh {word} {path}{asked}")
        print(f"  {info.text}")
        if given.get("verbose") == "1":
            for option in info.options:
                print(f"  --{option.name}: {option.text}")
        print()
    if not found:
        raise Usage(f"no such resource: '{path}'; `pvesh ls /` shows what there is")
    return 0


def _usage(option: Option) -> str:
    kind = "|".join(option.values) or option.kind
    text = f"--{option.name}{'[n]' if option.count else ''} <{kind}>"
    return f" {text}" if option.required else f" [{text}]"


def _list(table: Table, client: Client, path: str) -> int:
    base = "" if path == "/" else path
    depth = len([part for part in base.split("/") if part])
    rows: dict[str, set[str]] = {}
    letters = {"GET": "r", "PUT": "w", "POST": "c", "DELETE": "d"}
    for pair in table.calls:
        method, _, template = pair.partition(" ")
        parts = [part for part in template.split("/") if part]
        if len(parts) > depth and _matches("/" + "/".join(parts[:depth]), path):
            marks = rows.setdefault(parts[depth], set())
            if len(parts) == depth + 1:
                marks.add(letters[method])
            else:
                marks.add("D")
    if not rows:
        raise Usage(f"no such resource: '{path}'; `pvesh ls /` shows what there is")
    for name in sorted(rows):
        names = _members(client, path) if name.startswith("{") else [name]
        shown = "".join(letter if letter in rows[name] else "-" for letter in "Drwcd")
        for each in names or [name]:
            print(f"{shown}  {each}")
    return 0


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


_COMMANDS: Mapping[str, Callable[[Client, dict[str, Any], dict[str, str]], int]] = {
    "import_disk": _import_disk,
    "guest_exec": _guest_exec,
    "monitor": _monitor,
    "show_command": _show_command,
    "wait": _wait,
    "terminal": _terminal,
    "free_volume": _free_volume,
    "volume_path": _volume_path,
}
