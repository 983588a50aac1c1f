"""`/nodes` and what a node says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from corral.api import shapes
from corral.app import App, Call
from corral.core.errors import NotFound
from corral.node import config, facts
from corral.node.service import PowerNode, wake_of
from corral.rest import anyone, endpoint, need, never
from corral.schema import doc
from corral.schema.types import NodeName
from corral.system import files, proc

_AUDIT = need("/nodes/{node}", "Sys.Audit")


def node_names(app: App) -> list[str]:
    """Every node that is known: this one, those with a record, those with a status."""
    recorded = {doc.key.partition("/")[2] for doc in app.tree.list("node/")}
    return sorted({app.node} | recorded | {status.node for status in app.board.nodes()})


@endpoint("GET", "/nodes", allow=anyone("figures only with Sys.Audit on /nodes/<node>"))
def nodes(call: Call) -> shapes.Nodes:
    """List the cluster's nodes."""
    return [_row(call, name) for name in node_names(call.app)]


def _row(call: Call, name: str) -> dict[str, Any]:
    status = call.app.board.node(name)
    row: dict[str, Any] = {"id": f"node/{name}", "node": name, "type": "node"}
    row["status"] = status.status if status else ("online" if name == call.app.node else "unknown")
    if status and call.may(f"/nodes/{name}", "Sys.Audit"):
        row |= {
            "cpu": status.cpu,
            "maxcpu": status.maxcpu,
            "mem": status.mem,
            "maxmem": status.maxmem,
            "disk": status.disk,
            "maxdisk": status.maxdisk,
            "uptime": status.uptime,
            "level": status.level,
        }
    if status and status.fingerprint:
        row["ssl_fingerprint"] = status.fingerprint
    return row


@endpoint("GET", "/nodes/{node}/version", allow=anyone("a version is no secret"), runs="node")
def version(call: Call, node: NodeName) -> dict[str, Any]:
    """The API's level, and who answers."""
    return facts.version()


@endpoint("GET", "/nodes/{node}/status", allow=_AUDIT, runs="node")
def status(call: Call, node: NodeName) -> shapes.StatusOfNode:
    """The node now: processors, memory, load, kernel."""
    seen = call.app.board.node(node)
    if seen is None:
        return call.app.host.status()
    disk = files.Space(seen.maxdisk, seen.disk, seen.maxdisk - seen.disk)
    return call.app.host.status(busy=seen.cpu, wait=seen.wait, disk=disk)


@endpoint(
    "POST", "/nodes/{node}/status", allow=need("/nodes/{node}", "Sys.PowerMgmt"), runs="node", root=True,
    plan=never("what it changes is not in the records, and afterwards there is nothing to compare a plan with"),
)  # fmt: skip
def power(call: Call, node: NodeName, *, command: Annotated[Literal["reboot", "shutdown"], doc("What to do.")]) -> None:
    """Reboot or shut down the node."""
    call.run(PowerNode(command=command))


@endpoint(
    "POST", "/nodes/{node}/wakeonlan", allow=need("/nodes/{node}", "Sys.PowerMgmt"), root=True,
    example={"node": "sleeper"},
)  # fmt: skip
def wakeonlan(call: Call, node: NodeName) -> str:
    """Wake a node by a packet from this one."""
    doc = call.tree.get(config.key_of(node))
    options = config.read(doc.text if doc else "").options.wakeonlan
    if options is None:
        raise NotFound(f"No wake on LAN MAC address defined for '{node}'!")
    return call.run(wake_of(options, node)) or options.mac


@endpoint("GET", "/nodes/{node}/report", allow=_AUDIT, runs="node", root=True)
def report(call: Call, node: NodeName) -> str:
    """A text for those who help."""
    return call.app.host.report()


@endpoint("GET", "/nodes/{node}/netstat", allow=_AUDIT, runs="node")
def netstat(call: Call, node: NodeName) -> list[dict[str, Any]]:
    """Bytes through each guest's network devices, as the guest sees them."""
    return list(_taps(call.app, proc.traffic()))


def _taps(app: App, traffic: dict[str, proc.Traffic]) -> Iterable[dict[str, Any]]:
    guests = {app.layout.tap(vmid, 0)[:-1]: vmid for vmid in app.rows.facts()}
    for name, seen in sorted(traffic.items()):
        stem = name.rstrip("0123456789")
        if stem in guests and stem != name:
            # What the host sends into the tap is what the guest receives.
            ends = {"in": str(seen.sent), "out": str(seen.received)}
            yield {"vmid": str(guests[stem]), "dev": f"net{name[len(stem) :]}", **ends}


@endpoint("GET", "/nodes/{node}/aplinfo", allow=anyone("a public catalogue"), runs="node")
def aplinfo(call: Call, node: NodeName) -> list[dict[str, Any]]:
    """Container templates that can be downloaded: none, this version has no containers."""
    return []


@endpoint("GET", "/nodes/{node}/certificates/info", allow=anyone("certificates are public"), runs="node", root=True)
def certificates(call: Call, node: NodeName) -> shapes.Certificates:
    """The node's certificates."""
    pki = call.app.layout.pki
    return [
        _certificate(name, files.read_bytes(pki / name)) for name in ("ca.pem", "node.pem") if (pki / name).exists()
    ]


def _certificate(filename: str, pem: bytes) -> dict[str, Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    found = x509.load_pem_x509_certificate(pem)
    key = found.public_key()
    bits = key.key_size if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) else 0
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        san = [str(name.value) for name in names]
    except x509.ExtensionNotFound:
        san = []
    return {
        "filename": filename,
        "fingerprint": found.fingerprint(hashes.SHA256()).hex(":").upper(),
        "subject": found.subject.rfc4514_string(),
        "issuer": found.issuer.rfc4514_string(),
        "notbefore": int(found.not_valid_before_utc.timestamp()),
        "notafter": int(found.not_valid_after_utc.timestamp()),
        "public-key-bits": bits,
        "public-key-type": type(key).__name__.removesuffix("PublicKey").lstrip("_"),
        "san": san,
        "pem": found.public_bytes(serialization.Encoding.PEM).decode(),
    }


ENDPOINTS = (nodes, version, status, power, wakeonlan, report, netstat, aplinfo, certificates)
