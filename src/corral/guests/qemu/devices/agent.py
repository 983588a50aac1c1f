"""The guest agent's channel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from corral.guests.qemu.args import Chardev, Device, Item
from corral.guests.qemu.devices.serial import listening
from corral.schema.fields import doc, name
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Agent(PropertyString, frozen=True, kw_only=True):
    """How to talk to the QEMU guest agent: `1,fstrim_cloned_disks=1`."""

    default_key: ClassVar[str] = "enabled"
    aliases: ClassVar[dict[str, str]] = {"freeze-fs-on-backup": "freeze-fs", "guest-fsfreeze": "freeze-fs"}

    enabled: Annotated[bool, doc("Whether the guest runs an agent.", default=False)]
    freeze_fs: (
        Annotated[
            bool, name("freeze-fs"), doc("Freeze the guest's file systems for backups and snapshots.", default=True)
        ]
        | None
    ) = None
    fstrim_cloned_disks: (
        Annotated[bool, doc("Trim the guest's file systems after its disks were moved or cloned.", default=False)]
        | None
    ) = None
    type: Annotated[Literal["virtio", "isa"], doc("The kind of channel.", default="virtio")] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_agent(setup: Setup) -> Iterator[Item]:
    """The channel the agent listens on inside."""
    agent = setup.options.agent
    if agent is None or not agent.enabled:
        return
    yield Chardev("socket", "qga0", listening(setup, "qga"))
    if agent.type == "isa":
        yield Device("isa-serial", props={"chardev": "qga0"})
    else:
        yield Device("virtio-serial", "qga0", setup.at("qga0"))
        yield Device("virtserialport", props={"chardev": "qga0", "name": "org.qemu.guest_agent.0"})
