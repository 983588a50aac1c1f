"""The command `corral`: the node, its store, its schema."""

from __future__ import annotations

import json
import os
import secrets
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from corral import __version__
from corral.cli.arguments import NODE, Usage, nearest, parse
from corral.cli.commands import Command
from corral.cli.main import Connect, run_command
from corral.cli.table import FILE, Option, load
from corral.core.errors import Error, NotFound, Unavailable
from corral.core.layout import Layout
from corral.store import history as past
from corral.store.base import Cause, Past, RecordClass, Revision, Store, Transaction, Write
from corral.store.paths import PathView
from corral.store.remote import RemoteStore
from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock
from corral.system.files import atomic_write, read_bytes
from corral.system.run import SystemRun

BATCH = 500
ME = "root@pam"


def run(words: list[str], connect: Connect) -> int:
    """Run `corral …`; answers the exit code."""
    if not words or words[0] in ("help", "--help", "-h"):
        print(HELP)
        return 0
    if words[0] not in (*_COMMANDS, *_ASKING):
        raise Usage(
            f"no such command: '{words[0]}'{nearest(words[0], (*_COMMANDS, *_ASKING))}\n`corral help` lists them all"
        )
    if {"--help", "-h"} & set(words[1:]) and words[0] != "node":
        print("\n".join(line for line in HELP.splitlines() if line.startswith(f"  {words[0]}")))
        return 0
    if words[0] in _ASKING:
        return _ASKING[words[0]](words[1:], connect)
    return _COMMANDS[words[0]](words[1:])


HELP = """usage: corral <COMMAND> [OPTIONS]

  node [--root DIR] [--port N] [--node NAME]   run a node in the foreground
  doctor                                       is this machine fit, and what to do about what is not
  store list [PATH]                            records, as the tree of files that users know
  store get|history PATH                       one record: its text, or what changed it
  store diff PATH [REVISION]                   what has changed since a revision (default: by the last change)
  store blame PATH                             each line with the change that wrote it
  store put PATH [FILE]                        write a record from a file or stdin
  store snapshot FILE, store restore FILE      the whole store into a file and back; also while no node runs
  net nat [--remove] [--plan]                  make, or take back, the bridge vmbr0 with NAT and DHCP
  plans                                        the calls that can't be planned, and why
  api-schema, openapi                          all calls, as JSON
  seed --guests N [--nodes N]                  fill a scratch node's store, to try things at size
  cli-table                                    make the tools' table of calls anew
  version

Other tools: qm (virtual machines), pvesm (storages), pveum (users), pvesh (any call)."""


def _options(words: Sequence[str], positional: Sequence[str], *more: Option) -> tuple[Layout, dict[str, str]]:
    """The layout, and what else was given."""
    given = {key: str(value) for key, value in parse(words, [*more, *NODE], positional).items()}
    root = given.pop("root", None) or os.environ.get("CORRAL_ROOT") or "/"
    return Layout(Path(root).resolve()), given


def _node(words: list[str]) -> int:
    import_module("corral.daemons.node").main(words)
    return 0


def _doctor(words: list[str]) -> int:
    doctor = import_module("corral.cli.doctor")
    _options(words, ())
    return int(doctor.report(doctor.examine(SystemRun())))


def _version(_: list[str]) -> int:
    print(f"corral {__version__}")
    return 0


def _cli_table(_: list[str]) -> int:
    _builder().write()
    print(FILE)
    return 0


def _api_schema(_: list[str]) -> int:
    print(json.dumps(_builder().api_schema(), indent=1, ensure_ascii=False))
    return 0


def _openapi(_: list[str]) -> int:
    print(json.dumps(_builder().openapi(), indent=1, ensure_ascii=False))
    return 0


def _plans(_: list[str]) -> int:
    for pair, why in _builder().unplannable():
        print(f"{pair}: {why}")
    return 0


def _builder() -> Any:  # Any: the module corral.cli.builder, which imports the whole API
    return import_module("corral.cli.builder")


# --- store -----------------------------------------------------------------------------------------------------------


