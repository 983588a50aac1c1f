"""Fields: what a parameter, an option or a sub-key is, read from an annotation, and how a text becomes its value.

An annotation says all: `Annotated[int, between(1, 128), doc("CPU sockets.", default=1)] | None = None`.

| annotation              | wire                                          | value                       |
| ----------------------- | --------------------------------------------- | --------------------------- |
| str, int, float, bool   | text, `[+-]?\\d+`, number, `0` or `1`          | the same                    |
| Literal["a", "b"]       | one of the words                              | str                         |
| Secret                  | text that is never shown                      | Secret                      |
| a PropertyString        | `value,key=value,…`                           | that Struct                 |
| tuple[X, ...]           | list in one text: comma, semicolon or blanks  | tuple                       |
| list[X]                 | array (a repeated name, a JSON array)         | list                        |
| dict[int, X], indexed   | numbered family `net0`, `net1`, …             | dict by number              |
| Upload                  | the file part of an upload                    | Upload                      |
| `X | None`              | optional                                      | None: not given             |

Grammar and error texts are those of the Proxmox VE API (booleans exactly 0 or 1, integers without exponent).
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec

from corral.core.secret import Secret


class _Unset:
    """Told apart from None: a field without a default is required."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Unset()

Kind = Literal["string", "integer", "number", "boolean", "array", "object", "upload"]


class Invalid(Exception):
    """A text that is no value of its field; `errors` maps sub-paths (`""`: the field itself) to texts."""

    def __init__(self, errors: Mapping[str, str] | str) -> None:
        self.errors: dict[str, str] = {"": errors} if isinstance(errors, str) else dict(errors)
        super().__init__("; ".join(f"{key}: {text}" if key else text for key, text in self.errors.items()))


# --- what an annotation may carry ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Doc:
    """The description that help, reference and forms show, and the default that applies when it is not set."""

    text: str
    default: object = None


@dataclass(frozen=True, slots=True)
class Name:
    """The name on the wire where it differs from Python's."""

    wire: str


@dataclass(frozen=True, slots=True)
class Between:
    """Inclusive bounds of a number."""

    minimum: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds of a text's length in characters."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that must match the whole text."""

    regex: str


@dataclass(frozen=True, slots=True)
class Format:
    """A named grammar. `check` answers the value for a text or raises ValueError with what the user should read."""

    name: str
    check: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Indexed:
    """A numbered family: `count` members from 0."""

    count: int


@dataclass(frozen=True, slots=True)
class Requires:
    """Another parameter that must be given too."""

    wire: str


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for the field `target`; only one of the two may be given."""

    target: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A bare mark: `root_only` (only root@pam may set it), `allow_empty`, `spread`."""

    word: str


def doc(text: str, *, default: object = None) -> Doc:
    """Describe a field; `default` is what holds when it is not set (documentation: nothing fills it in)."""
    return Doc(text, default)


def name(wire: str) -> Name:
    """The field's name on the wire."""
    return Name(wire)


def between(minimum: float | None = None, maximum: float | None = None) -> Between:
    """Bounds of a number, inclusive; None is open."""
    return Between(minimum, maximum)


def length(minimum: int = 0, maximum: int | None = None) -> Length:
    """Bounds of a text's length."""
    return Length(minimum, maximum)


def pattern(regex: str) -> Pattern:
    """The whole text must match."""
    re.compile(regex)
    return Pattern(regex)


def indexed(count: int) -> Indexed:
    """`count` numbered members: `net` with 32 is `net0` to `net31`."""
    return Indexed(count)


def requires(wire: str) -> Requires:
    """Only together with the parameter `wire`."""
    return Requires(wire)


def alias(target: str) -> Alias:
    """Another name of the field `target`."""
    return Alias(target)


