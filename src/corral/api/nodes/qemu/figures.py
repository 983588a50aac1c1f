"""/nodes/{node}/qemu/{vmid}/rrddata: a guest's history."""

from __future__ import annotations

from typing import Annotated

from corral.api import shapes
from corral.api.nodes.qemu.fields import ONE, VM
from corral.app import Call
from corral.metrics.series import Consolidation, Timeframe
from corral.rest import Endpoint, endpoint, need
from corral.schema import doc
from corral.schema.types import VMID, NodeName


@endpoint("GET", f"{ONE}/rrddata", allow=need(VM, "VM.Audit"), runs="node", root=True)
def rrddata(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    timeframe: Annotated[Timeframe, doc("The time frame of the figures.")],
    cf: Annotated[Consolidation, doc("How several samples become one.")] = "AVERAGE",
) -> shapes.History:
    """Read VM RRD statistics."""
    call.app.qemu.load(vmid)
    return [dict(row) for row in call.app.metrics.fetch("guest", str(vmid), timeframe, cf)]


ENDPOINTS: tuple[Endpoint, ...] = (rrddata,)
