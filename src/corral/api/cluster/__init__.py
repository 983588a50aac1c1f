"""`/cluster`."""

from __future__ import annotations

from corral.api.cluster import events, history, options, resources, status

ENDPOINTS = (
    *events.ENDPOINTS,
    *history.ENDPOINTS,
    *options.ENDPOINTS,
    *resources.ENDPOINTS,
    *status.ENDPOINTS,
)
