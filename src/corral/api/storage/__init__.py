"""/storage: which storages there are."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

import msgspec

from corral.api import shapes
from corral.app import Call
from corral.core.errors import Error
from corral.rest import Endpoint, anyone, endpoint, need
from corral.schema.fields import Field, doc, length, split_list, spread
from corral.schema.section import section_fields
from corral.schema.types import Digest, StorageId
from corral.storage import PLUGINS
from corral.storage import config as configuration
from corral.storage.access import may_see_storage
from corral.storage.config import Configuration
from corral.storage.plugins.dir import Dir, DirConfig, DirOptions
from corral.storage.service import PROBE_TIMEOUT

StorageType = Annotated[Literal["dir"], doc("The storage's type.")]


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """What a change answers."""

    storage: str
    type: str


def _row(config: Configuration, storage: str) -> dict[str, Any]:
    section = config.sections[storage]
    plugin = config.plugins.get(section.type)
    row = {"digest": config.digest, **configuration.options(section), "storage": storage, "type": section.type}
    if plugin is not None and "content" not in row:
        row["content"] = ",".join(plugin.default_contents)
    return row


@endpoint(
    "GET", "/storage", allow=anyone("lists only the storages on which the caller has Datastore.Audit or AllocateSpace")
)
def index(
    call: Call,
    *,
    type: Annotated[
        Literal[
            "btrfs",
            "cephfs",
            "cifs",
            "dir",
            "esxi",
            "iscsi",
            "iscsidirect",
            "lvm",
            "lvmthin",
            "nfs",
            "pbs",
            "rbd",
            "zfs",
            "zfspool",
        ]
        | None,
        doc("Only storages of this type."),
    ] = None,
) -> shapes.StorageConfigs:
    """Storage index."""
    config = call.app.storage.config()
    wanted = [each.id for each in config.sections.values() if type in (None, each.type)]
    return [_row(config, storage) for storage in wanted if may_see_storage(call, storage)]


@endpoint(
    "POST",
    "/storage",
    allow=need("/storage", "Datastore.Allocate"),
    root=True,
    example={"storage": "more", "type": "dir", "path": "/srv/example", "content": "iso,images", "mkdir": 0},
)
def create(
    call: Call,
    storage: StorageId,
    type: StorageType,
    options: Annotated[DirConfig, spread, doc("The storage's options.")],
) -> Created:
    """Create a new storage."""
    storages = call.app.storage
    storages.health.call(storage, lambda: _check_place(storages.node, options), PROBE_TIMEOUT)
    call.edit(configuration.KEY, lambda text: storages.parse(text).added(storage, Dir, options).text)
    if not call.planning:
        storages.status(storage)
    return Created(storage=storage, type=type)


def _check_place(node: str, options: DirConfig) -> None:
    """Tell a mistyped path or a missing mount before it is configured; nothing is created yet."""
    if options.disable or (options.nodes and node not in options.nodes) or Dir.problems(options):
        return
    point = options.mount_point()
    if point is not None and not os.path.ismount(os.path.realpath(point)):
        raise Error(f"create storage failed: '{point}' is expected to be a mount point but is not mounted")
    if os.path.lexists(options.path) and not os.path.isdir(options.path):
        raise Error(f"create storage failed: '{options.path}' is not a directory")


@endpoint("GET", "/storage/{storage}", allow=need("/storage/{storage}", "Datastore.Allocate"))
def read(call: Call, storage: StorageId) -> shapes.StorageConfig:
    """Read storage configuration."""
    config = call.app.storage.config()
    config.section(storage)
    return _row(config, storage)


@endpoint(
    "PUT",
    "/storage/{storage}",
    allow=need("/storage", "Datastore.Allocate"),
    root=True,
    example={"storage": "local", "content": "iso,vztmpl,backup,import,images,rootdir,snippets", "shared": 0},
)
def update(
    call: Call,
    storage: StorageId,
    options: Annotated[DirOptions, spread, doc("The options to set.")],
    *,
    delete: Annotated[str | None, length(0, 4096), doc("A list of options to unset.")] = None,
    digest: Digest | None = None,
) -> Created:
    """Update storage configuration."""
    storages = call.app.storage
    fields: dict[str, Field] = section_fields(DirOptions)
    values = {field.attr: getattr(options, field.attr) for field in fields.values()}
    given = {attr: value for attr, value in values.items() if value not in (None, ())}

    def change(text: str) -> str:
        config = storages.parse(text)
        config.check_digest(digest)
        return config.changed(storage, given, split_list(delete or "")).text

    call.edit(configuration.KEY, change)
    return Created(storage=storage, type=storages.config().section(storage).type)


@endpoint(
    "DELETE",
    "/storage/{storage}",
    allow=need("/storage", "Datastore.Allocate"),
    root=True,
    example={"storage": "spare"},
)
def delete(call: Call, storage: StorageId) -> None:
    """Delete storage configuration. What lies on the storage stays there."""
    storages = call.app.storage
    call.edit(configuration.KEY, lambda text: storages.parse(text).removed(storage).text)


assert {"dir"} == {plugin.kind for plugin in PLUGINS}, "a new storage type needs its options declared here"

ENDPOINTS: tuple[Endpoint, ...] = (index, create, read, update, delete)
