"""Where a node keeps its files: every path below one root directory, so that several nodes run on one machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The paths of one node. `root` is an absolute, resolved path (`/` for an installed node)."""

    root: Path

    @cached_property
    def tag(self) -> str:
        """Eight hex digits that tell this root from others on the machine; names sockets, scopes and taps."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:8]

    @cached_property
    def run(self) -> Path:
        """Directory of sockets and pids, mode 0711; never below root, since a socket's path has 107 characters."""
        return Path("/run/corral") / self.tag

    @property
    def api_socket(self) -> Path:
        """For the CLI: a peer with uid 0 is root@pam."""
        return self.run / "api.sock"

    @property
    def front_socket(self) -> Path:
        """For corral-api: only the credentials in a request count."""
        return self.run / "front.sock"

    @property
    def feed_socket(self) -> Path:
        """Streams store changes, status and tasks of classes public and api to corral-api."""
        return self.run / "feed.sock"

    @property
    def store_socket(self) -> Path:
        """Root only: the store for workers."""
        return self.run / "store.sock"

    @property
    def store_db(self) -> Path:
        """The sqlite store."""
        return self.root / "var/lib/corral/store.db"

    @property
    def state(self) -> Path:
        """Corral's own state on this node."""
        return self.root / "var/lib/corral"

    @property
    def journals(self) -> Path:
        """One journal per task that has not yet been put away."""
        return self.root / "var/lib/corral/tasks"

    @property
    def metrics(self) -> Path:
        """History of metrics (bounded)."""
        return self.root / "var/lib/corral/metrics"

    @property
    def task_logs(self) -> Path:
        """Task logs and their index, laid out as Proxmox VE does."""
        return self.root / "var/log/pve/tasks"

    @property
    def log(self) -> Path:
        """Logs of the daemons."""
        return self.root / "var/log/corral"

    @property
    def etc(self) -> Path:
        """Node-local configuration."""
        return self.root / "etc/corral"

    @property
    def pki(self) -> Path:
        """CA and certificates; keys are 0600."""
        return self.root / "etc/corral/pki"

    @property
    def admin_password(self) -> Path:
        """Where the first administrator's generated password is kept, 0600."""
        return self.root / "etc/corral/admin-password"

    @property
    def local_storage(self) -> Path:
        """Directory of the storage `local`."""
        return self.root / "var/lib/vz"

    @property
    def consoles(self) -> Path:
        """Console relays listen on `<port>.sock` here; the port is only a label."""
        return self.run / "console"

    def guest(self, vmid: int) -> Path:
        """Runtime directory of one virtual machine."""
        return self.run / "qemu" / str(vmid)

    def guest_socket(self, vmid: int, name: str) -> Path:
        """A socket of one virtual machine: `qmp` for tasks, `event` for corrald, `vnc`, `serial0`, `qga`."""
        return self.guest(vmid) / name

    def guest_pid(self, vmid: int) -> Path:
        """QEMU's pid file."""
        return self.guest(vmid) / "pid"

    @property
    def private(self) -> bool:
        """Whether this is a node below its own root, whose host-wide names must carry `tag`."""
        return self.root != Path("/")

    def tap(self, vmid: int, index: int) -> str:
        """Name of a guest's tap device; at most 15 characters, the kernel's limit."""
        if not self.private:
            return f"tap{vmid}i{index}"
        return f"t{self.tag[:4]}{_base36(vmid)}i{index}"


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = ""
    while True:
        number, rest = divmod(number, 36)
        out = digits[rest] + out
        if not number:
            return out
