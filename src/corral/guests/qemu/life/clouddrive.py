"""The cloud-init drive: made of a guest's configuration, written into its volume before each start."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from corral.core.errors import Error
from corral.guests.qemu import cloudinit
from corral.guests.qemu.cloudinit import Custom, Part, Resolver, Row, Seed
from corral.guests.qemu.config import Section, VmConfig
from corral.guests.qemu.life.machines import Machine, Machines
from corral.system import files
from corral.system.run import Arg
from corral.tasks.base import Work

MAX_CUSTOM = 1024 * 1024


class CloudDrives:
    """Writes cloud-init drives, and shows what they say."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def refresh(self, machine: Machine, work: Work) -> Machine:
        """Write the drive anew if the guest has one; answers the machine as its record then is."""
        volid = drive_of(machine.config)
        if volid is None:
            return machine
        work.log("generating cloud-init ISO")
        if not self._machines.storages.exists(volid):
            self._machines.storages.allocate(volid, 4 * 1024 * 1024)
        self.write(machine, volid)
        return self._machines.commit(work, machine.guest.vmid, lambda found: noted(found.config))

    def pending(self, vmid: int) -> Sequence[Row]:
        """What a new drive would say that the present one does not."""
        machine = self._machines.load(vmid)
        return cloudinit.changes(machine.config, machine.config.special.get("cloudinit"))

    def write(self, machine: Machine, volid: str) -> None:
        """Put the files on the drive's volume, which no guest must read meanwhile."""
        seed = self.seed(machine)
        label = cloudinit.LABELS[cloudinit.type_of(machine.config.options)]
        scratch = files.ensure_dir(self._machines.layout.run / "cloudinit", mode=0o700)
        with tempfile.TemporaryDirectory(dir=scratch) as directory:
            content, image = Path(directory) / "content", Path(directory) / "image.iso"
            for name, text in seed.files().items():
                path = content / name
                files.ensure_dir(path.parent, mode=0o700)
                files.atomic_write(path, text, mode=0o600)
            words: list[Arg] = ["genisoimage", "-quiet", "-joliet", "-rock", "-volid", label, "-o", image, content]
            self._machines.run(words, timeout=60)
            cloudinit.refuse_large(image.stat().st_size, self._machines.storages.info(volid).size)
            _, name_of = self._machines.storages.locate(volid)
            target = self._machines.storages.path(volid)
            convert: list[Arg] = ["qemu-img", "convert", "-n", "-f", "raw", "-O", name_of.format, image, target]
            self._machines.run(convert, timeout=60)

    def seed(self, machine: Machine) -> Seed:
        """What the files are made of."""
        options = machine.config.options
        return Seed(
            name=options.name or f"VM{machine.guest.vmid}",
            options=options,
            resolver=cloudinit.resolver_of(options, _host_resolver()),
            custom=self._custom(machine.config),
        )

    def dump(self, vmid: int, part: Part) -> str:
        """One of the files as it would be written now."""
        return self.seed(self._machines.load(vmid)).part(part)

    def _custom(self, config: Section) -> Custom:
        chosen = config.options.cicustom
        if chosen is None:
            return Custom()
        return Custom(
            user=self._snippet(chosen.user),
            network=self._snippet(chosen.network),
            meta=self._snippet(chosen.meta),
            vendor=self._snippet(chosen.vendor),
        )

    def _snippet(self, volid: str | None) -> str | None:
        if volid is None:
            return None
        _, name = self._machines.storages.locate(volid)
        if name.vtype != "snippets":
            raise Error(f"'{volid}' is not a snippet")
        return files.read_text(self._machines.storages.path(volid), limit=MAX_CUSTOM)


def noted(config: VmConfig) -> VmConfig:
    """With a note of what the drive was made of."""
    return config.with_special("cloudinit", cloudinit.noted(config))


def drive_of(config: Section) -> str | None:
    """The volume of the guest's cloud-init drive."""
    return next((drive.volid for _, drive in config.drives() if drive.cloudinit), None)


def _host_resolver() -> Resolver:
    """The machine's own resolver: what a guest gets that has none of its own."""
    servers: list[str] = []
    domains: list[str] = []
    for line in files.read_tail(Path("/etc/resolv.conf"), limit=65536).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            servers.append(words[1])
        elif len(words) > 1 and words[0] in ("search", "domain"):
            domains = words[1:]
    return Resolver(tuple(servers), tuple(domains))
