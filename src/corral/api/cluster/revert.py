"""How what a revision did is taken back: by calls that bring the options back, made for the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from corral.access import revert as access_revert
from corral.access.records import USER_CONFIG
from corral.api import pools, storage
from corral.api.access import acl, groups, roles, tokens, users
from corral.api.cluster import options
from corral.api.nodes.host import settings
from corral.api.nodes.qemu import config as qemu_config
from corral.app import Call
from corral.cluster import datacenter
from corral.cluster import revert as options_revert
from corral.core.errors import Error, ParamError
from corral.guests import records
from corral.guests.qemu import revert as qemu_revert
from corral.node import config as node_config
from corral.rest import Endpoint
from corral.rest.within import parts_of
from corral.schema.propstring import UNKNOWN
from corral.storage import config as storage_config
from corral.storage import revert as storage_revert
from corral.store.chronicle import Deed
from corral.store.history import redact
from corral.store.paths import GUEST, NODE
from corral.store.revert import Back, Read, Way, back

CALLS: Final[Mapping[str, Endpoint]] = {
    each.pair: each
    for each in (
        qemu_config.update, options.write, settings.write_config, *storage.ENDPOINTS,
        *users.ENDPOINTS, *groups.ENDPOINTS, *roles.ENDPOINTS, *tokens.ENDPOINTS, acl.update, *pools.ENDPOINTS,
    )
}  # fmt: skip
"""The calls that a revert is made of."""


_Steps = Callable[[Back, Mapping[str, str]], Way]


class MadeCall(msgspec.Struct, frozen=True, kw_only=True):
    """One of the calls that brought the options back."""

    call: str
    params: dict[str, str]


class Reverted(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back, by which calls, and what one should know of it."""

    revision: str
    calls: list[MadeCall]
    warnings: list[str]


def revert(call: Call, deeds: Sequence[Deed]) -> Reverted:
    """Take back these deeds of one revision; refused as a whole if one of them can't be."""
    revision = deeds[0].past.revision
    ways = [_way(call, deed) for deed in deeds]
    steps = [step for way in ways for step in way.steps]
    warnings = [warning for way in ways for warning in way.warnings]
    if not steps:
        what = "; ".join(warnings) or "what it changed is as it was before, or is nothing that a call sets"
        raise Error(f"there is nothing to revert of revision {revision}: {what}")
    with parts_of(call) as parts:
        for step in steps:
            try:
                parts.make(CALLS[step.call], step.params)
            except ParamError as exc:
                raise ParamError(
                    {"revision": _told(exc)}, f"revision {revision} can't be reverted: {_told(exc)}"
                ) from exc
        if parts.volumes:
            names = ", ".join(sorted({f"{each.verb} {each.volid}" for each in parts.volumes}))
            raise Error(f"a revert makes, changes and removes no volume; that of revision {revision} would: {names}")
    parts.finish(f"revert of revision {revision}", warnings)
    made = [MadeCall(call=step.call, params=step.params) for step in steps]
    return Reverted(revision=str(revision), calls=made, warnings=warnings)


def _told(error: ParamError) -> str:
    texts = {name: "no call changes it" if text == UNKNOWN else text for name, text in error.errors.items()}
    return "; ".join(f"{name}: {text}" for name, text in texts.items())


def _way(call: Call, deed: Deed) -> Way:
    key = deed.past.key
    if deed.hidden:
        return Way((), [f"'{deed.path}' stays as it is: its texts are not for the history's readers"])
    if key.startswith(GUEST):
        return _guest(call, deed)
    if key.startswith(NODE):
        return _options(call, deed, settings.write_config, lambda text: node_config.read(text).texts())
    if key == datacenter.KEY:
        return _options(call, deed, options.write, lambda text: datacenter.parse(text).texts())
    if key == storage_config.KEY:
        parse = call.app.storage.parse
        return _sections(call, deed, lambda text: storage_revert.items(parse, text), storage_revert.steps)
    if key == USER_CONFIG:
        return _sections(call, deed, access_revert.items, access_revert.steps)
    raise Error(f"no call changes '{deed.path}' in a way that could take back revision {deed.past.revision}")


def _now(call: Call, deed: Deed) -> str:
    doc = call.tree.get(deed.past.key)
    return redact(doc.text) if doc else ""


def _back(call: Call, deed: Deed, read: Read) -> Back:
    return back(deed.past, deed.later, _now(call, deed), read)


def _guest(call: Call, deed: Deed) -> Way:
    """On its current owner only; a guest that was made, removed or replaced is nothing that options bring back."""
    vmid, revision = int(deed.past.key.removeprefix(GUEST)), deed.past.revision
    if deed.past.before is None or deed.past.after is None:
        verb = "created" if deed.past.before is None else "removed"
        raise Error(f"revision {revision} {verb} guest {vmid}: a revert makes and removes no guest")
    guest = records.find(call.tree, vmid)
    if guest is None or any(None in (past.before, past.after) for past in deed.later):
        raise Error(f"the guest {vmid} of revision {revision} has been removed since")
    if guest.kind != "qemu":
        raise Error(f"guest {vmid} is a container: its options can't be changed here yet")
    found = _back(call, deed, qemu_revert.items)
    steps = qemu_revert.steps(vmid, guest.node, found.wanted, guest.text) if found.wanted else []
    return Way(steps, found.warnings)


def _options(call: Call, deed: Deed, endpoint: Endpoint, read: Read) -> Way:
    found = _back(call, deed, read)
    doc = call.tree.get(deed.past.key)
    where = {"node": doc.header.get("name", call.app.node)} if "node" in endpoint.path_params and doc else {}
    steps = options_revert.steps(endpoint.pair, where, found.wanted) if found.wanted else []
    return Way(steps, found.warnings)


def _sections(call: Call, deed: Deed, read: Read, steps_of: _Steps) -> Way:
    found = _back(call, deed, read)
    way = steps_of(found, read(_now(call, deed)))
    return Way(way.steps, [*found.warnings, *way.warnings])
