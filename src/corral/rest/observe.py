"""A log of calls, one JSON object a line, for the report on which parameters the tests drive."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from corral.rest.call import Reply
from corral.rest.endpoint import Endpoint

CALL_LOG: Final = "CORRAL_CALL_LOG"
"""Environment variable that names the log's file."""


def log_call(made: Endpoint, params: Mapping[str, Any], reply: Reply) -> None:
    """Append the call to the file that the environment names now; nothing without one."""
    path = os.environ.get(CALL_LOG)
    if not path:
        return
    line = {"call": made.pair, "params": sorted(params), "ok": reply.ok, "status": reply.status}
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, msgspec.json.encode(line) + b"\n")
    finally:
        os.close(descriptor)
