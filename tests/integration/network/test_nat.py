"""The NAT bridge, seen by a guest and from outside, in network namespaces that the test makes itself."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from corral.system.run import SystemRun


def test_a_guest_gets_an_address_and_reaches_the_world_and_all_of_it_goes(tmp_path: Path) -> None:
    run = SystemRun()
    missing = [name for name in ("unshare", "nsenter", "nft", "dnsmasq", "ip") if not shutil.which(name)]
    if missing or os.geteuid() or run(["unshare", "-n", "true"], timeout=5, ok=(0, 1)).code:
        pytest.skip(f"needs root, network namespaces and {missing or 'nothing else'}")
    world = Path(__file__).with_name("nat_world.py")
    environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    output = run(["unshare", "-n", sys.executable, str(world), str(tmp_path)], timeout=55, env=environment)
    seen = json.loads(output.stdout)
    assert seen["address"] == "10.100.0.1/24"  # 10.99.0.0/24 is the machine's own
    assert seen["offer"]["router"] == "10.100.0.1"
    assert seen["offer"]["address"].startswith("10.100.0.")
    assert seen["seen from outside as"] == "10.99.0.200"
    assert "dnsmasq does not start" in seen["failure"]
    assert seen["after failure"] == [False, True]
    assert seen["whole"]
    assert not seen["whole after reboot"]
    assert seen["whole again"]
    assert any("makes bridge vmbr0" in effect for effect in seen["effects"])
    for refusal, said in (
        ("taken network", "has an address in the network"),
        ("second", "already"),
        ("in use", "is in use by gst0"),
        ("nothing there", "no NAT bridge"),
    ):
        assert said in seen[refusal]
    before = seen["forwarding before"]
    assert seen["after"] == {"bridge": False, "rules": "", "dnsmasq": "", "forwarding": before, "record": False}
