"""What an import would make of a file."""

from __future__ import annotations

from typing import Annotated, Any

from corral.app import Call
from corral.rest import Endpoint, anyone, endpoint
from corral.schema.fields import doc
from corral.schema.types import NodeName, StorageId
from corral.storage.access import check_volume
from corral.storage.ova import metadata


@endpoint(
    "GET",
    "/nodes/{node}/storage/{storage}/import-metadata",
    allow=anyone("who may use the volume may look into it"),
    runs="node",
    root=True,
    pool="storage/{storage}",
)
def get_import_metadata(
    call: Call,
    node: NodeName,
    storage: StorageId,
    volume: Annotated[str, doc("The volume to look into: an OVA, an OVF or a disk image in `import`.")],
) -> dict[str, Any]:
    """Get the base parameters for creating a guest which imports data from a foreign importable guest."""
    wanted = volume if ":" in volume else f"{storage}:{volume}"
    check_volume(call.app.storage, call, wanted, content="import")
    return metadata(call.app.storage, wanted)


ENDPOINTS: tuple[Endpoint, ...] = (get_import_metadata,)
