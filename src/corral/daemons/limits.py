"""What the kernel allows a daemon."""

from __future__ import annotations

import contextlib
import resource


def many_files() -> None:
    """As many open files as may be had: each connection and event stream is one, and 1,024 are soon used up."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
