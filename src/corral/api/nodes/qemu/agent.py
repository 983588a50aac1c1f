"""/nodes/{node}/qemu/{vmid}/agent: the guest agent. Calls that only ask are no tasks; each guest has its own pool."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.api.nodes.qemu.fields import ONE, VM
from corral.app import Call
from corral.core.secret import Secret
from corral.guests.qemu.life.guestagent import ASKING, PRIVILEGES
from corral.guests.qemu.life.work import QmAgent
from corral.rest import Endpoint, anyone, endpoint, need, need_any
from corral.schema import between, doc, length, name
from corral.schema.types import VMID, NodeName

_AGENT = f"{ONE}/agent"
POOL = "agent/{vmid}"
ANY = "VM.GuestAgent.Unrestricted"
Command = Literal[
    "fsfreeze-freeze", "fsfreeze-status", "fsfreeze-thaw", "fstrim", "get-fsinfo", "get-host-name",
    "get-memory-block-info", "get-memory-blocks", "get-osinfo", "get-time", "get-timezone", "get-users", "get-vcpus",
    "info", "network-get-interfaces", "ping", "shutdown", "suspend-disk", "suspend-hybrid", "suspend-ram",
]  # fmt: skip
FileName = Annotated[str, doc("The file's path in the guest.")]


def _asks(word: str, said: str) -> Endpoint:
    """GET of something that the agent knows."""

    def ask(call: Call, node: NodeName, vmid: VMID) -> dict[str, Any]:
        return {"result": call.app.qemu.agent.ask(vmid, word)}

    ask.__doc__ = said
    allow = need_any(VM, *PRIVILEGES[word])
    return endpoint("GET", f"{_AGENT}/{word}", allow=allow, runs="node", root=True, pool=POOL)(ask)


def _does(word: str, said: str) -> Endpoint:
    """POST of a command without arguments."""

    def act(call: Call, node: NodeName, vmid: VMID) -> dict[str, Any]:
        return {"result": call.run(QmAgent(vmid=vmid, command=word))}

    act.__doc__ = said
    allow = need_any(VM, *PRIVILEGES[word])
    return endpoint("POST", f"{_AGENT}/{word}", allow=allow, runs="node", pool=POOL, example={"vmid": 101})(act)


@endpoint(
    "POST",
    _AGENT,
    allow=anyone("the privilege for the command is checked when it is known"),
    runs="node",
    pool=POOL,
    example={"vmid": 101, "command": "ping"},
)
def command(
    call: Call, node: NodeName, vmid: VMID, *, command: Annotated[Command, doc("The agent's command.")]
) -> dict[str, Any]:
    """Execute a command of the QEMU guest agent."""
    call.need_any(f"/vms/{vmid}", *PRIVILEGES[command])
    if command in ASKING:
        return {"result": call.app.qemu.agent.ask(vmid, command)}
    return {"result": call.run(QmAgent(vmid=vmid, command=command))}


@endpoint(
    "POST",
    f"{_AGENT}/exec",
    allow=need(VM, ANY),
    runs="node",
    pool=POOL,
    example={"vmid": 101, "command": ["true"]},
)
def execute(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    command: Annotated[list[Annotated[str, doc("A word.")]], doc("The program and its arguments.")],
    data: Annotated[str | None, name("input-data"), length(0, 65536), doc("Text for the program's stdin.")] = None,
) -> dict[str, Any]:
    """Executes the given command in the vm via the guest-agent and returns an object with the pid."""
    arguments: dict[str, str | int | bool] = {} if data is None else {"input": data}
    return {"pid": call.run(QmAgent(vmid=vmid, command="exec", arguments=arguments, words=tuple(command)))}


@endpoint("GET", f"{_AGENT}/exec-status", allow=need(VM, ANY), runs="node", root=True, pool=POOL)
def exec_status(
    call: Call, node: NodeName, vmid: VMID, *, pid: Annotated[int, doc("The process, as exec answered.")]
) -> dict[str, Any]:
    """Gets the status of the given pid started by the guest-agent."""
    return call.app.qemu.agent.exec_status(vmid, pid)


@endpoint("GET", f"{_AGENT}/file-read", allow=need_any(VM, *PRIVILEGES["file-read"]), runs="node", root=True, pool=POOL)
def file_read(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    file: FileName,
    offset: Annotated[int, between(0), doc("Where to begin, in bytes.")] = 0,
    count: Annotated[int, between(1, 16777216), doc("How many bytes at most.")] = 16777216,
    decode: Annotated[bool, doc("Answer text; otherwise base64.")] = True,
) -> dict[str, Any]:
    """Reads the given file via guest agent. Is limited to 16777216 bytes."""
    return call.app.qemu.agent.read_file(vmid, file, offset=offset, count=count, decode=decode)


@endpoint(
    "POST",
    f"{_AGENT}/file-write",
    allow=need_any(VM, *PRIVILEGES["file-write"]),
    runs="node",
    pool=POOL,
    example={"vmid": 101, "file": "/root/example", "content": "hello"},
)
def file_write(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    file: FileName,
    content: Annotated[str, length(0, 61440), doc("The content, as text or base64.")],
    encode: Annotated[bool, doc("The content is text; otherwise it is base64 already.")] = True,
) -> None:
    """Writes the given file via guest agent."""
    arguments: dict[str, str | int | bool] = {"path": file, "content": content, "encode": encode}
    call.run(QmAgent(vmid=vmid, command="file-write", arguments=arguments))


@endpoint(
    "POST",
    f"{_AGENT}/set-user-password",
    allow=need(VM, ANY),
    runs="node",
    pool=POOL,
    example={"vmid": 101, "username": "root", "password": "corral"},
)
def set_user_password(
    call: Call,
    node: NodeName,
    vmid: VMID,
    *,
    username: Annotated[str, doc("The user in the guest.")],
    password: Annotated[Secret, length(5, 1024), doc("The new password.")],
    crypted: Annotated[bool, doc("The password has been passed through crypt already.")] = False,
) -> dict[str, Any]:
    """Sets the password for the given user to the given password."""
    arguments: dict[str, str | int | bool] = {
        "username": username,
        "password": password.reveal(),
        "crypted": crypted,
    }
    return {"result": call.run(QmAgent(vmid=vmid, command="set-user-password", arguments=arguments))}


ENDPOINTS: tuple[Endpoint, ...] = (
    command,
    execute,
    exec_status,
    file_read,
    file_write,
    set_user_password,
    _asks("get-fsinfo", "What file systems the guest has mounted."),
    _asks("get-host-name", "The guest's host name."),
    _asks("get-memory-block-info", "The size of the guest's memory blocks."),
    _asks("get-memory-blocks", "The guest's memory blocks."),
    _asks("get-osinfo", "Which operating system the guest runs."),
    _asks("get-time", "The guest's time."),
    _asks("get-timezone", "The guest's time zone."),
    _asks("get-users", "Who is logged in to the guest."),
    _asks("get-vcpus", "The guest's CPUs."),
    _asks("info", "What the agent can do."),
    _asks("network-get-interfaces", "The guest's network interfaces and their addresses."),
    _does("fsfreeze-freeze", "Freeze the guest's file systems."),
    _does("fsfreeze-status", "Whether the guest's file systems are frozen."),
    _does("fsfreeze-thaw", "Thaw the guest's file systems."),
    _does("fstrim", "Trim the guest's file systems."),
    _does("ping", "Whether the agent answers."),
    _does("shutdown", "Shut the guest down."),
    _does("suspend-disk", "Let the guest suspend to its own disk."),
    _does("suspend-hybrid", "Let the guest suspend to memory and disk."),
    _does("suspend-ram", "Let the guest suspend to memory."),
)
