"""Sessions with the tools on a running node."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.node import Node


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("cli") / "root") as started:
        started.login()
        yield started


def ok(node: Node, *words: str) -> str:
    """What a tool prints; it must succeed."""
    done = node.tool(*words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def asked(node: Node, *words: str) -> Any:
    """A tool's answer as programs get it."""
    return json.loads(ok(node, *words, "--output-format", "json"))


def guests(node: Node) -> set[int]:
    """The numbers of all guests: tests come in any order, and some leave guests behind."""
    return {row["vmid"] for row in asked(node, "qm", "list")}


def test_a_plan_is_made_and_applied_as_it_was_shown(node: Node) -> None:
    words = ("qm", "create", "200", "--name", "planned", "--memory", "64", "--net0", "virtio", "--scsi0", "local:1")
    shown = ok(node, *words, "--plan")
    assert "create guest/200" in shown
    assert "create volume local:200/vm-200-disk-0.raw (1073741824 bytes)" in shown
    mac = re.search(r"net0: virtio=([0-9A-F:]{17})", shown)
    token = re.search(r"--apply (\S+)", shown)
    assert mac
    assert token
    assert 200 not in guests(node)

    ok(node, *words, "--apply", token[1])
    assert mac[1] in ok(node, "qm", "config", "200")
    late = node.tool(*words, "--apply", token[1])
    assert late.returncode == 1
    assert "VM 200 already exists" in late.stderr
    ok(node, "qm", "destroy", "200")


def test_a_key_makes_a_call_happen_once(node: Node) -> None:
    words = ("qm", "create", "--name", "once", "--memory", "64", "--idempotency-key", "k1")
    first, again = asked(node, *words), asked(node, *words)
    assert first == again
    rows = [row for row in asked(node, "qm", "list") if row.get("name") == "once"]
    assert len(rows) == 1
    ok(node, "qm", "destroy", str(rows[0]["vmid"]))


def test_the_store_tells_who_did_what(node: Node, tmp_path: Path) -> None:
    ok(node, "qm", "create", "201", "--name", "before", "--memory", "64")
    ok(node, "qm", "set", "201", "--name", "after")
    path = "nodes/n1/qemu-server/201.conf"
    assert path in ok(node, "corral", "store", "list", "nodes/n1/qemu-server")
    text = ok(node, "corral", "store", "get", path)
    assert "name: after\n" in text
    history = ok(node, "corral", "store", "history", path).splitlines()
    assert "changed by root@pam" in history[0]
    assert "made by root@pam" in history[-1]
    assert "-name: before\n+name: after\n" in ok(node, "corral", "store", "diff", path)
    assert "+name: after\n" in ok(node, "corral", "store", "diff", path, history[-1].split()[0])
    blamed = {line.split("  ")[-1]: line for line in ok(node, "corral", "store", "blame", path).splitlines()}
    assert blamed["name: after"].split()[0] == history[0].split()[0]
    assert blamed["memory: 64"].split()[0] != history[0].split()[0]

    image = tmp_path / "image"
    ok(node, "corral", "store", "snapshot", str(image))
    assert image.stat().st_mode & 0o777 == 0o600
    ok(node, "qm", "destroy", "201")
    assert 201 not in guests(node)
    changed = tmp_path / "datacenter.cfg"
    changed.write_text("keyboard: de\n")
    ok(node, "corral", "store", "put", "datacenter.cfg", str(changed))
    assert asked(node, "pvesh", "get", "/cluster/options")["keyboard"] == "de"
    ok(node, "corral", "store", "restore", str(image))
    assert 201 in guests(node)
    assert "keyboard" not in asked(node, "pvesh", "get", "/cluster/options")
    ok(node, "qm", "destroy", "201")

    missing = node.tool("corral", "store", "get", "nothing.cfg")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "there is no record 'nothing.cfg'" in missing.stderr


def test_users_come_and_go(node: Node) -> None:
    ok(node, "pveum", "group", "add", "ops", "--comment", "operators")
    ok(node, "pveum", "useradd", "joe@pve", "--groups", "ops", "--password", "joe's password")
    ok(node, "pveum", "acl", "modify", "/vms/100", "--groups", "ops", "--roles", "PVEVMUser")
    granted = {row["path"]: row["ugid"] for row in asked(node, "pveum", "acl", "list")}
    assert granted["/vms/100"] == "ops"
    made = asked(node, "pveum", "user", "token", "add", "joe@pve", "ci", "--privsep", "0")
    assert made["full-tokenid"] == "joe@pve!ci"
    assert "VM.PowerMgmt" in ok(node, "pveum", "user", "permissions", "joe@pve")
    assert "VM.PowerMgmt" in ok(node, "pveum", "user", "token", "permissions", "joe@pve", "ci")
    ok(node, "pveum", "user", "token", "remove", "joe@pve", "ci")
    ok(node, "pveum", "acl", "delete", "/vms/100", "--groups", "ops", "--roles", "PVEVMUser")
    ok(node, "pveum", "user", "delete", "joe@pve")
    ok(node, "pveum", "groupdel", "ops")
    assert [row["userid"] for row in asked(node, "pveum", "user", "list")] == ["admin@pve", "root@pam"]


