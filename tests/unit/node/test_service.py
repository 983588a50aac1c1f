"""The host's settings: where they are kept, what is refused, what a plan says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from corral.core.errors import Conflict, Error, ParamError
from corral.core.layout import Layout
from corral.node import config, timezone
from corral.node.config import NodeOptions, WakeOnLan
from corral.node.service import (
    Host,
    PowerNode,
    RestartService,
    SetDns,
    SetHosts,
    SetTimezone,
    hosts_digest,
    magic_packet,
    wake_of,
)
from corral.system.fakes import FakeClock, FakeRun
from corral.tasks.base import Draws


class FakeWork:
    """What the acts of this room use of a running task."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(Layout(tmp_path), FakeRun(), FakeClock(), "n1", systemd=False)


def test_a_node_below_a_root_writes_its_own_files(host: Host, tmp_path: Path) -> None:
    args = SetDns(search="a.example", servers=("192.0.2.1",))
    assert str(tmp_path / "etc/resolv.conf") in host.check_dns(args, Draws()).effects[0]
    assert not (tmp_path / "etc").exists()
    host.act_dns(args, FakeWork())  # type: ignore[arg-type]  # a part of the protocol
    assert (tmp_path / "etc/resolv.conf").read_text().startswith("search a.example\nnameserver 192.0.2.1\n")
    assert host.dns().search == "a.example"


def test_hosts_are_compared_when_planned_and_when_done(host: Host) -> None:
    host.act_hosts(SetHosts(text="one\n"), FakeWork())  # type: ignore[arg-type]
    late = SetHosts(text="two\n", digest=hosts_digest("zero\n"))
    with pytest.raises(Conflict, match="detected modified configuration"):
        host.check_hosts(late, Draws())
    with pytest.raises(Conflict):
        host.act_hosts(late, FakeWork())  # type: ignore[arg-type]
    host.act_hosts(SetHosts(text="two\n", digest=hosts_digest("one\n")), FakeWork())  # type: ignore[arg-type]
    assert host.hosts()[0] == "two\n"


def test_the_time_zone(host: Host, tmp_path: Path) -> None:
    if not (timezone.ZONES / "Europe/Vienna").exists():
        pytest.skip("no time zones are installed (package tzdata)")
    host.act_timezone(SetTimezone(zone="Europe/Vienna"), FakeWork())  # type: ignore[arg-type]
    assert os.readlink(tmp_path / "etc/localtime") == "/usr/share/zoneinfo/Europe/Vienna"
    assert host.time() == {"timezone": "Europe/Vienna", "time": 1_700_000_000, "localtime": 1_700_003_600}
    for wrong in ("../etc/passwd", "Mars/Olympus", "", "Europe"):
        with pytest.raises(ParamError):
            host.check_timezone(SetTimezone(zone=wrong), Draws())


def test_the_offset_of_a_zone_that_is_not_there() -> None:
    assert timezone.offset("Mars/Olympus", 0) == 0


def test_the_machine_of_a_node_below_a_root_stays_up(host: Host) -> None:
    with pytest.raises(Error, match="not its own to shutdown"):
        host.check_power(PowerNode(command="shutdown"), Draws())


@pytest.mark.parametrize(("systemd", "command"), [(True, "systemctl reboot"), (False, "shutdown -r now")])
def test_an_installed_node_reboots(*, systemd: bool, command: str) -> None:
    run = FakeRun()
    run.expect(command)
    host = Host(Layout(Path("/")), run, FakeClock(), "n1", systemd=systemd)
    assert host.check_power(PowerNode(command="reboot"), Draws()).warnings == ("guests are stopped",)
    host.act_power(PowerNode(command="reboot"), FakeWork())  # type: ignore[arg-type]
    assert run.commands == [command]


def test_a_service_that_does_not_run_is_refused(host: Host) -> None:
    with pytest.raises(Error, match="does not run"):
        host.check_service(RestartService(service="sshd"), Draws())


def test_wake_up_packets() -> None:
    packet = magic_packet("BC:24:11:00:00:01")
    assert len(packet) == 102
    assert packet.startswith(b"\xff" * 6 + b"\xbc\x24\x11\x00\x00\x01")
    task = wake_of(WakeOnLan(mac="BC:24:11:00:00:01", bind="eth0"), "n2")
    assert (task.broadcast, task.interface, task.id()) == ("255.255.255.255", "eth0", "n2")


def test_a_nodes_options_are_changed_by_digest() -> None:
    text = config.changed("", NodeOptions(description="one\ntwo"), (), None)
    assert text == "#one\n#two\n"
    with pytest.raises(Conflict):
        config.changed(text, NodeOptions(), ("description",), "0" * 40)
    assert config.changed(text, NodeOptions(startall_delay=3), ("description",), config.digest(text)) == (
        "startall-onboot-delay: 3\n"
    )


def test_numbered_options_of_a_node() -> None:
    text = "acmedomain0: a.example.com\nacmedomain3: b.example.com,plugin=dns\nacmedomain9: c.example.com\n"
    file = config.read(text)
    assert file.options.acmedomain is not None
    assert sorted(file.options.acmedomain) == [0, 3]
    assert file.kept == (("acmedomain9", "c.example.com"),)
    assert str(file) == text
    after = config.changed(text, NodeOptions(), ("acmedomain0", "acmedomain9"), None)
    assert after == "acmedomain3: b.example.com,plugin=dns\n"
