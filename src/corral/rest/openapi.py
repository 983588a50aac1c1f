"""The declarations as OpenAPI 3.1, complete enough to generate clients and forms from.

Standard keywords say what they can. The rest stands in extensions:

| of a parameter        |                                                                                         |
| --------------------- | --------------------------------------------------------------------------------------- |
| `x-corral-keys`       | a property string: `keys` (schemas by name), `default_key`, `aliases`, `folded`          |
| `x-corral-items`      | a list in one text: the schema of one item                                              |
| `x-corral-numbered`   | this is the first of a family: `name`, `max` (the highest number)                       |
| `x-corral-requires`   | only together with that other parameter                                                 |
| `x-corral-alias`      | another name of that parameter                                                          |
| `x-corral-secret`     | never shown                                                                             |
| `x-corral-empty`      | the empty text is a value                                                               |
| `x-corral-root-only`  | only root@pam may set it                                                                |

| of an operation       |                                                                                         |
| --------------------- | --------------------------------------------------------------------------------------- |
| `x-corral-permissions`| as in the schema dump                                                                   |
| `x-corral-root-only`  | only root@pam may call it                                                               |
| `x-corral-plan`       | `never`: why it can't be planned                                                        |
| `x-corral-runs`       | `node`: on the node in the path                                                         |
| `x-corral-task`       | the result is a task's ID                                                               |
| `x-corral-stream`     | `events`, `websocket` or `download`: no JSON comes                                      |
| `x-corral-upload`     | the name of the parameter that is a file                                                |
| `x-corral-tokens`     | false: not with an API token                                                            |

A flag in a result is 0 or 1, marked `x-corral-flag`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from corral.rest.endpoint import Endpoint, returns
from corral.rest.export import default_of, family_pattern, format_of, result
from corral.rest.results import Console, Events
from corral.schema.fields import Field
from corral.schema.propstring import fields_by_wire

_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}
_PLAIN = str.maketrans({"/": "_", "{": "", "}": "", "-": "_"})


def openapi(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """OpenAPI 3.1 of the `json` envelope."""
    paths: dict[str, dict[str, Any]] = {}
    for made in endpoints:
        paths.setdefault(made.path, {})[made.method.lower()] = _operation(made)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Corral", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "servers": [{"url": "/api2/json"}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "ticket": {"type": "apiKey", "in": "cookie", "name": "PVEAuthCookie"},
            }
        },
        "security": [{"token": []}, {"ticket": []}],
    }


def _operation(made: Endpoint) -> dict[str, Any]:
    fields = {wire: field for wire, field in made.flat.items() if wire not in made.path_params}
    operation: dict[str, Any] = {
        "operationId": f"{made.method.lower()}_{made.path.strip('/').translate(_PLAIN) or 'root'}",
        "summary": made.summary,
        "description": (made.handler.__doc__ or "").strip(),
        "parameters": [_parameter(wire, made.flat[wire], "path") for wire in made.path_params],
        "responses": {
            "200": _answer(made),
            "400": {"description": "A parameter is wrong; `errors` names each."},
            "401": {"description": "No or bad credentials."},
            "403": {"description": "Not allowed."},
            "500": {"description": "The call failed; `message` and the reason phrase say why."},
        },
        **_extensions(made),
    }
    if made.allow.world:
        operation["security"] = []
    if made.method in ("POST", "PUT"):
        operation["requestBody"] = _body(made, fields)
    else:
        operation["parameters"] += [_parameter(_first(field), field, "query") for field in fields.values()]
    return operation


def _extensions(made: Endpoint) -> dict[str, Any]:
    dump = made.allow.dump
    upload = next((field.wire for field in made.flat.values() if field.kind == "upload"), None)
    found = {
        "x-corral-permissions": dump,
        "x-corral-root-only": isinstance(dump, dict) and dump.get("root_only"),
        "x-corral-plan": {"never": made.plan.why} if made.plan else None,
        "x-corral-runs": "node" if made.runs == "node" else None,
        "x-corral-task": result(returns(made)).get("format") == "upid",
        "x-corral-stream": _stream(made),
        "x-corral-upload": upload,
    }
    return {key: value for key, value in found.items() if value} | ({} if made.tokens else {"x-corral-tokens": False})


def _stream(made: Endpoint) -> str | None:
    answers = returns(made)
    if answers is Events or answers is Console:
        return "events" if answers is Events else "websocket"
    return "download" if made.download and result(answers) == {"type": "null"} else None


def _answer(made: Endpoint) -> dict[str, Any]:
    """How success looks."""
    kinds = {"events": "text/event-stream", "download": "application/octet-stream"}
    match _stream(made):
        case "websocket":
            return {"description": "A WebSocket is opened instead."}
        case None:
            data = _nullable(made, wired(result(returns(made))))
            envelope = {"type": "object", "properties": {"data": data}, "required": ["data"]}
            return {
                "description": "The result stands in `data`.",
                "content": {"application/json": {"schema": envelope}},
            }
        case stream:
            return {"description": "A stream.", "content": {kinds[stream]: {"schema": {"type": "string"}}}}


def _nullable(made: Endpoint, data: dict[str, Any]) -> dict[str, Any]:
    if type(None) in get_args(returns(made)):
        return {"anyOf": [data, {"type": "null"}]}
    return data


def wired(schema: dict[str, Any]) -> dict[str, Any]:
    """A result's schema as it is in JSON, where flags are numbers."""
    if schema.get("type") == "boolean":
        return {"type": "integer", "enum": [0, 1], "x-corral-flag": True}
    out = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(out.get(key), dict):
            out[key] = wired(out[key])
    for key in ("properties", "patternProperties"):
        if key in out:
            out[key] = {name: wired(each) for name, each in out[key].items()}
    if "anyOf" in out:
        out["anyOf"] = [wired(each) for each in out["anyOf"]]
    return out


