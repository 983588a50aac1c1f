"""From the request to a running machine: ours, a bare QEMU with the same command, and `virsh start`, interleaved.

One observer sees all three: each machine has a QMP socket of the observer, and has started when that says `running`.
The virtual machine has a disk, a network card, a serial port and VNC; nothing boots from it for long.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import Row
from tests.lab.bare import Channel
from tests.lab.node import Node

ROUNDS = int(os.environ.get("CORRAL_BENCH_ROUNDS", "15"))
MEMORY = 256
NAME = f"corral-bench-{os.getpid()}"  # what an earlier run left behind is not in the way


def running(path: Path, started: float) -> float:
    """Seconds from `started` until the machine with that QMP socket runs."""
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
            break
        except OSError:
            connection.close()
            if time.perf_counter() - started > 60:
                raise
            time.sleep(0.001)
    connection.close()
    observer = Channel(path)
    while observer.call("query-status")["status"] != "running":
        time.sleep(0.001)
    seen = time.perf_counter() - started
    observer.close()
    return seen


def gone(pid: int) -> None:
    """Wait until a process has ended."""
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
        time.sleep(0.005)


class Ours:
    """A machine of a node."""

    def __init__(self, node: Node, observer: Path) -> None:
        self.node = node
        self.observer = observer
        node.login()
        node.do("POST", "/nodes/{node}/qemu", vmid=100, name="bench", memory=MEMORY, cores=1, kvm=0, scsi0="local:1",
                scsihw="virtio-scsi-pci", net0="virtio", serial0="socket")  # fmt: skip
        done = node.tool("qm", "set", "100", "--args", f"-qmp unix:{observer},server=on,wait=off")
        assert done.returncode == 0, done.stderr

    def start(self) -> float:
        """Start it and answer the seconds."""
        began = time.perf_counter()
        self.node.call("POST", "/nodes/{node}/qemu/100/status/start")
        return running(self.observer, began)

    def command(self) -> list[str]:
        """The command line of the running machine."""
        (pid,) = self.node.guests()
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().rstrip("\0").split("\0")

    def stop(self) -> None:
        """Stop it."""
        self.node.do("POST", "/nodes/{node}/qemu/100/status/stop")
        self.observer.unlink(missing_ok=True)


def standalone(command: list[str], scratch: Path) -> list[str]:
    """A machine's command line, without what its starter handed over or waits to do.

    Open descriptors become sockets that QEMU opens by itself, and it does not wait for `cont`.
    """
    words = []
    for number, word in enumerate(command):
        opened = re.sub(r"(?<=,)fd=\d+", f"path={scratch}/socket{number}", word)
        words.append(re.sub(r"/run/corral/[0-9a-f]{8}/qemu/\d+/", f"{scratch}/", opened))
    if "-S" in words:
        words.remove("-S")
    if "-pidfile" in words:
        at = words.index("-pidfile")
        del words[at : at + 2]
    return words


class Bare:
    """The same command line without anybody around."""

    def __init__(self, command: list[str], observer: Path) -> None:
        self.observer = observer
        self.command = command

    def start(self) -> float:
        """Start it and answer the seconds."""
        began = time.perf_counter()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return running(self.observer, began)

    def stop(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()
        self.observer.unlink(missing_ok=True)


XML = """\
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>{name}</name><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <features><acpi/></features>
  <seclabel type='static' model='dac' relabel='no'><label>+0:+0</label></seclabel>
  <cpu mode='custom'><model>qemu64</model></cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/><source file='{disk}'/>
      <target dev='sda' bus='scsi'/></disk>
    <controller type='scsi' model='virtio-scsi'/>
    <interface type='user'><model type='virtio'/></interface>
    <serial type='unix'><source mode='bind' path='{scratch}/serial'/></serial>
    <graphics type='vnc' socket='{scratch}/vnc'/>
    <video><model type='vga'/></video><memballoon model='virtio'/>
  </devices>
  <qemu:commandline><qemu:arg value='-qmp'/><qemu:arg value='unix:{observer},server=on,wait=off'/></qemu:commandline>
