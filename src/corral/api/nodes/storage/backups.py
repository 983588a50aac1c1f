"""Which backups are kept, and what is in them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.api import shapes
from corral.app import Call
from corral.core.errors import Error
from corral.rest import Endpoint, anyone, endpoint, need_any
from corral.schema.fields import doc, name
from corral.schema.types import VMID, NodeName, StorageId, TaskId
from corral.storage.access import check_volume
from corral.storage.base import PruneBackups
from corral.storage.work import Prune, marked

_PATH = "/nodes/{node}/storage/{storage}"
Rules = Annotated[
    PruneBackups | None, name("prune-backups"), doc("Which backups to keep, instead of the storage's own rules.")
]
GuestType = Annotated[Literal["qemu", "lxc"] | None, doc("Only backups of guests of this type.")]
Owner = Annotated[VMID | None, doc("Only backups of this guest.")]


def _args(storage: str, rules: PruneBackups | None, kind: Literal["qemu", "lxc"] | None, vmid: int | None) -> Prune:
    return Prune(storage=storage, rules=str(rules) if rules is not None else None, vmid=vmid, guest_type=kind)


@endpoint(
    "GET",
    f"{_PATH}/prunebackups",
    allow=need_any("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace"),
    runs="node",
    root=True,
    pool="storage/{storage}",
)
def dryrun(
    call: Call,
    node: NodeName,
    storage: StorageId,
    *,
    prune_backups: Rules = None,
    type: GuestType = None,
    vmid: Owner = None,
) -> shapes.Backups:
    """Get prune information for backups. NOTE: this is only a preview."""
    rows = marked(call.app.storage, _args(storage, prune_backups, type, vmid))
    return [row._asdict() for row in rows]


@endpoint(
    "DELETE",
    f"{_PATH}/prunebackups",
    allow=anyone("Datastore.Allocate on the storage; for one guest Datastore.AllocateSpace there and VM.Backup on it"),
    runs="node",
    root=True,
    pool="storage/{storage}",
    example={"node": "localhost", "storage": "local", "prune-backups": "keep-last=1"},
)
def delete(
    call: Call,
    node: NodeName,
    storage: StorageId,
    *,
    prune_backups: Rules = None,
    type: GuestType = None,
    vmid: Owner = None,
) -> TaskId:
    """Prune backups. Only those using the standard naming scheme are considered."""
    if vmid is not None and not call.may(f"/storage/{storage}", "Datastore.Allocate"):
        call.need(f"/storage/{storage}", "Datastore.AllocateSpace")
        call.need(f"/vms/{vmid}", "VM.Backup")
    elif vmid is None:
        call.need(f"/storage/{storage}", "Datastore.Allocate")
    return call.spawn(_args(storage, prune_backups, type, vmid))


FilePath = Annotated[str, doc("Base64 of the path in the backup, or `/`.")]


def _refuse(call: Call, storage: str, volume: str, filepath: str) -> None:
    check_volume(call.app.storage, call, volume if ":" in volume else f"{storage}:{volume}", content="backup")
    kind = call.app.storage.config().section(storage).type
    why = f"storage '{storage}' has type '{kind}', and single files are restored from a backup server only"
    raise Error(f"can't look for '{filepath}': {why}")


@endpoint(
    "GET",
    f"{_PATH}/file-restore/list",
    allow=anyone("who may use the backup may look into it"),
    runs="node",
    root=True,
    pool="storage/{storage}",
)
def restore_list(
    call: Call, node: NodeName, storage: StorageId, volume: Annotated[str, doc("The backup.")], filepath: FilePath
) -> list[dict[str, Any]]:
    """List files and directories of a backup. No storage type that can do this is supported yet."""
    _refuse(call, storage, volume, filepath)
    return []


@endpoint(
    "GET",
    f"{_PATH}/file-restore/download",
    allow=anyone("who may use the backup may look into it"),
    runs="node",
    root=True,
    pool="storage/{storage}",
    download=True,
)
def restore_download(
    call: Call,
    node: NodeName,
    storage: StorageId,
    volume: Annotated[str, doc("The backup.")],
    filepath: FilePath,
    *,
    tar: Annotated[bool, doc("Directories as tar instead of zip.", default=False)] = False,
) -> None:
    """Extract a file of a backup. No storage type that can do this is supported yet."""
    _refuse(call, storage, volume, filepath)


ENDPOINTS: tuple[Endpoint, ...] = (dryrun, delete, restore_list, restore_download)
