"""Sound cards."""

from __future__ import annotations

from typing import Annotated, Literal

from corral.schema.fields import doc
from corral.schema.propstring import PropertyString


class Audio(PropertyString, frozen=True, kw_only=True):
    """A sound card: `device=ich9-intel-hda,driver=none`."""

    device: Annotated[Literal["ich9-intel-hda", "intel-hda", "AC97"], doc("The card shown to the guest.")]
    driver: Annotated[Literal["spice", "none"], doc("Where the sound goes.", default="spice")] | None = None
