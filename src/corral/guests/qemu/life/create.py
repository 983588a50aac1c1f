"""Creating a virtual machine: the number and the record first, then its volumes, all or nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from corral.access.records import UserConfig
from corral.core.errors import Conflict, Error
from corral.guests import records
from corral.guests.qemu import config as vm
from corral.guests.qemu.config import EMPTY, VmConfig
from corral.guests.qemu.devices.smbios import Smbios
from corral.guests.qemu.life.clouddrive import drive_of, noted
from corral.guests.qemu.life.machines import COMMITS, Machines, lock_of
from corral.guests.qemu.life.volumes import Prepared
from corral.guests.qemu.life.work import QmCreate, QmStart
from corral.store.base import Write
from corral.tasks.base import Draws, Intent, UndoScope, Work

USERS = "user.cfg"
DRAWN_FOR = 10.0
"""Seconds for which a number that was drawn for one create is not drawn for another."""
Start = Callable[[QmStart, Work], None]


class Creator:
    """Makes virtual machines. `start` starts one; `qemu_version` is what new guests are noted as made with."""

    def __init__(self, machines: Machines, start: Start, qemu_version: Callable[[], str]) -> None:
        self._machines = machines
        self._start = start
        self._qemu_version = qemu_version
        self._drawn: dict[int, float] = {}
        self._drawing = threading.Lock()

    def check(self, args: QmCreate, draws: Draws) -> Intent:
        """Decide on number, names, addresses; refuse what can't be."""
        vmid = self._vmid(args, draws)
        records.refuse_taken(self._machines.tree, vmid)
        prepared = self._prepare(vmid, args.options, draws)
        config = config_of(prepared.options, draws)
        text = str(noted(config) if args.start and drive_of(config) else config)
        uuid = draws.uuid("uuid")
        claim = records.claim(vmid, kind="qemu", uuid=uuid, node=self._machines.node, text="lock: create\n")
        final = msgspec.structs.replace(claim, text=text)
        pool = self._pool_write(vmid, args.pool)
        effects = [f"creates VM {vmid}"]
        if args.start:
            effects.append(f"starts VM {vmid}")
        return Intent(
            writes=(final, *pool),
            claim=(claim,),
            volumes=tuple(each.change for each in prepared.new),
            locks=(lock_of(vmid), *prepared.sources),
            slots=prepared.slots,
            effects=tuple(effects),
            seconds=1.0 + sum(10.0 for each in prepared.new if each.source),
            id=str(vmid),
        )

    def _vmid(self, args: QmCreate, draws: Draws) -> int:
        if args.vmid:
            return args.vmid
        return int(draws.draw("vmid", self._draw_vmid))

    def _draw_vmid(self) -> str:
        """The lowest number that is free and was not drawn just now for another create, whose claim is under way."""
        now = self._machines.clock.monotonic()
        with self._drawing:
            self._drawn = {vmid: since for vmid, since in self._drawn.items() if now - since < DRAWN_FOR}
            vmid = records.lowest_free(self._machines.tree, but=self._drawn.keys())
            self._drawn[vmid] = now
        return str(vmid)

    def _prepare(self, vmid: int, options: Mapping[str, str], draws: Draws) -> Prepared:
        completed = complete(dict(options), draws, self._qemu_version, self._machines.clock.now)
        return self._machines.volumes.prepare(vmid, completed, draws, arch=options.get("arch", "x86_64"))

    def _pool_write(self, vmid: int, pool: str | None) -> tuple[Write, ...]:
        if pool is None:
            return ()
        doc = self._machines.tree.get(USERS)
        users = UserConfig.parse(doc.text if doc else "")
        if pool not in users.pools:
            raise Error(f"pool '{pool}' does not exist")
        text = str(users.with_guest_in(vmid, pool))
        return (Write(key=USERS, text=text, expect=doc.version if doc else 0),)

    def act(self, args: QmCreate, work: Work) -> None:
        """Make the volumes, then the configuration in one transaction; start if that is wanted."""
        vmid = self._vmid(args, work.draws)
        prepared = self._prepare(vmid, args.options, work.draws)
        with work.undo() as undo:
            options = self._machines.volumes.make(prepared, work, undo, vmid)
            self._finish(args, vmid, str(config_of(options, work.draws)), work, undo)
        if args.start:
            self._start_now(vmid, work)

    def _finish(self, args: QmCreate, vmid: int, text: str, work: Work, undo: UndoScope) -> None:
        """Write the configuration; the pools are everybody's record, so somebody else may be faster."""
        for attempt in range(COMMITS):
            guest = self._machines.load(vmid).guest
            try:
                work.commit(guest.rewrite(text), *self._pool_write(vmid, args.pool), keep=undo)
            except Conflict:
                if attempt == COMMITS - 1:
                    raise
            else:
                return

    def _start_now(self, vmid: int, work: Work) -> None:
        try:
            self._start(QmStart(vmid=vmid), work)
        except Error as exc:
            # The guest is whole; only its start failed, which can be tried again.
            work.warn(f"VM {vmid} was created, but did not start: {exc}")


def complete(
    options: dict[str, str], draws: Draws, qemu_version: Callable[[], str], now: Callable[[], float]
) -> dict[str, str]:
    """The options of a new guest with what it needs to be unique: MAC addresses, UUID, generation id, birth."""
    out = with_macs(options, draws)
    smbios = Smbios.parse(out["smbios1"]) if "smbios1" in out else Smbios()
    if smbios.uuid is None:
        out["smbios1"] = str(msgspec.structs.replace(smbios, uuid=draws.uuid("smbios1.uuid")))
    out["vmgenid"] = generation(out.get("vmgenid", "1"), draws)
    if out["vmgenid"] == "0":
        del out["vmgenid"]
    birth = draws.draw("ctime", lambda: str(int(now())))
    out["meta"] = f"creation-qemu={draws.draw('qemu', qemu_version)},ctime={birth}"
    return out


def with_macs(options: Mapping[str, str], draws: Draws) -> dict[str, str]:
    """The options with an address drawn for each network card that has none."""
    out = dict(options)
    for key, text in options.items():
        if key.startswith("net") and key[3:].isdigit():
            card: Any = vm.value_of(key, text)
            if card.macaddr is None:
                out[key] = str(msgspec.structs.replace(card, macaddr=draws.mac(f"{key}.mac")))
    return out


def generation(text: str, draws: Draws) -> str:
    """A generation id: `1` asks for a new one."""
    return draws.uuid("vmgenid") if text == "1" else text


def config_of(options: Mapping[str, str], draws: Draws) -> VmConfig:
    """The configuration of a new guest; a boot order is chosen if none was given."""
    config = EMPTY.set(options)
    if "boot" not in options and (order := boot_order(config)):
        config = config.set({"boot": f"order={order}"})
    return config


def boot_order(config: VmConfig) -> str:
    """The usual order: first disk, first CD-ROM, first network card; empty if there is none of them."""
    drives = list(config.drives())
    disks = [key for key, drive in drives if not drive.cdrom]
    roms = [key for key, drive in drives if drive.cdrom and not drive.cloudinit]
    cards = [f"net{index}" for index in config.options.net]
    return ";".join([*disks[:1], *roms[:1], *cards[:1]])
