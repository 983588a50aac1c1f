"""Watchdogs."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema.fields import doc
from corral.schema.propstring import PropertyString


class Watchdog(PropertyString, frozen=True, kw_only=True):
    """A watchdog that acts when the guest stops feeding it: `i6300esb,action=reset`."""

    default_key: ClassVar[str] = "model"

    model: Annotated[Literal["i6300esb", "ib700"], doc("The device shown to the guest.", default="i6300esb")] | None = (
        None
    )
    action: (
        Annotated[
            Literal["reset", "shutdown", "poweroff", "pause", "debug", "none"],
            doc("What happens when the guest does not feed it in time."),
        ]
        | None
    ) = None