def test_storages_and_volumes(node: Node, tmp_path: Path) -> None:
    ok(node, "pvesm", "add", "dir", "spare", "--path", str(tmp_path / "spare"), "--content", "images")
    assert re.search(r"^spare +dir +active", ok(node, "pvesm", "status"), re.MULTILINE)
    volume = asked(node, "pvesm", "alloc", "spare", "900", "vm-900-disk-0.qcow2", "4M")
    assert volume == "spare:900/vm-900-disk-0.qcow2"
    assert ok(node, "pvesm", "path", volume).strip() == str(tmp_path / "spare/images/900/vm-900-disk-0.qcow2")
    assert volume in ok(node, "pvesm", "list", "spare", "--vmid", "900")
    ok(node, "pvesm", "free", volume)
    assert asked(node, "pvesm", "list", "spare") == []
    ok(node, "pvesm", "set", "spare", "--disable")
    assert "disabled" in ok(node, "pvesm", "status")
    ok(node, "pvesm", "remove", "spare")


def test_guests_are_seeded_for_trying_things_at_size(node: Node) -> None:
    ok(node, "corral", "seed", "--guests", "30", "--nodes", "3", "--first", "5000")
    assert len(asked(node, "pvesh", "get", "/cluster/resources", "--type", "vm")) == 30
    ok(node, "corral", "seed", "--guests", "30", "--nodes", "3", "--first", "5000")
    assert len(asked(node, "pvesh", "get", "/cluster/resources", "--type", "vm")) == 30


@pytest.mark.timeout(120)
def test_a_terminal_shows_how_a_long_task_goes_on(node: Node) -> None:
    ok(node, "qm", "create", "300", "--memory", "32")
    ok(node, "qm", "start", "300")
    ours, theirs = pty.openpty()
    command = [str(node.program.parent / "qm"), "shutdown", "300", "--timeout", "3", "--forceStop", "1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=node.environment)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 4096):
            seen += part
    except OSError:  # the other side has closed the terminal
        pass
    finally:
        os.close(ours)
    assert process.wait(30) == 0
    assert process.stdout
    process.stdout.close()
    assert re.search(rb"\r\x1b\[K[^\r]+, 2 s", seen), seen
    assert seen.endswith(b"\r\x1b[K"), "the line is taken away at the end"
    assert ok(node, "qm", "status", "300") == "status: stopped\n"
    ok(node, "qm", "destroy", "300")


def test_without_a_node_the_tools_say_what_to_do(node: Node, tmp_path: Path) -> None:
    nobody = node.tool("qm", "list", "--root", str(tmp_path))
    assert nobody.returncode == 1
    assert nobody.stderr.startswith(f"qm: no node runs on '{tmp_path}': start it with `./dev up --root {tmp_path}`")
    store = node.tool("corral", "store", "list", "--root", str(tmp_path))
    assert f"there is no node on '{tmp_path}'" in store.stderr


@pytest.mark.timeout(120)
def test_the_store_can_be_read_and_restored_while_the_node_is_down(tmp_path: Path) -> None:
    node = Node(tmp_path / "root")
    with node:
        ok(node, "pveum", "group", "add", "kept")
        ok(node, "corral", "store", "snapshot", str(tmp_path / "image"))
        ok(node, "pveum", "group", "delete", "kept")
    assert "authkey.pub" in ok(node, "corral", "store", "list")
    ok(node, "corral", "store", "restore", str(tmp_path / "image"))
    with node:
        assert [row["groupid"] for row in asked(node, "pveum", "group", "list")] == ["kept"]
        busy = node.tool("corral", "node", "--root", str(node.root), "--port", "1", "--node", "n1")
        assert busy.returncode == 1
        assert "a node runs on" in busy.stderr


def test_whoever_stops_reading_ends_a_tool_quietly(node: Node) -> None:
    command = f"{node.program.parent / 'pvesh'} get /access/roles --output-format json-pretty | head -1"
    done = subprocess.run(["bash", "-c", command], env=node.environment, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[\n", "")
