"""How a daemon tells the one who started it that it serves: one line on a descriptor that it inherited."""

from __future__ import annotations

import os


def tell_ready(descriptor: int, text: str = "ready") -> None:
    """Write the line and close the descriptor; nothing for a negative one."""
    if descriptor < 0:
        return
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)