</domain>
"""


# While /dev/kvm is there and does not work, libvirt asks QEMU at each start what it can do: seconds, which would
# flatter us. So it gets a /dev without it, and few descriptors to close at each fork.
WITHOUT_KVM = """
mount -t tmpfs tmpfs "$0"
for node in null zero full random urandom tty; do touch "$0/$node"; mount --bind "/dev/$node" "$0/$node"; done
for folder in pts shm net; do
    [ -d "/dev/$folder" ] || continue
    mkdir "$0/$folder"
    mount --rbind "/dev/$folder" "$0/$folder"
done
ln -s pts/ptmx "$0/ptmx"
ln -s /proc/self/fd "$0/fd"
mount --move "$0" /dev
ulimit -n 4096
exec "$1"
"""


class Libvirt:
    """The same machine as libvirt has it, through a virsh that is connected already."""

    def __init__(self, observer: Path, scratch: Path) -> None:
        self.observer = observer
        self.daemons = []
        Path("/run/libvirt").mkdir(exist_ok=True)
        (scratch / "dev").mkdir()
        for name in ("virtlogd", "libvirtd"):
            if not shutil.which(name, path="/usr/sbin:/usr/bin"):
                raise FileNotFoundError(name)
            with (scratch / f"{name}.log").open("wb") as log:
                command = ["unshare", "--mount", "sh", "-ec", WITHOUT_KVM, f"{scratch}/dev", name]
                self.daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        disk = scratch / "libvirt.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "1G"], check=True)
        (scratch / "bench.xml").write_text(
            XML.format(name=NAME, memory=MEMORY, disk=disk, scratch=scratch, observer=observer)
        )
        self._once("list", tries=100)
        self._once("define", str(scratch / "bench.xml"))
        self.shell = subprocess.Popen(
            ["virsh", "-q", "-c", "qemu:///system"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._say("list")

    def _once(self, *words: str, tries: int = 1) -> None:
        for attempt in range(tries):
            done = subprocess.run(
                ["virsh", "-q", "-c", "qemu:///system", *words], capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return
            if attempt == tries - 1:
                raise RuntimeError(f"virsh {' '.join(words)}: {done.stderr.strip()}")
            time.sleep(0.1)

    def _say(self, command: str) -> None:
        assert self.shell.stdin
        self.shell.stdin.write(f"{command}\n")
        self.shell.stdin.flush()

    def start(self) -> float:
        """Start it and answer the seconds."""
        began = time.perf_counter()
        self._say(f"start {NAME}")
        return running(self.observer, began)

    def stop(self) -> None:
        """Stop it, and wait until libvirt has noticed."""
        self._once("destroy", NAME, tries=50)
        self.observer.unlink(missing_ok=True)
        time.sleep(0.2)

    def close(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(Exception):
            self._say("quit")
            self.shell.wait(5)
        with contextlib.suppress(RuntimeError):
            self._once("undefine", NAME)
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(20)


def peer(observer: Path, scratch: Path) -> Libvirt | None:
    """libvirt, where it is installed and comes up."""
    try:
        return Libvirt(observer, scratch)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"start: no libvirt to compare with: {error}")
        return None


def measure() -> Iterator[Row]:
    """Medians of starts in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as directory, contextlib.ExitStack() as stack:
        scratch = Path(directory)
        node = stack.enter_context(Node(scratch / "root"))
        ours = Ours(node, scratch / "ours")
        ours.start()
        command = [word.replace(str(ours.observer), str(scratch / "bare")) for word in ours.command()]
        ours.stop()
        bare = Bare(standalone(command, scratch), scratch / "bare")
        libvirt = peer(scratch / "libvirt", scratch)
        if libvirt:
            stack.callback(libvirt.close)
        times: dict[str, list[float]] = {"ours": [], "bare": [], "virsh": []}
        for _ in range(ROUNDS):
            for name, machine in (("ours", ours), ("bare", bare), ("virsh", libvirt)):
                if machine:
                    times[name].append(machine.start() * 1000)
                    machine.stop()
        middle = {name: statistics.median(values) for name, values in times.items() if values}
        yield Row("start", "request_to_running_over_bare_qemu_ms", middle["ours"], middle["bare"],
                  f"{middle['ours'] - middle['bare']:.0f} ms more, {ROUNDS} rounds")  # fmt: skip
        if "virsh" in middle:
            yield Row("start", "request_to_running_over_virsh_ms", middle["ours"], middle["virsh"], "virsh connected")
