"""`/version`."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

import msgspec

from corral import __version__
from corral.app import Call
from corral.rest import anyone, endpoint
from corral.schema.fields import doc

API_LEVEL = "9.2"
"""The Proxmox VE API that is spoken."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """The API's level, as clients of Proxmox VE read it, and beside it who answers."""

    version: Annotated[str, doc("Level of the API.")]
    release: Annotated[str, doc("Level of the API.")]
    repoid: Annotated[str, doc("Tells builds apart.")]
    product: Annotated[str, doc("Name of the implementation.")]
    corral: Annotated[str, doc("Its version.")]
    console: Annotated[str | None, doc("Preferred console.")] = None


@endpoint("GET", "/version", allow=anyone("the version is no secret to users"))
def version(call: Call) -> Version:
    """Get the API's version."""
    options = call.tree.get("datacenter.cfg")
    console = re.search(r"^console:\s*(applet|vv|html5|xtermjs)\s*$", options.text if options else "", re.MULTILINE)
    return Version(
        version=API_LEVEL,
        release=API_LEVEL,
        repoid=hashlib.sha256(__version__.encode()).hexdigest()[:16],
        product="Corral",
        corral=__version__,
        console=console[1] if console else None,
    )


ENDPOINTS = (version,)
