"""Frames on a byte stream: four bytes of length, then that many bytes. Pure."""

from __future__ import annotations

from corral.core.errors import Error

HEAD = 4
MAX_FRAME = 64 * 1024 * 1024
"""Longest frame: a whole transaction fits."""


def frame(payload: bytes) -> bytes:
    """The payload as it goes over the stream."""
    if len(payload) > MAX_FRAME:
        raise Error(f"a message of {len(payload)} bytes is too long")
    return len(payload).to_bytes(HEAD, "big") + payload


def length(head: bytes | bytearray) -> int:
    """How many bytes follow a frame's first four; `Error` when it is more than `MAX_FRAME`."""
    size = int.from_bytes(head, "big")
    if size > MAX_FRAME:
        raise Error(f"a message of {size} bytes is too long")
    return size


class Splitter:
    """Cuts what arrives into payloads. For one reader."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that `data` completes."""
        self._buffer += data
        payloads, start = [], 0
        while len(self._buffer) - start >= HEAD:
            end = start + HEAD + length(self._buffer[start : start + HEAD])
            if end > len(self._buffer):
                break
            payloads.append(bytes(self._buffer[start + HEAD : end]))
            start = end
        del self._buffer[:start]
        return payloads
