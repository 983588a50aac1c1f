"""`/nodes/{node}/services`."""

from __future__ import annotations

from typing import Annotated, Any

from corral.api import shapes
from corral.app import Call
from corral.node.service import ReloadService, RestartService, StartService, StopService
from corral.node.services import ServiceName
from corral.rest import endpoint, need
from corral.schema import doc
from corral.schema.types import NodeName, TaskId

_AUDIT = need("/nodes/{node}", "Sys.Audit")
_MODIFY = need("/nodes/{node}", "Sys.Modify")
_PATH = "/nodes/{node}/services/{service}"

Name = Annotated[ServiceName, doc("The service.")]


@endpoint("GET", "/nodes/{node}/services", allow=_AUDIT, runs="node", root=True)
def index(call: Call, node: NodeName) -> shapes.Services:
    """List services with their state."""
    return [service.wire() for service in call.app.host.services.list()]


@endpoint("GET", _PATH, allow=_AUDIT, runs="node")
def service_index(call: Call, node: NodeName, service: Name) -> list[dict[str, Any]]:
    """List what can be done with a service."""
    return [{"subdir": word} for word in ("state", "start", "stop", "restart", "reload")]


@endpoint("GET", f"{_PATH}/state", allow=_AUDIT, runs="node", root=True)
def state(call: Call, node: NodeName, service: Name) -> shapes.ServiceState:
    """Get a service's state."""
    return call.app.host.services.get(service).wire()


@endpoint("POST", f"{_PATH}/start", allow=_MODIFY, runs="node", root=True, example={"service": "pveproxy"})
def start(call: Call, node: NodeName, service: Name) -> TaskId:
    """Start a service."""
    return call.spawn(StartService(service=service))


@endpoint("POST", f"{_PATH}/stop", allow=_MODIFY, runs="node", root=True, example={"service": "corosync"})
def stop(call: Call, node: NodeName, service: Name) -> TaskId:
    """Stop a service."""
    return call.spawn(StopService(service=service))


@endpoint("POST", f"{_PATH}/restart", allow=_MODIFY, runs="node", root=True, example={"service": "pveproxy"})
def restart(call: Call, node: NodeName, service: Name) -> TaskId:
    """Restart a service."""
    return call.spawn(RestartService(service=service))


@endpoint("POST", f"{_PATH}/reload", allow=_MODIFY, runs="node", root=True, example={"service": "pveproxy"})
def reload(call: Call, node: NodeName, service: Name) -> TaskId:
    """Reload a service's configuration."""
    return call.spawn(ReloadService(service=service))


ENDPOINTS = (index, service_index, state, start, stop, restart, reload)
