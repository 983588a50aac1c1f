"""Which command is which call: names, order of arguments, what is preset, how the result is shown.

Order and names are those that users of the field know. The parameters themselves come from the endpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from corral.cli.table import Option

Params = dict[str, Any]
Derive = Callable[[Params], Params]
"""From what was given to the call's parameters. May raise ValueError, whose text says what is wrong."""


class Command(NamedTuple):
    """One command. `call` is `METHOD /path`; empty for what the tool does itself (`local`).

    args     positional arguments in order; one that ends in `...` takes all that follow
    fixed    parameters that the command presets
    options  what the tool itself understands, beside the call's parameters
    derive   makes the call's parameters of what was given, where names alone do not do
    secrets  parameters that are asked for, twice, where they are not given: they should not stand in a command line
    show     name of the layout in `show.LAYOUTS`, for text output
    help     one line, where the endpoint's own does not fit
    example  the words after the command, for its help
    """

    call: str = ""
    args: tuple[str, ...] = ()
    fixed: Mapping[str, str] = {}
    options: tuple[Option, ...] = ()
    derive: Derive | None = None
    secrets: tuple[str, ...] = ()
    show: str = ""
    local: str = ""
    help: str = ""
    example: str = ""


_VM: Final = "/nodes/{node}/qemu/{vmid}"
_STORE: Final = "/nodes/{node}/storage/{storage}"


def _on_vm(method: str, path: str, *more: str, show: str = "") -> Command:
    return Command(f"{method} {_VM}{path}", ("vmid", *more), show=show)


def storage_of(volume: str) -> str:
    """The storage that a volume id names; ValueError for what is no volume id."""
    storage, colon, name = volume.partition(":")
    if not (storage and colon and name):
        raise ValueError(f"'{volume}' is no volume id: it has the form STORAGE:NAME")
    return storage


def _on_storage(given: Params) -> Params:
    return {**given, "storage": given.get("storage") or storage_of(str(given["volume"]))}


def _of_token(given: Params) -> Params:
    rest = {key: value for key, value in given.items() if key != "tokenid"}
    return {**rest, "userid": f"{given['userid']}!{given['tokenid']}"}