def _body(made: Endpoint, fields: Mapping[str, Field]) -> dict[str, Any]:
    # Of a numbered family the first member is told in full, the others by their names.
    others = {
        family_pattern(field, 1): bare_schema(field) for field in fields.values() if field.indexes and field.indexes > 1
    }
    schema = {
        "type": "object",
        "properties": {_first(field): json_schema(field) for field in fields.values()},
        **({"patternProperties": others} if others else {}),
        "required": [wire for wire, field in fields.items() if not field.optional],
        "additionalProperties": False,
    }
    kind = "multipart/form-data" if made.spool else "application/json"
    return {"required": bool(schema["required"]), "content": {kind: {"schema": schema}}}


def _first(field: Field) -> str:
    return f"{field.wire}0" if field.indexes else field.wire


def _parameter(wire: str, field: Field, where: str) -> dict[str, Any]:
    return {
        "name": wire,
        "in": where,
        "required": where == "path" or not field.optional,
        "description": field.text,
        "schema": json_schema(field),
    }


def json_schema(field: Field) -> dict[str, Any]:
    """A parameter as JSON schema, with our extensions."""
    numbered = {"name": field.wire, "max": field.indexes - 1} if field.indexes else None
    more = {
        "description": field.text,
        "default": _fitting_default(field),
        "x-corral-keys": _keys(field),
        "x-corral-items": _item(field) if field.listed else None,
        "x-corral-numbered": numbered,
        "x-corral-requires": field.requires,
        "x-corral-alias": field.alias,
        "x-corral-secret": field.secret or None,
        "x-corral-empty": field.allow_empty or None,
        "x-corral-root-only": field.root_only or None,
    }
    return bare_schema(field) | {key: value for key, value in more.items() if value not in (None, "")}


def bare_schema(field: Field) -> dict[str, Any]:
    """A parameter as JSON schema: what validates."""
    if field.items is not None:
        return {"type": "array", "items": json_schema(field.items)}
    if field.kind == "upload":
        return {"type": "string", "format": "binary"}
    if field.listed:
        return {"type": "string", **_text_bounds(field), **_named(format_of(field))}
    bounds = {
        "enum": list(field.enum) or None,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "pattern": f"^({field.regex})$" if field.regex else None,
    }
    found = {key: value for key, value in bounds.items() if value is not None}
    name = "password" if field.secret else format_of(field)
    return {"type": _TYPES.get(field.kind, "string"), **found, **_text_bounds(field), **_named(name)}


def _text_bounds(field: Field) -> dict[str, Any]:
    bounds = {"minLength": field.min_length or None, "maxLength": field.max_length}
    return {key: value for key, value in bounds.items() if value is not None}


def _named(name: str | None) -> dict[str, Any]:
    return {"format": name} if name else {}


def _item(field: Field) -> dict[str, Any]:
    """One item of a list in a text."""
    item = {
        "type": _TYPES.get(field.kind, "string"),
        "enum": list(field.enum) or None,
        "format": field.format.name if field.format else None,
    }
    return {key: value for key, value in item.items() if value is not None}


def _keys(field: Field) -> dict[str, Any] | None:
    """The keys of a property string; None for another, and for one with a grammar of its own."""
    prop = field.prop
    if prop is None:
        return None
    fields = fields_by_wire(prop)
    found = {
        "keys": {wire: json_schema(sub) for wire, sub in fields.items()},
        "required": [wire for wire, sub in fields.items() if not sub.optional],
        "default_key": prop.default_key,
        "aliases": prop.aliases,
        "folded": list(prop.folded or ()),
    }
    return {key: value for key, value in found.items() if value}


def _fitting_default(field: Field) -> Any:
    value = default_of(field)
    kinds = {"string": str, "integer": int, "number": int | float, "boolean": bool}
    return value if isinstance(value, kinds.get(field.kind, str)) else None
