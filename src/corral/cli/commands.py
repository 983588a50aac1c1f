"""Which command is which call: names, order of arguments, what is preset, how the result is shown.

Order and names are those that users of the field know. The parameters themselves come from the endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Command(NamedTuple):
    """One command. `call` is `METHOD /path`; empty for what the tool does itself (`local`).

    args    positional arguments in order; one that ends in `...` takes all that follow
    fixed   parameters that the command presets
    rename  positional or option name on the command line → parameter's name
    show    name of the layout in `show.LAYOUTS`, for text output
    help    one line, where the endpoint's own does not fit
    """

    call: str = ""
    args: tuple[str, ...] = ()
    fixed: Mapping[str, str] = {}
    rename: Mapping[str, str] = {}
    show: str = ""
    local: str = ""
    help: str = ""


_VM: Final = "/nodes/{node}/qemu/{vmid}"
_STORE: Final = "/nodes/{node}/storage/{storage}"


def _on_vm(method: str, path: str, *more: str, show: str = "") -> Command:
    return Command(f"{method} {_VM}{path}", ("vmid", *more), show=show)


QM: Final[Mapping[str, Command]] = {
    "agent": Command(f"POST {_VM}/agent", ("vmid", "command")),
    "cloudinit dump": _on_vm("GET", "/cloudinit/dump", "type"),
    "cloudinit pending": _on_vm("GET", "/cloudinit", show="pending"),
    "cloudinit update": _on_vm("PUT", "/cloudinit"),
    "config": _on_vm("GET", "/config", show="config"),
    "create": Command("POST /nodes/{node}/qemu", ("vmid",)),
    "destroy": _on_vm("DELETE", ""),
    "disk import": Command(
        local="import_disk",
        args=("vmid", "source", "storage"),
        help="Import a disk image into a storage and attach it (`--target-disk`), or keep it as an unused disk.",
    ),
    "disk resize": _on_vm("PUT", "/resize", "disk", "size"),
    "disk unlink": _on_vm("PUT", "/unlink"),
    "guest cmd": Command(f"POST {_VM}/agent", ("vmid", "command")),
    "guest exec": Command(
        local="guest_exec", args=("vmid", "command..."), help="Run a command in the guest and show what it prints."
    ),
    "guest exec-status": _on_vm("GET", "/agent/exec-status", "pid"),
    "guest passwd": _on_vm("POST", "/agent/set-user-password", "username"),
    "list": Command("GET /nodes/{node}/qemu", show="guests"),
    "monitor": Command(local="monitor", args=("vmid",), help="Type commands to QEMU's monitor."),
    "pending": _on_vm("GET", "/pending", show="pending"),
    "reboot": _on_vm("POST", "/status/reboot"),
    "reset": _on_vm("POST", "/status/reset"),
    "resize": _on_vm("PUT", "/resize", "disk", "size"),
    "resume": _on_vm("POST", "/status/resume"),
    "sendkey": _on_vm("PUT", "/sendkey", "key"),
    "set": _on_vm("PUT", "/config"),
    "showcmd": Command(local="show_command", args=("vmid",), help="Show the command line that starts the VM."),
    "shutdown": _on_vm("POST", "/status/shutdown"),
    "start": _on_vm("POST", "/status/start"),
    "status": Command(f"GET {_VM}/status/current", ("vmid",), show="status"),
    "stop": _on_vm("POST", "/status/stop"),
    "suspend": _on_vm("POST", "/status/suspend"),
    "terminal": Command(
        local="terminal", args=("vmid",), help="Connect to the VM's serial console. Ctrl-O ends the session."
    ),
    "unlink": _on_vm("PUT", "/unlink"),
    "unlock": Command(
        f"PUT {_VM}/config",
        ("vmid",),
        fixed={"delete": "lock", "skiplock": "1"},
        help="Take a lock away that an ended task has left.",
    ),
    "wait": Command(local="wait", args=("vmid",), help="Wait until the VM is stopped."),
}

PVESM: Final[Mapping[str, Command]] = {
    "add": Command("POST /storage", ("type", "storage")),
    "alloc": Command(f"POST {_STORE}/content", ("storage", "vmid", "filename", "size")),
    "free": Command(local="free_volume", args=("volume",), help="Delete a volume."),
    "list": Command(f"GET {_STORE}/content", ("storage",), show="volumes"),
    "path": Command(local="volume_path", args=("volume",), help="Show where a volume is in the file system."),
    "prune-backups": Command(f"DELETE {_STORE}/prunebackups", ("storage",), show="prune"),
    "remove": Command("DELETE /storage/{storage}", ("storage",)),
    "set": Command("PUT /storage/{storage}", ("storage",)),
    "status": Command("GET /nodes/{node}/storage", show="storages"),
}

_TOKEN: Final = "/access/users/{userid}/token"  # noqa: S105  a path

PVEUM: Final[Mapping[str, Command]] = {
    "acl delete": Command("PUT /access/acl", ("path",), fixed={"delete": "1"}),
    "acl list": Command("GET /access/acl", show="acl"),
    "acl modify": Command("PUT /access/acl", ("path",), fixed={"delete": "0"}),
    "group add": Command("POST /access/groups", ("groupid",)),
    "group delete": Command("DELETE /access/groups/{groupid}", ("groupid",)),
    "group list": Command("GET /access/groups"),
    "group modify": Command("PUT /access/groups/{groupid}", ("groupid",)),
    "passwd": Command("PUT /access/password", ("userid",)),
    "pool add": Command("POST /pools", ("poolid",)),
    "pool delete": Command("DELETE /pools", ("poolid",)),
    "pool list": Command("GET /pools"),
    "pool modify": Command("PUT /pools", ("poolid",)),
    "realm add": Command("POST /access/domains", ("realm",)),
    "realm delete": Command("DELETE /access/domains/{realm}", ("realm",)),
    "realm list": Command("GET /access/domains"),
    "realm modify": Command("PUT /access/domains/{realm}", ("realm",)),
    "role add": Command("POST /access/roles", ("roleid",)),
    "role delete": Command("DELETE /access/roles/{roleid}", ("roleid",)),
    "role list": Command("GET /access/roles"),
    "role modify": Command("PUT /access/roles/{roleid}", ("roleid",)),
    "ticket": Command("POST /access/ticket", ("username",)),
    "user add": Command("POST /access/users", ("userid",)),
    "user delete": Command("DELETE /access/users/{userid}", ("userid",)),
    "user list": Command("GET /access/users"),
    "user modify": Command("PUT /access/users/{userid}", ("userid",)),
    "user permissions": Command("GET /access/permissions", ("userid",), show="permissions"),
    "user token add": Command(f"POST {_TOKEN}/{{tokenid}}", ("userid", "tokenid")),
    "user token delete": Command(f"DELETE {_TOKEN}/{{tokenid}}", ("userid", "tokenid")),
    "user token list": Command(f"GET {_TOKEN}", ("userid",)),
    "user token modify": Command(f"PUT {_TOKEN}/{{tokenid}}", ("userid", "tokenid")),
}

_ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "qm": {"importdisk": "disk import", "rescan": "disk rescan"},
    "pveum": {
        "acldel": "acl delete",
        "aclmod": "acl modify",
        "groupadd": "group add",
        "groupdel": "group delete",
        "groupmod": "group modify",
        "roleadd": "role add",
        "roledel": "role delete",
        "rolemod": "role modify",
        "useradd": "user add",
        "userdel": "user delete",
        "usermod": "user modify",
        "user token remove": "user token delete",
    },
}

TOOLS: Final[Mapping[str, Mapping[str, Command]]] = {"qm": QM, "pvesm": PVESM, "pveum": PVEUM}


def resolve(tool: str, name: str) -> str:
    """The command that an alias stands for, or the name itself."""
    return _ALIASES.get(tool, {}).get(name, name)


def split(tool: str, words: list[str]) -> tuple[str, list[str]]:
    """The command's name (up to three words) and what follows it; the name is empty where nothing fits."""
    for count in (3, 2, 1):
        name = resolve(tool, " ".join(words[:count]))
        if len(words) >= count and name in TOOLS[tool]:
            return name, words[count:]
    return "", words
