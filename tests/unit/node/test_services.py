"""Services: systemd's words, and daemons found by their command lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from corral.core.errors import Error, NotFound
from corral.node.services import NAMES, SystemdServices, daemon_name, parse_units, unit_of
from corral.system.fakes import FakeRun

SHOWN = """Id=ssh.service
Description=OpenBSD Secure Shell server
LoadState=loaded
ActiveState=active
SubState=running
UnitFileState=enabled

Id=corosync.service
Description=corosync.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
"""


def test_units_come_in_the_order_asked_for() -> None:
    first, second = parse_units(SHOWN, ["sshd", "corosync"])
    assert first.wire() == {
        "service": "sshd", "name": "sshd", "desc": "OpenBSD Secure Shell server", "state": "running",
        "active-state": "active", "unit-state": "enabled",
    }  # fmt: skip
    assert second.unit == "not-found"


def test_a_unit_that_systemd_says_nothing_about() -> None:
    assert parse_units("", ["cron"])[0].unit == "not-found"


def test_names_of_the_field_stand_for_our_units() -> None:
    assert unit_of("pveproxy") == "corral-api.service"
    assert unit_of("sshd") == "ssh.service"
    assert unit_of("cron") == "cron.service"


def test_actions_of_systemd() -> None:
    run = FakeRun()
    run.expect("systemctl show *", stdout=SHOWN)
    run.expect("systemctl restart -- ssh.service")
    run.expect("systemctl reload-or-restart -- ssh.service")
    services = SystemdServices(run)
    services.act("sshd", "restart")
    services.act("sshd", "reload")
    services.refuse("sshd", "stop")
    with pytest.raises(Error, match="cut off"):
        services.refuse("pveproxy", "stop")
    run.expect("systemctl show *", stdout=SHOWN.partition("\n\n")[2])
    with pytest.raises(NotFound):
        services.refuse("corosync", "start")
    run.expect("systemctl show *", stdout="")
    assert len(services.list()) == len(NAMES)


def test_daemons_are_known_by_module_and_root() -> None:
    words = ["/venv/bin/python", "-m", "corral.daemons.corrald", "--root", "/tmp/n", "--node", "n1"]
    assert daemon_name(words, Path("/tmp/n")) == "corrald"
    assert daemon_name(words, Path("/tmp/other")) is None
    assert daemon_name(["python", "-m"], Path("/tmp/n")) is None
    assert daemon_name(["vim", "-m", "notes", "--root", "/tmp/n"], Path("/tmp/n")) is None
