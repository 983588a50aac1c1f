"""A disk with Python and the writer for a guest that has neither: this interpreter and the modules that are used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.conftest import ROOT
from tests.lab import guest

RUN = """\
cd /run
for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = acks ] && device=/dev/${port##*/}
done
export PYTHONHOME=/run/tools/python PYTHONPATH=/run/tools/app PYTHONDONTWRITEBYTECODE=1
exec /run/tools/lib/LOADER --library-path /run/tools/lib /run/tools/bin/python -S \
    /run/tools/app/tests/integration/store/guest_writer.py "$device" /dev/vdb /dev/vdc
"""

# Prints the files of all modules that a life of the writer loads.
LIST = """
import json, os, sys, tempfile, threading
from pathlib import Path
import tests.integration.store.guest_writer as it
from tests.integration.store.writer import transaction
from corral.store.sqlite import SqliteStore
from corral.system.clock import SystemClock
with tempfile.TemporaryDirectory() as directory:
    store = SqliteStore(Path(directory) / "store.db", SystemClock())
    for number in (1, 2):
        store.commit(transaction(0, number))
    it.report(store)
    store.close()
files = [getattr(m, "__file__", None) for m in list(sys.modules.values())]
print(json.dumps(sorted({f for f in files if f and os.path.isfile(f)})))
"""


def build(target: Path, scratch: Path) -> None:
    """Make the disk at `target`; `guest.CannotBuild` when a piece is missing."""
    root = scratch / "tools"
    stdlib = Path(sysconfig.get_path("stdlib")).resolve()
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    listed = subprocess.run(
        [sys.executable, "-c", LIST], cwd=ROOT, capture_output=True, check=True, timeout=60, env=environment
    )
    names = [Path(name).resolve() for name in json.loads(listed.stdout)]
    for package in ("encodings", "importlib", "collections"):  # some of their modules hide in frozen or built-in ones
        names += (stdlib / package).glob("*.py")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in names:
        copy(name, root, version, stdlib)
    libraries(root, [Path(sys.executable).resolve(), *root.rglob("*.so")])
    (root / "bin").mkdir()
    (root / "bin" / "python").write_bytes(Path(sys.executable).resolve().read_bytes())
    (root / "bin" / "python").chmod(0o755)
    loader = next((root / "lib").glob("ld-linux*"))
    loader.chmod(0o755)
    (root / "run").write_text(RUN.replace("LOADER", loader.name))
    compile_all = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    guest.run([*compile_all, root / "python", root / "app"])
    empty_disk(target, "96M", root)


def copy(name: Path, root: Path, version: str, stdlib: Path) -> None:
    """Put one module's file where the guest's interpreter looks for it."""
    places = {
        stdlib: root / "python" / "lib" / version,
        ROOT / "src": root / "app",
        ROOT: root / "app",
        **{Path(path).resolve(): root / "app" for path in sys.path if path.endswith("-packages")},
    }
    packages = [source for source in places if "-packages" in source.name and name.is_relative_to(source)]
    source = next((s for s in (*packages, ROOT / "src", stdlib, ROOT) if name.is_relative_to(s)), None)
    if source is None:
        return
    target = places[source] / name.relative_to(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(name.read_bytes())


def libraries(root: Path, programs: list[Path]) -> None:
    """Copy the shared libraries that the programs load, and the loader."""
    (root / "lib").mkdir()
    for program in programs:
        for line in guest.run(["ldd", program]).decode().splitlines():
            for word in line.split():
                if word.startswith("/") and not (root / "lib" / Path(word).name).exists():
                    (root / "lib" / Path(word).name).write_bytes(Path(word).read_bytes())


def empty_disk(target: Path, size: str, content: Path | None = None) -> None:
    """An ext4 file system in a file, with what is in a directory."""
    target.unlink(missing_ok=True)
    extra: list[str | Path] = ["-d", content] if content else []
    guest.run(["mke2fs", "-q", "-F", "-t", "ext4", "-L", "corral", *extra, target, size])
