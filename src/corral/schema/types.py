"""Field types that many endpoints share, each with its description."""

from __future__ import annotations

from typing import Annotated

from corral.schema import formats
from corral.schema.fields import between, doc, length

NodeName = Annotated[str, formats.NODE, doc("The cluster node name.")]
VMID = Annotated[int, formats.VMID, between(100, 999999999), doc("The unique number of the guest.")]
StorageId = Annotated[str, formats.STORAGE_ID, doc("The storage's identifier.")]
VolumeId = Annotated[str, formats.VOLUME_ID, doc("A volume: `STORAGE:VOLNAME`.")]
UserId = Annotated[str, formats.USERID, length(3, 64), doc("Full user ID, in the form `name@realm`.")]
TokenName = Annotated[str, length(2, 128), doc("The token's name, unique for its user.")]
GroupId = Annotated[str, formats.GROUPID, doc("The group's name.")]
RoleId = Annotated[str, formats.ROLEID, doc("The role's name.")]
PoolId = Annotated[str, formats.POOLID, doc("The pool's name; up to three levels, separated by slashes.")]
Realm = Annotated[str, formats.REALM, length(0, 32), doc("The authentication realm.")]
Digest = Annotated[str, length(0, 64), doc("Refuse the change unless the configuration has this digest.")]
Upid = Annotated[str, doc("The task's unique ID.")]
TaskId = Annotated[str, formats.UPID]
"""What a call answers that has begun a task."""
Seconds = Annotated[int, between(0, None), doc("A time in seconds.")]
