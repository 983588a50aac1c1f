"""`/nodes/{node}/rrddata`: the node's history."""

from __future__ import annotations

from typing import Annotated

from corral.api import shapes
from corral.app import Call
from corral.metrics.series import Consolidation, Timeframe
from corral.rest import endpoint, need
from corral.schema import doc
from corral.schema.types import NodeName

Span = Annotated[Timeframe, doc("How far back.")]
Function = Annotated[Consolidation, doc("What stands for several samples: their average or the highest.")]


@endpoint("GET", "/nodes/{node}/rrddata", allow=need("/nodes/{node}", "Sys.Audit"), runs="node", root=True)
def rrddata(call: Call, node: NodeName, *, timeframe: Span, cf: Function = "AVERAGE") -> shapes.History:
    """Read the node's history."""
    return [dict(row) for row in call.app.metrics.fetch("node", node, timeframe, cf)]


ENDPOINTS = (rrddata,)
