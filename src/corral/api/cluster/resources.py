"""`/cluster/resources`: everything there is, in one list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from corral.api import shapes
from corral.api.nodes.host.index import node_names
from corral.app import Call
from corral.metrics.board import StorageStatus
from corral.metrics.resources import encode_rows, joined, node_rows, pool_rows, storage_rows
from corral.rest import anyone, endpoint
from corral.rest.results import Wire
from corral.schema import doc

_SEES = ("Datastore.Audit", "Datastore.AllocateSpace")


@endpoint("GET", "/cluster/resources", allow=anyone("each row is shown to those who may see its object"))
def resources(
    call: Call,
    *,
    type: Annotated[Literal["vm", "storage", "node", "sdn"], doc("Only rows of this kind.")] | None = None,
) -> shapes.Resources:
    """List guests, nodes, storages and pools that the caller may see, with their status."""
    parts: list[bytes] = []
    if type in (None, "vm"):
        parts += call.app.rows.encoded(call.who.full, lambda vmid: call.may(f"/vms/{vmid}", "VM.Audit"))
    if type in (None, "node"):
        detailed = lambda node: call.may(f"/nodes/{node}", "Sys.Audit")  # noqa: E731 - reads best beside its use
        parts += encode_rows(node_rows(call.app.board, node_names(call.app), detailed))
    if type in (None, "storage"):
        parts += encode_rows(storage_rows(_storages(call)))
    if type is None:
        pools = sorted(call.app.access.users.pools)
        parts += encode_rows(pool_rows(pool for pool in pools if call.may(f"/pool/{pool}", "Pool.Audit")))
    return Wire(joined(parts))


def _storages(call: Call) -> Iterator[StorageStatus]:
    """The enabled storages that the caller may see; one that was just made is there before it has been looked at."""
    storages = call.app.storage
    for storage in storages.ids():
        if not storages.enabled(storage) or not call.may_any(f"/storage/{storage}", *_SEES):
            continue
        seen = call.app.board.storage(call.app.node, storage)
        if seen is None:
            kind = storages.config().section(storage).type
            seen = StorageStatus(storage=storage, node=call.app.node, plugin=kind, active=False)
        yield seen


ENDPOINTS = (resources,)
