"""The README's first five minutes, word for word: its code blocks are run by a shell against a running node."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.guest import Guest
from tests.lab.node import Node

CHECKOUT = Path(__file__).parent.parent.parent
NODE = "readme"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("readme") / "root", name=NODE) as started:
        yield started


def blocks() -> list[str]:
    """The shell blocks of the section, in order."""
    text = (CHECKOUT / "README.md").read_text()
    section = text.split("<!-- first-vm -->")[1].split("<!-- /first-vm -->")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


class Shell:
    """One bash that a newcomer types into: block after block, each checked for success."""

    def __init__(self, node: Node, directory: Path) -> None:
        # `./dev` would look for packages first; what it does then is done here.
        dev = directory / "dev"
        dev.write_text(f'#!/bin/sh\nshift\ncd {CHECKOUT} && exec {sys.executable} -m tests.lab.guest "$@"\n')
        dev.chmod(0o755)
        (directory / ".venv").symlink_to(Path(sys.executable).parent.parent)
        self._directory = directory
        self._replaced = {"/srv/corral": str(node.root), "$(hostname -s)": NODE}
        self._before = ""

    def run(self, block: str) -> str:
        """What a block prints; it must succeed. What it exports and sets is there for the next."""
        for name, value in self._replaced.items():
            block = block.replace(name, value)
        script = f"set -eo pipefail\n{self._before}\n{block}"
        if re.search(r"^(export|\w+=)", block, re.MULTILINE):
            self._before += "\n" + "\n".join(re.findall(r"^(?:export .*|\w+=.*)$", block, re.MULTILINE))
        done = subprocess.run(
            ["bash", "-c", script], cwd=self._directory, capture_output=True, text=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def command(self, block: str) -> list[str]:
        """The command that a terminal is to run."""
        return ["bash", "-c", f"{self._before}\n{block}"]


def wait_for(descriptor: int, text: bytes, seconds: float) -> bytes:
    """What a terminal shows, up to `text`. Return is pressed now and then, as someone who waits does."""
    seen, end, pressed = b"", time.monotonic() + seconds, time.monotonic()
    while text not in seen:
        assert time.monotonic() < end, seen
        if time.monotonic() - pressed > 2:
            os.write(descriptor, b"\n")
            pressed = time.monotonic()
        if select.select([descriptor], [], [], 0.2)[0]:
            try:
                seen += os.read(descriptor, 65536)
            except OSError as exc:  # the terminal's other side is gone
                raise AssertionError(seen) from exc
    return seen


@pytest.mark.timeout(300)
@pytest.mark.exercises(
    "POST /nodes/{node}/qemu", "vmid", "name", "memory", "scsihw", "scsi0", "net0", "serial0", "agent"
)
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/start")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/agent/exec", "command")
@pytest.mark.exercises("GET /nodes/{node}/qemu/{vmid}/agent/exec-status", "pid")
@pytest.mark.exercises("PUT /nodes/{node}/qemu/{vmid}/config", "description")
@pytest.mark.exercises("POST /nodes/{node}/qemu/{vmid}/status/shutdown")
@pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}")
def test_the_readme_is_true(node: Node, guest_image: Guest, tmp_path: Path) -> None:
    shell = Shell(node, tmp_path)
    fit, image, life, terminal, change, end = blocks()

    assert "This machine is fit." in shell.run(fit)
    shell.run(image)
    assert re.search(r"^ *100 +first +running +256 ", shell.run(life), re.MULTILINE)
    _look_at_console(shell.command(terminal))
    said = shell.run(change)
    assert "Linux corral-test" in said
    assert "+description: my first machine" in said or "+#my first machine" in said
    assert f"nodes/{NODE}/qemu-server/100.conf" in said
    assert "made by root@pam" in said
    assert "changed by root@pam" in said
    shell.run(end)

    assert node.guests() == []
    assert list((node.root / "var/lib/vz/images").rglob("*.*")) == []
    assert node.tool("qm", "list", "--noheader").stdout == ""


def _look_at_console(command: list[str]) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    try:
        wait_for(ours, b"corral-test login:", 60)
        os.write(ours, b"\x0f")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
