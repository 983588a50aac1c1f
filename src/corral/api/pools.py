"""`/pools`: guests and storages taken together, to give permissions on all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from corral.access.records import Pool, UserConfig
from corral.api.access.edit import change_users, need_perm_modify
from corral.app import Call
from corral.core.errors import AlreadyExists, Error, NotFound
from corral.guests import records
from corral.rest import anyone, endpoint, need
from corral.schema import formats
from corral.schema.fields import between, doc, length, name, requires
from corral.schema.types import PoolId

MemberType = Literal["qemu", "lxc", "storage"]

_ALLOCATE = need("/pool/{poolid}", "Pool.Allocate")
_Comment = Annotated[str, length(0, 4096), doc("Description.")]
_Vms = Annotated[tuple[Annotated[int, formats.VMID, between(100, 999999999)], ...], doc("Guests to add or remove.")]
_Storages = Annotated[tuple[Annotated[str, formats.STORAGE_ID], ...], doc("Storages to add or remove.")]
_AllowMove = Annotated[bool, name("allow-move"), doc("Take guests out of the pool they are in.")]
_Delete = Annotated[bool, doc("Remove the guests and storages instead of adding them.")]
_Type = Annotated[MemberType, doc("Only members of this type.")]


class PoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pool; `members` when one pool was asked for."""

    poolid: str
    comment: str | None = None
    members: list[dict[str, Any]] | None = None


class PoolDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A pool and its members."""

    members: list[dict[str, Any]]
    comment: str | None = None


@endpoint("GET", "/pools", allow=anyone("lists only pools that the caller may see"))
def index(
    call: Call,
    *,
    poolid: PoolId | None = None,
    type: Annotated[_Type, requires("poolid")] | None = None,
) -> list[PoolRow]:
    """List pools, or one with its members."""
    config = call.app.access.users
    if poolid is None:
        visible = call.app.access.rights.visible(call.who, "Pool.Audit")
        return [
            PoolRow(poolid=key, comment=pool.comment or None)
            for key, pool in sorted(config.pools.items())
            if visible(f"/pool/{key}")
        ]
    call.need(f"/pool/{poolid}", "Pool.Audit")
    pool = _need_pool(config, poolid)
    return [PoolRow(poolid=poolid, comment=pool.comment or None, members=_members(call, pool, type))]


@endpoint("GET", "/pools/{poolid}", allow=need("/pool/{poolid}", "Pool.Audit"))
def read(call: Call, poolid: PoolId, *, type: _Type | None = None) -> PoolDetails:
    """Get a pool and its members."""
    pool = _need_pool(call.app.access.users, poolid)
    return PoolDetails(members=_members(call, pool, type), comment=pool.comment or None)


def _members(call: Call, pool: Pool, kind: str | None) -> list[dict[str, Any]]:
    rows = [*_guests(call, pool), *_storages(call, pool)]
    return [row for row in rows if kind in (None, row["type"])]


def _guests(call: Call, pool: Pool) -> list[dict[str, Any]]:
    rows = []
    for vmid in sorted(pool.vms):
        guest = records.find(call.tree, vmid)
        if guest is None:
            continue
        row = {"id": f"{guest.kind}/{vmid}", "type": guest.kind, "vmid": vmid, "node": guest.node}
        status = call.app.board.guest(vmid)
        if status is not None:
            words = ("status", "uptime", "cpu", "maxcpu", "mem", "maxmem", "disk", "maxdisk", "netin", "netout")
            row |= {word: getattr(status, word) for word in words}
        rows.append(row)
    return rows


def _storages(call: Call, pool: Pool) -> list[dict[str, Any]]:
    rows = []
    for each in call.app.board.storages():
        if each.storage in pool.storages:
            row = {"id": f"storage/{each.node}/{each.storage}", "type": "storage", "storage": each.storage}
            rows.append(row | {"node": each.node, "disk": each.used, "maxdisk": each.total, "content": each.content})
    shown = {row["storage"] for row in rows}
    here = call.app.node
    return rows + [
        {"id": f"storage/{here}/{key}", "type": "storage", "storage": key, "node": here}
        for key in sorted(pool.storages - shown)
    ]


@endpoint("POST", "/pools", allow=_ALLOCATE, example={"poolid": "newpool", "comment": "made by an example"})
def create(call: Call, poolid: PoolId, *, comment: _Comment = "") -> None:
    """Create a pool."""

    def decide(config: UserConfig) -> UserConfig:
        if poolid in config.pools:
            raise AlreadyExists(f"create pool failed: pool '{poolid}' already exists")
        parent = poolid.rpartition("/")[0]
        if parent and parent not in config.pools:
            raise NotFound(f"create pool failed: parent '{parent}' of nested pool '{poolid}' does not exist")
        return config.with_pool(Pool(poolid=poolid, comment=comment))

    change_users(call, decide)


@endpoint("PUT", "/pools", allow=_ALLOCATE, example={"poolid": "lab", "comment": "changed by an example"})
def update(
    call: Call,
    poolid: PoolId,
    *,
    comment: _Comment | None = None,
    vms: _Vms | None = None,
    storage: _Storages | None = None,
    allow_move: _AllowMove = False,
    delete: _Delete = False,
) -> None:
    """Change a pool."""
    _update(call, poolid, comment, vms or (), storage or (), allow_move=allow_move, delete=delete)


@endpoint("PUT", "/pools/{poolid}", allow=_ALLOCATE, example={"poolid": "lab", "comment": "changed by an example"})
def update_deprecated(
    call: Call,
    poolid: PoolId,
    *,
    comment: _Comment | None = None,
    vms: _Vms | None = None,
    storage: _Storages | None = None,
    allow_move: _AllowMove = False,
    delete: _Delete = False,
) -> None:
    """Change a pool (for names without slash; `PUT /pools` does for all)."""
    _update(call, poolid, comment, vms or (), storage or (), allow_move=allow_move, delete=delete)


def _update(
    call: Call,
    poolid: str,
    comment: str | None,
    vms: Sequence[int],
    storages: Sequence[str],
    *,
    allow_move: bool,
    delete: bool,
) -> None:
    # Who puts something into a pool gives the pool's users rights on it, and takes them away by removing it.
    for vmid in vms:
        need_perm_modify(call, f"/vms/{vmid}")
    for key in storages:
        need_perm_modify(call, f"/storage/{key}")

    def decide(config: UserConfig) -> UserConfig:
        pool = _need_pool(config, poolid)
        if comment is not None:
            pool = msgspec.structs.replace(pool, comment=comment)
        config = config.with_pool(pool)
        for vmid in vms:
            config = (
                _without_guest(config, poolid, vmid) if delete else _with_guest(call, config, poolid, vmid, allow_move)
            )
        return config.with_pool(_with_storages(call, config.pools[poolid], storages, delete=delete))

    change_users(call, decide)


def _with_guest(call: Call, config: UserConfig, poolid: str, vmid: int, allow_move: bool) -> UserConfig:
    present = config.pool_of(vmid)
    if records.find(call.tree, vmid) is None:
        raise NotFound(f"update pools failed: VM {vmid} does not exist")
    if present == poolid:
        raise Error(f"update pools failed: VM {vmid} is already a pool member")
    if present is not None:
        if not allow_move:
            raise Error(
                f"update pools failed: VM {vmid} belongs already to pool '{present}' and 'allow-move' is not set"
            )
        need_perm_modify(call, f"/pool/{present}")
    return config.with_guest_in(vmid, poolid)


def _without_guest(config: UserConfig, poolid: str, vmid: int) -> UserConfig:
    if config.pool_of(vmid) != poolid:
        raise Error(f"update pools failed: VM {vmid} is not a pool member")
    return config.with_guest_in(vmid, None)


def _with_storages(call: Call, pool: Pool, storages: Sequence[str], *, delete: bool) -> Pool:
    for key in storages:
        if delete and key not in pool.storages:
            raise Error(f"update pools failed: Storage '{key}' is not a pool member")
        if not delete and key in pool.storages:
            raise Error(f"update pools failed: Storage '{key}' is already a pool member")
        if not delete and key not in call.app.storage.ids():
            raise NotFound(f"update pools failed: storage '{key}' does not exist")
    changed = pool.storages - frozenset(storages) if delete else pool.storages | frozenset(storages)
    return msgspec.structs.replace(pool, storages=changed)


@endpoint("DELETE", "/pools", allow=_ALLOCATE, example={"poolid": "lab"})
def delete(call: Call, poolid: PoolId) -> None:
    """Delete an empty pool."""
    _delete(call, poolid)


@endpoint("DELETE", "/pools/{poolid}", allow=_ALLOCATE, example={"poolid": "lab"})
def delete_deprecated(call: Call, poolid: PoolId) -> None:
    """Delete an empty pool (for names without slash; `DELETE /pools` does for all)."""
    _delete(call, poolid)


def _delete(call: Call, poolid: str) -> None:
    def decide(config: UserConfig) -> UserConfig:
        pool = _need_pool(config, poolid)
        if not pool.empty:
            raise Error(f"delete pool failed: pool '{poolid}' is not empty")
        if any(key.startswith(f"{poolid}/") for key in config.pools):
            raise Error(f"delete pool failed: pool '{poolid}' has sub-pools")
        return config.without_pool(poolid)

    change_users(call, decide)


def _need_pool(config: UserConfig, poolid: str) -> Pool:
    pool = config.pools.get(poolid)
    if pool is None:
        raise NotFound(f"pool '{poolid}' does not exist")
    return pool


ENDPOINTS = (index, read, create, update, update_deprecated, delete, delete_deprecated)
