"""What cloud-init is told: the files as text."""

from __future__ import annotations

import json

import pytest

from corral.core.errors import Error
from corral.guests.qemu import cloudinit
from corral.guests.qemu.cloudinit import Custom, Resolver, Seed
from corral.guests.qemu.config import VmConfig

TEXT = """\
ciuser: ops
cipassword: $6$salt$hash
ipconfig0: ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto
ipconfig1: ip=dhcp
name: web.example.org
net0: virtio=BC:24:11:00:00:01
net1: virtio=BC:24:11:00:00:02
net2: virtio=BC:24:11:00:00:03
nameserver: 10.0.0.2 10.0.0.3
searchdomain: example.org
sshkeys: ssh-ed25519%20AAAA%20me%0Assh-rsa%20BBBB%20you%0A
"""


def seed(text: str = TEXT, **more: object) -> Seed:
    options = VmConfig.parse(text, strict=True).options
    resolver = cloudinit.resolver_of(options, Resolver(("192.0.2.1",), ("host.test",)))
    return Seed(options.name or "VM100", options, resolver, **more)  # type: ignore[arg-type]


def test_user_data_names_host_user_and_keys() -> None:
    assert seed().part("user").splitlines() == [
        "#cloud-config",
        'hostname: "web"',
        "manage_etc_hosts: true",
        'fqdn: "web.example.org"',
        'user: "ops"',
        'password: "$6$salt$hash"',
        "ssh_authorized_keys:",
        '  - "ssh-ed25519 AAAA me"',
        '  - "ssh-rsa BBBB you"',
        "chpasswd:",
        "  expire: false",
        "users:",
        "  - default",
        "package_upgrade: true",
    ]


def test_network_config_is_version_one() -> None:
    found = json.loads(seed().part("network"))
    assert found["version"] == 1
    first, second, third, resolver = found["config"]
    assert first == {
        "type": "physical", "name": "eth0", "mac_address": "bc:24:11:00:00:01",
        "subnets": [
            {"type": "static", "address": "10.0.0.5", "netmask": "255.255.255.0", "gateway": "10.0.0.1"},
            {"type": "ipv6_slaac"},
        ],
    }  # fmt: skip
    assert second["subnets"] == [{"type": "dhcp4"}]
    assert "subnets" not in third
    assert resolver == {"type": "nameserver", "address": ["10.0.0.2", "10.0.0.3"], "search": ["example.org"]}


def test_the_host_s_resolver_stands_in_for_none() -> None:
    found = seed("net0: virtio=BC:24:11:00:00:01\n")
    assert found.resolver == Resolver(("192.0.2.1",), ("host.test",))
    assert 'fqdn: "VM100.host.test"' in found.part("user")


def test_a_name_can_t_break_out_of_its_line() -> None:
    custom = VmConfig.parse('ciuser: a"b: [x]\n').options
    assert 'user: "a\\"b: [x]"' in Seed("n", custom, Resolver()).part("user")


def test_the_instance_changes_with_its_files() -> None:
    assert seed().part("meta") == seed().part("meta")
    assert seed().part("meta") != seed(TEXT + "ciupgrade: 0\n").part("meta")


def test_files_of_each_layout() -> None:
    assert set(seed().files()) == {"user-data", "network-config", "meta-data"}
    windows = seed(TEXT + "ostype: win11\n")
    assert set(windows.files()) == {
        "openstack/latest/user_data", "openstack/content/0000", "openstack/latest/meta_data.json",
    }  # fmt: skip
    assert "iface eth0 inet static" in windows.part("network")
    assert json.loads(windows.part("meta"))["hostname"] == "web.example.org"
    assert "ETH0_IP='10.0.0.5'" in seed(TEXT + "citype: opennebula\n").files()["context.sh"]


def test_custom_files_replace_generated_ones() -> None:
    own = seed(custom=Custom(user="#cloud-config\n{}\n", vendor="#cloud-config\n"))
    assert own.part("user") == "#cloud-config\n{}\n"
    assert own.files()["vendor-data"] == "#cloud-config\n"


def test_changes_since_the_drive_was_written() -> None:
    config = VmConfig.parse("ciuser: new\nipconfig0: ip=dhcp\n")
    rows = cloudinit.changes(config, {"ciuser": "old", "sshkeys": "x"})
    assert [(row.key, row.value, row.pending, row.delete) for row in rows] == [
        ("ciuser", "old", "new", None), ("ipconfig0", None, "ip=dhcp", None), ("sshkeys", "x", None, 1),
    ]  # fmt: skip
    assert [row.pending for row in cloudinit.changes(config, None)] == [None, None]


def test_a_password_is_never_shown() -> None:
    rows = cloudinit.changes(VmConfig.parse("cipassword: $6$a$b\n"), {})
    assert rows[0].pending == "**********"


def test_a_drive_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Error, match="5 bytes"):
        cloudinit.refuse_large(5, 4)
