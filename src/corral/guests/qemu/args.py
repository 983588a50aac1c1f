"""What QEMU is told, piece by piece: the same value becomes command-line words or the arguments of a QMP command.

Values in properties keep their types: True is `on` on the command line and `true` in QMP.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

Props = Mapping[str, Any]


def _word(value: object) -> str:
    """A property's value on the command line; a comma inside it is doubled."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value).replace(",", ",,")


def _joined(head: str, props: Props) -> str:
    parts = []
    for key, value in props.items():
        # A list is the same key again and again.
        parts += [
            f"{key}={_word(each)}" for each in (value if isinstance(value, tuple) else (value,)) if each is not None
        ]
    return ",".join([head, *parts] if head else parts)


@dataclass(frozen=True)
class Option:
    """Any option: `-name web`, `-no-shutdown`; `value` stands as it is, `props` follow it."""

    flag: str
    value: str = ""
    props: Props = field(default_factory=dict)

    def words(self) -> list[str]:
        """The command line's words."""
        text = _joined(self.value, self.props)
        return [f"-{self.flag}", text] if text else [f"-{self.flag}"]


@dataclass(frozen=True)
class Typed:
    """What has a type, an id and properties; None as a property's value leaves it out."""

    flag: ClassVar[str]
    type_key: ClassVar[str]

    type: str
    id: str | None = None
    props: Props = field(default_factory=dict)

    def words(self) -> list[str]:
        """The command line's words."""
        return [f"-{self.flag}", _joined(self.type, {"id": self.id, **self.props})]

    def arguments(self) -> dict[str, Any]:
        """The arguments of the QMP command that adds it to a running guest."""
        given = {self.type_key: self.type, "id": self.id, **self.props}
        return {key: value for key, value in given.items() if value is not None}


@dataclass(frozen=True)
class Device(Typed):
    """A device; `device_add` in QMP."""

    flag: ClassVar[str] = "device"
    type_key: ClassVar[str] = "driver"


@dataclass(frozen=True)
class Object(Typed):
    """An object that devices refer to; `object-add` in QMP."""

    flag: ClassVar[str] = "object"
    type_key: ClassVar[str] = "qom-type"

    def words(self) -> list[str]:
        """The command line's words: JSON where a property nests; sizes in bytes in MiB where that is exact."""
        if any(isinstance(value, Mapping) for value in self.props.values()):
            return [f"-{self.flag}", json.dumps(self.arguments(), separators=(",", ":"), sort_keys=True)]
        size = self.props.get("size")
        props = self.props
        if isinstance(size, int) and size % 2**20 == 0:
            props = {**props, "size": f"{size // 2**20}M"}
        return [f"-{self.flag}", _joined(self.type, {"id": self.id, **props})]


@dataclass(frozen=True)
class Netdev(Typed):
    """The host's side of a network card; `netdev_add` in QMP."""

    flag: ClassVar[str] = "netdev"
    type_key: ClassVar[str] = "type"


@dataclass(frozen=True)
class Chardev(Typed):
    """A stream that devices refer to. In QMP `chardev-add` nests its arguments: not offered here."""

    flag: ClassVar[str] = "chardev"
    type_key: ClassVar[str] = "backend"


@dataclass(frozen=True)
class Blockdev:
    """A tree of block nodes; `blockdev-add` in QMP takes `node` as it is."""

    node: Mapping[str, Any]

    def words(self) -> list[str]:
        """The command line's words: JSON, since only that carries lists and numbers."""
        return ["-blockdev", json.dumps(self.node, separators=(",", ":"), sort_keys=True)]


Item = Option | Typed | Blockdev


def words(items: Iterable[Item]) -> list[str]:
    """The words of a command line."""
    return [word for item in items for word in item.words()]
