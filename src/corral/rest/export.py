"""The declarations as data: the schema dump in the yardstick's shape, and what results look like."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from corral.rest.endpoint import Endpoint, returns
from corral.rest.results import Configured, Shaped, wire_names
from corral.schema.fields import Field, Format, struct_fields
from corral.schema.propstring import fields_by_wire


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
        "default": default_of(field),
        "requires": field.requires,
        "alias": field.alias,
        "format": format_of(field),
    }
    out.update({key: value for key, value in bounds.items() if value is not None})
    if field.items is not None:
        out["items"] = param(field.items)
    if field.prop is not None:
        out["keys"] = {sub.wire: param(sub) for sub in _keys(field.prop)}
    return out


def _keys(prop: Any) -> Iterable[Field]:
    return fields_by_wire(prop).values()


def default_of(field: Field) -> Any:
    """What holds when it is not given, where that is a plain value."""
    value = field.shown_default
    if value is None and isinstance(field.default, str | int | float | bool):
        value = field.default
    return value


def format_of(field: Field) -> str | None:
    """The name of its grammar."""
    if field.prop is not None:
        return getattr(field.prop, "format_name", "") or "property-string"
    if field.format is None:
        return None
    return field.format.name + ("-list" if field.listed else "")


def result(annotation: Any) -> dict[str, Any]:
    """A result type as a small JSON schema; booleans are the numbers 0 and 1 on the wire."""
    if get_origin(annotation) is typing.Annotated:
        return _annotated(annotation)
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
        return _struct(annotation)
    if origin is dict:
        values = result(get_args(annotation)[1])
        return {"type": "object", **({"additionalProperties": values} if values else {})}
    return {"type": "object"} if annotation is dict else {}


def _annotated(annotation: Any) -> dict[str, Any]:
    """What the marks say: another shape, the options of a record, a task's ID; else the bare type."""
    for mark in annotation.__metadata__:
        match mark:
            case Shaped(like):
                return result(like)
            case Configured(options, also):
                return _options(options, also)
            case Format(name=name):
                return {**result(annotation.__origin__), "format": name}
    return result(annotation.__origin__)


def _struct(cls: type[msgspec.Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    names = wire_names(cls)
    # An attribute that is None is left out on the wire.
    unset = {info.name for info in msgspec.structs.fields(cls) if info.default is None}
    there = [wire for attr, wire in names if attr not in unset and type(None) not in get_args(_bare(hints[attr]))]
    return {
        "type": "object",
        "properties": {wire: result(hints[attr]) for attr, wire in names},
        **({"required": there} if there else {}),
    }


def _bare(annotation: Any) -> Any:
    return annotation.__origin__ if get_origin(annotation) is typing.Annotated else annotation


def _options(options: type[msgspec.Struct], also: tuple[str, ...]) -> dict[str, Any]:
    """A record's options as texts, numbers and flags, by name, with the record's digest."""
    fields = struct_fields(options)
    kinds = {field.wire: {"type": "string" if field.listed or field.prop else field.kind} for field in fields}
    single = {field.wire: kinds[field.wire] for field in fields if field.indexes is None}
    families = {family_pattern(field): kinds[field.wire] for field in fields if field.indexes is not None}
    return {
        "type": "object",
        "properties": {**single, **{key: {"type": "string"} for key in ("digest", *also)}},
        **({"patternProperties": families} if families else {}),
    }


def family_pattern(field: Field, first: int = 0) -> str:
    """The names of a numbered family's members from `first`, as a regular expression."""
    assert field.indexes is not None
    return f"^{field.wire}({'|'.join(str(number) for number in range(first, field.indexes))})$"
