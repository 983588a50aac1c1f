"""Who may set which option of a virtual machine: one table, and the rules that depend on an option's value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from corral.core.errors import Error, Forbidden
from corral.core.identity import Identity
from corral.guests.qemu import config as vm
from corral.guests.qemu.devices.drive import HOST_CDROM, Drive
from corral.guests.qemu.life.volumes import asks_for_new
from corral.storage.access import check_volume
from corral.storage.service import Storages

CDROM = "VM.Config.CDROM"
CLOUDINIT = "VM.Config.Cloudinit"
CPU = "VM.Config.CPU"
DISK = "VM.Config.Disk"
HARDWARE = "VM.Config.HWType"
MEMORY = "VM.Config.Memory"
NETWORK = "VM.Config.Network"
OPTIONS = "VM.Config.Options"
ROOT: Final = "root@pam"
"""In the table: no privilege does, since the option equals root on the host."""

CHANGES = (DISK, CDROM, CPU, MEMORY, NETWORK, HARDWARE, OPTIONS, CLOUDINIT)
"""One of these is needed to change anything; which one depends on the option."""

TABLE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("affinity", "cores", "cpu", "cpulimit", "cpuunits", "numa", "smp", "sockets", "vcpus"), CPU),
    **dict.fromkeys(("allow-ksm", "balloon", "hugepages", "keephugepages", "memory", "shares"), MEMORY),
    **dict.fromkeys(("boot", "bootdisk", "vmstatestorage"), DISK),
    **dict.fromkeys(("ide", "sata", "scsi", "virtio", "efidisk", "tpmstate", "unused"), DISK),
    **dict.fromkeys(("net", "ipconfig", "nameserver", "searchdomain"), NETWORK),
    **dict.fromkeys(("cicustom", "cipassword", "citype", "ciupgrade", "ciuser", "sshkeys"), CLOUDINIT),
    **dict.fromkeys(
        (
            "acpi", "amd-sev", "arch", "audio", "hotplug", "intel-tdx", "ivshmem", "kvm", "machine", "rng", "scsihw",
            "smbios", "tablet", "vga", "virtiofs", "vmgenid", "watchdog", "hostpci", "usb", "serial",
        ),
        HARDWARE,
    ),
    **dict.fromkeys(
        (
            "agent", "autostart", "bios", "description", "freeze", "keyboard", "localtime", "migrate_downtime",
            "migrate_speed", "name", "onboot", "ostype", "protection", "reboot", "spice_enhancements", "startdate",
            "startup", "tags", "tdf", "template",
        ),
        OPTIONS,
    ),
    **dict.fromkeys(("args", "hookscript", "lock", "parallel"), ROOT),
}  # fmt: skip
"""Option, or base name of a numbered family → privilege."""

_ALIASES: Final = {"cdrom": "ide"}


class Caller(Protocol):
    """What the rules ask of a call."""

    @property
    def who(self) -> Identity:
        """Who calls."""
        ...

    def may(self, path: str, *privs: str) -> bool:
        """Whether the caller has all of `privs` on the ACL path."""
        ...

    def may_any(self, path: str, *privs: str) -> bool:
        """Whether the caller has one of `privs` on the ACL path."""
        ...

    def need(self, path: str, *privs: str) -> None:
        """`Forbidden` unless `may`."""
        ...

    def need_any(self, path: str, *privs: str) -> None:
        """`Forbidden` unless `may_any`."""
        ...


def privilege_of(key: str) -> str:
    """The privilege for an option; `Error` for one that the table does not know."""
    base = _ALIASES.get(key, key)
    if base not in TABLE:
        base = base.rstrip("0123456789")
    found = TABLE.get(base)
    if found is None:
        raise Error(f"unknown option '{key}'")
    return found


class Rules:
    """The rules for one call on one guest, which may be about to be made in a pool."""

    def __init__(self, caller: Caller, storages: Storages, vmid: int, *, pool: str | None = None) -> None:
        self._caller = caller
        self._storages = storages
        self._vmid = vmid
        self._pool = pool

    def need(self, *privs: str) -> None:
        """`Forbidden` unless the caller has all of these on the guest, or on the pool that it will be in."""
        if self._pool is None or not self._caller.may(f"/pool/{self._pool}", *privs):
            self._caller.need(f"/vms/{self._vmid}", *privs)

    def need_root(self, key: str) -> None:
        """`Forbidden` unless root@pam calls."""
        if not self._caller.who.is_root:
            raise Forbidden(f"only root can set '{key}' config")

    def check_create(self, options: Mapping[str, str]) -> None:
        """May a guest be made with these options?"""
        self.need("VM.Allocate")
        self.check_set(options, {})

    def check_set(self, options: Mapping[str, str], before: Mapping[str, str]) -> None:
        """May these options be set (texts by wire name), `before` being what is set now?"""
        for key, text in options.items():
            if before.get(key) != text:
                self._check_option(key, text, before.get(key))

    def check_unset(self, keys: Iterable[str], before: Mapping[str, str]) -> None:
        """May these options be removed, or their pending changes taken back?"""
        for key in keys:
            if vm.is_drive(key):
                self._need_drive(before.get(key))
            elif (priv := privilege_of(key)) == ROOT:
                self.need_root(key)
            else:
                self.need(priv)

    def _check_option(self, key: str, text: str, before: str | None) -> None:
        priv = privilege_of(key)
        if priv == ROOT:
            self.need_root(key)
        elif vm.has_volume(key):
            self._check_volume(key, text, before)
        else:
            self.need(priv)
        if key == "cicustom":
            self._check_snippets(text)
        elif key == "vmstatestorage":
            self._caller.need(f"/storage/{text}", "Datastore.AllocateSpace")
        elif priv == NETWORK and key.startswith("net"):
            self._check_bridge(key, text, before)
        elif key.startswith(("usb", "hostpci", "serial", "virtiofs")):
            self._check_host_device(key, text)

    def _check_snippets(self, text: str) -> None:
        """What these files say can be read through the guest, so only from storages that the caller may look into."""
        custom: Any = vm.value_of("cicustom", text)
        for volume in (custom.meta, custom.network, custom.user, custom.vendor):
            if volume is not None:
                path = f"/storage/{volume.partition(':')[0]}"
                self._caller.need_any(path, "Datastore.AllocateSpace", "Datastore.Audit")

    def _check_bridge(self, key: str, text: str, before: str | None) -> None:
        card: Any = vm.value_of(key, text)
        old: Any = vm.value_of(key, before) if before else None
        if card.bridge is None or (old is not None and (old.bridge, old.tag) == (card.bridge, card.tag)):
            return
        path = f"/sdn/zones/localnetwork/{card.bridge}"
        if card.tag is not None and self._caller.may(f"{path}/{card.tag}", "SDN.Use"):
            return
        self._caller.need(path, "SDN.Use")

    def _check_host_device(self, key: str, text: str) -> None:
        """A device of the host itself is root's to give away; a mapped one takes the use of its mapping."""
        if key.startswith("serial"):
            if text != "socket":
                self.need_root(key)
            return
        value: Any = vm.value_of(key, text)
        mapping = getattr(value, "dirid", None) or getattr(value, "mapping", None)
        kind = "usb" if key.startswith("usb") else "dir" if key.startswith("virtiofs") else "pci"
        if mapping:
            self._caller.need(f"/mapping/{kind}/{mapping}", "Mapping.Use")
        elif kind != "usb" or getattr(value, "host", None) != "spice":
            self.need_root(key)

    def _need_drive(self, text: str | None) -> None:
        drive: Any = vm.value_of("ide0", text) if text and "media=cdrom" in text else None
        if isinstance(drive, Drive) and drive.cloudinit:
            self.need(CLOUDINIT)
        else:
            self.need(CDROM if drive is not None else DISK)

    def _check_volume(self, key: str, text: str, before: str | None) -> None:
        value: Any = vm.value_of(key, text)
        cdrom = isinstance(value, Drive) and value.cdrom
        if value.file.endswith(":cloudinit"):
            self.need(CLOUDINIT)
        else:
            self.need(CDROM if cdrom else DISK)
        source = getattr(value, "import_from", None)
        if source is not None:
            self._check_source(key, source)
        if asks_for_new(value.file):
            self._caller.need(f"/storage/{value.file.partition(':')[0]}", "Datastore.AllocateSpace")
        elif value.volid is not None:
            old: Any = vm.value_of(key, before) if before else None
            if old is None or old.volid != value.volid:
                check_volume(self._storages, self._caller, value.volid, vmid=self._vmid)
        elif value.file == HOST_CDROM:
            self._caller.need("/", "Sys.Console")
        elif value.file.startswith("/"):
            self.need_root(key)

    def _check_source(self, key: str, source: str) -> None:
        if source.startswith("/"):
            if not self._caller.who.is_root:
                raise Forbidden(f"{key}: only root@pam may import from a path")
        else:
            check_volume(self._storages, self._caller, source, vmid=self._vmid)
