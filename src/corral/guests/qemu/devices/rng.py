"""Random number generators."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema.fields import doc
from corral.schema.propstring import PropertyString


class Rng(PropertyString, frozen=True, kw_only=True):
    """A virtio random number generator: `source=/dev/urandom`."""

    default_key: ClassVar[str] = "source"

    source: Annotated[Literal["/dev/urandom", "/dev/random", "/dev/hwrng"], doc("The host's source of entropy.")]
    max_bytes: Annotated[int, doc("Bytes handed out per period; 0 is no limit.", default=1024)] | None = None
    period: Annotated[int, doc("Length of a period in milliseconds.", default=1000)] | None = None
