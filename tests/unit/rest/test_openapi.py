"""The OpenAPI document: complete enough to make clients and forms from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from corral.cli import builder
from corral.core.secret import Secret
from corral.rest import anyone, endpoint, never, root_alone
from corral.rest.endpoint import Endpoint
from corral.rest.openapi import openapi
from corral.rest.results import Configured, Events, Shaped
from corral.schema import PropertyString, doc, formats, indexed, name, requires, root_only, spread
from corral.schema.types import NodeName, TaskId


class Nic(PropertyString, frozen=True, kw_only=True):
    default_key: ClassVar[str] = "model"
    folded: ClassVar[tuple[str, str]] = ("model", "macaddr")
    model: Annotated[Literal["virtio", "e1000"], doc("Model.")]
    macaddr: Annotated[str | None, formats.MAC, doc("Address.")] = None


class Options(msgspec.Struct, frozen=True, kw_only=True):
    cores: Annotated[int | None, doc("Cores.", default=1)] = None
    net: Annotated[dict[int, Nic], indexed(3), doc("Card.")] = {}
    args: Annotated[str | None, root_only, doc("Arguments.")] = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    node: str
    on: Annotated[bool | None, name("is-on")] = None


@endpoint("POST", "/nodes/{node}/things", allow=root_alone("it is dangerous"), runs="node", plan=never("no reason"))
def change(
    call: Any,
    node: NodeName,
    options: Annotated[Options, spread],
    *,
    secret: Annotated[Secret | None, doc("Secret.")] = None,
    users: Annotated[tuple[str, ...], formats.USERID, requires("secret"), doc("Users.")] = (),
) -> TaskId | None:
    """Do things.

    And more.
    """
    return None


@endpoint("GET", "/things", allow=anyone("a test"))
def listing(call: Any) -> Annotated[list[dict[str, Any]], Shaped(list[Row])]:
    """List things."""
    return []


@endpoint("GET", "/options", allow=anyone("a test"), tokens=False)
def options(call: Any) -> Annotated[dict[str, Any], Configured(Options)]:
    """Read options."""
    return {}


@endpoint("GET", "/events", allow=anyone("a test"))
def events(call: Any) -> Events:
    """Follow."""
    raise NotImplementedError


def operation(made: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = openapi([made], "1.0")["paths"][made.path][made.method.lower()]
    return found


def body(made: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = operation(made)["requestBody"]["content"]["application/json"]["schema"]
    return found


def data(made: Endpoint) -> dict[str, Any]:
    schema = operation(made)["responses"]["200"]["content"]["application/json"]["schema"]
    found: dict[str, Any] = schema["properties"]["data"]
    return found


def test_parameters_tell_what_a_form_needs() -> None:
    fields = body(change)["properties"]
    assert fields["cores"] == {"type": "integer", "description": "Cores.", "default": 1}
    assert fields["args"]["x-corral-root-only"] is True
    assert fields["secret"] == {
        "type": "string", "format": "password", "description": "Secret.", "x-corral-secret": True,
    }  # fmt: skip
    assert fields["users"]["format"] == "pve-userid-list"
    assert fields["users"]["x-corral-items"] == {"type": "string", "format": "pve-userid"}
    assert fields["users"]["x-corral-requires"] == "secret"


def test_property_strings_tell_their_keys() -> None:
    keys = body(change)["properties"]["net0"]["x-corral-keys"]
    assert keys["default_key"] == "model"
    assert keys["folded"] == ["model", "macaddr"]
    assert keys["required"] == ["model"]
    assert keys["keys"]["model"]["enum"] == ["virtio", "e1000"]


def test_every_member_of_a_numbered_family_may_be_given() -> None:
    schema = body(change)
    assert schema["properties"]["net0"]["x-corral-numbered"] == {"name": "net", "max": 2}
    ((names, _),) = schema["patternProperties"].items()
    assert [name for name in ("net0", "net1", "net2", "net3", "net12") if re.search(names, name)] == ["net1", "net2"]


def test_operations_tell_how_they_may_be_called() -> None:
    told = operation(change)
    assert told["summary"] == "Do things."
    assert told["description"].endswith("And more.")
    assert told["x-corral-plan"] == {"never": "no reason"}
    assert told["x-corral-root-only"] is True
    assert told["x-corral-runs"] == "node"
    assert told["x-corral-task"] is True
    assert operation(options)["x-corral-tokens"] is False
    assert operation(events)["x-corral-stream"] == "events"
    assert "x-corral-task" not in operation(listing)


def test_results_look_as_on_the_wire() -> None:
    assert data(change) == {"anyOf": [{"type": "string", "format": "upid"}, {"type": "null"}]}
    assert data(listing)["items"] == {
        "type": "object",
        "properties": {"node": {"type": "string"}, "is-on": {"type": "integer", "enum": [0, 1], "x-corral-flag": True}},
        "required": ["node"],
    }
    shown = data(options)
    assert set(shown["properties"]) == {"cores", "args", "digest"}
    assert shown["properties"]["cores"] == {"type": "integer"}
    ((names, schema),) = shown["patternProperties"].items()
    assert re.search(names, "net2")
    assert schema == {"type": "string"}


def schemas(found: Any) -> Iterator[dict[str, Any]]:
    if isinstance(found, dict):
        if isinstance(found.get("type"), str):
            yield found
        for each in found.values():
            yield from schemas(each)
    elif isinstance(found, list):
        for each in found:
            yield from schemas(each)


def test_defaults_of_the_whole_api_fit_their_schemas() -> None:
    kinds: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
    for schema in schemas(builder.openapi()):
        if "default" in schema and schema["type"] in kinds:
            assert isinstance(schema["default"], kinds[schema["type"]]), schema
            assert schema["default"] in schema.get("enum", [schema["default"]]), schema


def test_patterns_are_read_by_browsers_too() -> None:
    for schema in schemas(builder.openapi()):
        assert not re.search(r"\(\?[a-zA-Z#]", schema.get("pattern", "")), f"only Python reads {schema['pattern']}"
