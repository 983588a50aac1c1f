"""The small test guest: Debian's cloud kernel, a busybox userland and the QEMU guest agent on a 48 MiB disk.

It boots from its own disk by syslinux in two to five seconds without KVM, shows `corral-test login:` on the first
serial port and on the screen (user `root`, password `corral`), asks for an address by DHCP on every network card,
answers the guest agent, and powers off when its ACPI button is pressed.

    ./dev guest                      build it if need be, print the paths
    python -m tests.lab.guest --out DIR

The pieces come from Debian packages that are downloaded and unpacked, never installed. A build is kept under a name
that is the hash of its recipe.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".cache" / "guest"
INIT = HERE / "guest_init.sh"
DISK_MIB = 48
PASSWORD = "corral"
# no_timer_check: on a busy host an emulated timer may come too late for the kernel's test of it, which then panics.
CMDLINE = "console=tty0 console=ttyS0,115200 quiet panic=5 tsc=unstable no_timer_check"

# With all they need; what a kernel doesn't have is left out.
MODULES = (
    "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net", "virtio_console", "virtio_balloon", "virtio-rng",
    "virtio_scsi", "virtio_mem", "virtio_gpu", "virtiofs", "sd_mod", "sr_mod", "ata_piix", "ahci", "vmw_pvscsi", "nvme",
    "button", "evdev", "ext4", "crc32c_generic", "isofs", "vfat", "nls_ascii", "nls_cp437", "e1000", "vmxnet3",
    "qemu_fw_cfg", "failover", "af_packet", "9p", "9pnet_virtio",
)  # fmt: skip

DHCP_SCRIPT = """\
#!/bin/busybox sh
case $1 in
bound | renew)
    ip -4 addr flush dev "$interface"
    ip addr add "$ip/${mask:-24}" dev "$interface"
    [ -n "$router" ] && ip route replace default via ${router%% *} dev "$interface"
    [ -n "$dns" ] && for server in $dns; do echo "nameserver $server"; done >/etc/resolv.conf
    ;;
