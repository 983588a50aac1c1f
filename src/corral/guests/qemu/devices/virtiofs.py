"""Directories of the host shared with the guest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from corral.core.errors import Error
from corral.guests.qemu.args import Chardev, Device, Item
from corral.schema import formats
from corral.schema.fields import doc, name
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Virtiofs(PropertyString, frozen=True, kw_only=True):
    """A shared directory: `dirid=projects,cache=always`."""

    default_key: ClassVar[str] = "dirid"

    dirid: Annotated[str, formats.CONFIG_ID, doc("Name of the directory mapping; also the tag the guest mounts it by.")]
    cache: (
        Annotated[Literal["auto", "always", "metadata", "never"], doc("What the guest may cache.", default="auto")]
        | None
    ) = None
    direct_io: (
        Annotated[bool, name("direct-io"), doc("Honor the guest's requests for direct I/O.", default=False)] | None
    ) = None
    expose_acl: (
        Annotated[bool, name("expose-acl"), doc("Pass on POSIX ACLs; implies extended attributes.", default=False)]
        | None
    ) = None
    expose_xattr: Annotated[bool, name("expose-xattr"), doc("Pass on extended attributes.", default=False)] | None = (
        None
    )


# --- rendering -------------------------------------------------------------------------------------------------------

QUEUE_SIZE = 1024


def render_virtiofs(setup: Setup) -> Iterator[Item]:
    """Shared directories; a `virtiofsd` serves each on its socket."""
    for index, share in setup.options.virtiofs.items():
        if share.dirid not in setup.host.directories:
            raise Error(f"virtiofs{index}: no mapping '{share.dirid}' for this node")
        name = f"virtiofs{index}"
        yield Chardev("socket", name, {"path": setup.socket(name)})
        yield Device("vhost-user-fs-pci", props={"queue-size": QUEUE_SIZE, "chardev": name, "tag": share.dirid})
