"""Arguments of the tasks and undo steps of virtual machines: what crosses to a worker and into its journal."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from corral.tasks.base import TaskArgs
from corral.tasks.base import Undo as UndoStep


class VmTask(TaskArgs, frozen=True, kw_only=True, omit_defaults=True):
    """A task on one virtual machine."""

    vmid: int

    def id(self) -> str:
        """The VMID."""
        return str(self.vmid)


class QmCreate(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Make a guest of `options` (texts by wire name). VMID 0: a free one is drawn."""

    type: ClassVar[str] = "qmcreate"
    options: dict[str, str]
    storage: str | None = None
    pool: str | None = None
    start: bool = False

    def id(self) -> str:
        """The VMID; empty while it is still to be drawn."""
        return str(self.vmid) if self.vmid else ""


class QmDestroy(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Remove a guest with its volumes. `purge`: also from jobs; `unreferenced`: also volumes that bear its number
    without being in its configuration."""

    type: ClassVar[str] = "qmdestroy"
    purge: bool = False
    unreferenced: bool = False
    skiplock: bool = False


class QmStart(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Start a guest. `timeout` in seconds, 0 for the usual one."""

    type: ClassVar[str] = "qmstart"
    skiplock: bool = False
    timeout: int = 0
    cpu: str | None = None
    machine: str | None = None


class QmStop(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Stop a guest at once, as if its plug was pulled. `overrule`: withdraw shutdowns that still wait for it."""

    type: ClassVar[str] = "qmstop"
    skiplock: bool = False
    timeout: int | None = None
    overrule: bool = False


class QmShutdown(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Ask the guest to shut down. `force`: stop it when it has not after `timeout` seconds."""

    type: ClassVar[str] = "qmshutdown"
    skiplock: bool = False
    timeout: int | None = None
    force: bool = False


class QmReboot(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Shut a guest down and start it again, with its pending changes."""

    type: ClassVar[str] = "qmreboot"
    timeout: int | None = None


class QmReset(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Press the reset button."""

    type: ClassVar[str] = "qmreset"
    skiplock: bool = False


class QmPause(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Halt a guest's CPUs."""

    type: ClassVar[str] = "qmpause"
    skiplock: bool = False


class QmSuspend(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Save a guest's memory to a volume and end it."""

    type: ClassVar[str] = "qmsuspend"
    skiplock: bool = False
    storage: str | None = None


class QmResume(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Let a halted guest go on; one that was suspended to disk is started from its saved memory."""

    type: ClassVar[str] = "qmresume"
    skiplock: bool = False


class QmConfig(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Change a guest's configuration: `options` are texts by wire name, `delete` and `revert` option names.

    `force` frees volumes of deleted options instead of keeping them as unused.
    """

    type: ClassVar[str] = "qmconfig"
    options: dict[str, str] = msgspec.field(default_factory=dict)
    delete: tuple[str, ...] = ()
    revert: tuple[str, ...] = ()
    digest: str | None = None
    skiplock: bool = False
    force: bool = False

    def with_flags(self, *, digest: str | None, force: bool, skiplock: bool) -> QmConfig:
        """The same change, made under these conditions."""
        return msgspec.structs.replace(self, digest=digest, force=force, skiplock=skiplock)


class QmResize(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Grow a drive: `size` is `+5G` or an absolute `20G`."""

    type: ClassVar[str] = "resize"
    disk: str
    size: str
    digest: str | None = None
    skiplock: bool = False


class QmSendKey(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Press keys: `ctrl-alt-delete`."""

    type: ClassVar[str] = "qmsendkey"
    key: str
    skiplock: bool = False


class QmMonitor(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Run a command of QEMU's human monitor; answers its output."""

    type: ClassVar[str] = "qmmonitor"
    command: str


class QmAgent(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Run a command of the guest agent that changes something; answers what the agent does."""

    type: ClassVar[str] = "qmagent"
    command: str
    arguments: dict[str, str | int | bool] = msgspec.field(default_factory=dict)
    words: tuple[str, ...] = ()


class QmCloudInit(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Write the cloud-init drive anew, in a running guest too."""

    type: ClassVar[str] = "qmcloudinit"


class QmTemplate(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Turn a guest into a template."""

    type: ClassVar[str] = "qmtemplate"
    disk: str | None = None


class QmTidy(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Clean up behind a guest that ended by itself; `restart` one that wanted to reboot with pending changes."""

    type: ClassVar[str] = "qmtidy"
    restart: bool = False


class Console(VmTask, frozen=True, kw_only=True, omit_defaults=True):
    """Relay one session between the console socket `port` and the guest's socket `target`."""

    type: ClassVar[str] = "vncproxy"
    port: int
    target: str = "vnc"
    password: str = ""
    greeting: str = ""

    def with_greeting(self, greeting: str) -> Console:
        """The same, expecting its client to say `greeting` first."""
        return msgspec.structs.replace(self, greeting=greeting)


class TermConsole(Console, frozen=True, kw_only=True, omit_defaults=True):
    """The same for a serial terminal."""

    type: ClassVar[str] = "termproxy"


class Bulk(TaskArgs, frozen=True, kw_only=True, omit_defaults=True):
    """What bulk tasks have: the guests (all if empty) on whose behalf `user` may act."""

    vms: tuple[int, ...] = ()
    workers: int = 4


class StartAll(Bulk, frozen=True, kw_only=True, omit_defaults=True):
    """Start guests in their order; `force`: those without `onboot` too."""

    type: ClassVar[str] = "startall"
    force: bool = False


class StopAll(Bulk, frozen=True, kw_only=True, omit_defaults=True):
    """Shut guests down in the reverse of their order."""

    type: ClassVar[str] = "stopall"
    force_stop: bool = True
    timeout: int = 180


class SuspendAll(Bulk, frozen=True, kw_only=True, omit_defaults=True):
    """Suspend guests to disk, in the reverse of their order."""

    type: ClassVar[str] = "suspendall"


class EndGuest(UndoStep, frozen=True, kw_only=True):
    """Kill what was started for a guest and remove its runtime files."""

    name: ClassVar[str] = "end-guest"
    vmid: int


class FinishDestroy(UndoStep, frozen=True, kw_only=True):
    """Free these volumes if the guest that had them is gone: a removal that was begun is finished, not taken back."""

    name: ClassVar[str] = "finish-destroy"
    vmid: int
    uuid: str
    volumes: tuple[str, ...]


class Unplug(UndoStep, frozen=True, kw_only=True):
    """Take a device that was hot-plugged out of the running guest."""

    name: ClassVar[str] = "unplug"
    vmid: int
    key: str


class Continue(UndoStep, frozen=True, kw_only=True):
    """Let a guest's CPUs run that were halted for a suspend, and take back its lock."""

    name: ClassVar[str] = "continue"
    vmid: int


class Unbase(UndoStep, frozen=True, kw_only=True):
    """Give a disk that was to become a template's base its own name back."""

    name: ClassVar[str] = "unbase"
    volid: str
    base: str
