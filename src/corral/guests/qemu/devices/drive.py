"""Drives as they are configured: disks, CD-ROMs, EFI variables and TPM state, each a property string."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.guests.qemu.formats import DISK_SIZE
from corral.schema import formats
from corral.schema.fields import Format, between, doc, length, name, pattern
from corral.schema.propstring import PropertyString

NO_MEDIUM = "none"
HOST_CDROM = "cdrom"


def _volume_or_path(value: str) -> str:
    if value in (NO_MEDIUM, HOST_CDROM) or (value.startswith("/") and value.isprintable()):
        return value
    return str(formats.VOLUME_ID.check(value))


def _volume_or_absolute(value: str) -> str:
    if value.startswith("/") and value.isprintable():
        return value
    return str(formats.VOLUME_ID.check(value))


VOLUME_OR_PATH = Format("pve-volume-id-or-qm-path", _volume_or_path)
VOLUME_OR_ABSOLUTE_PATH = Format("pve-volume-id-or-absolute-path", _volume_or_absolute)
Aio = Literal["native", "threads", "io_uring"]
Cache = Literal["none", "writethrough", "writeback", "unsafe", "directsync"]
ImageFormat = Literal["raw", "qcow", "qed", "qcow2", "vmdk", "cloop"]

_LENGTHS = {f"{kind}_length": f"{kind}_max_length" for kind in ("bps_rd", "bps_wr", "iops_rd", "iops_wr")}


class Volume(PropertyString, frozen=True, kw_only=True):
    """What every drive has: the volume behind it, and its size."""

    default_key: ClassVar[str] = "file"
    aliases: ClassVar[dict[str, str]] = {"volume": "file"}

    file: Annotated[str, VOLUME_OR_PATH, doc("The volume behind the drive; `STORAGE:SIZE` allocates one of SIZE GiB.")]
    size: (
        Annotated[str, DISK_SIZE, doc("Size of the volume. For information only; resizing is a call of its own.")]
        | None
    ) = None

    @property
    def volid(self) -> str | None:
        """The volume's id; None for an empty drive, the host's drive, or a path."""
        if self.file in (NO_MEDIUM, HOST_CDROM) or self.file.startswith("/"):
            return None
        return self.file


class Unused(PropertyString, frozen=True, kw_only=True):
    """A volume that belongs to the guest, but is no drive of it now."""

    default_key: ClassVar[str] = "file"
    aliases: ClassVar[dict[str, str]] = {"volume": "file"}

    file: Annotated[str, formats.VOLUME_ID, doc("The volume.")]


class Drive(Volume, frozen=True, kw_only=True):
    """What drives on every bus have."""

    aliases: ClassVar[dict[str, str]] = {**Volume.aliases, **_LENGTHS}

    aio: Annotated[Aio, doc("How requests are handed to the host.")] | None = None
    backup: Annotated[bool, doc("Whether backups include the drive.")] | None = None
    bps: Annotated[int, doc("Limit of reads and writes together, in bytes a second.")] | None = None
    bps_max_length: (
        Annotated[int, between(1), doc("How long a burst of reads and writes may last, in seconds.")] | None
    ) = None
    bps_rd: Annotated[int, doc("Limit of reads, in bytes a second.")] | None = None
    bps_rd_max_length: Annotated[int, between(1), doc("How long a burst of reads may last, in seconds.")] | None = None
    bps_wr: Annotated[int, doc("Limit of writes, in bytes a second.")] | None = None
    bps_wr_max_length: Annotated[int, between(1), doc("How long a burst of writes may last, in seconds.")] | None = None
    cache: Annotated[Cache, doc("How the host caches the drive.")] | None = None
    detect_zeroes: Annotated[bool, doc("Detect writes of zeroes and optimize them.")] | None = None
    discard: Annotated[Literal["ignore", "on"], doc("Whether the guest's trim requests free space.")] | None = None
    format: Annotated[ImageFormat, doc("Format of the image, where the storage does not tell.")] | None = None
    import_from: (
        Annotated[
            str, VOLUME_OR_ABSOLUTE_PATH, name("import-from"), doc("Fill the new volume from this volume or file.")
        ]
        | None
    ) = None
    iops: Annotated[int, doc("Limit of reads and writes together, in operations a second.")] | None = None
    iops_max: Annotated[int, doc("Limit of reads and writes in a burst, in operations a second.")] | None = None
    iops_max_length: Annotated[int, between(1), doc("How long a burst of operations may last, in seconds.")] | None = (
        None
    )
    iops_rd: Annotated[int, doc("Limit of reads, in operations a second.")] | None = None
    iops_rd_max: Annotated[int, doc("Limit of reads in a burst, in operations a second.")] | None = None
    iops_rd_max_length: (
        Annotated[int, between(1), doc("How long a burst of read operations may last, in seconds.")] | None
    ) = None
    iops_wr: Annotated[int, doc("Limit of writes, in operations a second.")] | None = None
    iops_wr_max: Annotated[int, doc("Limit of writes in a burst, in operations a second.")] | None = None
    iops_wr_max_length: (
        Annotated[int, between(1), doc("How long a burst of write operations may last, in seconds.")] | None
    ) = None
    mbps: Annotated[float, doc("Limit of reads and writes together, in MiB a second.")] | None = None
    mbps_max: Annotated[float, doc("Limit of reads and writes in a burst, in MiB a second.")] | None = None
    mbps_rd: Annotated[float, doc("Limit of reads, in MiB a second.")] | None = None
    mbps_rd_max: Annotated[float, doc("Limit of reads in a burst, in MiB a second.")] | None = None
    mbps_wr: Annotated[float, doc("Limit of writes, in MiB a second.")] | None = None
    mbps_wr_max: Annotated[float, doc("Limit of writes in a burst, in MiB a second.")] | None = None
    media: Annotated[Literal["cdrom", "disk"], doc("What the drive is.", default="disk")] | None = None
    replicate: Annotated[bool, doc("Whether replication jobs include the drive.", default=True)] | None = None
    rerror: Annotated[Literal["ignore", "report", "stop"], doc("What to do when a read fails.")] | None = None
    serial: (
        Annotated[str, formats.URLENCODED, length(0, 60), doc("Serial number shown to the guest, URL-encoded.")] | None
    ) = None
    shared: (
        Annotated[bool, doc("Every node reaches the volume, though its storage does not say so.", default=False)] | None
    ) = None
    snapshot: Annotated[bool, doc("Writes are kept in a temporary file and lost at the end.")] | None = None
    werror: Annotated[Literal["enospc", "ignore", "report", "stop"], doc("What to do when a write fails.")] | None = (
        None
    )

    @property
    def cdrom(self) -> bool:
        """Whether it is a CD-ROM drive, with or without a medium."""
        return self.media == "cdrom"

    @property
    def cloudinit(self) -> bool:
        """Whether its volume is the generated cloud-init image."""
        name = (self.volid or "").rpartition(":")[2].rpartition("/")[2]
        return (
            self.cdrom
            and name.startswith("vm-")
            and name.removesuffix(".qcow2").removesuffix(".raw").endswith("-cloudinit")
        )


_WWN = r"0x[0-9a-fA-F]{16}"


class Ide(Drive, frozen=True, kw_only=True):
    """A drive on an IDE bus."""

    model: Annotated[str, formats.URLENCODED, length(0, 120), doc("Model shown to the guest, URL-encoded.")] | None = (
        None
    )
    ssd: Annotated[bool, doc("Show the drive as a solid-state disk.")] | None = None
    wwn: Annotated[str, pattern(_WWN), doc("World-wide name: `0x` and 16 hex digits.")] | None = None


class Sata(Drive, frozen=True, kw_only=True):
    """A drive on a SATA port."""

    ssd: Annotated[bool, doc("Show the drive as a solid-state disk.")] | None = None
    wwn: Annotated[str, pattern(_WWN), doc("World-wide name: `0x` and 16 hex digits.")] | None = None


class Scsi(Drive, frozen=True, kw_only=True):
    """A drive on a SCSI bus."""

    iothread: Annotated[bool, doc("A thread of its own for the drive's requests.")] | None = None
    product: Annotated[str, pattern(r"[A-Za-z0-9\-_\s]{,16}"), doc("Product name shown to the guest.")] | None = None
    queues: Annotated[int, between(2), doc("Number of request queues.")] | None = None
    ro: Annotated[bool, doc("The guest can only read.")] | None = None
    scsiblock: Annotated[bool, doc("Pass the host's SCSI device through.", default=False)] | None = None
    ssd: Annotated[bool, doc("Show the drive as a solid-state disk.")] | None = None
    vendor: Annotated[str, pattern(r"[A-Za-z0-9\-_\s]{,8}"), doc("Vendor name shown to the guest.")] | None = None
    wwn: Annotated[str, pattern(_WWN), doc("World-wide name: `0x` and 16 hex digits.")] | None = None


class Virtio(Drive, frozen=True, kw_only=True):
    """A virtio block drive."""

    iothread: Annotated[bool, doc("A thread of its own for the drive's requests.")] | None = None
    ro: Annotated[bool, doc("The guest can only read.")] | None = None


class Efi(Volume, frozen=True, kw_only=True):
    """The volume that keeps EFI variables."""

    efitype: (
        Annotated[
            Literal["2m", "4m"], doc("Size of the firmware's variables; `4m` is needed for Secure Boot.", default="2m")
        ]
        | None
    ) = None
    format: Annotated[ImageFormat, doc("Format of the image, where the storage does not tell.")] | None = None
    import_from: (
        Annotated[
            str, VOLUME_OR_ABSOLUTE_PATH, name("import-from"), doc("Fill the new volume from this volume or file.")
        ]
        | None
    ) = None
    ms_cert: (
        Annotated[
            Literal["2011", "2023", "2023w", "2023k"],
            name("ms-cert"),
            doc("Which of Microsoft's certificates are enrolled: noted by the platform.", default="2011"),
        ]
        | None
    ) = None
    pre_enrolled_keys: (
        Annotated[
            bool,
            name("pre-enrolled-keys"),
            doc("Start from variables with Secure Boot keys enrolled; with `efitype=4m` only.", default=False),
        ]
        | None
    ) = None


class Tpm(Volume, frozen=True, kw_only=True):
    """The volume that keeps the state of an emulated TPM."""

    format: (
        Annotated[Literal["raw", "qcow2", "vmdk"], doc("Format of the image, where the storage does not tell.")] | None
    ) = None
    import_from: (
        Annotated[
            str, VOLUME_OR_ABSOLUTE_PATH, name("import-from"), doc("Fill the new volume from this volume or file.")
        ]
        | None
    ) = None
    version: (
        Annotated[Literal["v1.2", "v2.0"], doc("Version of the TPM; can't be changed later.", default="v1.2")] | None
    ) = None
