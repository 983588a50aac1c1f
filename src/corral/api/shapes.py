"""How answers look that handlers build as plain dicts: for the schema and the clients that are made from it.

Nothing is made from these classes at run time; `tests/integration/test_shapes.py` compares them with real answers.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from corral.guests.qemu.options import VmOptions
from corral.metrics.resources import Row
from corral.node.config import NodeOptions
from corral.rest.results import Configured, Shaped, Wire
from corral.schema.fields import name
from corral.storage.plugins.dir import DirConfig


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """An object on the wire; attributes that may be None may be missing."""


class Node(Shape, frozen=True, kw_only=True):
    """A node in a list; figures only for those who may see them."""

    id: str
    node: str
    type: str
    status: str
    cpu: float | None = None
    maxcpu: float | None = None
    mem: int | None = None
    maxmem: int | None = None
    disk: int | None = None
    maxdisk: int | None = None
    uptime: int | None = None
    level: str | None = None
    ssl_fingerprint: str | None = None


class Processors(Shape, frozen=True, kw_only=True):
    """A node's processors."""

    model: str
    cpus: int
    cores: int
    sockets: int
    mhz: str
    flags: str
    hvm: str
    user_hz: int


class Memory(Shape, frozen=True, kw_only=True):
    """Bytes of memory or of swap."""

    total: int
    used: int
    free: int
    available: int | None = None


class Room(Shape, frozen=True, kw_only=True):
    """Bytes of a file system."""

    total: int
    used: int
    avail: int
    free: int


class Kernel(Shape, frozen=True, kw_only=True):
    """What uname says."""

    sysname: str
    release: str
    version: str
    machine: str


class NodeStatus(Shape, frozen=True, kw_only=True):
    """A node now."""

    uptime: int
    loadavg: list[str]
    cpu: float
    wait: float
    idle: float
    cpuinfo: Processors
    memory: Memory
    swap: Memory
    rootfs: Room
    ksm: dict[str, int]
    pveversion: str
    kversion: str
    kernel: Annotated[Kernel, name("current-kernel")]
    boot: Annotated[dict[str, Any], name("boot-info")]


class Dns(Shape, frozen=True, kw_only=True):
    """The resolver's settings."""

    search: str | None = None
    dns1: str | None = None
    dns2: str | None = None
    dns3: str | None = None


class Hosts(Shape, frozen=True, kw_only=True):
    """/etc/hosts."""

    data: str
    digest: str


class Time(Shape, frozen=True, kw_only=True):
    """Seconds since 1970; `localtime` is moved by the zone's distance."""

    timezone: str
    time: int
    localtime: int


class ClusterMember(Shape, frozen=True, kw_only=True):
    """The cluster, or one of its nodes."""

    type: Literal["cluster", "node"]
    id: str
    name: str
    nodes: int | None = None
    quorate: bool | None = None
    version: int | None = None
    nodeid: int | None = None
    ip: str | None = None
    local: bool | None = None
    online: bool | None = None
    level: str | None = None


class LogEntry(Shape, frozen=True, kw_only=True):
    """Who changed what."""

    id: str
    uid: int
    time: int
    node: str
    user: str
    tag: str
    pid: int
    pri: int
    msg: str


class LogLine(Shape, frozen=True, kw_only=True):
    """A line of a log."""

    n: int
    t: str


class Interface(Shape, frozen=True, kw_only=True):
    """A network interface, as configured and as it is."""

    iface: str | None = None
    type: str
    priority: int
    families: list[str]
    method: str
    method6: str
    exists: bool | None = None
    active: bool | None = None
    autostart: bool | None = None
    address: str | None = None
    netmask: str | None = None
    cidr: str | None = None
    gateway: str | None = None
    address6: str | None = None
    netmask6: int | None = None
    cidr6: str | None = None
    gateway6: str | None = None
    bridge_ports: str | None = None
    bridge_vlan_aware: bool | None = None
    bond_mode: str | None = None
    slaves: str | None = None
    mtu: int | None = None
    comments: str | None = None


class Nat(Shape, frozen=True, kw_only=True):
    """The NAT bridge."""

    active: bool
    bridge: str | None = None
    address: str | None = None


class Service(Shape, frozen=True, kw_only=True):
    """A system service."""

    service: str
    name: str
    desc: str
    state: str
    active: Annotated[str, name("active-state")]
    unit: Annotated[str, name("unit-state")]


class PciDevice(Shape, frozen=True, kw_only=True):
    """A PCI device."""

    id: str
    kind: Annotated[str, name("class")]
    vendor: str | None = None
    device: str | None = None
    iommugroup: int | None = None
    vendor_name: str | None = None
    device_name: str | None = None
    subsystem_vendor: str | None = None
    subsystem_device: str | None = None
    subsystem_vendor_name: str | None = None
    subsystem_device_name: str | None = None
    mdev: bool | None = None


class UsbDevice(Shape, frozen=True, kw_only=True):
    """A USB device."""

    busnum: int
    devnum: int
    kind: Annotated[int, name("class")]
    vendid: str
    prodid: str
    speed: str
    level: int
    port: int
    usbpath: str | None = None
    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None


