"""Memory shared between guests of a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from corral.guests.qemu.args import Device, Item, Object
from corral.schema.fields import between, doc, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup


class Ivshmem(PropertyString, frozen=True, kw_only=True):
    """Shared memory: `size=32,name=foo`."""

    size: Annotated[int, between(1), doc("Size in MiB.")]
    name: (
        Annotated[str, pattern(r"[a-zA-Z0-9\-]+"), doc("Name of the file behind it; the VMID when not given.")] | None
    ) = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_ivshmem(setup: Setup) -> Iterator[Item]:
    """Shared memory as a device, and the file behind it."""
    shared = setup.options.ivshmem
    if shared is None:
        return
    path = f"/dev/shm/pve-shm-{shared.name or setup.vmid}"  # noqa: S108  shared on purpose, by its agreed name
    yield Object("memory-backend-file", "ivshmem", {"size": shared.size * 2**20, "share": True, "mem-path": path})
    yield Device("ivshmem-plain", props={"memdev": "ivshmem", **setup.at("ivshmem")})
