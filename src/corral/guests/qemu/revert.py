"""Taking back a change of a virtual machine's options: an earlier text as parameters of one change. Pure.

What counts is each option with its pending change, since that is what was asked for. Snapshots, locks, notes of unused
volumes and facts that only the platform writes are left alone. A drive's size is not compared: volumes don't shrink.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from corral.core.errors import Error
from corral.guests.qemu import config as vm
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.devices.drive import Drive
from corral.guests.qemu.options import VmOptions
from corral.schema.fields import Invalid, struct_fields
from corral.store.revert import Step

CALL = "PUT /nodes/{node}/qemu/{vmid}/config"


@cache
def _settable() -> frozenset[str]:
    names: set[str] = set()
    for each in struct_fields(VmOptions):
        names |= {each.wire} if each.indexes is None else {f"{each.wire}{index}" for index in range(each.indexes)}
    return frozenset(name for name in names if name != "lock" and not name.startswith("unused"))


def items(text: str) -> Mapping[str, str]:
    """Each option that a call can set, with its pending change."""
    raw = VmConfig.parse(text).apply_pending().raw
    return {key: _comparable(key, value) for key, value in raw.items() if key in _settable()}


def _comparable(key: str, value: str) -> str:
    if not vm.has_volume(key):
        return value
    return ",".join(part for part in value.split(",") if not part.startswith("size="))


def steps(vmid: int, node: str, wanted: Mapping[str, str | None], now: str) -> list[Step]:
    """The call that brings these options back; `Error` for what would make, move or remove a volume or a template."""
    if "template" in wanted:
        raise Error("a machine that was made a template, or one no more, can't be turned back by its options")
    config = VmConfig.parse(now)
    present = {key: _comparable(key, value) for key, value in config.raw.items()}
    given: dict[str, str] = {}
    dropped, undone = list[str](), list[str]()
    for key, value in wanted.items():
        if vm.is_drive(key):
            _refuse_generated(key, value, config.raw.get(key))
        if value == present.get(key):
            undone.append(key)
        elif value is None:
            dropped.append(key)
        else:
            given[key] = value
    params = {"vmid": str(vmid), "node": node, **given}
    params |= {"delete": ",".join(dropped)} if dropped else {}
    params |= {"revert": ",".join(undone)} if undone else {}
    return [Step(CALL, params)]


def _refuse_generated(key: str, wanted: str | None, present: str | None) -> None:
    for text in (wanted, present):
        if text is not None and _is_cloudinit(key, text):
            raise Error(
                f"{key}: a cloud-init drive comes and goes with its volume, which a revert makes and removes none"
            )


def _is_cloudinit(key: str, text: str) -> bool:
    try:
        value = vm.value_of(key, text)
    except Invalid:
        return False
    return isinstance(value, Drive) and value.cloudinit