class CpuModel(Shape, frozen=True, kw_only=True):
    """A CPU model for guests."""

    name: str
    custom: bool
    vendor: str


class CpuFlag(Shape, frozen=True, kw_only=True):
    """A CPU flag that guests may set."""

    name: str
    description: str
    supported: Annotated[list[str], name("supported-on")]


class MachineType(Shape, frozen=True, kw_only=True):
    """A machine type of QEMU's."""

    id: str
    type: str
    version: str


class Certificate(Shape, frozen=True, kw_only=True):
    """A certificate of the node."""

    filename: str
    fingerprint: str
    subject: str
    issuer: str
    notbefore: int
    notafter: int
    bits: Annotated[int, name("public-key-bits")]
    key: Annotated[str, name("public-key-type")]
    san: list[str]
    pem: str


class StorageState(Shape, frozen=True, kw_only=True):
    """A storage as a node sees it; sizes in bytes."""

    storage: str | None = None
    type: str
    content: str
    enabled: bool
    active: bool
    shared: bool
    total: int
    used: int
    avail: int
    used_fraction: float | None = None
    formats: dict[str, Any] | None = None
    select_existing: bool | None = None


class Volume(Shape, frozen=True, kw_only=True):
    """A volume in a list; sizes in bytes."""

    volid: str
    content: str
    format: str
    size: int
    ctime: int
    vmid: int | None = None
    used: int | None = None
    parent: str | None = None
    subtype: str | None = None
    protected: bool | None = None
    notes: str | None = None


class VolumeDetails(Shape, frozen=True, kw_only=True):
    """One volume; sizes in bytes."""

    path: str
    size: int
    used: int
    format: str
    notes: str | None = None
    protected: bool | None = None


class Backup(Shape, frozen=True, kw_only=True):
    """A backup, and whether it is kept."""

    volid: str
    ctime: int
    mark: str
    type: str
    vmid: int | None = None


class WebFile(Shape, frozen=True, kw_only=True):
    """A file on the web."""

    filename: str | None = None
    size: int | None = None
    mimetype: str | None = None


class Session(Shape, frozen=True, kw_only=True):
    """What a client needs to open a console's WebSocket."""

    user: str
    ticket: str
    port: int
    upid: str
    cert: str | None = None
    password: str | None = None


class FeatureState(Shape, frozen=True, kw_only=True):
    """Whether a guest's disks allow something."""

    able: Annotated[bool, name("hasFeature")]
    nodes: list[str] | None = None


class Figures(Shape, frozen=True, kw_only=True):
    """Samples at one time; further figures by name, missing where nothing was measured."""

    time: int


_Rows = list[dict[str, Any]]
_Object = dict[str, Any]

Resources = Annotated[Wire, Shaped(list[Row])]
Nodes = Annotated[_Rows, Shaped(list[Node])]
StatusOfNode = Annotated[_Object, Shaped(NodeStatus)]
DnsSettings = Annotated[_Object, Shaped(Dns)]
HostsFile = Annotated[_Object, Shaped(Hosts)]
TimeOfNode = Annotated[_Object, Shaped(Time)]
ClusterMembers = Annotated[_Rows, Shaped(list[ClusterMember])]
LogEntries = Annotated[_Rows, Shaped(list[LogEntry])]
LogLines = Annotated[_Rows, Shaped(list[LogLine])]
Interfaces = Annotated[_Rows, Shaped(list[Interface])]
OneInterface = Annotated[_Object, Shaped(Interface)]
NatState = Annotated[_Object, Shaped(Nat)]
Services = Annotated[_Rows, Shaped(list[Service])]
ServiceState = Annotated[_Object, Shaped(Service)]
PciDevices = Annotated[_Rows, Shaped(list[PciDevice])]
UsbDevices = Annotated[_Rows, Shaped(list[UsbDevice])]
CpuModels = Annotated[_Rows, Shaped(list[CpuModel])]
CpuFlags = Annotated[_Rows, Shaped(list[CpuFlag])]
MachineTypes = Annotated[_Rows, Shaped(list[MachineType])]
Certificates = Annotated[_Rows, Shaped(list[Certificate])]
StorageStates = Annotated[_Rows, Shaped(list[StorageState])]
StateOfStorage = Annotated[_Object, Shaped(StorageState)]
Volumes = Annotated[_Rows, Shaped(list[Volume])]
OneVolume = Annotated[_Object, Shaped(VolumeDetails)]
Backups = Annotated[_Rows, Shaped(list[Backup])]
FileOnWeb = Annotated[_Object, Shaped(WebFile)]
ConsoleSession = Annotated[_Object, Shaped(Session)]
Feature = Annotated[_Object, Shaped(FeatureState)]
History = Annotated[_Rows, Shaped(list[Figures])]
GuestConfig = Annotated[_Object, Configured(VmOptions)]
NodeConfig = Annotated[_Object, Configured(NodeOptions)]
StorageConfig = Annotated[_Object, Configured(DirConfig, also=("storage", "type"))]
StorageConfigs = Annotated[_Rows, Shaped(list[StorageConfig])]
