"""The NAT bridge's pure parts; the whole of it runs in tests/integration/network."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.errors import Error
from corral.network import nat


def test_a_network_is_chosen_that_the_machine_has_no_part_in() -> None:
    assert nat.choose([]) == "10.99.0.1/24"
    assert nat.choose(["10.99.0.200/16", "fd00::1/64"]) == "10.100.0.1/24"
    with pytest.raises(Error):
        nat.choose(["10.1.2.3/8"])


def test_rules_replace_the_whole_table() -> None:
    commands = nat.rules("corral_nat_vmbr0", "vmbr0", "10.99.0.1/24")
    assert [next(iter(command)) for command in commands] == ["add", "delete", "add", "add", "add"]
    expressions = commands[-1]["add"]["rule"]["expr"]
    assert expressions[0]["match"]["right"] == {"prefix": {"addr": "10.99.0.0", "len": 24}}
    assert expressions[1]["match"] == {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": "vmbr0"}
    assert expressions[2] == {"masquerade": None}


def test_the_dhcp_server_serves_one_bridge_only() -> None:
    words = nat.dnsmasq("vmbr0", "10.99.0.1/24", Path("/run/x.pid"), Path("/var/lib/x"))
    assert "--dhcp-range=10.99.0.50,10.99.0.254,12h" in words
    assert {"--bind-interfaces", "--interface=vmbr0", "--except-interface=lo", "--conf-file=/dev/null"} <= set(words)


def test_a_small_network_has_room_for_guests() -> None:
    words = nat.dnsmasq("vmbr0", "192.168.7.1/28", Path("/run/x.pid"), Path("/var/lib/x"))
    assert "--dhcp-range=192.168.7.4,192.168.7.14,12h" in words


def test_the_bridges_address_is_local_and_stays() -> None:
    assert nat.bridge_mac("3f2a77c1") == "02:c0:3f:2a:77:c1"
