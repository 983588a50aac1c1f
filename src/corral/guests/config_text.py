"""Text of a guest's configuration: `key: value` lines in sections, the description as leading `#` lines.

    # a description, percent-encoded
    cores: 2
    memory: 2048

    [PENDING]
    delete: net1
    memory: 4096

    [special:cloudinit]
    name: old-name

    [before-upgrade]
    cores: 2
    snaptime: 1737549549

This module knows sections and lines, not what the options mean: a `Check` says whether a value can be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from corral.schema.fields import Invalid

Options = Mapping[str, str]
Check = Callable[[str, str], "str | None"]  # (key, text) -> what is wrong with it, None if nothing is

PENDING: Final = "PENDING"
SNAPSHOT_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{1,39}")

_HEADER = re.compile(r"\[(special:)?(.*)\]\s*")
_LINE = re.compile(r"([a-zA-Z][a-zA-Z0-9_.-]*):\s*(\S.*?)?\s*")
# Printable ASCII stays, but for the two characters that would be read as something else.
_PLAIN: Final = {character: chr(character) for character in range(0x20, 0x7F) if chr(character) not in "%:"}


@dataclass(frozen=True)
class GuestText:
    """The sections of one configuration; a description is the option `description`, decoded.

    pending    options to be set, and `delete`: a comma list of those to be removed (`!name`: by force)
    special    `[special:NAME]` sections by NAME
    snapshots  by name
    """

    current: Options = field(default_factory=dict)
    pending: Options = field(default_factory=dict)
    special: Mapping[str, Options] = field(default_factory=dict)
    snapshots: Mapping[str, Options] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [_section(self.current)]
        if self.pending:
            parts.append(f"[{PENDING}]\n" + _section(self.pending, pending=True))
        parts += [f"[special:{name}]\n" + _section(self.special[name]) for name in sorted(self.special)]
        parts += [f"[{name}]\n" + _section(self.snapshots[name]) for name in sorted(self.snapshots)]
        # A section stands after a blank line, also when nothing comes before it.
        return "\n".join(parts)


def parse(
    text: str, check: Check, *, special: frozenset[str], strict: bool = False
) -> tuple[GuestText, dict[str, str]]:
    """Sections of a text, and what could not be read: place → fault.

    Tolerant (the default): what is faulty is left out, a repeated section or option counts as it stands last.
    Strict: any fault raises `Invalid`. `special` are the special sections that exist.
    """
    reader = _Reader(check, special)
    for line in text.split("\n"):
        reader.line(line)
    if strict and reader.faults:
        raise Invalid(reader.faults)
    return reader.text(), reader.faults


class _Reader:
    """Where a line belongs, and what was wrong so far."""

    def __init__(self, check: Check, special: frozenset[str]) -> None:
        self.check = check
        self.known_special = special
        self.current: dict[str, str] = {}
        self.pending: dict[str, str] = {}
        self.special: dict[str, dict[str, str]] = {}
        self.snapshots: dict[str, dict[str, str]] = {}
        self.faults: dict[str, str] = {}
        self.name = ""
        self.into: dict[str, str] | None = self.current
        self.seen: set[str] = set()

    def line(self, line: str) -> None:
        if not line.strip():
            return
        if line.startswith("["):
            self._header(line)
        elif self.into is None:
            return
        elif line.startswith("#"):
            said = decode(line[1:].rstrip())
            self.into["description"] = f"{self.into['description']}\n{said}" if "description" in self.into else said
        else:
            self._option(line, self.into)

    def _header(self, line: str) -> None:
        match = _HEADER.fullmatch(line)
        special, name = (match[1], match[2]) if match else (None, line)
        self.name = line.strip()
        if self.name in self.seen:
            self._fault("", "section is there twice")
        self.seen.add(self.name)
        self.into = {}
        if special and name in self.known_special:
            self.special[name] = self.into
        elif not special and name.upper() == PENDING:
            self.pending = self.into
        elif not special and SNAPSHOT_NAME.fullmatch(name):
            self.snapshots[name] = self.into
        else:
            self._fault("", "no such section")
            self.into = None

    def _option(self, line: str, into: dict[str, str]) -> None:
        match = _LINE.fullmatch(line)
        if not match:
            self._fault(line.strip()[:100], "not a line of the form 'option: value'")
            return
        key, value = match[1], match[2] or ""
        if key == "description":
            into[key] = decode(value)
        elif (key == "delete" and into is self.pending) or (fault := self.check(key, value)) is None:
            into[key] = value
        else:
            self._fault(key, fault)

    def _fault(self, key: str, text: str) -> None:
        self.faults[f"{self.name}{' ' if self.name and key else ''}{key}"] = text

    def text(self) -> GuestText:
        return GuestText(self.current, self.pending, self.special, self.snapshots)


def _section(options: Options, *, pending: bool = False) -> str:
    out = []
    description = options.get("description")
    if description is not None:
        if pending:
            text = encode(description)
            # Blanks after the colon are not part of the value.
            out.append("description: " + (f"%20{text[1:]}" if text.startswith(" ") else text))
        else:
            out += [f"#{encode(line)}" for line in description.split("\n")]
    out += [f"{key}: {options[key]}" for key in sorted(options) if key != "description"]
    return "".join(f"{line}\n" for line in out)


def encode(text: str) -> str:
    """One line of a description as in a file: control characters, `%`, `:`, non-ASCII and a last blank as `%XX`."""
    out = "".join(_PLAIN.get(byte, f"%{byte:02X}") for byte in text.encode("utf-8", "surrogateescape"))
    return f"{out[:-1]}%20" if out.endswith(" ") else out


def decode(text: str) -> str:
    """The reverse of `encode`; also reads what other writers escape."""
    return unquote(text, errors="replace")


def deletions(pending: Options) -> dict[str, bool]:
    """Options that are to be removed, each with whether by force."""
    names = re.split(r"[,;\s]+", pending.get("delete", ""))
    return {name.lstrip("!"): name.startswith("!") for name in names if name.lstrip("!")}


def show_deletions(names: Mapping[str, bool]) -> str:
    """The value of `delete` for these."""
    return ",".join(f"!{name}" if names[name] else name for name in sorted(names))


@dataclass(frozen=True, slots=True)
class Change:
    """One option that differs: `old` or `new` is None where it is not set."""

    key: str
    old: str | None
    new: str | None


def differences(old: Options, new: Options) -> Iterator[Change]:
    """What turns `old` into `new`, by option name."""
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield Change(key, old.get(key), new.get(key))
