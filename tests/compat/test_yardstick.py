"""The declarations, held against the facts of the yardstick: names, types, limits and permissions of every call."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from corral import api
from corral.rest.export import api_schema
from corral.rest.router import Router

ROOT = Path(__file__).parent.parent.parent
Pair = tuple[str, str]

# Parameters that are not there yet, by call; docs/compat.md says why.
NOT_YET: dict[str, set[str]] = {
    "POST /nodes/{node}/qemu": {
        "archive", "bwlimit", "force", "ha-managed", "import-working-storage", "live-restore", "storage", "unique",
    },
    "POST /nodes/{node}/qemu/{vmid}/config": {"import-working-storage"},
    "POST /nodes/{node}/qemu/{vmid}/status/start": {
        "migratedfrom", "migration_network", "migration_type", "nets-host-mtu", "stateuri", "targetstorage",
        "with-conntrack-state",
    },
    "POST /nodes/{node}/qemu/{vmid}/status/stop": {"migratedfrom"},
    "POST /nodes/{node}/storage/{storage}/upload": {"tmpfilename"},
}  # fmt: skip
# Options of storage types that are not there yet.
STORAGE_CALLS = {"POST /storage", "PUT /storage/{storage}"}
# Where ours differs on purpose: call, parameter, fact.
ON_PURPOSE = {
    ("POST /nodes/{node}/qemu", "vmid", "optional"): "a create without number is given one",
    ("POST /nodes/{node}/storage/{storage}/upload", "filename", "maxLength"): "the limit is 255 bytes, told when known",
    ("POST /storage", "type", "enum"): "only types that are there can be made",
    ("POST /storage", "path", "optional"): "the only type there is needs it",
    ("PUT /nodes/{node}/qemu/{vmid}/config", "digest", "maxLength"): "64 as everywhere else",
    ("POST /nodes/{node}/qemu/{vmid}/config", "digest", "maxLength"): "64 as everywhere else",
    ("PUT /nodes/{node}/qemu/{vmid}/resize", "digest", "maxLength"): "64 as everywhere else",
}
EQUAL = ("type", "optional", "minimum", "maximum", "maxLength", "index_max", "requires")
PERMISSIONS_ON_PURPOSE = {
    "POST /nodes/{node}/storage/{storage}/content/{volume}": (
        "kept for root@pam there; here it takes the rights for both volumes"
    ),
    "POST /nodes/{node}/qemu/{vmid}/agent": "the privilege depends on the command, as for the calls of their own",
    "GET /cluster/options": "the same for clients: without Sys.Audit only what a user interface needs",
}


@pytest.fixture(scope="module")
def yardstick() -> dict[str, dict[str, Any]]:
    directory = Path(os.environ.get("CORRAL_PVE_API", ROOT.parent / "shared" / "pve-api"))
    if not directory.is_dir():
        pytest.skip(f"no facts at {directory} (set CORRAL_PVE_API)")
    rows = json.loads((directory / "endpoints.json").read_text())
    return {f"{row['method']} {row['path']}": row for row in rows}


def declared() -> dict[str, dict[str, Any]]:
    rows = api_schema(Router(api.endpoints(), api.INDEX_KEYS).endpoints)
    return {f"{row['method']} {row['path']}": row for row in rows}


OURS = declared()


def common(yardstick: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    return [(pair, row, yardstick[pair]) for pair, row in OURS.items() if pair in yardstick]


def test_every_parameter_is_there_or_known_to_be_missing(yardstick: dict[str, dict[str, Any]]) -> None:
    for pair, ours, theirs in common(yardstick):
        missing = set(theirs["params"]) - set(ours["params"])
        if pair not in STORAGE_CALLS:
            assert missing == NOT_YET.get(pair, set()), pair


def test_types_and_limits_agree(yardstick: dict[str, dict[str, Any]]) -> None:
    wrong = []
    for pair, ours, theirs in common(yardstick):
        for name in set(ours["params"]) & set(theirs["params"]):
            for fact in differing(ours["params"][name], theirs["params"][name]):
                in_path = fact == "optional" and f"{{{name}}}" in pair
                if not in_path and (pair, name, fact) not in ON_PURPOSE:
                    wrong.append((pair, name, fact, theirs["params"][name].get(fact), ours["params"][name].get(fact)))
    assert wrong == []


def differing(here: dict[str, Any], there: dict[str, Any]) -> list[str]:
    """The facts of the yardstick that are not ours. A limit where it has none is allowed: it keeps nonsense out."""
    asked = [fact for fact in EQUAL if fact in there or fact == "optional"]
    wrong = [fact for fact in asked if (here.get(fact) or None) != (there.get(fact) or None)]
    if not set(there.get("enum") or ()) <= set(here.get("enum") or there.get("enum") or ()):
        wrong.append("enum")
    return wrong


def test_permissions_agree(yardstick: dict[str, dict[str, Any]]) -> None:
    wrong = []
    for pair, ours, theirs in common(yardstick):
        here, there = ours["permissions"], theirs["permissions"]
        if there is None or pair in PERMISSIONS_ON_PURPOSE:
            continue
        if here.get("check") != there.get("check") or (there.get("user") == "world") != (here.get("user") == "world"):
            wrong.append((pair, there, here))
    assert wrong == []


def test_calls_for_root_alone_are_so_here_or_take_a_privilege(yardstick: dict[str, dict[str, Any]]) -> None:
    for pair, ours, theirs in common(yardstick):
        if theirs["permissions"] is None and pair not in PERMISSIONS_ON_PURPOSE:
            here = ours["permissions"]
            assert here.get("root_only") or here.get("check"), f"{pair} is open to everybody"


def test_calls_that_the_yardstick_forwards_are_forwarded(yardstick: dict[str, dict[str, Any]]) -> None:
    for pair, ours, theirs in common(yardstick):
        if theirs["proxyto"] == "node" and ours["params"]:
            assert ours["proxyto"] == "node" or ours["name"] == "handler", pair


def test_extensions_are_few_and_have_names_of_their_own(yardstick: dict[str, dict[str, Any]]) -> None:
    paths = {row["path"] for row in yardstick.values()}
    for pair in OURS.keys() - yardstick.keys():
        path = pair.partition(" ")[2]
        assert path not in paths or path == "/", f"{pair} adds a method to a path of the yardstick"
