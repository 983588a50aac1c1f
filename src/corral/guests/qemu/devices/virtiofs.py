"""Directories of the host shared with the guest."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema import formats
from corral.schema.fields import doc, name
from corral.schema.propstring import PropertyString


class Virtiofs(PropertyString, frozen=True, kw_only=True):
    """A shared directory: `dirid=projects,cache=always`."""

    default_key: ClassVar[str] = "dirid"

    dirid: Annotated[str, formats.CONFIG_ID, doc("Name of the directory mapping; also the tag the guest mounts it by.")]
    cache: (
        Annotated[Literal["auto", "always", "metadata", "never"], doc("What the guest may cache.", default="auto")]
        | None
    ) = None
    direct_io: (
        Annotated[bool, name("direct-io"), doc("Honor the guest's requests for direct I/O.", default=False)] | None
    ) = None
    expose_acl: (
        Annotated[bool, name("expose-acl"), doc("Pass on POSIX ACLs; implies extended attributes.", default=False)]
        | None
    ) = None
    expose_xattr: Annotated[bool, name("expose-xattr"), doc("Pass on extended attributes.", default=False)] | None = (
        None
    )
