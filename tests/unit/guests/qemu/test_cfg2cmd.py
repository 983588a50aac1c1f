"""The shared cases: configuration → facts of QEMU's command line."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from corral.core.errors import Error
from corral.guests.qemu.args import Device
from corral.guests.qemu.command import Command, command
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.setup import Runtime
from tests.unit.guests.qemu import reduce

FOLDER = Path(os.environ.get("CORRAL_CASES", Path(__file__).parents[5] / "shared" / "cases")) / "cfg2cmd"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json") if not path.stem.startswith("_"))


def _render(case: dict[str, Any], env: dict[str, Any]) -> Command:
    config = VmConfig.parse(case["config"])
    found = {volid: reduce.locate(env, volid) for volid in config.volids().values()}
    volumes = {volid: located for volid, located in found.items() if located is not None}
    runtime = Runtime(sockets=Path(reduce.RUN))
    return command(case["vmid"], config, reduce.host(env, case["assume"]), runtime, volumes)


def _comparable(values: list[Any]) -> list[str]:
    return sorted(json.dumps(value, sort_keys=True) for value in values)


def _by_bus(devices: list[Any]) -> dict[str, list[Any]]:
    """Devices on buses that number them in the order they come; on PCI each has its place."""
    out: dict[str, list[Any]] = {}
    for device in devices:
        if "bus" in device:
            out.setdefault(device["bus"], []).append(device)
    return out


@pytest.mark.skipif(not NAMES, reason=f"no cases at {FOLDER} (set CORRAL_CASES)")
@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_states_the_shared_facts(name: str) -> None:
    case = json.loads((FOLDER / f"{name}.json").read_text())
    env = json.loads((FOLDER / "_env.json").read_text())
    expect = case["expect"]
    if expect["error"]:
        with pytest.raises(Error):
            _render(case, env)
        return
    made = _render(case, env)
    assert PurePosixPath(made.args[0]).name == expect["binary"]
    got = reduce.options(made.args[1:])
    wanted = expect["options"]
    for option in sorted({*got, *wanted}):
        have, want = got.get(option, []), wanted.get(option, [])
        assert _comparable(have) == _comparable(want), option
    assert _by_bus(got["device"]) == _by_bus(wanted["device"])


@pytest.mark.skipif(not NAMES, reason=f"no cases at {FOLDER} (set CORRAL_CASES)")
@pytest.mark.parametrize("name", NAMES)
def test_no_two_devices_share_a_place(name: str) -> None:
    case = json.loads((FOLDER / f"{name}.json").read_text())
    if case["expect"]["error"]:
        return
    made = _render(case, json.loads((FOLDER / "_env.json").read_text()))
    devices = [item for item in made.items if isinstance(item, Device) and "addr" in item.props]
    places = Counter((item.props["bus"], item.props["addr"]) for item in devices)
    assert not [place for place, count in places.items() if count > 1]
    ids = Counter(item.id for item in made.items if isinstance(item, Device) and item.id)
    assert not [name for name, count in ids.items() if count > 1]
