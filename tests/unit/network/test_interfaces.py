"""`/etc/network/interfaces`, joined with what the kernel has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from corral.network.interfaces import of_type, parse, read, rows
from corral.system.netlink import Link

TEXT = """source /etc/network/interfaces.d/*

auto lo
iface lo inet loopback

iface eno1 inet manual
iface eno2 inet manual

auto bond0
iface bond0 inet manual
    bond-slaves eno1 eno2
    bond-mode 4
    bond-xmit-hash-policy layer3+4

auto vmbr0
iface vmbr0 inet static
    address 192.0.2.10/24
    gateway 192.0.2.1
    bridge-ports bond0
    bridge-stp off
    bridge-vlan-aware yes
    bridge-vids 2-4094
#management
#bridge
iface vmbr0 inet6 static
    address 2001:db8::10
    netmask 64

iface vmbr0.5 inet manual
iface vlan7 inet static
    address 192.0.2.200
    netmask 255.255.255.0
    vlan-raw-device eno1
iface ovs0 inet manual
    ovs_type OVSBridge
    ovs_ports a b
"""


def _rows(*links: Link) -> dict[str, dict[str, Any]]:
    return {row["iface"]: row for row in rows(parse(TEXT), links)}


def _link(name: str, kind: str = "", *, up: bool = True, addresses: tuple[str, ...] = ()) -> Link:
    return Link(name, kind, up, 1500, "", "", addresses)


def test_kinds_are_told_apart() -> None:
    kinds = {name: row["type"] for name, row in _rows().items()}
    assert kinds == {
        "eno1": "eth", "eno2": "eth", "bond0": "bond", "vmbr0": "bridge", "vmbr0.5": "vlan", "vlan7": "vlan",
        "ovs0": "OVSBridge",
    }  # fmt: skip


def test_a_bridge_with_both_families() -> None:
    row = _rows()["vmbr0"]
    assert row["families"] == ["inet", "inet6"]
    assert (row["address"], row["netmask"], row["cidr"], row["gateway"]) == (
        "192.0.2.10", "24", "192.0.2.10/24", "192.0.2.1",
    )  # fmt: skip
    assert (row["address6"], row["netmask6"], row["cidr6"]) == ("2001:db8::10", 64, "2001:db8::10/64")
    assert row["bridge_vlan_aware"]
    assert row["bridge_vids"] == "2-4094"
    assert row["comments"] == "management\nbridge\n"
    assert row["options"] == ["bridge-stp off"]
    assert row["autostart"]
    assert "exists" not in row


def test_a_dotted_netmask_and_numbered_bond_modes() -> None:
    found = _rows()
    assert found["vlan7"]["cidr"] == "192.0.2.200/24"
    assert found["bond0"]["bond_mode"] == "802.3ad"
    assert found["bond0"]["slaves"] == "eno1 eno2"


def test_what_the_kernel_has_is_joined() -> None:
    found = _rows(
        _link("lo"), _link("vmbr0", "bridge"), _link("eth9", addresses=("198.51.100.2/24", "fe80::1/64")),
        _link("tap100i0", "tun"), _link("t1a2b2si0"), _link("veth1", "veth"), _link("br1", "bridge", up=False),
    )  # fmt: skip
    assert found["vmbr0"]["active"]
    assert found["eth9"]["cidr"] == "198.51.100.2/24"
    assert "address6" not in found["eth9"]
    assert found["eth9"]["type"] == "eth"
    assert found["br1"]["type"] == "bridge"
    assert "active" not in found["br1"]
    assert not found.keys() & {"lo", "tap100i0", "t1a2b2si0", "veth1"}


def test_families_of_types() -> None:
    found = list(_rows().values())
    assert {row["iface"] for row in of_type(found, "any_bridge")} == {"vmbr0", "ovs0"}
    assert {row["iface"] for row in of_type(found, "bridge")} == {"vmbr0"}
    assert of_type(found, None) == of_type(found, "include_sdn") == found


def test_included_files_are_read(tmp_path: Path) -> None:
    base = tmp_path / "etc/network"
    (base / "interfaces.d").mkdir(parents=True)
    (base / "interfaces").write_text(TEXT + "source /etc/network/interfaces\nsource\n")
    (base / "interfaces.d/extra").write_text("auto vmbr5\niface vmbr5 inet manual\n\tbridge_ports none\n")
    found = {row["iface"]: row for row in rows(read(tmp_path), [])}
    assert found["vmbr5"]["bridge_ports"] == ""
    assert read(tmp_path / "nowhere").stanzas == []


@given(st.text(alphabet="ifaceuto \n\t#\\/.:-0123x", max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    rows(parse(text), [])
