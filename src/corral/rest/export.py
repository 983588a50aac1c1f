"""The declarations as data: the schema dump in the yardstick's shape, and OpenAPI 3.1."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from corral.rest.endpoint import Endpoint, returns
from corral.rest.results import wire_names
from corral.schema.fields import Field
from corral.schema.propstring import fields_by_wire

JSON_TYPES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


def api_schema(endpoints: Iterable[Endpoint]) -> list[dict[str, Any]]:
    """One object per endpoint: path, method, params, permissions, returns, as `endpoints.json` has them."""
    return [
        {
            "path": made.path,
            "method": made.method,
            "name": made.handler.__name__,
            "description": (made.handler.__doc__ or "").strip(),
            "path_params": list(made.path_params),
            "params": {wire: param(field) for wire, field in sorted(made.flat.items())},
            "returns": result(returns(made)),
            "permissions": made.allow.dump,
            "protected": made.root or made.changes,
            "proxyto": "node" if made.runs == "node" else None,
            **({} if made.tokens else {"allowtoken": False}),
            **({"plan": {"never": made.plan.why}} if made.plan else {}),
        }
        for made in endpoints
    ]


def param(field: Field) -> dict[str, Any]:
    """One parameter in the dump's words."""
    as_text = field.listed or field.kind in ("upload", "object")
    out: dict[str, Any] = {"type": "string" if as_text else field.kind}
    if field.optional:
        out["optional"] = True
    if field.text:
        out["description"] = field.text
    if field.indexes is not None:
        out["index_max"] = field.indexes - 1
    bounds = {
        "enum": list(field.enum) or None,
        "minimum": None if as_text else field.minimum,
        "maximum": None if as_text else field.maximum,
        "minLength": field.min_length or None,
        "maxLength": field.max_length,
        "pattern": field.regex,
        "default": _default(field),
        "requires": field.requires,
        "alias": field.alias,
        "format": _format(field),
    }
    out.update({key: value for key, value in bounds.items() if value is not None})
    if field.items is not None:
        out["items"] = param(field.items)
    if field.prop is not None:
        out["keys"] = {sub.wire: param(sub) for sub in _keys(field.prop)}
    return out


def _keys(prop: Any) -> Iterable[Field]:
    return fields_by_wire(prop).values()


def _default(field: Field) -> Any:
    value = field.shown_default
    if value is None and isinstance(field.default, str | int | float | bool):
        value = field.default
    return value


def _format(field: Field) -> str | None:
    if field.prop is not None:
        return getattr(field.prop, "format_name", "") or "property-string"
    if field.format is None:
        return None
    return field.format.name + ("-list" if field.listed else "")


def result(annotation: Any) -> dict[str, Any]:
    """A result type as a small JSON schema; booleans are the numbers 0 and 1 on the wire."""
    if get_origin(annotation) is typing.Annotated:
        return result(annotation.__origin__)
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return result(members[0]) if len(members) == 1 else {"anyOf": [result(member) for member in members]}
    if annotation is None or annotation is type(None):
        return {"type": "null"}
    origin = get_origin(annotation)
    if origin in (list, tuple, set, frozenset):
        args = get_args(annotation)
        return {"type": "array", "items": result(args[0]) if args else {}}
    if origin is Literal:
        return {"type": "string", "enum": list(get_args(annotation))}
    if annotation is bool:
        return {"type": "boolean"}
    simple = {str: "string", int: "integer", float: "number"}
    if annotation in simple:
        return {"type": simple[annotation]}
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        hints = typing.get_type_hints(annotation, include_extras=True)
        names = wire_names(annotation)
        return {"type": "object", "properties": {wire: result(hints[attr]) for attr, wire in names}}
    if origin is dict or annotation is dict:
        return {"type": "object"}
    return {}


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
    fields = dict(_expanded(made))
    in_path = [_parameter(wire, fields.pop(wire), "path") for wire in made.path_params]
    operation: dict[str, Any] = {
        "operationId": f"{made.method.lower()}_{made.path.strip('/').translate(_PLAIN) or 'root'}",
        "summary": made.summary,
        "parameters": in_path,
        "responses": {
            "200": {
                "description": "The result stands in `data`.",
                "content": {"application/json": {"schema": _envelope(result(returns(made)))}},
            },
            "400": {"description": "A parameter is wrong; `errors` names each."},
            "401": {"description": "No or bad credentials."},
            "403": {"description": "Not allowed."},
            "500": {"description": "The call failed; `message` and the reason phrase say why."},
        },
    }
    if made.allow.world:
        operation["security"] = []
    if made.method in ("POST", "PUT"):
        operation["requestBody"] = _body(made, fields)
    else:
        operation["parameters"] += [_parameter(wire, field, "query") for wire, field in fields.items()]
    return operation


_PLAIN = str.maketrans({"/": "_", "{": "", "}": "", "-": "_"})


def _body(made: Endpoint, fields: Mapping[str, Field]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {wire: json_schema(field) for wire, field in fields.items()},
        "required": [wire for wire, field in fields.items() if not field.optional],
        "additionalProperties": False,
    }
    kind = "multipart/form-data" if made.spool else "application/json"
    return {"required": bool(schema["required"]), "content": {kind: {"schema": schema}}}


def _expanded(made: Endpoint) -> Iterable[tuple[str, Field]]:
    """All parameters by wire name; of a numbered family the first member stands for all."""
    for wire, field in made.flat.items():
        yield (f"{field.wire}0", field.numbered(0)) if field.indexes else (wire, field)


def _parameter(wire: str, field: Field, where: str) -> dict[str, Any]:
    return {
        "name": wire,
        "in": where,
        "required": where == "path" or not field.optional,
        "description": field.text,
        "schema": json_schema(field),
    }


def json_schema(field: Field) -> dict[str, Any]:
    """A parameter as JSON schema."""
    if field.items is not None:
        return {"type": "array", "items": json_schema(field.items), "description": field.text}
    if field.kind == "upload":
        return {"type": "string", "format": "binary", "description": field.text}
    out: dict[str, Any] = {"type": JSON_TYPES.get(field.kind, "string"), "description": field.text}
    if field.listed:
        return out
    bounds = {
        "enum": list(field.enum) or None,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "minLength": field.min_length or None,
        "maxLength": field.max_length,
        "pattern": f"^({field.regex})$" if field.regex else None,
    }
    out.update({key: value for key, value in bounds.items() if value is not None})
    return out


def _envelope(data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"data": data}, "required": ["data"]}
