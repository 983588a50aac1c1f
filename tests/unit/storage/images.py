"""Disk images made by hand, so that tests of their headers start no program."""

from __future__ import annotations

import ctypes
import os
import struct

CLUSTER_BITS = 16


def qcow2(
    size: int, *, backing: str | None = None, backing_format: str | None = None, data_file: bool = False
) -> bytes:
    """The first cluster of a qcow2 image, version 3."""
    extension = b""
    if backing_format:
        name = backing_format.encode()
        extension += struct.pack(">II", 0xE2792ACA, len(name)) + name.ljust((len(name) + 7) // 8 * 8, b"\0")
    extension += struct.pack(">II", 0, 0)
    text = (backing or "").encode()
    at = 104 + len(extension) if backing else 0
    head = struct.pack(
        ">4sIQIIQIIQQIIQ", b"QFI\xfb", 3, at, len(text), CLUSTER_BITS, size, 0, 1, 0x30000, 0x10000, 1, 0, 0
    )
    head += struct.pack(">QQQII", 4 if data_file else 0, 0, 0, 4, 104)
    return head + extension + text


def reserve(descriptor: int, size: int) -> None:
    """Let a file occupy `size` bytes without changing its length."""
    keep_size = 1
    if ctypes.CDLL(None, use_errno=True).fallocate(descriptor, keep_size, ctypes.c_long(0), ctypes.c_long(size)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
