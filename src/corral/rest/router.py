"""From method and path to endpoint; calls that only list what is below them are made from the tree itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote

from corral.core.errors import NotImplementedCall
from corral.rest.endpoint import Endpoint
from corral.rest.permission import anyone
from corral.schema.fields import doc, field_of
from corral.schema.types import VMID, NodeName

# A volume's name has slashes of its own; it is always the last parameter.
TYPES = {"node": NodeName, "vmid": VMID}
GREEDY = frozenset({"volume"})


@dataclass(slots=True)
class _Branch:
    path: str = ""
    calls: dict[str, Endpoint] = field(default_factory=dict)
    words: dict[str, _Branch] = field(default_factory=dict)
    param: str | None = None
    below: _Branch | None = None


class Route(NamedTuple):
    """What answers a request, and the parameters in its path."""

    endpoint: Endpoint
    params: dict[str, str]


class Router:
    """All endpoints. `index_keys` names the key of generated index rows per path (`subdir` where it says nothing)."""

    def __init__(self, endpoints: Sequence[Endpoint], index_keys: Mapping[str, str] | None = None) -> None:
        self._root = _Branch()
        self._keys = dict(index_keys or {})
        for each in endpoints:
            self._add(each)
        self.indexes: list[Endpoint] = []
        self._grow(self._root)
        self.endpoints = tuple(sorted([*endpoints, *self.indexes], key=lambda made: (made.path, made.method)))

    def _add(self, made: Endpoint) -> None:
        branch = self._root
        for part in (part for part in made.path.split("/") if part):
            path = f"{branch.path}/{part}"
            if part.startswith("{"):
                name = part[1:-1]
                assert branch.param in (None, name), f"{made.pair}: {branch.path} already has {{{branch.param}}}"
                branch.param = name
                branch.below = branch.below or _Branch(path)
                branch = branch.below
            else:
                branch = branch.words.setdefault(part, _Branch(path))
        assert made.method not in branch.calls, f"{made.pair} is declared twice"
        branch.calls[made.method] = made

    def _grow(self, branch: _Branch) -> None:
        if branch.words and "GET" not in branch.calls:
            made = _index(branch.path or "/", sorted(branch.words), self._keys.get(branch.path or "/", "subdir"))
            branch.calls["GET"] = made
            self.indexes.append(made)
        for child in [*branch.words.values(), *([branch.below] if branch.below else [])]:
            self._grow(child)

    def find(self, method: str, path: str) -> Route:
        """The endpoint for a request; `NotImplementedCall` if there is none. Empty segments are skipped."""
        parts = [unquote(part) for part in path.split("/") if part]
        branch, params = self._root, dict[str, str]()
        for position, part in enumerate(parts):
            if part in branch.words:
                branch = branch.words[part]
            elif branch.below is not None and branch.param is not None:
                greedy = branch.param in GREEDY
                params[branch.param] = "/".join(parts[position:]) if greedy else part
                branch = branch.below
                if greedy:
                    break
            else:
                raise NotImplementedCall(f"Method '{method} {path}' not implemented")
        found = branch.calls.get(method)
        if found is None:
            raise NotImplementedCall(f"Method '{method} {path}' not implemented")
        return Route(found, params)

    def children(self, path: str) -> list[str]:
        """The words and parameters that may follow a path (given by template or example): for `pvesh ls`."""
        branch = self._root
        for part in (part for part in path.split("/") if part):
            following = branch.words.get(part) or branch.below
            if following is None:
                raise NotImplementedCall(f"no such resource '{path}'")
            branch = following
        return [*sorted(branch.words), *([f"{{{branch.param}}}"] if branch.param else [])]


def _index(path: str, words: list[str], key: str) -> Endpoint:
    rows: list[dict[str, Any]] = [{key: word} for word in words]

    def handler(_call: Any, **_path: str) -> list[dict[str, Any]]:
        return rows

    handler.__doc__ = "Directory index."
    params = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    fields = tuple(field_of(name, TYPES.get(name) or Annotated[str, doc(f"Part of {path}.")]) for name in params)
    return Endpoint("GET", path, handler, anyone("an index shows no data"), fields=fields)
