"""Watchdogs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from corral.guests.qemu.args import Device, Item, Option
from corral.schema.fields import doc
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Watchdog(PropertyString, frozen=True, kw_only=True):
    """A watchdog that acts when the guest stops feeding it: `i6300esb,action=reset`."""

    default_key: ClassVar[str] = "model"
    format_name: ClassVar[str] = "pve-qm-watchdog"

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


# --- rendering -------------------------------------------------------------------------------------------------------


def render_watchdog(setup: Setup) -> Iterator[Item]:
    """The watchdog and what it does."""
    watchdog = setup.options.watchdog
    if watchdog is None:
        return
    model = watchdog.model or "i6300esb"
    yield Device(model, "watchdog", setup.at("watchdog") if model == "i6300esb" else {})
    if watchdog.action:
        yield Option("watchdog-action", watchdog.action)
