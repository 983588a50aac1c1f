"""Options of a virtual machine as texts by wire name: how tasks carry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from corral.core.errors import ParamError
from corral.guests.qemu import config as vm
from corral.guests.qemu.options import VmFile, VmOptions
from corral.schema.fields import Invalid

_ALIASES = {"cdrom": "ide2"}


def texts_of(options: VmOptions, given: Mapping[str, object]) -> dict[str, str]:
    """What a caller has set, as texts; `ParamError` for what a file can't hold.

    `given` are the raw parameters: a text that means the same as the value stays as it was written.
    """
    if options.cdrom is not None:
        medium = msgspec.structs.replace(options.cdrom, media="cdrom")
        options = msgspec.structs.replace(options, cdrom=None, ide={**options.ide, 2: medium})
    changes = vm.wire_changes(VmFile(), VmFile(**msgspec.structs.asdict(options)))
    out: dict[str, str] = {}
    errors: dict[str, str] = {}
    for key, value in changes.items():
        try:
            text = vm.text_of(key, value)
            out[key] = _as_written(key, text, given.get(key))
        except Invalid as exc:
            errors[key] = str(exc)
    if errors:
        raise ParamError(errors)
    return out


def _as_written(key: str, text: str, raw: object) -> str:
    if not isinstance(raw, str) or raw == text or raw != raw.strip() or not raw.isprintable():
        return text
    try:
        return raw if vm.value_of(key, raw) == vm.value_of(key, text) else text
    except Invalid:
        return text


def known_names(names: Iterable[str], param: str) -> tuple[str, ...]:
    """The option names of a list; `ParamError` for one that does not exist."""
    found = tuple(_ALIASES.get(name, name) for name in names)
    for name in found:
        if name not in vm.places():
            raise ParamError({param: f"unknown option '{name}'"})
    return found


def refuse_both(options: Mapping[str, str], delete: Iterable[str], revert: Iterable[str]) -> None:
    """`ParamError` for an option that is set and deleted, or changed and reverted, in one call."""
    for key in delete:
        if key in options:
            raise ParamError({"delete": f"cannot use '-{key}' and '-delete {key}' at the same time"})
    for key in revert:
        if key in options or key in delete:
            raise ParamError({"revert": f"cannot revert '{key}' and change it at the same time"})
