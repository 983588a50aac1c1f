"""/nodes/{node}/qemu/{vmid}/cloudinit: what cloud-init is told."""

from __future__ import annotations

from typing import Annotated

from corral.api.nodes.qemu.fields import ONE, VM, WAITING, Part
from corral.app import Call
from corral.guests.qemu.cloudinit import Row
from corral.guests.qemu.life.work import QmCloudInit
from corral.rest import Endpoint, endpoint, need
from corral.schema import doc
from corral.schema.types import VMID, NodeName


@endpoint("GET", f"{ONE}/cloudinit", allow=need(VM, "VM.Audit"), runs="node")
def pending(call: Call, node: NodeName, vmid: VMID) -> list[Row]:
    """Get the cloudinit configuration with both current and pending values."""
    return list(call.app.qemu.clouds.pending(vmid))


@endpoint(
    "PUT", f"{ONE}/cloudinit", allow=need(VM, "VM.Config.Cloudinit"), runs="node", pool=WAITING, example={"vmid": 100}
)
def update(call: Call, node: NodeName, vmid: VMID) -> None:
    """Regenerate and change cloudinit config drive."""
    call.run(QmCloudInit(vmid=vmid))


@endpoint("GET", f"{ONE}/cloudinit/dump", allow=need(VM, "VM.Audit"), runs="node", root=True)
def dump(call: Call, node: NodeName, vmid: VMID, *, type: Annotated[Part, doc("Which of the files.")]) -> str:
    """Get automatically generated cloudinit config."""
    return call.app.qemu.clouds.dump(vmid, type)


ENDPOINTS: tuple[Endpoint, ...] = (pending, update, dump)