def _store(words: list[str]) -> int:
    verbs: Mapping[str, Callable[[list[str]], int]] = {
        "list": _store_list,
        "get": _store_get,
        "put": _store_put,
        "history": _store_history,
        "diff": _store_diff,
        "blame": _store_blame,
        "snapshot": _store_snapshot,
        "restore": _store_restore,
    }
    if not words or words[0] not in verbs:
        raise Usage("corral store needs one of: " + ", ".join(verbs))
    return verbs[words[0]](words[1:])


@contextmanager
def _open(layout: Layout) -> Iterator[Store]:
    """The store: through corrald, or its file where no node runs (which can't start as long as we have it)."""
    try:
        store: Store = RemoteStore.at(layout.store_socket, SystemClock(), patience=2)
        store.revision  # noqa: B018  connects
    except Unavailable:
        if not layout.store_db.exists():
            raise Error(f"there is no node on '{layout.root}'; name the right one with --root or CORRAL_ROOT") from None
        store = SqliteStore(layout.store_db, SystemClock())
    try:
        yield store
    finally:
        store.close()


def _store_list(words: list[str]) -> int:
    layout, given = _options(words, () if not words or words[0].startswith("-") else ("path",))
    with _open(layout) as store:
        for entry in PathView(store).list(given.get("path", "")):
            print(f"{entry.doc.version:>8}  {entry.doc.cls:<6}  {entry.path}")
    return 0


def _store_get(words: list[str]) -> int:
    layout, given = _options(words, ("path",))
    with _open(layout) as store:
        doc = PathView(store).find(given["path"])
    if doc is None:
        raise NotFound(f"there is no record '{given['path']}'; `corral store list` shows what there is")
    sys.stdout.write(doc.text)
    return 0


def _store_put(words: list[str]) -> int:
    places = ("path", "file") if len(words) > 1 and not words[1].startswith("-") else ("path",)
    layout, given = _options(words, places)
    text = _read(given["file"]).decode() if "file" in given else sys.stdin.read()
    with _open(layout) as store:
        write = PathView(store).put(given["path"], text)
        print(store.commit(Transaction(cause=Cause(who=ME, why="corral store put"), writes=(write,))))
    return 0


def _pasts(store: Store, path: str) -> Sequence[Past]:
    return store.history(PathView(store).key(path), limit=1000, exact=True)


def _store_history(words: list[str]) -> int:
    layout, given = _options(words, ("path",))
    with _open(layout) as store:
        pasts = _pasts(store, given["path"])
    for entry in pasts:
        when = datetime.fromtimestamp(entry.time, UTC).astimezone().isoformat(sep=" ", timespec="seconds")
        action = "made" if entry.before is None else "deleted" if entry.after is None else "changed"
        print(f"{entry.revision}  {when}  {action} by {entry.cause.who}: {entry.cause.why}")
    return 0


def _store_diff(words: list[str]) -> int:
    places = ("path", "revision") if len(words) > 1 and not words[1].startswith("-") else ("path",)
    layout, given = _options(words, places)
    with _open(layout) as store:
        pasts = _pasts(store, given["path"])
    if not pasts:
        raise NotFound(f"'{given['path']}' has no history")
    try:
        since = Revision.parse(given["revision"]) if "revision" in given else pasts[0].revision
    except ValueError as exc:
        raise Usage(f"'{given['revision']}' is no revision: `corral store history` lists them") from exc
    later = [entry for entry in pasts if entry.revision >= since]
    if later:
        sys.stdout.write(past.diff(later[-1].before, later[0].after, name=given["path"]))
    return 0


def _store_blame(words: list[str]) -> int:
    layout, given = _options(words, ("path",))
    with _open(layout) as store:
        lines = past.blame(_pasts(store, given["path"]))
    for line in lines:
        cause = line.past
        print(f"{str(cause.revision) if cause else '-':>10}  {cause.cause.who if cause else '-':<20}  {line.text}")
    return 0


def _store_snapshot(words: list[str]) -> int:
    layout, given = _options(words, ("file",))
    with _open(layout) as store:
        atomic_write(Path(given["file"]), store.snapshot(), mode=0o600)
    print(f"kept in {given['file']}; it holds secrets")
    return 0


def _store_restore(words: list[str]) -> int:
    layout, given = _options(words, ("file",))
    image = _read(given["file"])
    with _open(layout) as store:
        print(store.restore(image))
    return 0


