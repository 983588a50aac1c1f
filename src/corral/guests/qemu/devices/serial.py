"""Serial and parallel ports, and sockets that QEMU listens on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from corral.guests.qemu.args import Chardev, Device, Item, Option

if TYPE_CHECKING:
    from corral.guests.qemu.setup import Setup


def listening(setup: Setup, name: str) -> dict[str, Any]:
    """Properties of a chardev that listens: on a socket opened before, or on one of its own."""
    where = {"fd": setup.runtime.fds[name]} if name in setup.runtime.fds else {"path": setup.socket(name)}
    return {**where, "server": True, "wait": False}


def render_serials(setup: Setup) -> Iterator[Item]:
    """Serial ports: sockets, or devices of the host."""
    for index, where in setup.options.serial.items():
        name = f"serial{index}"
        if where == "socket":
            yield Chardev("socket", name, listening(setup, name))
        else:
            yield Chardev("serial", name, {"path": where})
        if setup.machine.kind == "virt" and index == 0:
            # The first port is the machine's own, which no device option can name.
            yield Option("serial", f"chardev:{name}")
        elif setup.machine.kind == "virt":
            yield Device("pci-serial", props={"chardev": name})
        else:
            yield Device("isa-serial", props={"chardev": name})


def render_parallels(setup: Setup) -> Iterator[Item]:
    """Parallel ports of the host."""
    for index, path in setup.options.parallel.items():
        kind = "serial" if path.startswith("/dev/usb/lp") else "parallel"
        yield Chardev(kind, f"parallel{index}", {"path": path})
        yield Device("isa-parallel", props={"chardev": f"parallel{index}"})
