"""Memory and NUMA nodes."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from corral.schema.fields import between, doc, pattern
from corral.schema.propstring import PropertyString

_RANGES = r"\d+(?:-\d+)?(?:;\d+(?:-\d+)?)*"


class Memory(PropertyString, frozen=True, kw_only=True):
    """The guest's memory: `2048`."""

    default_key: ClassVar[str] = "current"

    current: Annotated[
        int, between(16), doc("Memory in MiB; with a balloon device the most the guest can get.", default=512)
    ]


class NumaNode(PropertyString, frozen=True, kw_only=True):
    """One NUMA node of the guest: `cpus=0-3,hostnodes=0,memory=1024,policy=bind`."""

    cpus: Annotated[str, pattern(_RANGES), doc("The guest's CPUs on this node, as `0-1;4`.")]
    hostnodes: Annotated[str, pattern(_RANGES), doc("The host's nodes that give its memory.")] | None = None
    memory: Annotated[float, doc("Memory of this node in MiB.")] | None = None
    policy: Annotated[Literal["preferred", "bind", "interleave"], doc("How the host's nodes are used.")] | None = None
