"""A bare QEMU, driven without any of Corral's code: to test the test guest, and as the observer in benches."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self


class Channel:
    """A Unix socket that speaks JSON lines: QMP, or the guest agent (`greets=False`)."""

    def __init__(self, path: Path, *, greets: bool = True, timeout: float = 30) -> None:
        self.events: list[dict[str, Any]] = []
        self._socket = connect(path, timeout)
        self._file = self._socket.makefile("rb")
        if greets:
            self._read()
            self.call("qmp_capabilities")

    def _read(self) -> dict[str, Any]:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the other side has closed the connection")
        message: dict[str, Any] = json.loads(line)
        return message

    def send(self, command: str, **arguments: Any) -> None:
        """Send a command without waiting for what it answers."""
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")

    def call(self, command: str, **arguments: Any) -> Any:
        """Run a command and answer what it returns; events met on the way are kept in `events`."""
        self.send(command, **arguments)
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise RuntimeError(message["error"]["desc"])
            else:
                return message["return"]

    def wait(self, event: str) -> dict[str, Any]:
        """The next event of that name."""
        while True:
            for seen in self.events:
                if seen["event"] == event:
                    self.events.remove(seen)
                    return seen
            message = self._read()
            if "event" in message:
                self.events.append(message)

    def settimeout(self, seconds: float) -> None:
        """Give up waiting after that time, with TimeoutError."""
        self._socket.settimeout(seconds)

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()


def connect(path: Path, timeout: float) -> socket.socket:
    """Connect to a Unix socket that may not be there yet."""
    end = time.monotonic() + timeout
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        try:
            connection.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return connection


def read_until(serial: socket.socket, text: bytes, timeout: float) -> bytes:
    """What a console prints up to and with `text`; TimeoutError shows what came instead."""
    seen = b""
    end = time.monotonic() + timeout
    while text not in seen:
        serial.settimeout(max(0.01, end - time.monotonic()))
        try:
            more = serial.recv(4096)
        except TimeoutError:
            raise TimeoutError(f"no {text!r} within {timeout} s, but {seen[-2000:]!r}") from None
        if not more:
            raise ConnectionError(f"console closed after {seen[-2000:]!r}")
        seen += more
    return seen


class BareQemu:
    """`with BareQemu(directory, arguments) as machine:` a QEMU under TCG that ends with the block."""

    def __init__(self, directory: Path, arguments: Sequence[str]) -> None:
        self.directory = directory
        self.command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35,accel=tcg", "-cpu", "qemu64",
            "-m", "256", "-display", "none",
            "-chardev", f"socket,id=qmp,path={directory}/qmp,server=on,wait=off", "-mon", "chardev=qmp,mode=control",
            "-chardev", f"socket,id=s0,path={directory}/serial,server=on,wait=off", "-serial", "chardev:s0",
            "-device", "virtio-serial-pci",
            "-chardev", f"socket,id=qga,path={directory}/qga,server=on,wait=off",
            "-device", "virtserialport,chardev=qga,name=org.qemu.guest_agent.0",
            *arguments,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        try:
            self.qmp = Channel(self.directory / "qmp")
            self._open.callback(self.qmp.close)
            self.serial = self._open.enter_context(connect(self.directory / "serial", 10))
        except BaseException:
            self.__exit__()
            raise
        return self

    def agent(self) -> Channel:
        """The guest agent, once it answers."""
        end = time.monotonic() + 30
        while True:
            channel = Channel(self.directory / "qga", greets=False)
            channel.settimeout(1)
            with contextlib.suppress(TimeoutError, ConnectionError, ValueError):
                channel.call("guest-ping")
                channel.settimeout(20)
                self._open.callback(channel.close)
                return channel
            channel.close()
            if time.monotonic() > end:
                raise TimeoutError("the guest agent does not answer")

    def wait(self, seconds: float) -> int:
        """The code QEMU ends with."""
        assert self.process
        return self.process.wait(seconds)

    def __exit__(self, *_: object) -> None:
        assert self.process
        self._open.close()
        self.process.kill()
        self.process.wait()
