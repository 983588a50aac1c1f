"""Property strings: `local:100/vm-100-disk-0.qcow2,cache=none,size=32G` as declared Structs.

    class Drive(PropertyString, frozen=True, kw_only=True):
        default_key: ClassVar[str] = "file"
        file: Annotated[str, doc("The drive's backing volume.")]
        cache: Annotated[Literal["none", "writeback"], doc("Cache mode.")] | None = None

`X.parse(str(x)) == x`; the default key comes first, the others follow in alphabetical order, as files have them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, Self

import msgspec

from corral.schema.fields import Field, Invalid, show, struct_fields

TRUE = frozenset({"1", "on", "yes", "true"})
FALSE = frozenset({"0", "off", "no", "false"})

UNKNOWN = "property is not defined in schema and the schema does not allow additional properties"
MISSING = "property is missing and it is not optional"


class PropertyString(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all property strings. Unset keys are None; nothing is filled in by parsing.

    default_key  the key that a value without `key=` belongs to
    format_name  the name clients know the format by, where it has one
    aliases      old key → key
    folded       (key, value key): a word of `key`'s enumeration used as a key names both, as in `virtio=AA:BB:…`
    kept         keys this version does not know, with their values: read from files, written back
    """

    default_key: ClassVar[str] = ""
    format_name: ClassVar[str] = ""
    aliases: ClassVar[dict[str, str]] = {}
    folded: ClassVar[tuple[str, str] | None] = None

    kept: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str, *, keep_unknown: bool = False) -> Self:
        """Read a text; `Invalid` names every wrong key at once.

        `keep_unknown`: for texts from files, which a newer version may have written; unknown keys go to `kept`.
        """
        reading = _Reading(cls, keep_unknown=keep_unknown)
        for part in _parts(text):
            reading.part(part)
        reading.finish()
        if reading.errors:
            raise Invalid(reading.errors)
        return cls(**reading.values, kept=tuple(reading.kept))

    def __str__(self) -> str:
        texts = {key: show(field, value) for key, field, value in self._set()}
        texts.update(self.kept)
        first = ""
        if self.folded and self.folded[0] in texts and self.folded[1] in texts:
            first = f"{texts.pop(self.folded[0])}={texts.pop(self.folded[1])}"
        elif self.default_key in texts and "=" not in texts[self.default_key]:
            first = texts.pop(self.default_key)
        rest = [f"{key}={texts[key]}" for key in sorted(texts)]
        return ",".join([first, *rest] if first else rest)

    def _set(self) -> Iterator[tuple[str, Field, Any]]:
        """Keys that are set, with their values."""
        for key, field in fields_by_wire(type(self)).items():
            value = getattr(self, field.attr)
            if value is not None:
                yield key, field, value


class _Reading:
    """Values and faults of one text, part by part."""

    def __init__(self, cls: type[PropertyString], *, keep_unknown: bool) -> None:
        self.cls = cls
        self.fields = fields_by_wire(cls)
        self.keep_unknown = keep_unknown
        self.values: dict[str, Any] = {}
        self.kept: list[tuple[str, str]] = []
        self.errors: dict[str, str] = {}

    def part(self, part: str) -> None:
        """Take in `key=value`, or a value of the default key."""
        key, equals, value = part.partition("=")
        key = self.cls.aliases.get(key, key)
        folded = self.cls.folded
        if not equals:
            if self.cls.default_key:
                self._value(self.cls.default_key, part)
            else:
                self.errors[part] = "value without key, but schema does not define a default key"
        elif key in self.fields:
            self._value(key, value)
        elif folded and key in self.fields[folded[0]].enum:
            self._value(folded[0], key)
            self._value(folded[1], value)
        elif self.keep_unknown and key:
            self.kept.append((key, value))
        else:
            self.errors[key] = UNKNOWN

    def _value(self, key: str, text: str) -> None:
        field = self.fields[key]
        if field.attr in self.values:
            self.errors[key] = f"duplicate key in comma-separated list property: {key}"
            return
        try:
            self.values[field.attr] = field.convert(_as_boolean(field, text))
        except Invalid as exc:
            self.errors.update({key + sub: said for sub, said in exc.errors.items()})

    def finish(self) -> None:
        """What must be there, is."""
        for key, field in self.fields.items():
            if not field.optional and field.attr not in self.values and key not in self.errors:
                self.errors[key] = MISSING
            if field.requires and field.attr in self.values and self.fields[field.requires].attr not in self.values:
                self.errors[field.requires] = f"missing property required by '{key}'"


@cache
def fields_by_wire(cls: Any) -> dict[str, Field]:
    """The keys of a property string, in declared order."""
    return {field.wire: field for field in struct_fields(cls) if field.attr != "kept"}


def _parts(text: str) -> list[str]:
    if not text.isprintable():
        # A line break would end the option's line in the file.
        raise Invalid("text contains control characters")
    return [part.strip() for part in text.split(",") if part.strip()]


def _as_boolean(field: Field, value: str) -> object:
    """Inside property strings booleans have more spellings than on the wire."""
    if field.kind == "boolean" and not field.listed:
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
    return value
