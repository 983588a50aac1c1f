"""The declared options against the yardstick: names, types, bounds, words, sub-keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.guests.qemu.config import places
from corral.guests.qemu.options import VmFile, VmOptions
from corral.schema.fields import Field, struct_fields
from corral.schema.propstring import fields_by_wire

# Parameters of the calls themselves.
CALL = {
    "node", "vmid", "delete", "digest", "force", "revert", "skiplock", "background_delay", "import-working-storage",
    "archive", "bwlimit", "ha-managed", "live-restore", "pool", "start", "storage", "unique",
}  # fmt: skip


@pytest.fixture(scope="module")
def yardstick(cases: Path) -> Path:
    """The folder with the API's structural facts."""
    path = cases.parent / "pve-api"
    if not (path / "endpoints.json").is_file():
        pytest.skip(f"no yardstick at {path}")
    return path


def _load(path: Path, name: str) -> Any:
    return json.loads((path / name).read_text())


def _options(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in _load(path, "endpoints.json"):
        if each["path"] in ("/nodes/{node}/qemu", "/nodes/{node}/qemu/{vmid}/config") and each["method"] in (
            "PUT",
            "POST",
        ):
            found.update({key: value for key, value in each["params"].items() if key not in CALL})
    return found


def _differences(field: Field, fact: dict[str, Any]) -> Iterator[str]:
    if field.prop is None and not field.listed and fact["type"] != field.kind:
        yield f"type {field.kind}, not {fact['type']}"
    for key, have in (("minimum", field.minimum), ("maximum", field.maximum)):
        if fact.get(key) != have:
            yield f"{key} {have}, not {fact.get(key)}"
    if tuple(fact.get("enum", ())) != field.enum:
        yield f"enum {field.enum}, not {fact.get('enum')}"
    if fact.get("maxLength") != field.max_length:
        yield f"maxLength {field.max_length}, not {fact.get('maxLength')}"
    if ("pattern" in fact) != (field.regex is not None):
        yield f"pattern {field.regex}, not {fact.get('pattern')}"
    if fact.get("requires") != field.requires:
        yield f"requires {field.requires}"
    if "format" in fact and field.prop is None and (field.format is None or field.format.name != fact["format"]):
        yield f"format {field.format and field.format.name}, not {fact['format']}"
    if fact.get("default") != field.shown_default:
        yield f"default {field.shown_default!r}, not {fact.get('default')!r}"


def test_every_option_is_declared_as_in_the_yardstick(yardstick: Path) -> None:
    facts = _options(yardstick)
    declared = {field.wire + ("[n]" if field.indexes else ""): field for field in struct_fields(VmOptions)}
    assert set(declared) == set(facts)
    wrong = {}
    for key, fact in facts.items():
        field = declared[key]
        if field.indexes is not None and field.indexes != fact["index_max"] + 1:
            wrong[key] = [f"{field.indexes} members"]
        if said := list(_differences(field, fact)):
            wrong.setdefault(key, []).extend(said)
    assert not wrong, "\n".join(f"{key}: {said}" for key, said in wrong.items())


def test_every_sub_key_is_declared_as_in_the_yardstick(yardstick: Path) -> None:
    formats = _load(yardstick, "formats.json")
    wrong: dict[str, list[str]] = {}
    for key, fact in _options(yardstick).items():
        field = next(
            field for field in struct_fields(VmOptions) if field.wire + ("[n]" if field.indexes else "") == key
        )
        if field.prop is None:
            continue
        keys = (formats["property_strings"].get(f"qemu/{key}") or formats["named"][fact["format"]])["keys"]
        real = {name: sub for name, sub in keys.items() if "alias" not in sub}
        # `cdrom` takes what `ide2` takes, which has one key more when it is set.
        extra = {"import-from"} if key == "cdrom" else set()
        fields = fields_by_wire(field.prop)
        assert set(fields) - extra == set(real), key
        aliases = {name for name, sub in keys.items() if "alias" in sub and "keyAlias" not in sub}
        assert aliases == set(field.prop.aliases), key
        for name, sub in real.items():
            said = list(_differences(fields[name], sub))
            if fields[name].optional != bool(sub.get("optional")):
                said.append("optional differs")
            if sub.get("default_key") and field.prop.default_key != name:
                said.append("not the default key")
            if said:
                wrong[f"{key}.{name}"] = said
    assert not wrong, "\n".join(f"{key}: {said}" for key, said in wrong.items())


def test_every_option_is_described() -> None:
    for field in struct_fields(VmFile):
        assert field.text, field.wire
        assert field.text[-1] in ".…", field.wire


def test_only_what_equals_root_is_for_root_alone() -> None:
    assert {field.wire for field in struct_fields(VmOptions) if field.root_only} == {"args", "hookscript"}


def test_families_are_spelled_out() -> None:
    assert places()["net31"].number == 31
    assert "net32" not in places()
    assert places()["numa"].number is None
    assert places()["numa7"].number == 7
