"""/nodes/{node}/storage: the storages as this node sees them."""

from __future__ import annotations

from typing import Annotated, Any

from corral.api import shapes
from corral.api.nodes.storage import backups, content, files, sources
from corral.app import Call
from corral.metrics.sampler import storage_series
from corral.metrics.series import Consolidation, Timeframe
from corral.rest import Endpoint, anyone, endpoint, need_any
from corral.schema import formats
from corral.schema.fields import doc
from corral.schema.types import NodeName, StorageId
from corral.storage.access import may_see_storage
from corral.storage.service import Storages, StorageStatus

SEE = need_any("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")


def _row(status: StorageStatus) -> dict[str, Any]:
    row: dict[str, Any] = {
        "storage": status.storage,
        "type": status.section.type,
        "content": ",".join(status.content),
        "enabled": status.enabled,
        "active": status.active,
        "shared": status.shared,
    }
    if status.room is not None:
        row |= {"total": status.room.total, "used": status.room.used, "avail": status.room.available}
    else:
        row |= {"total": 0, "used": 0, "avail": 0}
    return row


def _with_formats(storages: Storages, row: dict[str, Any]) -> dict[str, Any]:
    storage = storages.get(row["storage"])
    shown = {"supported": list(storage.can.formats), "default": storage.default_format}
    return {**row, "formats": shown, "select_existing": False}


@endpoint(
    "GET",
    "/nodes/{node}/storage",
    allow=anyone("lists only the storages on which the caller has Datastore.Audit or AllocateSpace"),
    runs="node",
    root=True,
)
def index(
    call: Call,
    node: NodeName,
    *,
    content: Annotated[
        tuple[Annotated[str, formats.CONTENT], ...], doc("Only storages that may hold one of these content types.")
    ] = (),
    enabled: Annotated[bool, doc("Only storages that are enabled, for this node too.", default=False)] = False,
    format: Annotated[bool, doc("Tell which image formats each one has.", default=False)] = False,
    storage: Annotated[StorageId | None, doc("Only this storage.")] = None,
    target: Annotated[
        NodeName | None, doc("If it is another node: only shared storages that both nodes can use.")
    ] = None,
) -> shapes.StorageStates:
    """Get status for all datastores."""
    storages = call.app.storage
    rows = []
    for ident in storages.ids():
        if storage not in (None, ident) or not may_see_storage(call, ident):
            continue
        status = storages.status(ident)
        if (enabled and not status.enabled) or (content and not set(content) & set(status.content)):
            continue
        if target is not None and target != node and not _reaches(status, target):
            continue
        row = _row(status)
        if status.room is not None and status.room.total:
            row["used_fraction"] = status.room.used / status.room.total
        rows.append(_with_formats(storages, row) if format and status.section.config is not None else row)
    return rows


def _reaches(status: StorageStatus, target: str) -> bool:
    config = status.section.config
    return status.shared and config is not None and (not config.nodes or target in config.nodes)


@endpoint("GET", "/nodes/{node}/storage/{storage}", allow=SEE)
def diridx(call: Call, node: NodeName, storage: StorageId) -> list[dict[str, Any]]:
    """Directory index."""
    call.app.storage.config().section(storage)
    words = (
        "content",
        "download-url",
        "file-restore",
        "identity",
        "import-metadata",
        "oci-registry-pull",
        "prunebackups",
        "rrddata",
        "status",
        "upload",
    )
    return [{"subdir": word} for word in words]


@endpoint("GET", "/nodes/{node}/storage/{storage}/status", allow=SEE, runs="node", root=True, pool="storage/{storage}")
def read_status(call: Call, node: NodeName, storage: StorageId) -> shapes.StateOfStorage:
    """Read storage status."""
    row = _row(call.app.storage.status(storage))
    del row["storage"]
    return row


@endpoint(
    "GET", "/nodes/{node}/storage/{storage}/identity", allow=SEE, runs="node", root=True, pool="storage/{storage}"
)
def identity(call: Call, node: NodeName, storage: StorageId) -> dict[str, str]:
    """What is the same for two configurations of one storage, and different for others."""
    storages = call.app.storage
    return {"id": storages.identity(storage), "type": storages.config().section(storage).type}


@endpoint("GET", "/nodes/{node}/storage/{storage}/rrddata", allow=SEE, runs="node", root=True)
def rrddata(
    call: Call,
    node: NodeName,
    storage: StorageId,
    timeframe: Annotated[Timeframe, doc("The time frame of the figures.")],
    *,
    cf: Annotated[Consolidation, doc("How several samples become one.")] = "AVERAGE",
) -> list[dict[str, float | int]]:
    """Read storage RRD statistics."""
    call.app.storage.config().section(storage)
    return call.app.metrics.fetch("storage", storage_series(node, storage), timeframe, cf)


ENDPOINTS: tuple[Endpoint, ...] = (
    index,
    diridx,
    read_status,
    identity,
    rrddata,
    *content.ENDPOINTS,
    *files.ENDPOINTS,
    *backups.ENDPOINTS,
    *sources.ENDPOINTS,
)
