"""The declarations: the file tree is the URL tree. `endpoints()` is all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from corral.api import access, cluster, pools, storage, version
from corral.api.nodes import host, qemu, tasks
from corral.api.nodes import storage as node_storage
from corral.rest.endpoint import Endpoint

INDEX_KEYS: Final[Mapping[str, str]] = {
    "/cluster": "name",
    "/cluster/backup-info": "subdir",
    "/cluster/ha": "id",
    "/cluster/metrics": "name",
    "/nodes/{node}": "name",
    "/nodes/{node}/capabilities": "name",
    "/nodes/{node}/capabilities/qemu": "name",
    "/nodes/{node}/certificates": "name",
    "/nodes/{node}/hardware": "type",
    "/nodes/{node}/hardware/pci/{pci-id-or-mapping}": "method",
    "/nodes/{node}/qemu/{vmid}/agent": "name",
    "/nodes/{node}/scan": "method",
    "/nodes/{node}/tasks/{upid}": "name",
}
"""The key that rows of a generated index have, where it is not `subdir`: clients look for it."""


def endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint there is, without the indexes that the router makes."""
    return (
        *access.ENDPOINTS,
        *cluster.ENDPOINTS,
        *host.ENDPOINTS,
        *node_storage.ENDPOINTS,
        *pools.ENDPOINTS,
        *qemu.ENDPOINTS,
        *storage.ENDPOINTS,
        *tasks.ENDPOINTS,
        *version.ENDPOINTS,
    )