def _read(path: str) -> bytes:
    try:
        return read_bytes(Path(path))
    except OSError as exc:
        raise Error(f"can't read '{path}': {exc.strerror}") from exc


# --- network ----------------------------------------------------------------------------------------------------


_NAT = Command("POST /nodes/{node}/nat")
_NO_NAT = Command("DELETE /nodes/{node}/nat")


def _net(words: list[str], connect: Connect) -> int:
    if words[:1] != ["nat"]:
        raise Usage("corral net needs: nat")
    command = _NO_NAT if "--remove" in words else _NAT
    return run_command(command, load().call(command.call), [word for word in words[1:] if word != "--remove"], connect)


# --- seed ------------------------------------------------------------------------------------------------------------


def _seed(words: list[str], connect: Connect) -> int:
    layout, given = _options(
        words, (), Option(name="guests", kind="integer"), Option(name="nodes", kind="integer"), Option(name="first")
    )
    if not given.get("guests", "").isdigit():
        raise Usage("missing: --guests N")
    count, first = int(given["guests"]), int(given.get("first", "100"))
    others = range(1, int(given.get("nodes", "3")))
    nodes = [connect(layout).node(), *(f"seed{index}" for index in others)]
    with _open(layout) as store:
        made = _seed_store(store, range(first, first + count), nodes)
    print(f"{made} guests on {len(nodes)} nodes, all but the first made up")
    return 0


def _seed_store(store: Store, wanted: range, nodes: Sequence[str]) -> int:
    """Make the guests that are not there yet; answers how many."""
    writes: list[Write] = [_seed_node(name) for name in nodes if not store.get(f"node/{name}")]
    taken = {doc.key for doc in store.list("guest/")}
    numbers = [vmid for vmid in wanted if f"guest/{vmid}" not in taken]
    writes += [_seed_guest(vmid, nodes[vmid % len(nodes)]) for vmid in numbers]
    for start in range(0, len(writes), BATCH):
        part = tuple(writes[start : start + BATCH])
        store.commit(Transaction(cause=Cause(who=ME, why="corral seed"), writes=part))
    return len(numbers)


def _seed_node(name: str) -> Write:
    header = {"name": name, "uuid": str(uuid.uuid4())}
    return Write(key=f"node/{name}", text="", expect=0, cls=RecordClass.API, header=header)


_ROLES = (
    "web",
    "db",
    "cache",
    "mail",
    "ci",
    "build",
    "vpn",
    "dns",
    "monitor",
    "git",
    "wiki",
    "backup",
    "queue",
    "search",
)
_STAGES = ("prod", "prod", "test", "dev")


def _seed_guest(vmid: int, node: str) -> Write:
    role, stage = _ROLES[vmid % len(_ROLES)], _STAGES[vmid // len(_ROLES) % len(_STAGES)]
    mac = ":".join(f"{byte:02X}" for byte in (0xBC, 0x24, 0x11, *secrets.token_bytes(3)))
    text = (
        f"boot: order=scsi0\ncores: {1 + vmid % 8}\nmemory: {512 * (1 + vmid % 16)}\nname: {role}-{stage}-{vmid}\n"
        f"net0: virtio={mac},bridge=vmbr0\nostype: l26\nscsi0: local:{vmid}/vm-{vmid}-disk-0.qcow2,size=8G\n"
        f"scsihw: virtio-scsi-pci\nsmbios1: uuid={uuid.uuid4()}\ntags: {role};{stage};seed\n"
    )
    header = {"kind": "qemu", "uuid": str(uuid.uuid4()), "node": node, "generation": "1"}
    return Write(key=f"guest/{vmid}", text=text, expect=0, cls=RecordClass.API, header=header)


_COMMANDS: Mapping[str, Callable[[list[str]], int]] = {
    "node": _node,
    "doctor": _doctor,
    "store": _store,
    "plans": _plans,
    "api-schema": _api_schema,
    "openapi": _openapi,
    "cli-table": _cli_table,
    "version": _version,
    "--version": _version,
}
_ASKING: Mapping[str, Callable[[list[str], Connect], int]] = {"net": _net, "seed": _seed}
