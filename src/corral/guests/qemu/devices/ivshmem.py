"""Memory shared between guests of a node."""

from __future__ import annotations

from typing import Annotated

from corral.schema.fields import between, doc, pattern
from corral.schema.propstring import PropertyString


class Ivshmem(PropertyString, frozen=True, kw_only=True):
    """Shared memory: `size=32,name=foo`."""

    size: Annotated[int, between(1), doc("Size in MiB.")]
    name: (
        Annotated[str, pattern(r"[a-zA-Z0-9\-]+"), doc("Name of the file behind it; the VMID when not given.")] | None
    ) = None
