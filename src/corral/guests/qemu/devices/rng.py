"""Random number generators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from corral.guests.qemu.args import Device, Item, Object
from corral.schema.fields import doc
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Rng(PropertyString, frozen=True, kw_only=True):
    """A virtio random number generator: `source=/dev/urandom`."""

    default_key: ClassVar[str] = "source"
    format_name: ClassVar[str] = "pve-qm-rng"

    source: Annotated[Literal["/dev/urandom", "/dev/random", "/dev/hwrng"], doc("The host's source of entropy.")]
    max_bytes: Annotated[int, doc("Bytes handed out per period; 0 is no limit.", default=1024)] | None = None
    period: Annotated[int, doc("Length of a period in milliseconds.", default=1000)] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_rng(setup: Setup) -> Iterator[Item]:
    """The generator and its source."""
    rng = setup.options.rng0
    if rng is None:
        return
    limit = 1024 if rng.max_bytes is None else rng.max_bytes
    props = {"max-bytes": limit, "period": 1000 if rng.period is None else rng.period} if limit else {}
    yield Object("rng-random", "rng0", {"filename": rng.source})
    # Migration needs the id of the device to stay away from that of its source.
    yield Device("virtio-rng-pci", props={"rng": "rng0", **props, **setup.at("rng0")})
