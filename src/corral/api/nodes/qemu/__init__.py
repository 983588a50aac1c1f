"""/nodes/{node}/qemu: virtual machines."""

from __future__ import annotations

from corral.api.nodes.qemu import agent, bulk, cloudinit, config, consoles, figures, machines, power
from corral.rest import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *machines.ENDPOINTS,
    *config.ENDPOINTS,
    *power.ENDPOINTS,
    *agent.ENDPOINTS,
    *cloudinit.ENDPOINTS,
    *consoles.ENDPOINTS,
    *figures.ENDPOINTS,
    *bulk.ENDPOINTS,
)
