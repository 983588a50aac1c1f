"""The machine: its type and version, and the chipset's IOMMU."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema.fields import between, doc, length, name, pattern
from corral.schema.propstring import PropertyString

_VERSION = r"\d+(\.\d+)+(\+pve\d+)?(\.pxe)?"
_TYPE = rf"pc|pc(-i440fx)?-{_VERSION}|q35|pc-q35-{_VERSION}|virt(-\d+(\.\d+)+)?(\+pve\d+)?"


class Machine(PropertyString, frozen=True, kw_only=True):
    """The machine: `pc-q35-9.2,viommu=virtio`."""

    default_key: ClassVar[str] = "type"

    type: (
        Annotated[str, length(0, 40), pattern(_TYPE), doc("Type, with a version to stay at or without one.")] | None
    ) = None
    aw_bits: Annotated[float, name("aw-bits"), between(32, 64), doc("Address width of the IOMMU in bits.")] | None = (
        None
    )
    enable_s3: Annotated[bool, name("enable-s3"), doc("Offer the S3 sleep state.")] | None = None
    enable_s4: Annotated[bool, name("enable-s4"), doc("Offer the S4 sleep state.")] | None = None
    viommu: Annotated[Literal["intel", "virtio"], doc("An IOMMU for the guest.")] | None = None


class Sev(PropertyString, frozen=True, kw_only=True):
    """AMD Secure Encrypted Virtualization."""

    default_key: ClassVar[str] = "type"

    type: Annotated[Literal["std", "es", "snp"], length(0, 3), doc("Which generation of SEV.")]
    allow_smt: Annotated[bool, name("allow-smt"), doc("May run on hosts with SMT (`snp`).", default=True)] | None = None
    kernel_hashes: Annotated[bool, name("kernel-hashes"), doc("Measure kernel and initrd.", default=False)] | None = (
        None
    )
    no_debug: Annotated[bool, name("no-debug"), doc("Forbid debugging of the guest.", default=False)] | None = None
    no_key_sharing: (
        Annotated[bool, name("no-key-sharing"), doc("Forbid sharing the key with other guests.", default=False)] | None
    ) = None


class Tdx(PropertyString, frozen=True, kw_only=True):
    """Intel Trust Domain Extensions."""

    default_key: ClassVar[str] = "type"

    type: Annotated[Literal["tdx"], doc("Which generation of TDX.")]
    attestation: Annotated[bool, doc("Offer attestation through the host's quoting service.", default=True)]
    vsock_cid: (
        Annotated[int, name("vsock-cid"), between(2), doc("Context id of the quoting service.", default=2)] | None
    ) = None
    vsock_port: (
        Annotated[int, name("vsock-port"), between(0), doc("Port of the quoting service.", default=4050)] | None
    ) = None
