"""The machine: its type and version, and the chipset's IOMMU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from corral.core.errors import Error
from corral.guests.qemu.args import Device, Item, Object, Option
from corral.schema.fields import between, doc, length, name, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

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
    format_name: ClassVar[str] = "pve-qemu-sev-fmt"

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
    format_name: ClassVar[str] = "pve-qemu-tdx-fmt"

    type: Annotated[Literal["tdx"], doc("Which generation of TDX.")]
    attestation: Annotated[bool, doc("Offer attestation through the host's quoting service.", default=True)]
    vsock_cid: (
        Annotated[int, name("vsock-cid"), between(2), doc("Context id of the quoting service.", default=2)] | None
    ) = None
    vsock_port: (
        Annotated[int, name("vsock-port"), between(0), doc("Port of the quoting service.", default=4050)] | None
    ) = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_machine(setup: Setup, flags: dict[str, Any]) -> Iterator[Item]:
    """`-machine` with the flags that other parts need, and what goes with it."""
    options = setup.options
    x86 = setup.machine.kind != "virt"
    props: dict[str, Any] = dict(flags)
    if setup.host.flavour.suffix and not setup.kvm:
        props["accel"] = "tcg"
    if x86 and _smm_is_in_the_way(setup):
        props["smm"] = "off"
    if x86 and (setup.windows >= 7 or (setup.linux and setup.since(10, 1))):
        props["hpet"] = "off"
    if options.acpi is False:
        props["acpi"] = "off"
    if options.allow_ksm is False:
        props["mem-merge"] = "off"
    if setup.machine.kind == "q35" and options.machine and options.machine.viommu == "intel" and setup.kvm:
        props["kernel-irqchip"] = "split"
    yield Option("machine", setup.machine.text, props)
    if not setup.host.flavour.suffix:
        yield Option("accel", "kvm") if setup.kvm else Option("accel", "tcg", {"tb-size": setup.host.tb_size})


def _smm_is_in_the_way(setup: Setup) -> bool:
    """SeaBIOS with SMM does not get on with a serial console, or with none."""
    vga = setup.options.vga.type if setup.options.vga else None
    if setup.options.template:
        vga = "none"
    return setup.options.bios != "ovmf" and vga is not None and (vga == "none" or vga.startswith("serial"))


def render_globals(setup: Setup) -> Iterator[Item]:
    """Properties of devices that the machine brings along."""
    if setup.machine.kind == "virt":
        return
    bridge = "ICH9-LPC" if setup.machine.kind == "q35" else "PIIX4_PM"
    if setup.windows and setup.kvm:
        yield Option("global", "kvm-pit.lost_tick_policy=discard")
    if setup.machine.kind == "q35" and setup.linux and setup.since(6, 1) and not _created_since_6_1(setup):
        # Machines since 6.1 plug PCI by ACPI, which gives the guest's cards other names; older guests keep theirs.
        yield Option("global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off")
    machine = setup.options.machine
    for state, asked in (("s3", machine and machine.enable_s3), ("s4", machine and machine.enable_s4)):
        # Sleep states rarely work, so newer machines have none.
        if asked is False or (asked is None and setup.since(9, 2, revision=1)):
            yield Option("global", f"{bridge}.disable_{state}=1")


def _created_since_6_1(setup: Setup) -> bool:
    meta = setup.options.meta
    if meta is None or meta.creation_qemu is None:
        return False
    major, minor, *_ = (int(part) for part in meta.creation_qemu.split("."))
    return (major, minor) >= (6, 1)


def render_intel_iommu(setup: Setup) -> Iterator[Item]:
    """An Intel IOMMU, which stands before all devices: they find it when they are made."""
    machine = setup.options.machine
    if machine is None or machine.viommu != "intel":
        return
    if setup.machine.kind != "q35":
        raise Error("to use Intel vIOMMU please set the machine type to q35")
    aw_bits = int(machine.aw_bits) if machine.aw_bits else None
    yield Device("intel-iommu", props={"intremap": True, "caching-mode": True, "aw-bits": aw_bits})


def render_virtio_iommu(setup: Setup) -> Iterator[Item]:
    """A virtio IOMMU, which stands after all devices: it takes a PCI slot that they left free."""
    machine = setup.options.machine
    if machine is not None and machine.viommu == "virtio":
        yield Device("virtio-iommu-pci")


def render_confidential(setup: Setup) -> tuple[list[Item], dict[str, Any]]:
    """Objects for encrypted memory, and the machine flags that turn it on."""
    sev, tdx = setup.options.amd_sev, setup.options.intel_tdx
    if sev is not None:
        return [_sev(setup, sev)], {"confidential-guest-support": "sev0"}
    if tdx is not None:
        if not setup.kvm:
            raise Error("Intel TDX needs KVM")
        quote = {"type": "vsock", "cid": str(tdx.vsock_cid or 2), "port": str(tdx.vsock_port or 4050)}
        props = {f"quote-generation-socket.{key}": value for key, value in quote.items()} if tdx.attestation else {}
        flags = {"confidential-guest-support": "tdx0", "kernel-irqchip": "split"}
        return [Object("tdx-guest", "tdx0", props)], flags
    return [], {}


def _sev(setup: Setup, sev: Sev) -> Object:
    facts = setup.host.sev
    if facts is None or not {"std": facts.std, "es": facts.es, "snp": facts.snp}[sev.type]:
        raise Error(f"AMD SEV of type '{sev.type}' is not available on this node")
    if setup.options.bios != "ovmf":
        raise Error("to use AMD SEV please set the firmware to ovmf")
    props: dict[str, Any] = {"cbitpos": facts.cbitpos, "reduced-phys-bits": facts.reduced_phys_bits}
    if sev.kernel_hashes:
        props["kernel-hashes"] = True
    if sev.type == "snp":
        policy = 0x20000 | (0 if sev.allow_smt is False else 0x10000) | (0 if sev.no_debug else 0x80000)
        return Object("sev-snp-guest", "sev0", {**props, "policy": hex(policy)})
    # Bit 3 forbids sending the guest to another host; bits 0 to 2 are what was asked for.
    policy = 0x8 | (0x1 if sev.no_debug else 0) | (0x2 if sev.no_key_sharing else 0) | (0x4 if sev.type == "es" else 0)
    return Object("sev-guest", "sev0", {**props, "policy": hex(policy)})
