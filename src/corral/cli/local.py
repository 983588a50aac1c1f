"""What the tools do themselves, in one or several calls."""

from __future__ import annotations

import os
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
from corral.cli.client import HERE, ApiError, Client
from corral.cli.commands import KEEP
from corral.core.errors import Error, TimedOut

SERIALS = ("serial0", "serial1", "serial2", "serial3")


def run(name: str, client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    """Run a local command; answers the exit code."""
    return _COMMANDS[name](client, given, output)


# --- qm ----------------------------------------------------------------------------------------------------------


def _vm(given: Mapping[str, Any]) -> str:
    vmid = str(given["vmid"])
    if not vmid.isdigit():
        raise Usage(f"'{vmid}' is not the number of a VM")
    return f"/nodes/{HERE}/qemu/{vmid}"


def _import_disk(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    base = _vm(given)
    config = client.call("GET", f"{base}/config", {})
    target = given.get("target-disk") or next(name for i in range(31) if (name := f"scsi{i}") not in config)
    if target in config:
        raise Error(f"'{target}' is in use by VM {given['vmid']}: {config[target]}")
    value = f"{given['storage']}:0,import-from={given['source']}"
    if "format" in given:
        value += f",format={given['format']}"
    upid = client.call("POST", f"{base}/config", {target: value})
    quiet = output.get("quiet") == "1"
    ended = client.follow(HERE, upid, quiet=quiet) if upid else "OK"
    if ended != "OK" and not ended.startswith("WARNINGS"):
        raise Error(ended)
    if "target-disk" not in given:
        client.call("PUT", f"{base}/config", {"delete": target})
    if not quiet:
        print(f"imported '{given['source']}'")
    return 0


def _guest_exec(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    base = _vm(given)
    params: dict[str, Any] = {"command": given.get("extra-args", [])}
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
    base = _vm(given)
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


def _wait(client: Client, given: dict[str, Any], _: dict[str, str]) -> int:
    base, waited = _vm(given), 0.0
    limit = float(given["timeout"]) if "timeout" in given else None
    while client.call("GET", f"{base}/status/current", {})["status"] != "stopped":
        if limit is not None and waited >= limit:
            raise TimedOut(f"VM {given['vmid']} still runs after {limit:g} seconds")
        client.pause(0.25)
        waited += 0.25
    return 0


def _terminal(client: Client, given: dict[str, Any], _: dict[str, str]) -> int:
    config = client.call("GET", f"{_vm(given)}/config", {})
    name = given.get("iface") or next((each for each in SERIALS if each in config), "")
    if name not in config:
        missing = name or "serial0"
        raise Error(f"VM {given['vmid']} has no '{missing}'; `qm set {given['vmid']} --{missing} socket` adds it")
    key = _escape(str(given.get("escape", "^O")))
    with socket.socket(socket.AF_UNIX) as console:
        try:
            console.connect(str(client.layout.guest_socket(int(given["vmid"]), name)))
        except OSError as exc:
            raise Error(f"VM {given['vmid']} has no console '{name}' now: is it running?") from exc
        said = f"connected to {name} of VM {given['vmid']}; Ctrl-{chr(key[0] + 64)} ends the session"
        print(said, file=sys.stderr, flush=True)
        _relay(console, key)
    return 0


def _escape(text: str) -> bytes:
    """The byte that `^O` stands for; Usage for anything else."""
    if len(text) != 2 or text[0] != "^" or not "A" <= text[1].upper() <= "_":
        raise Usage(f"'{text}' is no control key; it has the form ^O")
    return bytes([ord(text[1].upper()) - 64])


def _relay(console: socket.socket, escape: bytes) -> None:
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
                elif not _typed(console, stdin, escape):
                    return
    finally:
        if saved is not None:
            termios.tcsetattr(stdin, termios.TCSADRAIN, saved)


def _typed(console: socket.socket, stdin: int, escape: bytes) -> bool:
    """Pass on what was typed; False at the end of the input or for the escape key."""
    data = os.read(stdin, 4096)
    before, ends, _ = data.partition(escape)
    console.sendall(before)
    return bool(data) and not ends


# --- pvesm ---------------------------------------------------------------------------------------------------------


def _prune_backups(client: Client, given: dict[str, Any], output: dict[str, str]) -> int:
    path = f"/nodes/{HERE}/storage/{quote(str(given['storage']), safe='')}/prunebackups"
    params: dict[str, str] = {key: str(given[key]) for key in ("type", "vmid") if key in given}
    keep = ",".join(f"keep-{span}={given[f'keep-{span}']}" for span in KEEP if f"keep-{span}" in given)
    if keep:
        params["prune-backups"] = keep
    marked = client.call("GET", path, params)
    if output.get("quiet") != "1":
        header = output.get("noheader") != "1"
        print(show.render(marked, output.get("output-format", "text"), "prune", header=header))
    if given.get("dry-run") == "1":
        return 0
    ended = client.follow(HERE, client.call("DELETE", path, params), quiet=output.get("quiet") == "1")
    if ended != "OK":
        raise Error(ended)
    return 0


_COMMANDS: Mapping[str, Callable[[Client, dict[str, Any], dict[str, str]], int]] = {
    "import_disk": _import_disk,
    "guest_exec": _guest_exec,
    "monitor": _monitor,
    "wait": _wait,
    "terminal": _terminal,
    "prune_backups": _prune_backups,
}
