"""QEMU's CPU models that a guest may be shown, and what the platform adds to some."""

from __future__ import annotations

from typing import Final, Literal, get_args

ReportedModel = Literal[
    "486", "a64fx", "athlon", "Broadwell", "Broadwell-IBRS", "Broadwell-noTSX", "Broadwell-noTSX-IBRS",
    "Cascadelake-Server", "Cascadelake-Server-noTSX", "Cascadelake-Server-v2", "Cascadelake-Server-v4",
    "Cascadelake-Server-v5", "ClearwaterForest", "ClearwaterForest-v2", "ClearwaterForest-v3", "Conroe",
    "Cooperlake", "Cooperlake-v2", "core2duo", "coreduo", "cortex-a35", "cortex-a53", "cortex-a55", "cortex-a57",
    "cortex-a710", "cortex-a72", "cortex-a76", "cortex-a78ae", "DiamondRapids", "EPYC", "EPYC-Genoa",
    "EPYC-Genoa-v2", "EPYC-IBPB", "EPYC-Milan", "EPYC-Milan-v2", "EPYC-Milan-v3", "EPYC-Rome", "EPYC-Rome-v2",
    "EPYC-Rome-v3", "EPYC-Rome-v4", "EPYC-Rome-v5", "EPYC-Turin", "EPYC-v3", "EPYC-v4", "EPYC-v5", "GraniteRapids",
    "GraniteRapids-v2", "GraniteRapids-v3", "GraniteRapids-v4", "GraniteRapids-v5", "Haswell", "Haswell-IBRS",
    "Haswell-noTSX", "Haswell-noTSX-IBRS", "host", "Icelake-Client", "Icelake-Client-noTSX", "Icelake-Server",
    "Icelake-Server-noTSX", "Icelake-Server-v3", "Icelake-Server-v4", "Icelake-Server-v5", "Icelake-Server-v6",
    "Icelake-Server-v7", "IvyBridge", "IvyBridge-IBRS", "KnightsMill", "kvm32", "kvm64", "max", "Nehalem",
    "Nehalem-IBRS", "neoverse-n1", "neoverse-n2", "neoverse-v1", "Opteron_G1", "Opteron_G2", "Opteron_G3",
    "Opteron_G4", "Opteron_G5", "Penryn", "pentium", "pentium2", "pentium3", "phenom", "qemu32", "qemu64",
    "SandyBridge", "SandyBridge-IBRS", "SapphireRapids", "SapphireRapids-v2", "SapphireRapids-v3",
    "SapphireRapids-v4", "SapphireRapids-v5", "SapphireRapids-v6", "SierraForest", "SierraForest-v2",
    "SierraForest-v3", "SierraForest-v4", "SierraForest-v5", "Skylake-Client", "Skylake-Client-IBRS",
    "Skylake-Client-noTSX-IBRS", "Skylake-Client-v4", "Skylake-Server", "Skylake-Server-IBRS",
    "Skylake-Server-noTSX-IBRS", "Skylake-Server-v4", "Skylake-Server-v5", "Westmere", "Westmere-IBRS",
]  # fmt: skip

REPORTABLE: Final[frozenset[str]] = frozenset(get_args(ReportedModel))

_V2: Final = ("popcnt", "pni", "sse4.1", "sse4.2", "ssse3")
_V3: Final = ("abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave")
_V4: Final = ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl")

LEVELS: Final[dict[str, tuple[str, ...]]] = {
    "x86-64-v1": (),
    "x86-64-v2": _V2,
    "x86-64-v2-AES": ("aes", *_V2),
    "x86-64-v3": ("aes", *_V2, *_V3),
    "x86-64-v4": ("aes", *_V2, *_V3, *_V4),
}
"""Levels of the x86-64 architecture: QEMU's `qemu64` with these flags runs on any CPU of that level."""

RENAMED: Final = {"Icelake-Client": "Icelake-Server", "Icelake-Client-noTSX": "Icelake-Server-noTSX"}
"""Models QEMU has dropped, since no such CPU was ever sold, and what is the same."""

_INTEL: Final = (
    "Broadwell", "Cascadelake", "ClearwaterForest", "Conroe", "Cooperlake", "DiamondRapids", "GraniteRapids", "Haswell",
    "Icelake", "IvyBridge", "KnightsMill", "Nehalem", "Penryn", "SandyBridge", "SapphireRapids", "SierraForest",
    "Skylake", "Westmere",
)  # fmt: skip
_AMD: Final = ("EPYC", "Opteron", "athlon", "phenom")

KVM_ONLY: Final = ("kvm_", "hv-", "hv_", "kvm-")
"""Flags that only hardware virtualization offers start with these."""


def vendor_of(model: str) -> str:
    """The vendor a model shows: `GenuineIntel`, `AuthenticAMD`; empty where it is the host's or QEMU's choice."""
    if model.startswith(_INTEL):
        return "GenuineIntel"
    if model.startswith(_AMD):
        return "AuthenticAMD"
    return ""
