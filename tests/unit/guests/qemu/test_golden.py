"""Golden command lines: `tests/golden/qemu/NAME.conf` rendered for a KVM host and for one without.

`python -m tests.unit.guests.qemu.test_golden` writes them anew; the diff is reviewed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from corral.guests.qemu.command import Command, command
from corral.guests.qemu.config import VmConfig
from corral.guests.qemu.host import Firmware, Host, Located, Version
from corral.guests.qemu.setup import Runtime

GOLDEN = Path(__file__).parents[3] / "golden" / "qemu"
NAMES = sorted(path.stem for path in GOLDEN.glob("*.conf"))

_SMALL, _LARGE = 131072, 540672


def _ovmf(code: str, store: str, size: int) -> Firmware:
    return Firmware(code=f"/usr/share/OVMF/{code}.fd", vars=f"/usr/share/OVMF/{store}.fd", vars_size=size)


DEBIAN_12 = Host(
    qemu=Version(7, 2, 22),
    cpu_vendor="AuthenticAMD",
    io_uring=True,
    spice=True,
    phys_bits=48,
    firmware={
        "2m": _ovmf("OVMF_CODE", "OVMF_VARS", _SMALL),
        "4m": _ovmf("OVMF_CODE_4M", "OVMF_VARS_4M", _LARGE),
        "4m-keys": _ovmf("OVMF_CODE_4M", "OVMF_VARS_4M.ms", _LARGE),
        "4m-secboot": _ovmf("OVMF_CODE_4M.secboot", "OVMF_VARS_4M", _LARGE),
        "4m-secboot-keys": _ovmf("OVMF_CODE_4M.secboot", "OVMF_VARS_4M.ms", _LARGE),
    },
)
HOSTS = {
    "tcg": DEBIAN_12,
    "kvm": msgspec.structs.replace(
        DEBIAN_12, qemu=Version(10, 0, 3), kvm=True, vhost_net=True, cpu_vendor="GenuineIntel"
    ),
}


def render(name: str, host: Host) -> Command:
    """A golden configuration on a host; its volumes are files of their own names."""
    config = VmConfig.parse((GOLDEN / f"{name}.conf").read_text(), strict=True)
    volumes = {
        volid: Located.at(f"/images/{volid.partition(':')[2]}", volid.rpartition(".")[2])
        for volid in config.volids().values()
    }
    return command(100, config, host, Runtime(sockets=Path("/run/corral/0/qemu/100"), paused=True), volumes)


def shown(made: Command) -> str:
    """A command line, one option a line, with what it warns of."""
    return "".join(f"{line}\n" for line in _lines(made))


def _lines(made: Command) -> Iterator[str]:
    yield from (f"# {warning}" for warning in (*made.notes, *made.warnings))
    yield made.args[0]
    for item in made.items:
        yield " ".join(item.words())


@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("name", NAMES)
def test_the_command_line_is_the_golden_one(name: str, kind: str) -> None:
    assert shown(render(name, HOSTS[kind])) == (GOLDEN / f"{name}.{kind}.args").read_text()


def test_every_golden_file_belongs_to_a_configuration() -> None:
    assert {path.name.partition(".")[0] for path in GOLDEN.glob("*.args")} == set(NAMES)


if __name__ == "__main__":
    for each in NAMES:
        for kind, machine in HOSTS.items():
            (GOLDEN / f"{each}.{kind}.args").write_text(shown(render(each, machine)))
