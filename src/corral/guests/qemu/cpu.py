"""The CPU shown to the guest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from corral.core.errors import Error
from corral.guests.qemu.args import Device, Item, Option
from corral.guests.qemu.cpu_models import KVM_ONLY, LEVELS, RENAMED, REPORTABLE, ReportedModel, vendor_of
from corral.guests.qemu.formats import CPU_TYPE, PHYS_BITS
from corral.schema.fields import between, doc, name, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

_FLAG = r"[+-][a-zA-Z0-9\-_\.]+"


class Cpu(PropertyString, frozen=True, kw_only=True):
    """A CPU: `x86-64-v2-AES,flags=+pcid`; `custom-NAME` is a model of the cluster's own."""

    default_key: ClassVar[str] = "cputype"
    format_name: ClassVar[str] = "pve-vm-cpu-conf"

    cputype: Annotated[str, CPU_TYPE, doc("The model.", default="kvm64")] | None = None
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


# --- rendering -------------------------------------------------------------------------------------------------------

_CUSTOM = "custom-"


@dataclass
class Model:
    """QEMU's model, with what is added (True) and taken away (False) and other properties."""

    name: str
    flags: dict[str, bool] = dataclass_field(default_factory=dict)
    props: dict[str, Any] = dataclass_field(default_factory=dict)

    def __str__(self) -> str:
        flags = [f"{'+' if on else '-'}{flag}" for flag, on in sorted(self.flags.items())]
        props = [key if value is None else f"{key}={value}" for key, value in sorted(self.props.items())]
        return ",".join([self.name, *flags, *props])


def render_cpu(setup: Setup) -> Iterator[Item]:
    """`-cpu`, and `-smp` with sockets, cores and what is plugged at start."""
    yield from render_smp(setup)
    yield Option("cpu", setup.runtime.cpu or str(model(setup)))


def render_smp(setup: Setup) -> Iterator[Item]:
    """`-smp`; with CPU hot-plug the CPUs beyond the first are devices, so that they can be unplugged."""
    sockets, cores = topology(setup)
    most = sockets * cores
    vcpus = setup.options.vcpus or most
    if vcpus > most:
        raise Error(f"MAX {most} vcpus allowed per VM on this node")
    plugged = "cpu" in setup.features and vcpus < most
    props = {"sockets": sockets, "cores": cores, "maxcpus": most}
    yield Option("smp", "1" if plugged else str(vcpus), props)
    if plugged:
        for number in range(2, vcpus + 1):
            yield cpu_device(setup, number)


def topology(setup: Setup) -> tuple[int, int]:
    """Sockets, and cores in each."""
    options = setup.options
    return options.sockets or options.smp or 1, options.cores or 1


def cpu_device(setup: Setup, number: int) -> Device:
    """The CPU of number `number` (from 1), to be plugged."""
    _, cores = topology(setup)
    socket, core = divmod(number - 1, cores)
    name = f"{model(setup).name}-{'x86_64' if setup.arch == 'x86_64' else 'arm'}-cpu"
    return Device(name, f"cpu{number}", {"socket-id": socket, "core-id": core, "thread-id": 0})


def model(setup: Setup) -> Model:
    """The CPU the guest sees on this host."""
    asked = setup.options.cpu or Cpu()
    kind = asked.cputype or _default_type(setup)
    custom = _custom(setup, kind)
    reported = asked.reported_model if asked.reported_model and custom is not None else None
    name = reported or (custom.reported_model or "kvm64" if custom is not None else kind)
    out = Model(RENAMED.get(name, name))
    if custom is None:
        _check_known(setup, kind)
    if name in LEVELS:
        out.name = "qemu64"
        out.flags.update(dict.fromkeys(LEVELS[name], True))
    if setup.kvm:
        _accelerated(setup, out)
    elif out.name == "host":
        setup.warn("CPU type 'host' needs KVM, using 'max'")
        out.name = "max"
    for source in (custom, asked):
        if source is not None:
            _add_flags(setup, out, source.flags or "")
    _properties(setup, out, asked, custom or Cpu())
    return out


def _default_type(setup: Setup) -> str:
    if setup.kvm:
        return "kvm64" if setup.arch == "x86_64" else "host"
    return "qemu64" if setup.arch == "x86_64" else "max"


def _custom(setup: Setup, kind: str) -> Cpu | None:
    if not kind.startswith(_CUSTOM):
        return None
    found = setup.host.cpu_models.get(kind.removeprefix(_CUSTOM))
    if found is None:
        raise Error(f"Custom cputype '{kind.removeprefix(_CUSTOM)}' not found")
    return found


