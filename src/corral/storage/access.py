"""Who may do what with a volume: the rules that depend on what the volume is."""

from __future__ import annotations

from typing import Protocol

from corral.core.errors import Error, Forbidden
from corral.storage.service import Storages, parse_volid
from corral.storage.volid import Volname


class Caller(Protocol):
    """What the rules ask of a call."""

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


def may_see_storage(caller: Caller, storage: str) -> bool:
    """Whether the storage shows up in the caller's lists."""
    return caller.may_any(f"/storage/{storage}", "Datastore.Audit", "Datastore.AllocateSpace")


def check_volume(
    storages: Storages, caller: Caller, volume: str, *, vmid: int | None = None, content: str | None = None
) -> None:
    """`Forbidden` unless the caller may use a volume, for guest `vmid` if given, whose own images are free to it.

    With `content`, `Error` unless it is of that type. Paths are refused: only root@pam may name them, elsewhere.
    """
    ident = parse_volid(volume)
    _, name = storages.locate(volume)
    if content is not None and name.vtype != content:
        raise Error(f"volume '{volume}' is not of type '{content}'")
    if not may_use(caller, ident.storage, name, vmid=vmid):
        _refuse(caller, ident.storage, name)


def may_use(caller: Caller, storage: str, name: Volname, *, vmid: int | None = None) -> bool:
    """Whether the caller may read and attach a volume."""
    path = f"/storage/{storage}"
    if caller.may(path, "Datastore.Allocate"):
        return True
    if name.vtype in ("iso", "vztmpl", "import"):
        return caller.may_any(path, "Datastore.AllocateSpace", "Datastore.Audit")
    if name.vtype in ("images", "rootdir") and name.vmid is not None:
        return name.vmid == vmid or (
            caller.may_any(path, "Datastore.AllocateSpace", "Datastore.Audit")
            and caller.may(f"/vms/{name.vmid}", "VM.Config.Disk")
        )
    if name.vtype == "backup" and name.vmid is not None:
        return caller.may(path, "Datastore.AllocateSpace") and caller.may(f"/vms/{name.vmid}", "VM.Backup")
    return False


def _refuse(caller: Caller, storage: str, name: Volname) -> None:
    path = f"/storage/{storage}"
    if name.vtype in ("iso", "vztmpl", "import"):
        caller.need_any(path, "Datastore.AllocateSpace", "Datastore.Audit")
    elif name.vtype in ("images", "rootdir") and name.vmid is not None:
        caller.need_any(path, "Datastore.AllocateSpace", "Datastore.Audit")
        caller.need(f"/vms/{name.vmid}", "VM.Config.Disk")
    elif name.vtype == "backup" and name.vmid is not None:
        caller.need(path, "Datastore.AllocateSpace")
        caller.need(f"/vms/{name.vmid}", "VM.Backup")
    else:
        caller.need(path, "Datastore.Allocate")
    raise Forbidden(f"Permission check failed ({path}, Datastore.Allocate)")


def check_removal(storages: Storages, caller: Caller, volume: str) -> None:
    """`Forbidden` unless the caller may remove a volume, or change its protection."""
    ident = parse_volid(volume)
    _, name = storages.locate(volume)
    path = f"/storage/{ident.storage}"
    if caller.may(path, "Datastore.Allocate"):
        return
    if name.vtype == "backup" and name.vmid is not None:
        caller.need(path, "Datastore.AllocateSpace")
        caller.need(f"/vms/{name.vmid}", "VM.Backup")
        return
    caller.need(path, "Datastore.Allocate")
