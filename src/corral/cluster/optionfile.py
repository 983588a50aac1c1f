"""Files of options: `key: value` lines below an optional description in `#` lines (`datacenter.cfg`, a node's config).

Options that this version does not know are kept and written back; so is what can't be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Generic, TypeVar
from urllib.parse import unquote

import msgspec

from corral.core.errors import ParamError
from corral.schema.fields import Field, Invalid, show, struct_fields
from corral.schema.section import lines_of

O = TypeVar("O", bound=msgspec.Struct)  # noqa: E741 - the options

DESCRIPTION = "description"


class OptionFile(msgspec.Struct, Generic[O], frozen=True, kw_only=True):
    """A file as read: its options, and lines that were not understood."""

    options: O
    kept: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        lines = []
        for key, field in _fields(type(self.options)).items():
            value = getattr(self.options, field.attr)
            if value is None:
                continue
            if isinstance(value, dict):
                lines += [f"{key}{index}: {_one_line(key, show(field, item))}\n" for index, item in value.items()]
            elif key != DESCRIPTION:
                lines.append(f"{key}: {_one_line(key, show(field, value))}\n")
        lines += [f"{key}: {text}\n" for key, text in self.kept]
        text = getattr(self.options, DESCRIPTION, None) or ""
        head = [f"#{_escape(line)}\n" for line in text.rstrip("\n").split("\n")] if text else []
        return "".join(head + sorted(lines))

    def texts(self) -> dict[str, str]:
        """Each set option as text, by wire name; the description as it was given."""
        out = dict(self.kept)
        for key, field in _fields(type(self.options)).items():
            value = getattr(self.options, field.attr)
            if isinstance(value, dict):
                out.update({f"{key}{index}": show(field, item) for index, item in value.items()})
            elif value is not None:
                out[key] = show(field, value)
        return out

    def changed(self, given: O, delete: tuple[str, ...]) -> OptionFile[O]:
        """With what `given` sets, without what `delete` names; `ParamError` for an option in both, or unknown."""
        fields = _fields(type(self.options))
        values: dict[str, Any] = {field.attr: getattr(self.options, field.attr) for field in fields.values()}
        kept = dict(self.kept)
        errors = {}
        for name in delete:
            key, index = _split(name, fields)
            if key is None and name not in kept:
                errors["delete"] = f"unknown option '{name}'"
            elif key is None:
                del kept[name]
            elif _is_set(getattr(given, fields[key].attr), index):
                errors["delete"] = f"option '{name}' is set and deleted at once"
            else:
                values[fields[key].attr] = _without(values[fields[key].attr], index)
        if errors:
            raise ParamError(errors)
        for field in fields.values():
            value = getattr(given, field.attr)
            if isinstance(value, dict):
                values[field.attr] = {**(values[field.attr] or {}), **value}
            elif value is not None:
                values[field.attr] = value
        return OptionFile(options=type(self.options)(**values), kept=tuple(kept.items()))


def parse_options(text: str, cls: type[O]) -> OptionFile[O]:
    """Read a file; never raises for its content."""
    fields = _fields(cls)
    values: dict[str, Any] = {}
    kept: dict[str, str] = {}
    described: list[str] = []
    for line in lines_of(text):
        if line.startswith("#"):
            described.append(unquote(line[1:]))
            continue
        name, colon, raw = (part.strip() for part in line.partition(":"))
        if not colon or not name:
            continue
        key, index = _split(name, fields)
        value = None
        try:
            value = fields[key].convert(raw) if key else None
        except Invalid:
            key = None
        if key is None:
            kept[name] = raw
        elif index is not None:
            values.setdefault(fields[key].attr, {})[index] = value
        else:
            values[fields[key].attr] = value
    if described and DESCRIPTION in fields:
        values[DESCRIPTION] = "\n".join(described) + "\n"
    return OptionFile(options=cls(**values), kept=tuple(kept.items()))


@cache
def _fields(cls: Any) -> dict[str, Field]:  # Any: a Struct class, which mypy does not take for hashable
    return {field.wire: field for field in struct_fields(cls)}


def _split(name: str, fields: Mapping[str, Field]) -> tuple[str | None, int | None]:
    """The field a name belongs to, and its number in a numbered family."""
    if name in fields and fields[name].indexes is None:
        return name, None
    stem = name.rstrip("0123456789")
    field, digits = fields.get(stem), name[len(stem) :]
    if field is not None and field.indexes is not None and digits and int(digits) < field.indexes:
        return stem, int(digits)
    return None, None


def _is_set(value: Any, index: int | None) -> bool:
    return index in value if isinstance(value, dict) else value is not None


def _without(value: Any, index: int | None) -> Any:
    if index is None:
        return None
    return {key: item for key, item in (value or {}).items() if key != index} or None


def _one_line(key: str, text: str) -> str:
    if "\n" in text or "\r" in text:
        # Only the description may have lines; others are written on one, as they are read.
        raise ParamError({key: "value must not contain a line break"})
    return text


def _escape(line: str) -> str:
    """A line of the description such that reading it back answers the same."""
    return "".join(f"%{ord(char):02X}" if char == "%" or ord(char) < 0x20 else char for char in line)
