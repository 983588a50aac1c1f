"""Taking back a change of `storage.cfg`: an earlier text as calls below `/storage`. Pure.

A storage is an item that has its type as value, and so is each of its options: `spare`, `spare content`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from corral.core.errors import Error
from corral.storage.config import Configuration, options
from corral.store.revert import Back, Step, Way


def items(parse: Callable[[str], Configuration], text: str) -> Mapping[str, str]:
    """Storages and their options."""
    found: dict[str, str] = {}
    for storage, section in parse(text).sections.items():
        found[storage] = section.type
        for key, value in options(section).items():
            found[f"{storage} {key}"] = str(int(value)) if isinstance(value, bool) else str(value)
    return found


def steps(back: Back, now: Mapping[str, str]) -> Way:
    """The calls that bring these items back."""
    wanted = back.wanted
    found: list[Step] = []
    warnings: list[str] = []
    for storage in dict.fromkeys(item.partition(" ")[0] for item in wanted):
        changes = {item.partition(" ")[2]: value for item, value in wanted.items() if item.startswith(f"{storage} ")}
        given = {key: value for key, value in changes.items() if value is not None}
        if storage not in wanted:
            delete = ",".join(key for key, value in changes.items() if value is None)
            step = {"storage": storage, **given} | ({"delete": delete} if delete else {})
            found.append(Step("PUT /storage/{storage}", step))
        elif (kind := wanted[storage]) is None:
            found.append(Step("DELETE /storage/{storage}", {"storage": storage}))
            warnings.append(f"what lies on storage '{storage}' stays there, and can't be reached any more")
        elif storage in now:
            raise Error(f"storage '{storage}' is of another type now")
        else:
            found.append(Step("POST /storage", {"storage": storage, "type": kind, **given}))
    return Way(found, warnings)
