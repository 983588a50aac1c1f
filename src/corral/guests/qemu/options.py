"""Every option of a virtual machine: those a caller may set, and those that only live in its file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from corral.core.secret import Secret
from corral.guests.qemu.boot import Boot
from corral.guests.qemu.cpu import Cpu
from corral.guests.qemu.devices.agent import Agent
from corral.guests.qemu.devices.audio import Audio
from corral.guests.qemu.devices.display import SpiceEnhancements, Vga
from corral.guests.qemu.devices.drive import Efi, Ide, Sata, Scsi, Tpm, Unused, Virtio
from corral.guests.qemu.devices.hostpci import HostPci
from corral.guests.qemu.devices.ivshmem import Ivshmem
from corral.guests.qemu.devices.net import Net
from corral.guests.qemu.devices.rng import Rng
from corral.guests.qemu.devices.smbios import Smbios
from corral.guests.qemu.devices.usb import Usb
from corral.guests.qemu.devices.virtiofs import Virtiofs
from corral.guests.qemu.devices.watchdog import Watchdog
from corral.guests.qemu.formats import ADDRESSES, BOOT_DISK, HOTPLUG, STARTUP, TAGS
from corral.guests.qemu.identity import CiCustom, IpConfig, Meta
from corral.guests.qemu.machine import Machine, Sev, Tdx
from corral.guests.qemu.memory import Memory, NumaNode
from corral.schema import formats
from corral.schema.fields import alias, between, doc, indexed, length, name, pattern, root_only

Lock = Literal[
    "backup", "clone", "create", "migrate", "rollback", "snapshot", "snapshot-delete", "suspending", "suspended"
]  # fmt: skip
OsType = Literal[
    "other", "wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11", "l24", "l26", "solaris"
]  # fmt: skip
Keyboard = Literal[
    "de", "de-ch", "da", "en-gb", "en-us", "es", "fi", "fr", "fr-be", "fr-ca", "fr-ch", "hu", "is", "it", "ja", "lt",
    "mk", "nl", "no", "pl", "pt", "pt-br", "sv", "sl", "tr",
]  # fmt: skip
ScsiHw = Literal["lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi"]

_PARALLEL = r"/dev/parport\d+|/dev/usb/lp\d+"
_START_DATE = r"(now|\d{4}-\d{1,2}-\d{1,2}(T\d{1,2}:\d{1,2}:\d{1,2})?)"
_GENERATION_ID = r"(?:[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}|[01])"


class VmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller may set on a virtual machine. None, or an empty family: not set."""

    acpi: Annotated[bool | None, doc("Offer ACPI.", default=True)] = None
    affinity: Annotated[str | None, formats.CPUSET, doc("Host CPUs the guest runs on, as `0,5,8-11`.")] = None
    agent: Annotated[Agent | None, doc("The QEMU guest agent.")] = None
    allow_ksm: Annotated[
        bool | None, name("allow-ksm"), doc("Let the host merge equal memory pages.", default=True)
    ] = None
    amd_sev: Annotated[Sev | None, name("amd-sev"), doc("Encrypt the guest's memory with AMD SEV.")] = None
    arch: Annotated[Literal["x86_64", "aarch64"] | None, doc("Processor architecture; the host's when not set.")] = None
    args: Annotated[str | None, root_only, doc("More arguments for QEMU. For experts: nothing checks them.")] = None
    audio0: Annotated[Audio | None, doc("A sound card.")] = None
    autostart: Annotated[bool | None, doc("Start again after a crash (without effect).", default=False)] = None
    balloon: Annotated[int | None, between(0), doc("Least memory in MiB; 0 turns the balloon device off.")] = None
    bios: Annotated[Literal["seabios", "ovmf"] | None, doc("The firmware.", default="seabios")] = None
    boot: Annotated[Boot | None, doc("Devices to boot from, in order.")] = None
    bootdisk: Annotated[
        str | None, BOOT_DISK, pattern(r"(ide|sata|scsi|virtio)\d+"), doc("Legacy: the disk to boot from; see `boot`.")
    ] = None
    cdrom: Annotated[Ide | None, alias("ide2"), doc("Another name of `ide2`.")] = None
    cicustom: Annotated[CiCustom | None, doc("Cloud-init: files that replace generated ones.")] = None
    cipassword: Annotated[Secret | None, doc("Cloud-init: the user's password. Prefer SSH keys.")] = None
    citype: Annotated[
        Literal["configdrive2", "nocloud", "opennebula"] | None,
        doc("Cloud-init: format of the configuration; by default it follows the operating system."),
    ] = None
    ciupgrade: Annotated[bool | None, doc("Cloud-init: upgrade all packages at the first boot.", default=True)] = None
    ciuser: Annotated[str | None, doc("Cloud-init: name of the user, in place of the image's.")] = None
    cores: Annotated[int | None, between(1), doc("Cores per socket.", default=1)] = None
    cpu: Annotated[Cpu | None, doc("The CPU shown to the guest.")] = None
    cpulimit: Annotated[
        float | None, between(0, 128), doc("Most CPU time to use, in CPUs; 0: no limit.", default=0)
    ] = None
    cpuunits: Annotated[
        int | None,
        between(1, 262144),
        doc("Weight against other guests when CPU time is short; up to 10000 with cgroup v2."),
    ] = None
    description: Annotated[str | None, length(0, 8192), doc("Notes, shown in the web UI; Markdown.")] = None
    efidisk0: Annotated[Efi | None, doc("The volume that keeps EFI variables.")] = None
    freeze: Annotated[bool | None, doc("Do not run the CPUs at start; resume does.")] = None
    hookscript: Annotated[
        str | None, formats.VOLUME_ID, root_only, doc("A script on a storage that runs at steps of the guest's life.")
    ] = None
    hostpci: Annotated[dict[int, HostPci], indexed(16), doc("A PCI device of the host.")] = {}
    hotplug: Annotated[
        str | None,
        HOTPLUG,
        doc(
            "What may change while the guest runs: a list of `network`, `disk`, `cpu`, `memory`, `usb`, `cloudinit`; "
            "0 is nothing, 1 the default.",
            default="network,disk,usb",
        ),
    ] = None
    hugepages: Annotated[
        Literal["any", "2", "1024"] | None, doc("Back memory with huge pages of this size in MiB.")
    ] = None
    ide: Annotated[dict[int, Ide], indexed(4), doc("An IDE disk or CD-ROM.")] = {}
    intel_tdx: Annotated[Tdx | None, name("intel-tdx"), doc("Run the guest as an Intel trust domain.")] = None
    ipconfig: Annotated[
        dict[int, IpConfig], indexed(32), doc("Cloud-init: addresses of the card with this number.")
    ] = {}
    ivshmem: Annotated[Ivshmem | None, doc("Memory shared with other guests or the host.")] = None
    keephugepages: Annotated[bool | None, doc("Keep huge pages allocated when the guest stops.", default=False)] = None
    keyboard: Annotated[Keyboard | None, doc("Keyboard layout of VNC; rarely needed.")] = None
    kvm: Annotated[bool | None, doc("Use hardware virtualization.", default=True)] = None
    localtime: Annotated[bool | None, doc("The clock runs on local time; the default for Windows.")] = None
    lock: Annotated[Lock | None, doc("What holds the guest now.")] = None
    machine: Annotated[Machine | None, doc("The machine type.")] = None
    memory: Annotated[Memory | None, doc("The guest's memory.")] = None
    migrate_downtime: Annotated[
        float | None, between(0), doc("Longest pause a migration should cause, in seconds.", default=0.1)
    ] = None
    migrate_speed: Annotated[
        int | None, between(0), doc("Limit of a migration in MB a second; 0: none.", default=0)
    ] = None
    name: Annotated[str | None, formats.DNS_NAME, doc("The guest's name.")] = None
    nameserver: Annotated[str | None, ADDRESSES, doc("Cloud-init: DNS servers.")] = None
    net: Annotated[dict[int, Net], indexed(32), doc("A network card.")] = {}
    numa: Annotated[bool | None, doc("Show NUMA nodes to the guest.", default=False)] = None
    numa_nodes: Annotated[dict[int, NumaNode], name("numa"), indexed(8), doc("Layout of one NUMA node.")] = {}
    onboot: Annotated[bool | None, doc("Start the guest when its node boots.", default=False)] = None
    ostype: Annotated[OsType | None, doc("The operating system; tunes defaults.", default="other")] = None
    parallel: Annotated[
        dict[int, Annotated[str, pattern(_PARALLEL)]], indexed(3), doc("A parallel port of the host.")
    ] = {}
    protection: Annotated[bool | None, doc("Refuse to remove the guest and its disks.", default=False)] = None
    reboot: Annotated[bool | None, doc("Let the guest reboot; otherwise a reboot ends it.", default=True)] = None
    rng0: Annotated[Rng | None, doc("A random number generator.")] = None
    sata: Annotated[dict[int, Sata], indexed(6), doc("A SATA disk or CD-ROM.")] = {}
    scsi: Annotated[dict[int, Scsi], indexed(31), doc("A SCSI disk or CD-ROM.")] = {}
    scsihw: Annotated[ScsiHw | None, doc("Model of the SCSI controller.", default="lsi")] = None
    searchdomain: Annotated[str | None, doc("Cloud-init: DNS search domains.")] = None
    serial: Annotated[
        dict[int, Annotated[str, pattern("(/dev/[^,]+|socket)")]],
        indexed(4),
        doc("A serial port: `socket`, or a host device."),
    ] = {}
    shares: Annotated[
        int | None,
        between(0, 50000),
        doc("Weight when memory is balanced between guests; 0: no balancing.", default=1000),
    ] = None
    smbios1: Annotated[Smbios | None, length(0, 512), doc("SMBIOS type 1 fields.")] = None
    smp: Annotated[int | None, between(1), doc("Legacy: number of CPUs; use `sockets`.", default=1)] = None
    sockets: Annotated[int | None, between(1), doc("CPU sockets.", default=1)] = None
    spice_enhancements: Annotated[SpiceEnhancements | None, doc("Additional features of SPICE.")] = None
    sshkeys: Annotated[str | None, formats.URLENCODED, doc("Cloud-init: SSH public keys, one a line, URL-encoded.")] = (
        None
    )
    startdate: Annotated[str | None, pattern(_START_DATE), doc("What the clock shows at start.", default="now")] = None
    startup: Annotated[
        str | None,
        STARTUP,
        doc("Order and delays at node boot and shutdown: `[[order=]N][,up=SECONDS][,down=SECONDS]`."),
    ] = None
    tablet: Annotated[bool | None, doc("A USB tablet, for a pointer that follows exactly.", default=True)] = None
    tags: Annotated[str | None, TAGS, doc("Tags: words without further meaning to the platform.")] = None
    tdf: Annotated[bool | None, doc("Let the clock catch up missed ticks.", default=False)] = None
    template: Annotated[bool | None, doc("The guest is a template: cloned, never started.", default=False)] = None
    tpmstate0: Annotated[Tpm | None, doc("The volume that keeps the state of a TPM.")] = None
    unused: Annotated[
        dict[int, Unused], indexed(256), doc("A volume that is no drive now; the platform keeps these.")
    ] = {}
    usb: Annotated[dict[int, Usb], indexed(14), doc("A USB device.")] = {}
    vcpus: Annotated[int | None, between(1), doc("CPUs plugged at start; all when not set.", default=0)] = None
    vga: Annotated[Vga | None, doc("The graphics card.")] = None
    virtio: Annotated[dict[int, Virtio], indexed(16), doc("A virtio disk.")] = {}
    virtiofs: Annotated[dict[int, Virtiofs], indexed(10), doc("A directory of the host, shared by virtiofs.")] = {}
    vmgenid: Annotated[
        str | None,
        pattern(_GENERATION_ID),
        doc("Generation id: tells the guest that it was cloned or restored; 1 makes one, 0 is none."),
    ] = None
    vmstatestorage: Annotated[
        str | None, formats.STORAGE_ID, doc("Storage for memory saved by snapshots and suspend.")
    ] = None
    watchdog: Annotated[Watchdog | None, doc("A watchdog device.")] = None


class VmFile(VmOptions, frozen=True, kw_only=True):
    """All options a configuration file may hold: those of `VmOptions`, and what only the platform writes."""

    meta: Annotated[Meta | None, doc("Facts about the guest's creation.")] = None
    parent: Annotated[str | None, pattern("[a-zA-Z][a-zA-Z0-9_-]+"), doc("The snapshot this state came from.")] = None
    runningcpu: Annotated[str | None, doc("QEMU's CPU argument when the memory was saved.")] = None
    runningmachine: Annotated[str | None, doc("QEMU's machine type when the memory was saved.")] = None
    running_nets_host_mtu: Annotated[
        str | None, name("running-nets-host-mtu"), doc("MTU of each card when the memory was saved, as `net0=1500,…`.")
    ] = None
    snapstate: Annotated[Literal["prepare", "delete"] | None, doc("A snapshot that is not finished.")] = None
    snaptime: Annotated[int | None, between(0), doc("When the snapshot was made, as UNIX time.")] = None
    vmstate: Annotated[str | None, formats.VOLUME_ID, doc("The volume with the saved memory.")] = None
