"""Logs of the daemons: to stderr, which systemd's journal or the supervisor's file keeps."""

from __future__ import annotations

import logging
import os
import sys


def to_stderr(name: str) -> None:
    """Log from level info (`CORRAL_DEBUG=1`: debug) on, each line with time, daemon and level."""
    debug = os.environ.get("CORRAL_DEBUG") == "1"
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if debug else logging.INFO,
        format=f"%(asctime)s {name}[%(process)d] %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for noisy in ("asyncio", "aiohttp", "pyroute2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
