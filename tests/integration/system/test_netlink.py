"""Network devices, in a network namespace that the test makes for itself."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from corral.core.errors import Error
from corral.system import netlink
from corral.system.run import SystemRun

run = SystemRun()

SCRIPT = """
import os, sys
from corral.core.errors import AlreadyExists, NotFound
from corral.system import device
from corral.system import netlink as n
try:
    n.attach("lo", "vmbr0")
except NotFound:
    pass
assert [(link.name, link.up) for link in n.links()] == [("lo", False)], n.links()
assert "pyroute2" not in sys.modules, "a start of a guest must not wait for it"
n.add_bridge("vmbr0", address="10.9.0.1/24", mac="02:00:00:00:00:01")
fds = n.open_tap("tap100i0", queues=2)
assert len(fds) == 2
n.add_bridge("vmbr1", vlans=False)

assert device.find("nothing0") is None
bridge, tap = device.find("vmbr0"), device.find("tap100i0")
assert (bridge.kind, bridge.mtu, bridge.filters, bridge.master) == ("bridge", 1500, False, ""), bridge
assert (tap.kind, tap.master) == ("tun", ""), tap
n.attach("tap100i0", "vmbr1")
assert device.find("tap100i0").master == "vmbr1"
try:
    n.open_tap("tap100i0")
except AlreadyExists:
    pass
assert n.attach("tap100i0", "vmbr0", size=1400) == []
assert n.attach("tap100i0", "vmbr0", size=9000) != []
assert n.mtu("tap100i0") == 1500
assert n.ports("vmbr0") == ["tap100i0"]
n.limit_rate("tap100i0", 10)
n.limit_rate("tap100i0", 20)
n.limit_rate("tap100i0", None)
bridge = next(link for link in n.links() if link.name == "vmbr0")
assert (bridge.kind, bridge.mac, bridge.addresses[0]) == ("bridge", "02:00:00:00:00:01", "10.9.0.1/24"), bridge
n.attach("tap100i0", "vmbr0", tag=5)
assert n.ports("vmbr0v5") == ["tap100i0"]
try:
    n.attach("tap100i0", "vmbr9")
    raise SystemExit("attached to nothing")
except NotFound:
    pass
for fd in fds:
    os.close(fd)
assert not n.exists("tap100i0")
assert n.delete("vmbr1") and n.delete("vmbr0") and not n.delete("vmbr0")
print("fine")
"""


def test_a_tap_on_a_bridge() -> None:
    if os.geteuid() or not Path("/dev/net/tun").exists() or run(["unshare", "-n", "true"], timeout=5, ok=(0, 1)).code:
        pytest.skip("needs root, /dev/net/tun and network namespaces")
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    output = run(["unshare", "-n", sys.executable, "-c", SCRIPT], timeout=50, env=environment)
    assert output.stdout == "fine\n"


@pytest.mark.parametrize("name", ["", "a" * 16, "a/b", "a b", ".."])
def test_names_the_kernel_would_change_are_refused(name: str) -> None:
    with pytest.raises(Error):
        netlink.check_name(name)