QM: Final[Mapping[str, Command]] = {
    "cloudinit dump": _on_vm("GET", "/cloudinit/dump", "type"),
    "cloudinit pending": _on_vm("GET", "/cloudinit", show="pending"),
    "cloudinit update": _on_vm("PUT", "/cloudinit"),
    "config": _on_vm("GET", "/config", show="config"),
    "create": Command(
        "POST /nodes/{node}/qemu",
        ("vmid",),
        example="100 --name web --memory 2048 --scsihw virtio-scsi-single --scsi0 local:32 --net0 virtio,bridge=vmbr0",
    ),
    "destroy": _on_vm("DELETE", ""),
    "disk import": Command(
        local="import_disk",
        args=("vmid", "source", "storage"),
        options=(
            Option(name="format", values=("raw", "qcow2", "vmdk"), text="Format of the new volume."),
            Option(name="target-disk", text="Attach it as this disk, such as scsi0 (default: keep it as unused)."),
        ),
        help="Import a disk image into a storage and attach it (`--target-disk`), or keep it as an unused disk.",
        example="100 /root/debian-12.qcow2 local --target-disk scsi0",
    ),
    "disk resize": _on_vm("PUT", "/resize", "disk", "size")._replace(example="100 scsi0 +10G"),
    "disk unlink": _on_vm("PUT", "/unlink"),
    "guest cmd": Command(f"POST {_VM}/agent", ("vmid", "command")),
    "guest exec": Command(
        local="guest_exec",
        args=("vmid", "extra-args..."),
        options=(
            Option(name="timeout", kind="integer", default="30", text="Seconds to wait for the command's end."),
            Option(name="synchronous", kind="boolean", default="1", text="Wait for the command's end."),
            Option(name="pass-stdin", kind="boolean", text="Give the command what stands on this tool's stdin."),
        ),
        help="Run a command in the guest and show what it prints.",
        example="100 -- ls -l /etc",
    ),
    "guest exec-status": _on_vm("GET", "/agent/exec-status", "pid"),
    "guest passwd": _on_vm("POST", "/agent/set-user-password", "username")._replace(secrets=("password",)),
    "list": Command("GET /nodes/{node}/qemu", show="guests"),
    "monitor": Command(local="monitor", args=("vmid",), help="Type commands to QEMU's monitor."),
    "pending": _on_vm("GET", "/pending", show="pending"),
    "reboot": _on_vm("POST", "/status/reboot"),
    "reset": _on_vm("POST", "/status/reset"),
    "resume": _on_vm("POST", "/status/resume"),
    "sendkey": _on_vm("PUT", "/sendkey", "key")._replace(example="100 ctrl-alt-delete"),
    "set": _on_vm("PUT", "/config")._replace(example="100 --memory 4096 --onboot 1 --delete ide2"),
    "showcmd": Command(
        f"GET {_VM}/command",
        ("vmid",),
        options=(Option(name="pretty", kind="boolean", text="One option a line."),),
        show="command",
        help="Show the command line that starts the VM.",
    ),
    "shutdown": _on_vm("POST", "/status/shutdown"),
    "start": _on_vm("POST", "/status/start"),
    "status": Command(
        f"GET {_VM}/status/current",
        ("vmid",),
        options=(Option(name="verbose", kind="boolean", text="Show everything that is known."),),
        show="status",
        help="Show whether the VM runs.",
    ),
    "stop": _on_vm("POST", "/status/stop"),
    "suspend": _on_vm("POST", "/status/suspend"),
    "template": _on_vm("POST", "/template"),
    "terminal": Command(
        local="terminal",
        args=("vmid",),
        options=(
            Option(name="iface", values=("serial0", "serial1", "serial2", "serial3"), text="Which one (the first)."),
            Option(name="escape", default="^O", text="The key that ends the session."),
        ),
        help="Connect to the VM's serial console. Ctrl-O ends the session.",
    ),
    "unlock": Command(
        f"PUT {_VM}/config",
        ("vmid",),
        fixed={"delete": "lock", "skiplock": "1"},
        help="Take a lock away that an ended task has left.",
    ),
    "wait": Command(
        local="wait",
        args=("vmid",),
        options=(Option(name="timeout", kind="integer", text="Give up after this many seconds."),),
        help="Wait until the VM is stopped.",
    ),
}

KEEP: Final = ("all", "last", "hourly", "daily", "weekly", "monthly", "yearly")

PVESM: Final[Mapping[str, Command]] = {
    "add": Command(
        "POST /storage", ("type", "storage"), example="dir backup --path /srv/backup --content images,iso,import"
    ),
    "alloc": Command(
        f"POST {_STORE}/content",
        ("storage", "vmid", "filename", "size"),
        example="local 100 vm-100-disk-1.qcow2 4G",
    ),
    "free": Command(
        f"DELETE {_STORE}/content/{{volume}}",
        ("volume",),
        derive=_on_storage,
        example="local:100/vm-100-disk-1.qcow2",
    ),
    "list": Command(f"GET {_STORE}/content", ("storage",), show="volumes"),
    "path": Command(
        f"GET {_STORE}/content/{{volume}}",
        ("volume",),
        derive=_on_storage,
        show="path",
        help="Show where a volume is in the file system.",
    ),
    "prune-backups": Command(
        local="prune_backups",
        args=("storage",),
        options=(
            Option(name="dry-run", kind="boolean", text="Only show what would be removed."),
            *(
                Option(
                    name=f"keep-{span}",
                    kind="boolean" if span == "all" else "integer",
                    text="Keep all backups." if span == "all" else f"Keep backups: {span}, that many.",
                )
                for span in KEEP
            ),
            Option(name="type", values=("qemu", "lxc"), text="Only backups of this kind of guest."),
            Option(name="vmid", kind="integer", text="Only backups of this guest."),
        ),
        help="Remove backups by age; without `--keep-…` as the storage's configuration says.",
        example="local --dry-run --keep-last 3",
    ),
    "remove": Command("DELETE /storage/{storage}", ("storage",)),
    "scan cifs": Command("GET /nodes/{node}/scan/cifs", ("server",)),
    "scan iscsi": Command("GET /nodes/{node}/scan/iscsi", ("portal",)),
    "scan lvm": Command("GET /nodes/{node}/scan/lvm"),
    "scan lvmthin": Command("GET /nodes/{node}/scan/lvmthin", ("vg",)),
    "scan nfs": Command("GET /nodes/{node}/scan/nfs", ("server",)),
    "scan pbs": Command("GET /nodes/{node}/scan/pbs", ("server", "username"), secrets=("password",)),
    "scan zfs": Command("GET /nodes/{node}/scan/zfs"),
    "set": Command("PUT /storage/{storage}", ("storage",)),
    "status": Command("GET /nodes/{node}/storage", show="storages"),
}

