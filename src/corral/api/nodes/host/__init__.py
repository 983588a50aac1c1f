"""`/nodes` and `/nodes/{node}`: the machine itself."""

from __future__ import annotations

from corral.api.nodes.host import (
    capabilities,
    execute,
    hardware,
    index,
    logs,
    network,
    rrd,
    scan,
    services,
    settings,
    shell,
    url,
)

ENDPOINTS = (
    *index.ENDPOINTS,
    *settings.ENDPOINTS,
    *logs.ENDPOINTS,
    *services.ENDPOINTS,
    *hardware.ENDPOINTS,
    *scan.ENDPOINTS,
    *network.ENDPOINTS,
    *rrd.ENDPOINTS,
    *shell.ENDPOINTS,
    *url.ENDPOINTS,
    *execute.ENDPOINTS,
    *capabilities.ENDPOINTS,
)
