"""Real answers look as the OpenAPI document says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.node import Node

CALLS = (
    "/nodes", "/nodes/{node}/status", "/nodes/{node}/dns", "/nodes/{node}/hosts", "/nodes/{node}/time",
    "/nodes/{node}/config", "/nodes/{node}/network", "/nodes/{node}/nat", "/nodes/{node}/services",
    "/nodes/{node}/hardware/pci", "/nodes/{node}/hardware/usb", "/nodes/{node}/capabilities/qemu/cpu",
    "/nodes/{node}/capabilities/qemu/cpu-flags", "/nodes/{node}/capabilities/qemu/machines",
    "/nodes/{node}/certificates/info", "/nodes/{node}/storage", "/nodes/{node}/storage/{storage}/status",
    "/nodes/{node}/storage/{storage}/content", "/nodes/{node}/qemu", "/nodes/{node}/qemu/{vmid}/config",
    "/nodes/{node}/qemu/{vmid}/status/current", "/nodes/{node}/qemu/{vmid}/pending",
    "/nodes/{node}/rrddata", "/nodes/{node}/qemu/{vmid}/rrddata", "/nodes/{node}/tasks",
    "/cluster/resources", "/cluster/status", "/cluster/log", "/cluster/tasks", "/storage", "/storage/{storage}",
    "/access/users", "/access/groups", "/access/roles", "/access/acl", "/access/domains", "/pools", "/version",
)  # fmt: skip
PARAMETERS: dict[str, dict[str, Any]] = {
    "/nodes/{node}/rrddata": {"timeframe": "hour"},
    "/nodes/{node}/qemu/{vmid}/rrddata": {"timeframe": "hour"},
}
# Further keys are meant: figures of many kinds, options of interfaces.
OPEN = ("rrddata", "/network", "/access/roles")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("shapes") / "root") as started:
        started.login()
        started.do("POST", "/nodes/{node}/qemu", vmid=100, memory=64, scsi0="local:1", net0="virtio", name="shaped")
        started.call("POST", "/pools", poolid="p")
        yield started


@pytest.fixture(scope="module")
def spec(node: Node) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.tool("corral", "openapi").stdout)["paths"]
    return found


def faults(value: Any, schema: dict[str, Any], where: str, *, closed: bool) -> Iterator[str]:
    """What in a value is not as its schema says."""
    kinds: dict[str, Any] = {
        "string": str, "integer": int, "number": (int, float), "array": list, "object": dict, "null": type(None),
    }  # fmt: skip
    kind = schema.get("type")
    if kind is not None and not isinstance(value, kinds[kind]):
        yield f"{where}: {value!r} is no {kind}"
    elif kind == "array":
        for each in value:
            yield from faults(each, schema["items"], f"{where}[]", closed=closed)
    elif kind == "object" and "properties" in schema:
        named = schema["properties"]
        yield from (f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value)
        for key, each in value.items():
            if key in named:
                yield from faults(each, named[key], f"{where}.{key}", closed=closed)
            elif closed and "patternProperties" not in schema:
                yield f"{where}: {key} is not declared"


@pytest.mark.parametrize("path", CALLS)
def test_an_answer_looks_as_declared(node: Node, spec: dict[str, Any], path: str) -> None:
    filled = path.replace("{vmid}", "100").replace("{storage}", "local")
    answer = node.call("GET", filled, **PARAMETERS.get(path, {}))
    schema = spec[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["properties"]["data"]
    assert list(faults(answer, schema, "data", closed=not path.endswith(OPEN))) == []
