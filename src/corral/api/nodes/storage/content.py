"""/nodes/{node}/storage/{storage}/content: volumes."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from corral.api import shapes
from corral.app import Call
from corral.core.errors import Error, ParamError
from corral.rest import Endpoint, anyone, endpoint, need, need_any
from corral.schema import formats
from corral.schema.fields import between, doc, pattern, requires
from corral.schema.types import VMID, NodeName, StorageId, TaskId
from corral.storage.access import check_removal, check_volume, may_use
from corral.storage.base import CONTENTS
from corral.storage.service import parse_volid
from corral.storage.work import Allocate, Copy, ImgDel, SetAttributes

Volume = Annotated[str, doc("The volume: `STORAGE:VOLNAME`, or its name in the storage.")]
WAITING = "storage/{storage}/waiting"
"""The pool of calls that wait for a task: they must not keep lists of the storage waiting."""
_PATH = "/nodes/{node}/storage/{storage}/content"
_UNITS = {"": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_IN_CODE = "what may be done depends on the volume: see who may use and who may remove it"


def volume_id(storage: str, volume: str) -> str:
    """The id of a volume given by id or by its name in the storage."""
    if ":" not in volume:
        return f"{storage}:{volume}"
    if parse_volid(volume).storage != storage:
        raise ParamError({"volume": f"storage ID mismatch ({parse_volid(volume).storage} != {storage})"})
    return volume


@endpoint(
    "GET",
    _PATH,
    allow=need_any("/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace"),
    runs="node",
    root=True,
    pool="storage/{storage}",
)
def index(
    call: Call,
    node: NodeName,
    storage: StorageId,
    *,
    content: Annotated[str | None, formats.CONTENT, doc("Only volumes of this content type.")] = None,
    vmid: Annotated[VMID | None, doc("Only volumes of this guest.")] = None,
) -> shapes.Volumes:
    """List storage content."""
    storages = call.app.storage
    contents = (content,) if content else CONTENTS
    plugin = storages.need_enabled(storage)
    rows = []
    for volume, row in storages.list(storage, vmid=vmid, contents=contents):
        if may_use(call, storage, plugin.parse(row.volname), vmid=vmid):
            shown = {"volid": volume, **row._asdict(), "protected": row.protected or None}
            rows.append({key: value for key, value in shown.items() if key != "volname" and value is not None})
    return rows


@endpoint(
    "POST",
    _PATH,
    allow=need("/storage/{storage}", "Datastore.AllocateSpace"),
    runs="node",
    root=True,
    pool=WAITING,
    example={"node": "localhost", "storage": "local", "filename": "vm-4711-disk-7.qcow2", "vmid": 4711, "size": "1M"},
)
def create(
    call: Call,
    node: NodeName,
    storage: StorageId,
    *,
    filename: Annotated[str, doc("The name of the file to create, such as `vm-100-disk-1.qcow2`.")],
    size: Annotated[str, pattern(r"\d{1,12}[MG]?"), doc("Size in KiB, or in MiB or GiB with the suffix `M` or `G`.")],
    vmid: Annotated[VMID, doc("The guest that will own it.")],
    format: Annotated[
        Literal["raw", "qcow2", "subvol", "vmdk"] | None,
        requires("size"),
        doc("The image's format; else as in its name."),
    ] = None,
) -> str:
    """Allocate disk images."""
    ending = re.search(r"\.(raw|qcow2|vmdk|subvol)$", filename)
    if ending and format not in (None, ending[1]):
        raise ParamError({"format": f"different storage formats specified ({format} != {ending[1]})"})
    name = filename if ending else f"{filename}.{format or call.app.storage.default_format(storage)}"
    number = int(size.rstrip("MG"))
    volume = f"{storage}:{vmid}/{name}"
    call.run(Allocate(volid=volume, size=number * _UNITS[size.lstrip("0123456789")]))
    return volume


@endpoint("GET", f"{_PATH}/{{volume}}", allow=anyone(_IN_CODE), runs="node", root=True, pool="storage/{storage}")
def info(call: Call, node: NodeName, storage: StorageId, volume: Volume) -> shapes.OneVolume:
    """Get volume attributes."""
    wanted = volume_id(storage, volume)
    check_volume(call.app.storage, call, wanted)
    found = call.app.storage.info(wanted)
    shown = {
        "path": str(call.app.storage.path(wanted)),
        "size": found.size,
        "used": found.used,
        "format": found.format,
        "notes": found.notes,
        "protected": found.protected or None,
    }
    return {key: value for key, value in shown.items() if value is not None}


@endpoint(
    "POST",
    f"{_PATH}/{{volume}}",
    allow=anyone(_IN_CODE),
    runs="node",
    root=True,
    pool="storage/{storage}",
    example={
        "node": "localhost",
        "storage": "local",
        "volume": "4712/vm-4712-disk-0.raw",
        "target": "4712/vm-4712-disk-9.qcow2",
    },
)
def copy(
    call: Call,
    node: NodeName,
    storage: StorageId,
    volume: Volume,
    target: Annotated[str, doc("The new volume: `STORAGE:VOLNAME`, or its name in the storage.")],
    *,
    target_node: Annotated[NodeName | None, doc("The node on which the new volume is to be.")] = None,
) -> TaskId:
    """Copy a volume."""
    if target_node not in (None, node, call.app.node):
        raise Error(f"no such cluster node '{target_node}'")
    source = volume_id(storage, volume)
    wanted = target if ":" in target else f"{storage}:{target}"
    check_volume(call.app.storage, call, source)
    call.need(f"/storage/{parse_volid(wanted).storage}", "Datastore.AllocateSpace")
    return call.spawn(Copy(source=source, target=wanted))


@endpoint(
    "PUT",
    f"{_PATH}/{{volume}}",
    allow=anyone(_IN_CODE),
    runs="node",
    root=True,
    pool=WAITING,
    example={
        "node": "localhost",
        "storage": "local",
        "volume": "backup/vzdump-qemu-4711-2026_01_31-04_00_00.vma.zst",
        "notes": "before the upgrade",
    },
)
def updateattributes(
    call: Call,
    node: NodeName,
    storage: StorageId,
    volume: Volume,
    *,
    notes: Annotated[str | None, doc("New notes; empty removes them.")] = None,
    protected: Annotated[bool | None, doc("Whether the volume is protected from removal and pruning.")] = None,
) -> None:
    """Update volume attributes."""
    wanted = volume_id(storage, volume)
    check_volume(call.app.storage, call, wanted)
    check_removal(call.app.storage, call, wanted)
    most = call.app.storage.need_enabled(storage).config.max_protected_backups
    if most is None:
        most = -1 if call.may(f"/storage/{storage}", "Datastore.Allocate") else 5
    call.run(SetAttributes(volid=wanted, notes=notes, protected=protected, most=most))


@endpoint(
    "DELETE",
    f"{_PATH}/{{volume}}",
    allow=anyone(_IN_CODE),
    runs="node",
    root=True,
    pool=WAITING,
    example={"node": "localhost", "storage": "local", "volume": "4712/vm-4712-disk-1.raw"},
)
def delete(
    call: Call,
    node: NodeName,
    storage: StorageId,
    volume: Volume,
    *,
    delay: Annotated[
        int | None, between(1, 30), doc("Wait so many seconds for the end of the task; then nothing is answered.")
    ] = None,
) -> TaskId | None:
    """Delete volume."""
    wanted = volume_id(storage, volume)
    check_removal(call.app.storage, call, wanted)
    upid = call.spawn(ImgDel(volid=wanted))
    if delay is not None and not call.planning and call.app.tasks.wait(upid, delay):
        return None
    return upid


ENDPOINTS: tuple[Endpoint, ...] = (index, create, info, copy, updateattributes, delete)