def _check_known(setup: Setup, kind: str) -> None:
    if kind not in REPORTABLE and kind not in LEVELS:
        raise Error(f"Built-in cputype '{kind}' is not defined (missing '{_CUSTOM}' prefix?)")


def _accelerated(setup: Setup, out: Model) -> None:
    """What KVM adds: flags that make a guest run better on it."""
    if setup.arch != "x86_64":
        return
    out.flags.update({"kvm_pv_eoi": True, "kvm_pv_unhalt": True})
    if out.name == "kvm64":
        out.flags["lahf_lm"] = True
    if out.name in ("kvm64", "kvm32"):
        out.flags["sep"] = True
    if setup.windows >= 11 and setup.host.qemu >= (10, 2):
        # Windows 11 does not start where it sees control-flow enforcement under these.
        out.flags.update({"cet-ss": False, "cet-ibt": False})
    if setup.windows:
        out.props.update(_hyperv(setup, out, setup.options.cpu or Cpu()))
    if out.name not in ("host", "max"):
        out.props["enforce"] = None
        vendor = vendor_of(out.name)
        if vendor:
            out.props["vendor"] = vendor


def _hyperv(setup: Setup, out: Model, asked: Cpu) -> dict[str, Any]:
    """Interfaces of Hyper-V that each generation of Windows makes use of."""
    if setup.windows < 6:
        return {}
    found: dict[str, Any] = dict.fromkeys(("hv_time", "hv_vapic"))
    found["hv_spinlocks"] = "0x1fff"
    if setup.windows >= 7:
        names = ("hv_ipi", "hv_relaxed", "hv_reset", "hv_runtime", "hv_stimer", "hv_synic", "hv_vpindex")
        found.update(dict.fromkeys(names))
    if out.name == "host" and setup.host.cpu_vendor == "GenuineIntel" and _nested_since(setup):
        found["hv_evmcs"] = None
    if setup.options.hostpci and any(device.x_vga for device in setup.options.hostpci.values()):
        # Drivers of consumer graphics cards refuse a hypervisor that says what it is.
        found["hv_vendor_id"] = asked.hv_vendor_id or "proxmox"
    return found


def _nested_since(setup: Setup) -> bool:
    return setup.windows >= 11 and setup.since(11, 0, revision=2)


def _add_flags(setup: Setup, out: Model, text: str) -> None:
    for word in filter(None, text.split(";")):
        flag = word[1:]
        if flag == "nested-virt":
            flag = "svm" if setup.host.cpu_vendor == "AuthenticAMD" else "vmx"
        if not setup.kvm and flag.startswith(KVM_ONLY):
            setup.warn(f"CPU flag '{flag}' needs KVM, leaving it out")
        elif flag.startswith(("hv-", "hv_")):
            if word[0] == "+":
                out.props[flag.replace("-", "_")] = None
        else:
            out.flags[flag] = word[0] == "+"


def _properties(setup: Setup, out: Model, asked: Cpu, custom: Cpu) -> None:
    bits = asked.phys_bits or custom.phys_bits
    if bits == "host" and setup.kvm:
        out.props["host-phys-bits"] = "true"
    elif bits is not None and bits != "host":
        out.props["phys-bits"] = bits
    guest_bits = asked.guest_phys_bits or custom.guest_phys_bits
    if guest_bits is not None and setup.host.qemu >= (9, 1):
        out.props["guest-phys-bits"] = guest_bits
    level = asked.level if asked.level is not None else custom.level
    if level is not None:
        out.props["level"] = level
    vendor_id = asked.hv_vendor_id or custom.hv_vendor_id
    if setup.kvm and vendor_id is not None:
        out.props["hv_vendor_id"] = vendor_id
    hidden = asked.hidden if asked.hidden is not None else custom.hidden
    if setup.kvm and (hidden or ("hv_vendor_id" in out.props and setup.windows and setup.options.hostpci)):
        out.props["kvm"] = "off"


def physical_bits(setup: Setup) -> int:
    """Physical address bits the guest's CPU has: they bound how much memory can be plugged."""
    asked = setup.options.cpu or Cpu()
    custom = _custom(setup, asked.cputype or "") or Cpu()
    bits = asked.phys_bits or custom.phys_bits
    if bits == "host" or (bits is None and setup.kvm and model(setup).name in ("host", "max")):
        return setup.host.phys_bits
    return int(bits) if bits else 40
