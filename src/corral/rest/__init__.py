"""Endpoints: their declaration, routing, permission check, plans and dispatch. Knows no HTTP."""

from corral.rest.call import Call, Reply, Request
from corral.rest.endpoint import Endpoint, endpoint, never
from corral.rest.permission import (
    all_of,
    any_of,
    anyone,
    need,
    need_any,
    perm_modify,
    root_alone,
    user_group,
    user_param,
    world,
)
from corral.rest.results import Console, Download, Events, Frame, Listing, Wire

__all__ = [
    "Call",
    "Console",
    "Download",
    "Endpoint",
    "Events",
    "Frame",
    "Listing",
    "Reply",
    "Request",
    "Wire",
    "all_of",
    "any_of",
    "anyone",
    "endpoint",
    "need",
    "need_any",
    "never",
    "perm_modify",
    "root_alone",
    "user_group",
    "user_param",
    "world",
]
