"""`/nodes/{node}/capabilities/qemu`: what virtual machines can be made of."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from corral.api import shapes
from corral.app import Call
from corral.guests.qemu import cpu_models
from corral.rest import anyone, endpoint, need
from corral.schema import doc
from corral.schema.types import NodeName
from corral.system import proc

Arch = Annotated[Literal["x86_64", "aarch64"], doc("The guest's architecture.")]
_ARM = ("a64fx", "cortex", "neoverse")
_BOTH = ("host", "max")
_PATH = "/nodes/{node}/capabilities/qemu"

_FLAGS = {
    "md-clear": "Needed by guests to be safe from MDS on some Intel processors.",
    "pcid": "Makes the cure of Meltdown cheaper.",
    "spec-ctrl": "Needed by guests to be safe from Spectre on Intel processors.",
    "ssbd": "Speculative store bypass can be turned off (Intel).",
    "ibpb": "Indirect branch prediction barrier.",
    "virt-ssbd": "Speculative store bypass can be turned off (AMD).",
    "amd-ssbd": "Speculative store bypass can be turned off (AMD, faster).",
    "amd-no-ssb": "The processor does not have speculative store bypass.",
    "pdpe1gb": "Pages of 1 GiB.",
    "hv-tlbflush": "Faster TLB flushes for Windows guests.",
    "hv-evmcs": "Faster nested virtualization for Windows guests (Intel).",
    "aes": "AES instructions.",
    "nested-virt": "The guest can run guests.",
}


@endpoint("GET", f"{_PATH}/cpu", allow=anyone("custom models are shown to those who may use them"), runs="node")
def cpu(call: Call, node: NodeName, *, arch: Arch = "x86_64") -> shapes.CpuModels:
    """List CPU models."""
    names = sorted((*cpu_models.REPORTABLE, *cpu_models.LEVELS), key=str.lower)
    return [
        {"name": name, "custom": False, "vendor": cpu_models.vendor_of(name) or "default"}
        for name in names
        if name in _BOTH or name.startswith(_ARM) == (arch == "aarch64")
    ]


@endpoint("GET", f"{_PATH}/cpu-flags", allow=anyone("public facts"), runs="node")
def cpu_flags(
    call: Call,
    node: NodeName,
    *,
    arch: Arch = "x86_64",
    accel: Annotated[Literal["kvm", "tcg"], doc("How the guest is run.")] = "kvm",
) -> shapes.CpuFlags:
    """List the CPU flags that virtual machines may set."""
    if arch == "aarch64":
        return []
    has = {flag.replace("_", "-") for flag in proc.cpu().flags.split()}
    has |= {"nested-virt"} & ({"nested-virt"} if {"svm", "vmx"} & has else set())
    return [
        {"name": name, "description": text, "supported-on": [node] if name in has else []}
        for name, text in _FLAGS.items()
    ]


@endpoint("GET", f"{_PATH}/machines", allow=anyone("public facts"), runs="node", root=True, pool="programs")
def machines(call: Call, node: NodeName, *, arch: Arch = "x86_64") -> shapes.MachineTypes:
    """List machine types."""
    program = "qemu-system-x86_64" if arch == "x86_64" else "qemu-system-aarch64"
    output = call.app.run([program, "-machine", "help"], timeout=10)
    return parse_machines(output.stdout)


def parse_machines(text: str) -> list[dict[str, Any]]:
    """QEMU's own list, as the API shows it: newest first."""
    found = []
    for line in text.splitlines():
        if match := re.match(r"(pc-i440fx|pc-q35|virt)-(\d+)\.(\d+)\s", line):
            kind = {"pc-i440fx": "i440fx", "pc-q35": "q35"}.get(match[1], "virt")
            version = (int(match[2]), int(match[3]))
            found.append((version, kind, f"{match[1]}-{match[2]}.{match[3]}"))
    found.sort(reverse=True)
    return [{"id": name, "type": kind, "version": ".".join(map(str, version))} for version, kind, name in found]


@endpoint("GET", f"{_PATH}/migration", allow=need("/nodes/{node}", "Sys.Audit"), runs="node")
def migration(call: Call, node: NodeName) -> dict[str, Any]:
    """Say what live migration can do from and to here."""
    return {"has-dbus-vmstate": False}


ENDPOINTS = (cpu, cpu_flags, machines, migration)
