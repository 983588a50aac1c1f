"""The privileges, the built-in roles derived from them, and the paths that an ACL may name."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class _Category(NamedTuple):
    """Privileges of one area by the least role that holds them; `root` are for Administrator alone."""

    root: str = ""
    admin: str = ""
    user: str = ""
    audit: str = ""


_CATEGORIES: Final = {
    "VM": _Category(
        admin="VM.Config.Disk VM.Config.CPU VM.Config.Memory VM.Config.Network VM.Config.HWType VM.Config.Options"
        " VM.Allocate VM.Clone VM.GuestAgent.Unrestricted VM.Migrate VM.Replicate VM.Snapshot VM.Snapshot.Rollback",
        user="VM.Config.CDROM VM.Config.Cloudinit VM.Console VM.Backup VM.GuestAgent.FileRead"
        " VM.GuestAgent.FileSystemMgmt VM.GuestAgent.FileWrite VM.PowerMgmt",
        audit="VM.Audit VM.GuestAgent.Audit",
    ),
    "Sys": _Category(
        root="Sys.PowerMgmt Sys.Modify Sys.Incoming Sys.AccessNetwork",
        admin="Sys.Console Sys.Syslog",
        audit="Sys.Audit",
    ),
    "Datastore": _Category(
        admin="Datastore.Allocate Datastore.AllocateTemplate", user="Datastore.AllocateSpace", audit="Datastore.Audit"
    ),
    "SDN": _Category(admin="SDN.Allocate SDN.Audit", user="SDN.Use", audit="SDN.Audit"),
    "User": _Category(root="Realm.Allocate", admin="User.Modify Group.Allocate Realm.AllocateUser"),
    "Pool": _Category(admin="Pool.Allocate", user="Pool.Audit", audit="Pool.Audit"),
    "Mapping": _Category(admin="Mapping.Modify", user="Mapping.Use", audit="Mapping.Audit"),
}

PERMISSIONS_MODIFY: Final = "Permissions.Modify"
NO_ACCESS: Final = "NoAccess"
ADMINISTRATOR: Final = "Administrator"


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


PRIVILEGES: Final = _words(PERMISSIONS_MODIFY, *(text for category in _CATEGORIES.values() for text in category))
"""Every privilege there is."""


def _builtin() -> dict[str, frozenset[str]]:
    every = _CATEGORIES.values()
    roles = {
        ADMINISTRATOR: PRIVILEGES,
        NO_ACCESS: frozenset[str](),
        "PVEAdmin": _words(*(text for each in every for text in (each.admin, each.user, each.audit)))
        - {"Mapping.Modify"},
        "PVEAuditor": _words(*(each.audit for each in every)),
        "PVETemplateUser": frozenset({"VM.Audit", "VM.Clone"}),
    }
    for name, each in _CATEGORIES.items():
        roles[f"PVE{name}Admin"] = _words(each.admin, each.user, each.audit)
        if each.user:
            roles[f"PVE{name}User"] = _words(each.user, each.audit)
    return dict(sorted(roles.items()))


BUILTIN_ROLES: Final = _builtin()
"""Roles that nobody can change, with their privileges."""

_ID = r"[A-Za-z0-9.\-_]+"
_WORD = r"[A-Za-z0-9]+"
_ACL_PATH: Final = re.compile(
    "|".join(
        (
            "/",
            rf"/access(?:/groups(?:/{_ID})?|/realm(?:/{_ID})?)?",
            rf"/nodes(?:/{_ID})?",
            rf"/pool(?:/{_ID}){{0,3}}",
            rf"/sdn(?:/controllers(?:/[A-Za-z0-9_\-]+)?|/(?:dns|fabrics|ipams|prefix-lists|route-maps)(?:/{_WORD})?)?",
            rf"/sdn/zones(?:/{_ID}(?:/{_ID}(?:/[1-9][0-9]{{0,3}})?)?)?",
            rf"/storage(?:/{_ID})?",
            r"/vms(?:/[1-9][0-9]{2,})?",
            rf"/mapping(?:/{_ID}(?:/{_ID})?)?",
        )
    )
)
_LONGEST, _DEEPEST = 1024, 16
_PATH_CHARACTERS: Final = re.compile(r"[A-Za-z0-9.\-_/]*")


def normalize_path(path: str) -> str | None:
    """An ACL path in its one form: a single leading slash, none at the end, none doubled.

    None for bad characters, and for one deeper or longer than any path can be. `.` and `..` have no meaning:
    they are names like any other.
    """
    if len(path) > _LONGEST or not _PATH_CHARACTERS.fullmatch(path):
        return None
    parts = [part for part in path.split("/") if part]
    return None if len(parts) > _DEEPEST else "/" + "/".join(parts)


def is_acl_path(path: str) -> bool:
    """Whether an ACL may name this (normalized) path."""
    return _ACL_PATH.fullmatch(path) is not None
