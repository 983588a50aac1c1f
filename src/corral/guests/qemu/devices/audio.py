"""Sound cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from corral.guests.qemu.args import Device, Item, Option
from corral.guests.qemu.devices.display import with_spice
from corral.schema.fields import doc
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Audio(PropertyString, frozen=True, kw_only=True):
    """A sound card: `device=ich9-intel-hda,driver=none`."""

    device: Annotated[Literal["ich9-intel-hda", "intel-hda", "AC97"], doc("The card shown to the guest.")]
    driver: Annotated[Literal["spice", "none"], doc("Where the sound goes.", default="spice")] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_audio(setup: Setup) -> Iterator[Item]:
    """The card with its codecs, and where its sound goes."""
    audio = setup.options.audio0
    if audio is None:
        return
    driver = audio.driver or "spice"
    if driver == "spice" and not with_spice(setup):
        setup.warn("audio0: no SPICE display to send sound to, it is dropped")
        driver = "none"
    backend = f"{driver}-backend0"
    yield Option("audiodev", driver, {"id": backend})
    if audio.device == "AC97":
        yield Device("AC97", "audiodev0", {**setup.at("audio0"), "audiodev": backend})
        return
    yield Device(audio.device, "audiodev0", setup.at("audio0"))
    for cad, codec in enumerate(("hda-micro", "hda-duplex")):
        yield Device(codec, f"audiodev0-codec{cad}", {"bus": "audiodev0.0", "cad": cad, "audiodev": backend})
