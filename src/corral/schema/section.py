"""Section configs (`storage.cfg`, `domains.cfg`, `jobs.cfg`): typed sections below a `type: id` line.

    dir: local
            path /var/lib/vz
            content iso,backup

One Struct per section type, declared beside the plugin that it configures. What this version does not know, whole
sections or single keys, is kept and written back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec

from corral.core.errors import ParamError
from corral.schema.fields import Field, Invalid, show, struct_fields

C = TypeVar("C", bound=msgspec.Struct)

_HEADER = re.compile(r"(\S+):\s*(\S+)\s*")
_LINE = re.compile(r"\s+(\S+)(?:\s+(.*?))?\s*")


class Section(msgspec.Struct, Generic[C], frozen=True, kw_only=True):
    """One section. `config` is None for a type that is not known here; `kept` are lines nobody understood."""

    type: str
    id: str
    config: C | None
    kept: tuple[tuple[str, str], ...] = ()


def parse_sections(text: str, types: Mapping[str, type[C]]) -> dict[str, Section[C]]:
    """All sections by id, in their order. Never raises for content: what can't be read is kept as it stands.

    A key without value is a true boolean. A section given twice: the later one counts.
    """
    sections: dict[str, Section[C]] = {}
    header: tuple[str, str] | None = None
    lines: list[tuple[str, str]] = []

    def finish() -> None:
        if header is not None:
            sections[header[1]] = _section(*header, lines, types)

    for line in lines_of(text):
        if not line.strip() or line.startswith("#"):
            continue
        if match := _HEADER.fullmatch(line):
            finish()
            header, lines = (match[1], match[2]), []
        elif header is not None and (match := _LINE.fullmatch(line)):
            lines.append((match[1], match[2] or ""))
    finish()
    return sections


def lines_of(text: str) -> list[str]:
    """The lines of a file. Not `splitlines`: that takes more than line breaks for ends of lines, and what somebody
    wrote into a comment must not become an option of its own."""
    return [line.removesuffix("\r") for line in text.split("\n")]


def print_sections(sections: Iterable[Section[Any]]) -> str:
    """The text of some sections; `parse_sections` reads the same ones back."""
    blocks = []
    for section in sections:
        lines = [f"{section.type}: {section.id}\n"]
        lines += [f"\t{key} {text}\n" if text else f"\t{key}\n" for key, text in _pairs(section)]
        blocks.append("".join(lines))
    return "\n".join(blocks)


@cache
def section_fields(cls: Any) -> dict[str, Field]:  # Any: a Struct class, which mypy does not take for hashable
    """The keys of a section type by wire name, in declared order."""
    return {field.wire: field for field in struct_fields(cls)}


def _pairs(section: Section[Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    if section.config is not None:
        cls: Any = type(section.config)
        for key, field in section_fields(cls).items():
            value = getattr(section.config, field.attr)
            if value is not None and value != ():
                pairs.append((key, one_line(key, show(field, value))))
    return pairs + list(section.kept)


def one_line(key: str, text: str) -> str:
    """The text, unless it would forge a second line: `ParamError` on `key`."""
    if "\n" in text or "\r" in text:
        raise ParamError({key: "value must not contain a line break"})
    return text


def _section(kind: str, ident: str, lines: list[tuple[str, str]], types: Mapping[str, type[C]]) -> Section[C]:
    cls = types.get(kind)
    if cls is None:
        return Section(type=kind, id=ident, config=None, kept=tuple(lines))
    fields, values, kept = section_fields(cls), {}, []
    for key, text in lines:
        field = fields.get(key)
        if field is None:
            kept.append((key, text))
            continue
        try:
            values[field.attr] = field.convert("1" if text == "" and field.kind == "boolean" else text)
        except Invalid:
            kept.append((key, text))
    try:
        return Section(type=kind, id=ident, config=cls(**values), kept=tuple(kept))
    except TypeError:  # a required key is missing: somebody edited the file by hand
        return Section(type=kind, id=ident, config=None, kept=tuple(lines))
