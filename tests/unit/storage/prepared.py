"""What the examples of the storage calls expect to be there."""

from __future__ import annotations

from pathlib import Path

SECTION = "dir: spare\n\tpath /srv/spare\n\tmkdir 0\n"
"""A section for storage.cfg."""

FILES = (
    "images/4712/vm-4712-disk-0.raw",
    "images/4712/vm-4712-disk-1.raw",
    "dump/vzdump-qemu-4711-2026_01_31-04_00_00.vma.zst",
    "dump/vzdump-qemu-4711-2026_02_01-04_00_00.vma.zst",
)


def prepare(local: Path) -> None:
    """Fill the directory of the storage `local`."""
    for name in FILES:
        path = local / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(1 << 20)
