"""`/cluster`."""

from __future__ import annotations

from corral.api.cluster import events, options, resources, status

ENDPOINTS = (*events.ENDPOINTS, *options.ENDPOINTS, *resources.ENDPOINTS, *status.ENDPOINTS)
