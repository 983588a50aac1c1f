"""One endpoint, one declaration: the handler's signature is the schema.

    @endpoint("POST", "/nodes/{node}/qemu/{vmid}/status/start",
              allow=need("/vms/{vmid}", "VM.PowerMgmt"), runs="node", example={"vmid": 100})
    def start(call: Call, node: NodeName, vmid: VMID, *,
              timeout: Annotated[Seconds, doc("Wait at most this long.")] = 30) -> UPID:
        "Start virtual machine."
        return call.spawn(QmStart(vmid=vmid, timeout=timeout))

The decorator answers a value and registers nowhere: a module lists its endpoints in `ENDPOINTS`, `corral.api` lists
the modules. A wrong declaration fails at import.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from corral.core.errors import ParamError
from corral.rest.permission import Allow
from corral.schema.fields import Field, Invalid, fields_of, struct_fields
from corral.schema.propstring import MISSING, UNKNOWN

Method = Literal["GET", "POST", "PUT", "DELETE"]
MAX_PARAMS = 2000


@dataclass(frozen=True, slots=True)
class Never:
    """This call can't be planned, and why."""

    why: str


def never(why: str) -> Never:
    """For `plan=`: streams, consoles, log-in."""
    assert why
    return Never(why)


@dataclass(frozen=True)
class Endpoint:
    """A call of the API. `summary` is the handler's first line.

    runs     "node": on the node in the path (forwarded if that is another); "here": wherever it arrives
    root     it must look at the host or at records of class root: answered by corrald even for GET
    pool     template of the thread pool that serves it, such as `storage/{storage}`; "" is the common one
    tokens   whether API tokens may call it
    example  parameters (without `node`) that a prepared node accepts: for plans in tests and for the documentation
    plan     `never("why")` for calls that can't be planned
    spool    for uploads: where the file part is written, as a function of app and path parameters
    """

    method: Method
    path: str
    handler: Callable[..., Any]
    allow: Allow
    runs: Literal["node", "here"] = "here"
    root: bool = False
    pool: str = ""
    tokens: bool = True
    example: Mapping[str, Any] | None = None
    plan: Never | None = None
    spool: Callable[[Any, Mapping[str, str]], Any] | None = None
    download: bool = False
    fields: tuple[Field, ...] = field(default=(), repr=False)

    @property
    def pair(self) -> str:
        """`METHOD /path/{template}`: how tests, histories and reports name it."""
        return f"{self.method} {self.path}"

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0]

    @cached_property
    def path_params(self) -> tuple[str, ...]:
        """Names of the parameters in the path."""
        return tuple(re.findall(r"{([^}]+)}", self.path))

    @cached_property
    def flat(self) -> dict[str, Field]:
        """All parameters by wire name, spreads unfolded, numbered families under their base name plus `[n]`."""
        out = {}
        for each in self._leaves():
            out[f"{each.wire}[n]" if each.indexes else each.wire] = each
        return out

    def _leaves(self) -> list[Field]:
        leaves: list[Field] = []
        for each in self.fields:
            leaves += struct_fields(each.spread) if each.spread is not None else [each]
        return leaves

    @cached_property
    def _wire(self) -> dict[str, tuple[Field, int | None]]:
        """Every name that may come over the wire → its field (and number)."""
        out: dict[str, tuple[Field, int | None]] = {}
        for each in self._leaves():
            if each.indexes is None:
                out[each.wire] = (each, None)
            else:
                for index in range(each.indexes):
                    out[f"{each.wire}{index}"] = (each.numbered(index), index)
        return out

    @property
    def changes(self) -> bool:
        """Whether it may change anything."""
        return self.method != "GET"

    def bind(self, params: Mapping[str, Any], *, is_root: bool = True) -> dict[str, Any]:
        """The handler's keyword arguments; `ParamError` with every wrong parameter at once.

        `params` are raw: texts, or JSON values, or lists for repeated names. `is_root` False refuses parameters that
        only root@pam may set.
        """
        values, errors = self._convert(params)
        given = set(values)
        for wire in given:
            each = self._wire[wire][0]
            if each.requires and each.requires not in given:
                errors.setdefault(each.requires, f"missing property required by '{wire}'")
            if each.alias and each.alias in given:
                errors[wire] = f"cannot set both '{wire}' and its alias target '{each.alias}'"
        for wire, (each, index) in self._wire.items():
            if index is None and not each.optional and wire not in given and wire not in errors:
                errors[wire] = MISSING
        if errors:
            raise ParamError(errors)
        if not is_root:
            self._refuse_root_only(given)
        return self._arguments(values)

    def _convert(self, params: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        if len(params) > MAX_PARAMS:
            raise ParamError({"_root": f"too many parameters ({len(params)} > {MAX_PARAMS})"})
        values: dict[str, Any] = {}
        errors: dict[str, str] = {}
        for wire, raw in params.items():
            if raw is None:
                continue
            found = self._wire.get(wire)
            if found is None:
                errors[wire] = UNKNOWN
                continue
            try:
                values[wire] = found[0].convert(raw)
            except Invalid as exc:
                for sub, text in exc.errors.items():
                    errors[wire + (f".{sub}" if sub and sub[0] != "[" else sub)] = text
        return values, errors

    def _refuse_root_only(self, given: set[str]) -> None:
        refused = sorted(wire for wire in given if self._wire[wire][0].root_only)
        if refused:
            raise ParamError(dict.fromkeys(refused, "only root@pam may set this option"))

    def _arguments(self, values: Mapping[str, Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for each in self.fields:
            if each.spread is not None:
                arguments[each.attr] = each.spread(**_taken(struct_fields(each.spread), values))
            else:
                arguments.update(_taken((each,), values))
        return arguments


def _taken(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of some fields by attribute; numbered families gathered into dicts."""
    out: dict[str, Any] = {}
    for each in fields:
        if each.indexes is None:
            if each.wire in values:
                out[each.attr] = values[each.wire]
        else:
            family = {
                index: values[f"{each.wire}{index}"] for index in range(each.indexes) if f"{each.wire}{index}" in values
            }
            if family:
                out[each.attr] = family
    return out


def endpoint(
    method: Method,
    path: str,
    *,
    allow: Allow,
    runs: Literal["node", "here"] = "here",
    root: bool = False,
    pool: str = "",
    tokens: bool = True,
    example: Mapping[str, Any] | None = None,
    plan: Never | None = None,
    spool: Callable[[Any, Mapping[str, str]], Any] | None = None,
    download: bool = False,
) -> Callable[[Callable[..., Any]], Endpoint]:
    """Declare an endpoint; see `Endpoint` for the words."""

    def declare(handler: Callable[..., Any]) -> Endpoint:
        made = Endpoint(
            method, path, handler, allow, runs, root, pool, tokens, example, plan, spool, download, _fields(handler)
        )
        _check(made)
        return made

    return declare


def _fields(handler: Callable[..., Any]) -> tuple[Field, ...]:
    defaults = {
        param.name: param.default
        for param in inspect.signature(handler).parameters.values()
        if param.default is not inspect.Parameter.empty
    }
    return fields_of(handler, defaults, skip=1)


def _check(made: Endpoint) -> None:
    """Refuse a wrong declaration while it is imported."""
    where = f"{made.pair} ({made.handler.__module__})"
    names = {each.wire for each in made.fields}
    for param in made.path_params:
        assert param in names, f"{where}: path parameter {param} is missing in the signature"
    for template in made.allow.paths:
        for param in re.findall(r"{([^}]+)}", template):
            assert param in made.flat, f"{where}: permission path {template} names no parameter of the call"
    for priv in made.allow.words:
        assert re.fullmatch(r"[A-Z][A-Za-z]+(\.[A-Z][A-Za-z]+)+", priv), f"{where}: {priv} is no privilege"
    assert made.summary, f"{where}: the handler has no docstring"
    for wire, each in made.flat.items():
        assert each.text, f"{where}: {wire} is not described"


def returns(made: Endpoint) -> Any:
    """The declared result type of an endpoint's handler."""
    return typing.get_type_hints(made.handler, include_extras=True).get("return")
