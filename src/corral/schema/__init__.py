"""Declared data: fields, formats, property strings, section configs, and the schemas derived from them."""

from corral.schema.fields import (
    Invalid,
    Upload,
    alias,
    allow_empty,
    between,
    doc,
    indexed,
    length,
    name,
    pattern,
    requires,
    root_only,
    spread,
)
from corral.schema.propstring import PropertyString

__all__ = [
    "Invalid",
    "PropertyString",
    "Upload",
    "alias",
    "allow_empty",
    "between",
    "doc",
    "indexed",
    "length",
    "name",
    "pattern",
    "requires",
    "root_only",
    "spread",
]
