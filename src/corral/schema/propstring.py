"""Property strings: `local:100/vm-100-disk-0.qcow2,cache=none,size=32G` as declared Structs.

    class Drive(PropertyString, frozen=True, kw_only=True):
        default_key: ClassVar[str] = "file"
        file: Annotated[str, doc("The drive's backing volume.")]
        cache: Annotated[Literal["none", "writeback"], doc("Cache mode.")] | None = None

`X.parse(str(x)) == x`, and a text whose keys stand in declared order prints unchanged.
"""

from __future__ import annotations

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
    aliases      old key → key
    folded       (key, value key): a word of `key`'s enumeration used as a key names both, as in `virtio=AA:BB:…`
    """

    default_key: ClassVar[str] = ""
    aliases: ClassVar[dict[str, str]] = {}
    folded: ClassVar[tuple[str, str] | None] = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text; `Invalid` names every wrong key at once."""
        fields = fields_by_wire(cls)
        errors: dict[str, str] = {}
        values: dict[str, Any] = {}
        for part in _parts(text):
            key, value = cls._pair(part, fields, errors)
            if key is None:
                continue
            field = fields[key]
            if field.attr in values:
                errors[key] = f"duplicate key in comma-separated list property: {key}"
                continue
            try:
                values[field.attr] = field.convert(_as_boolean(field, value))
            except Invalid as exc:
                errors.update({key + sub: said for sub, said in exc.errors.items()})
            if cls.folded and key == cls.folded[0] and part.partition("=")[0] != key and "=" in part:
                self_value = part.partition("=")[2]
                try:
                    values[fields[cls.folded[1]].attr] = fields[cls.folded[1]].convert(self_value)
                except Invalid as exc:
                    errors.update({cls.folded[1] + sub: said for sub, said in exc.errors.items()})
        for key, field in fields.items():
            if not field.optional and field.attr not in values and key not in errors:
                errors[key] = MISSING
            if field.requires and field.attr in values and fields[field.requires].attr not in values:
                errors[field.requires] = f"missing property required by '{key}'"
        if errors:
            raise Invalid(errors)
        return cls(**values)

    @classmethod
    def _pair(cls, part: str, fields: dict[str, Field], errors: dict[str, str]) -> tuple[str | None, str]:
        """Key and value of one part; a fault is noted and answers None."""
        key, equals, value = part.partition("=")
        if not equals:
            if not cls.default_key:
                errors[part] = "value without key, but schema does not define a default key"
                return None, ""
            return cls.default_key, part
        key = cls.aliases.get(key, key)
        if key in fields:
            return key, value
        if cls.folded and key in fields[cls.folded[0]].enum:
            return cls.folded[0], key
        errors[key] = UNKNOWN
        return None, ""

    def __str__(self) -> str:
        parts = []
        fields = fields_by_wire(type(self))
        skip = ""
        if self.folded:
            first, second = fields[self.folded[0]], fields[self.folded[1]]
            value, mac = getattr(self, first.attr), getattr(self, second.attr)
            if value is not None and mac is not None:
                parts.append(f"{show(first, value)}={show(second, mac)}")
                skip = second.wire
        for key, field in fields.items():
            value = getattr(self, field.attr)
            if value is None or key == skip or (skip and self.folded and key == self.folded[0]):
                continue
            bare = key == self.default_key and "=" not in show(field, value)
            parts.append(show(field, value) if bare else f"{key}={show(field, value)}")
        return ",".join(parts)


@cache
def fields_by_wire(cls: Any) -> dict[str, Field]:
    """The keys of a property string, in declared order."""
    return {field.wire: field for field in struct_fields(cls)}


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _as_boolean(field: Field, value: str) -> object:
    """Inside property strings booleans have more spellings than on the wire."""
    if field.kind == "boolean" and not field.listed:
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
    return value