_TOKEN: Final = "/access/users/{userid}/token"  # noqa: S105  a path

PVEUM: Final[Mapping[str, Command]] = {
    "acl delete": Command("PUT /access/acl", ("path",), fixed={"delete": "1"}),
    "acl list": Command("GET /access/acl", show="acl"),
    "acl modify": Command(
        "PUT /access/acl", ("path",), fixed={"delete": "0"}, example="/vms/100 --users joe@pve --roles PVEVMUser"
    ),
    "group add": Command("POST /access/groups", ("groupid",)),
    "group delete": Command("DELETE /access/groups/{groupid}", ("groupid",)),
    "group list": Command("GET /access/groups"),
    "group modify": Command("PUT /access/groups/{groupid}", ("groupid",)),
    "passwd": Command("PUT /access/password", ("userid",), secrets=("password",)),
    "pool add": Command("POST /pools", ("poolid",)),
    "pool delete": Command("DELETE /pools", ("poolid",)),
    "pool list": Command("GET /pools"),
    "pool modify": Command("PUT /pools", ("poolid",)),
    "realm add": Command("POST /access/domains", ("realm",)),
    "realm delete": Command("DELETE /access/domains/{realm}", ("realm",)),
    "realm list": Command("GET /access/domains"),
    "realm modify": Command("PUT /access/domains/{realm}", ("realm",)),
    "realm sync": Command("POST /access/domains/{realm}/sync", ("realm",)),
    "role add": Command("POST /access/roles", ("roleid",)),
    "role delete": Command("DELETE /access/roles/{roleid}", ("roleid",)),
    "role list": Command("GET /access/roles"),
    "role modify": Command("PUT /access/roles/{roleid}", ("roleid",)),
    "ticket": Command("POST /access/ticket", ("username",), secrets=("password",), show="ticket"),
    "user add": Command("POST /access/users", ("userid",), example="joe@pve --groups ops"),
    "user delete": Command("DELETE /access/users/{userid}", ("userid",)),
    "user list": Command("GET /access/users"),
    "user modify": Command("PUT /access/users/{userid}", ("userid",)),
    "user permissions": Command("GET /access/permissions", ("userid",), show="permissions"),
    "user tfa unlock": Command("PUT /access/users/{userid}/unlock-tfa", ("userid",)),
    "user token add": Command(f"POST {_TOKEN}/{{tokenid}}", ("userid", "tokenid"), example="joe@pve ci --privsep 0"),
    "user token delete": Command(f"DELETE {_TOKEN}/{{tokenid}}", ("userid", "tokenid")),
    "user token list": Command(f"GET {_TOKEN}", ("userid",)),
    "user token modify": Command(f"PUT {_TOKEN}/{{tokenid}}", ("userid", "tokenid")),
    "user token permissions": Command(
        "GET /access/permissions",
        ("userid", "tokenid"),
        options=(Option(name="tokenid", text="The token's name."),),
        derive=_of_token,
        show="permissions",
        help="Show what a token may do.",
    ),
}

_ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "qm": {
        "agent": "guest cmd",
        "importdisk": "disk import",
        "resize": "disk resize",
        "unlink": "disk unlink",
    },
    "pvesm": {
        "cifsscan": "scan cifs",
        "iscsiscan": "scan iscsi",
        "lvmscan": "scan lvm",
        "lvmthinscan": "scan lvmthin",
        "nfsscan": "scan nfs",
        "zfsscan": "scan zfs",
    },
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