root_only: Final = Flag("root_only")
allow_empty: Final = Flag("allow_empty")
spread: Final = Flag("spread")


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a request brought, already on disk in a spool that only root reads; `size` in bytes."""

    filename: str
    path: str
    size: int


# --- the field -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One parameter, option or sub-key, read from an annotation."""

    wire: str
    attr: str
    kind: Kind
    default: object = REQUIRED
    text: str = ""
    shown_default: object = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    max_length: int | None = None
    regex: str | None = None
    format: Format | None = None
    listed: bool = False
    items: Field | None = None
    prop: Any = None  # a PropertyString class; Any, since that module builds on this one
    indexes: int | None = None
    requires: str | None = None
    alias: str | None = None
    root_only: bool = False
    allow_empty: bool = False
    secret: bool = False
    spread: Any = None  # the Struct class whose fields stand for this one

    @property
    def optional(self) -> bool:
        """Whether it may be left out."""
        return self.default is not REQUIRED

    def convert(self, raw: object) -> Any:
        """The value of one raw text or JSON value; raises `Invalid`."""
        if self.items is not None:
            return self._convert_array(raw)
        if self.listed:
            return self._convert_list(raw)
        return self._convert_one(raw)

    def _convert_array(self, raw: object) -> list[Any]:
        assert self.items is not None
        values = raw if isinstance(raw, list) else [raw]
        out, errors = [], {}
        for index, value in enumerate(values):
            try:
                out.append(self.items.convert(value))
            except Invalid as exc:
                errors.update({f"[{index}]{sub}": text for sub, text in exc.errors.items()})
        if errors:
            raise Invalid(errors)
        return out

    def _convert_list(self, raw: object) -> tuple[Any, ...]:
        if isinstance(raw, list):
            raw = ",".join(str(value) for value in raw)
        text = self._text(raw)
        self._check_text(text)
        return tuple(self._formatted(item) for item in split_list(text))

    def _convert_one(self, raw: object) -> Any:
        if isinstance(raw, list | dict) and self.kind != "object":
            raise Invalid(f"type check ('{self.kind}') failed - got '{_shape(raw)}'")
        match self.kind:
            case "integer":
                number = self._bounded(_integer(raw))
                # `0100` must not pass for 100: permissions are checked on what was sent.
                return self._formatted(raw) if self.format is not None and isinstance(raw, str) else number
            case "number":
                return self._bounded(_number(raw))
            case "boolean":
                return _boolean(raw)
            case "object" | "upload":
                return raw
            case _:
                text = self._text(raw)
                if self.allow_empty and text == "":
                    return Secret(text) if self.secret else text
                self._check_text(text)
                value = self._formatted(text)
                return Secret(text) if self.secret else value

    def _text(self, raw: object) -> str:
        if isinstance(raw, bool):
            return "1" if raw else "0"
        return str(raw)

    def _check_text(self, text: str) -> None:
        if self.max_length is not None and len(text) > self.max_length:
            raise Invalid(f"value may only be {self.max_length} characters long")
        if len(text) < self.min_length:
            raise Invalid(f"value must be at least {self.min_length} characters long")
        if self.regex is not None and not re.fullmatch(self.regex, text):
            raise Invalid("value does not match the regex pattern")
        if self.enum and not self.listed and text not in self.enum:
            raise Invalid(f"value '{text}' does not have a value in the enumeration '{', '.join(self.enum)}'")

    def _formatted(self, text: str) -> Any:
        if self.listed and self.enum and text not in self.enum:
            raise Invalid(f"value '{text}' does not have a value in the enumeration '{', '.join(self.enum)}'")
        if self.prop is not None:
            try:
                return self.prop.parse(text)
            except Invalid as exc:
                lines = [f"{self.wire}.{sub}: {said}" if sub else said for sub, said in exc.errors.items()]
                raise Invalid("invalid format - format error\n" + "\n".join(lines) + "\n") from exc
        if self.format is None:
            return text
        try:
            return self.format.check(text)
        except ValueError as exc:
            raise Invalid(f"invalid format - {exc}") from exc

    def _bounded(self, value: Any) -> Any:
        if self.minimum is not None and value < self.minimum:
            raise Invalid(f"value must have a minimum value of {_plain(self.minimum)}")
        if self.maximum is not None and value > self.maximum:
            raise Invalid(f"value must have a maximum value of {_plain(self.maximum)}")
        return value

    def numbered(self, index: int) -> Field:
        """The member `index` of a numbered family."""
        return replace(self, wire=f"{self.wire}{index}", indexes=None)


