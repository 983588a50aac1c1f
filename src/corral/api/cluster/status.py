"""`/cluster/status`, `/cluster/nextid`, `/cluster/tasks`, `/cluster/log`."""

from __future__ import annotations

import zlib
from typing import Annotated, Any

from corral.api import shapes
from corral.api.nodes.host.index import node_names
from corral.app import Call
from corral.cluster.datacenter import datacenter
from corral.core.errors import ParamError
from corral.guests import records
from corral.rest import anyone, endpoint, need
from corral.schema import between, doc
from corral.schema.types import VMID
from corral.store.base import Past
from corral.tasks.listing import Row, TaskIndex, owns


@endpoint("GET", "/cluster/status", allow=need("/", "Sys.Audit"))
def status(call: Call) -> shapes.ClusterMembers:
    """Say which nodes there are and whether they can decide together."""
    rows: list[dict[str, Any]] = []
    names = node_names(call.app)
    if len(names) > 1:
        rows.append(
            {"type": "cluster", "id": "cluster", "name": "corral", "nodes": len(names), "quorate": True, "version": 1}
        )
    for number, name in enumerate(names, start=1):
        seen = call.app.board.node(name)
        local = name == call.app.node
        rows.append(
            {
                "type": "node",
                "id": f"node/{name}",
                "name": name,
                "nodeid": number if len(names) > 1 else 0,
                "ip": seen.address if seen and seen.address else "127.0.0.1",
                "local": local,
                "online": local or (seen is not None and seen.status == "online"),
                "level": seen.level if seen else "",
            }
        )
    return rows


@endpoint("GET", "/cluster/nextid", allow=anyone("a number is no secret"), root=True)
def nextid(call: Call, *, vmid: VMID | None = None) -> int:
    """Get a free VMID, a different one for each caller; or check that one is free."""
    if vmid is not None:
        if records.find(call.tree, vmid) is not None:
            raise ParamError({"vmid": f"VM {vmid} already exists"})
        return vmid
    wanted = datacenter(call.tree).vmid_range
    return records.next_free(call.app.store, call.tree, lower=wanted.start, upper=wanted.stop - 1)


@endpoint("GET", "/cluster/tasks", allow=anyone("own tasks; all of a node with Sys.Audit there"), root=True)
def tasks(call: Call) -> list[Row]:
    """List recent tasks of all nodes."""
    everything = call.may(f"/nodes/{call.app.node}", "Sys.Audit")
    return TaskIndex(call.app.runner).recent(lambda user: everything or owns(call.who.full, user))


@endpoint("GET", "/cluster/log", allow=anyone("own entries; all with Sys.Syslog on /"), root=True)
def log(call: Call, *, max: Annotated[int, between(1), doc("At most that many entries.")] = 50) -> shapes.LogEntries:
    """Read the cluster's log: who changed what, newest first."""
    everything = call.may("/", "Sys.Syslog")
    found = call.app.store.history(limit=min(max, 1000) if everything else 5000)
    seen = [past for past in found if everything or owns(call.who.full, past.cause.who)]
    return [_entry(call.app.node, past) for past in seen[:max]]


def _entry(node: str, past: Past) -> dict[str, Any]:
    verb = "created" if past.before is None else "deleted" if past.after is None else "changed"
    why = f" ({past.cause.why})" if past.cause.why else ""
    return {
        "id": f"{past.revision}:{past.key}",
        "uid": zlib.crc32(f"{past.revision}:{past.key}".encode()),
        "time": int(past.time),
        "node": node,
        "user": past.cause.who,
        "tag": "corrald",
        "pid": 0,
        "pri": 6,
        "msg": f"{verb} {past.key}{why}",
    }


ENDPOINTS = (status, nextid, tasks, log)