deconfig) ip link set "$interface" up ;;
esac
"""


class CannotBuild(Exception):
    """The machine lacks something that the guest is built from; the text says what."""


@dataclass(frozen=True)
class Guest:
    """Where the parts of the built guest are."""

    raw: Path
    """A bootable disk, for BIOS."""
    qcow2: Path
    """The same disk."""
    kernel: Path
    initrd: Path
    """For `-kernel` and `-initrd`, with `CMDLINE`."""


def run(command: Sequence[str | Path], *, cwd: Path | None = None, stdin: bytes | None = None) -> bytes:
    """Run a program to its end and answer its output; `CannotBuild` with its errors if it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command], cwd=cwd, input=stdin, capture_output=True, check=False, timeout=300,
            env={**os.environ, "LC_ALL": "C", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
        )  # fmt: skip
    except FileNotFoundError as error:
        raise CannotBuild(f"{command[0]} is not installed (./dev prepare)") from error
    if done.returncode:
        raise CannotBuild(f"{' '.join(map(str, command))}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def download(directory: Path) -> None:
    """Fetch and unpack the Debian packages of the kernel and the agent into `directory`."""
    meta = "linux-image-cloud-amd64"
    if not run(["apt-cache", "show", "--no-all-versions", meta, "qemu-guest-agent"]):
        raise CannotBuild(f"no package {meta}")
    depends = run(["apt-cache", "depends", "--important", meta]).decode()
    kernel = re.search(r"Depends: (linux-image-\S+)", depends)
    if not kernel:
        raise CannotBuild(f"{meta} depends on no kernel package")
    run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", kernel[1], "qemu-guest-agent"], cwd=directory)
    for package in directory.glob("*.deb"):
        run(["dpkg-deb", "-x", package, directory / "root"])
    if not (directory / "root/lib").exists():  # since Debian 13, all is below /usr
        (directory / "root/lib").symlink_to("usr/lib")


def fetch(directory: Path) -> Path:
    """The unpacked packages; the lists of packages are renewed if they know them not or no longer."""
    try:
        download(directory)
    except CannotBuild:
        run(["apt-get", "update", "-q"])
        download(directory)
    return directory / "root"


def copy_modules(packages: Path, root: Path) -> None:
    """Put the wanted drivers and what they depend on into `root`."""
    version = next((packages / "lib/modules").iterdir()).name
    run(["depmod", "-b", packages, version])
    wanted: set[str] = set()
    for module in MODULES:
        try:
            shown = run(["modprobe", "-d", packages, "-S", version, "--show-depends", module]).decode()
        except CannotBuild:
            continue
        wanted.update(line.split()[1] for line in shown.splitlines() if line.startswith("insmod "))
    for path in sorted(wanted):
        inside = Path("lib/modules") / path.split("/lib/modules/", 1)[1]
        (root / inside).parent.mkdir(parents=True, exist_ok=True)
        if inside.suffix == ".xz":  # busybox loads plain ones only
            (root / inside).with_suffix("").write_bytes(lzma.decompress(Path(path).read_bytes()))
        else:
            shutil.copy(path, root / inside)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        shutil.copy(packages / "lib/modules" / version / name, root / "lib/modules" / version / name)
    run(["depmod", "-b", root, version])


def copy_program(program: Path, root: Path, where: str) -> None:
    """Copy a program and the libraries it loads."""
    target = root / where
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(program, target)
    for line in run(["ldd", program]).decode().splitlines():
        if "not found" in line:
            raise CannotBuild(f"{program.name} needs {line.split()[0]}")
        library = re.search(r"(/\S+) \(0x", line)
        if library:
            (root / library[1][1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library[1], root / library[1][1:])


def build_root(packages: Path, root: Path) -> None:
    """Lay out the guest's file system."""
    for name in (
        "bin", "sbin", "etc/qemu", "proc", "sys", "dev", "run", "tmp", "mnt", "root", "var/run", "var/log", "usr/sbin",
        "usr/share/udhcpc",
    ):  # fmt: skip
        (root / name).mkdir(parents=True, exist_ok=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    copy_modules(packages, root)
    agent = next(packages.glob("usr/*bin/qemu-ga"))
    copy_program(agent, root, "usr/sbin/qemu-ga")
    shutil.copy(INIT, root / "init")
    hashed = run(["openssl", "passwd", "-6", "-salt", "corraltest", "-stdin"], stdin=PASSWORD.encode()).decode().strip()
    texts = {
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/shadow": f"root:{hashed}:19000:0:99999:7:::\n",
        "etc/group": "root:x:0:\n",
        "etc/issue": "",
        "etc/os-release": 'NAME="Corral test guest"\nID=corral-test\nVERSION_ID="1"\nPRETTY_NAME="Corral test guest"\n',
        "usr/share/udhcpc/default.script": DHCP_SCRIPT,
    }
    for name, text in texts.items():
        (root / name).write_text(text)
    for name in ("init", "usr/share/udhcpc/default.script"):
        (root / name).chmod(0o755)


def pack_initrd(root: Path, target: Path) -> None:
    """The file system as an initial RAM disk."""
    names = run(["find", ".", "-mindepth", "1"], cwd=root)
    archive = run(["cpio", "--create", "--format=newc", "--quiet", "--owner=0:0"], cwd=root, stdin=names)
    # A little larger than gzip -9, but much faster to unpack in an emulated CPU.
    target.write_bytes(run(["zstd", "-q", "-19", "--no-check", "-c"], stdin=archive))


def build_disk(kernel: Path, initrd: Path, target: Path) -> None:
    """A FAT file system without a partition table, from which a BIOS starts syslinux."""
    with target.open("wb") as file:
        file.truncate(DISK_MIB << 20)
    config = target.with_suffix(".cfg")
    config.write_text(
        f"DEFAULT corral\nPROMPT 0\nTIMEOUT 0\nLABEL corral\n"
        f"  KERNEL vmlinuz\n  INITRD initrd.zst\n  APPEND {CMDLINE}\n"
    )
    run(["mkfs.fat", "-F", "32", "-s", "1", "-n", "CORRALTEST", target])
    for source, name in ((config, "syslinux.cfg"), (kernel, "vmlinuz"), (initrd, "initrd.zst")):
        run(["mcopy", "-i", target, source, f"::{name}"])
    run(["syslinux", "--install", target])
    config.unlink()


def recipe() -> str:
    """Hash of all that a build is made from, except the packages' versions."""
    text = Path(__file__).read_bytes() + INIT.read_bytes()
    return hashlib.sha256(text).hexdigest()[:16]


def parts(directory: Path) -> Guest:
    """The parts of the guest built in `directory`."""
    return Guest(directory / "disk.raw", directory / "disk.qcow2", directory / "vmlinuz", directory / "initrd.zst")


def build(out: Path | None = None) -> Guest:
    """The guest: built in `out` (default: the cache of this checkout) unless this recipe's build is there already."""
    base = out or CACHE
    base.mkdir(parents=True, exist_ok=True)
    finished = base / recipe()
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if finished.exists():
            return parts(finished)
        with tempfile.TemporaryDirectory(dir=base) as scratch:
            work, made = Path(scratch), Path(scratch) / "made"
            made.mkdir()
            packages = fetch(work)
            build_root(packages, work / "initrd")
            guest = parts(made)
            shutil.copy(next((packages / "boot").glob("vmlinuz-*")), guest.kernel)
            pack_initrd(work / "initrd", guest.initrd)
            build_disk(guest.kernel, guest.initrd, guest.raw)
            run(["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", guest.raw, guest.qcow2])
            made.rename(finished)
        for old in base.iterdir():
            if old.is_dir() and old != finished:
                shutil.rmtree(old)
    return parts(finished)


def main() -> int:
    """Build and print where things are, as JSON."""
    parser = argparse.ArgumentParser(description="Build the small test guest.")
    parser.add_argument("--out", type=Path, help="directory to build in (default: .cache/guest of the checkout)")
    parser.add_argument("--only", help="print one path only, such as that of the image: qcow2")
    given = parser.parse_args()
    try:
        guest = build(given.out)
    except CannotBuild as error:
        print(f"guest: {error}", file=sys.stderr)
        return 1
    paths = {name: str(path) for name, path in asdict(guest).items()}
    print(paths[given.only] if given.only else json.dumps(paths, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