def show(field: Field, value: Any) -> str:
    """The text of a value, such that `field.convert` answers an equal one."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    if isinstance(value, float):
        return _plain(value)
    return str(value)


def split_list(text: str) -> list[str]:
    """The items of a list in one text: separated by comma, semicolon or blanks (only by NUL, when there is one)."""
    if "\0" in text:
        return [item for item in text.split("\0") if item]
    return [item for item in re.split(r"[,;\s]+", text) if item]


def _shape(raw: object) -> str:
    return "array" if isinstance(raw, list) else "object"


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)


def _integer(raw: object) -> int:
    if isinstance(raw, bool):
        return int(raw)
    if isinstance(raw, int):
        return raw
    if isinstance(raw, float) and raw.is_integer():
        return int(raw)
    text = str(raw)
    if len(text) > 20 or not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise Invalid(f"type check ('integer') failed - got '{text[:100]}'")
    return int(text)


def _number(raw: object) -> float:
    text = str(raw)
    if (
        isinstance(raw, bool)
        or len(text) > 40
        or not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII)
    ):
        raise Invalid(f"type check ('number') failed - got '{text[:100]}'")
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise Invalid(f"type check ('number') failed - got '{text[:100]}'")
    return value


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    if str(raw) in ("0", "1"):
        return str(raw) == "1"
    raise Invalid(f"type check ('boolean') failed - got '{str(raw)[:100]}'")


# --- reading annotations -----------------------------------------------------------------------------------------


def field_of(attr: str, annotation: Any, default: object = REQUIRED) -> Field:
    """Read one annotation; AssertionError for one that this module does not know (a mistake in our code)."""
    base, marks = _unwrap(annotation)
    built = _typed(Field(wire=attr, attr=attr, kind="string", default=default), base)
    for mark in marks:
        built = _marked(built, mark)
    return built


def fields_of(owner: Callable[..., Any] | type, defaults: Mapping[str, object], skip: int = 0) -> tuple[Field, ...]:
    """The fields of a function's parameters or a Struct's attributes, in their order, spreads still folded."""
    hints = typing.get_type_hints(owner, include_extras=True)
    hints.pop("return", None)
    out = []
    for attr, annotation in list(hints.items())[skip:]:
        if get_origin(annotation) is typing.ClassVar:
            continue
        out.append(field_of(attr, annotation, defaults.get(attr, REQUIRED)))
    return tuple(out)


def struct_fields(cls: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of a Struct."""
    defaults: dict[str, object] = {}
    for info in msgspec.structs.fields(cls):
        if info.default is not msgspec.NODEFAULT:
            defaults[info.name] = info.default
        elif info.default_factory is not msgspec.NODEFAULT:
            defaults[info.name] = info.default_factory()
    return fields_of(cls, defaults)


def _unwrap(annotation: Any) -> tuple[Any, list[Any]]:
    """The base type and all marks of an annotation, outermost last; `X | None` gives X."""
    if get_origin(annotation) is typing.Annotated:
        base, marks = _unwrap(annotation.__origin__)
        return base, [*marks, *annotation.__metadata__]
    if get_origin(annotation) in (Union, types.UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        assert len(members) == 1, f"{annotation}: only a union with None is a field"
        return _unwrap(members[0])
    return annotation, []


_SIMPLE: Final[dict[Any, Kind]] = {str: "string", bool: "boolean", int: "integer", float: "number"}


def _typed(built: Field, base: Any) -> Field:
    origin = get_origin(base)
    if origin is Literal:
        return replace(built, enum=tuple(str(word) for word in get_args(base)))
    if origin is tuple:
        return replace(_member(built, get_args(base)[0]), listed=True)
    if origin is list:
        return replace(built, kind="array", items=field_of(built.attr, get_args(base)[0]))
    if origin is dict and get_args(base)[0] is int:
        return _member(built, get_args(base)[1])
    if base is Secret:
        return replace(built, secret=True)
    if base is Upload:
        return replace(built, kind="upload")
    if base in _SIMPLE:
        return replace(built, kind=_SIMPLE[base])
    return _structured(built, base)


def _member(built: Field, annotation: Any) -> Field:
    """The field with the type and marks of a list's or family's member."""
    base, marks = _unwrap(annotation)
    built = _typed(built, base)
    for mark in marks:
        built = _marked(built, mark)
    return built


def _structured(built: Field, base: Any) -> Field:
    if isinstance(base, type) and hasattr(base, "parse"):
        return replace(built, prop=base)
    if isinstance(base, type) and issubclass(base, str | int):
        return built
    if isinstance(base, type) and issubclass(base, msgspec.Struct):
        return replace(built, kind="object", spread=base)
    return replace(built, kind="object")


def _marked(built: Field, mark: Any) -> Field:
    match mark:
        case Doc(text, default):
            return replace(built, text=text, shown_default=default)
        case Name(wire):
            return replace(built, wire=wire)
        case Between(low, high):
            return replace(built, minimum=low, maximum=high)
        case Length(low, high):
            return replace(built, min_length=low, max_length=high)
        case Pattern(regex):
            return replace(built, regex=regex)
        case Format():
            return replace(built, format=mark, prop=None)
        case Indexed(count):
            return replace(built, indexes=count)
        case Requires(wire):
            return replace(built, requires=wire)
        case Alias(target):
            return replace(built, alias=target)
        case Flag("root_only"):
            return replace(built, root_only=True)
        case Flag("allow_empty"):
            return replace(built, allow_empty=True)
        case _:
            return built
