"""The CPU shown to the guest."""

from __future__ import annotations

from typing import Annotated, ClassVar

from corral.guests.qemu.cpu_models import ReportedModel
from corral.guests.qemu.formats import PHYS_BITS
from corral.schema.fields import between, doc, name, pattern
from corral.schema.propstring import PropertyString

_FLAG = r"[+-][a-zA-Z0-9\-_\.]+"


class Cpu(PropertyString, frozen=True, kw_only=True):
    """A CPU: `x86-64-v2-AES,flags=+pcid`; `custom-NAME` is a model of the cluster's own."""

    default_key: ClassVar[str] = "cputype"

    cputype: Annotated[str, pattern(r"[a-zA-Z0-9._-]+"), doc("The model.", default="kvm64")] | None = None
    flags: (
        Annotated[str, pattern(rf"{_FLAG}(;{_FLAG})*"), doc("Flags to add and to take away, as `+aes;-avx`.")] | None
    ) = None
    guest_phys_bits: (
        Annotated[int, name("guest-phys-bits"), between(32, 64), doc("Physical address bits the guest may use.")] | None
    ) = None
    hidden: Annotated[bool, doc("Do not tell the guest that it runs on KVM.", default=False)] | None = None
    hv_vendor_id: (
        Annotated[str, name("hv-vendor-id"), pattern("[a-zA-Z0-9]{1,12}"), doc("Vendor shown to Windows guests.")]
        | None
    ) = None
    level: Annotated[int, between(0, 4294967295), doc("Highest CPUID leaf shown to the guest.")] | None = None
    phys_bits: (
        Annotated[str, name("phys-bits"), PHYS_BITS, doc("Physical address bits: 8 to 64, or the host's.")] | None
    ) = None
    reported_model: (
        Annotated[ReportedModel, name("reported-model"), doc("QEMU's model, for models of one's own.", default="kvm64")]
        | None
    ) = None
