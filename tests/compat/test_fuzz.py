"""The whole API under random calls, valid and not, made from our own OpenAPI document.

Whatever comes in: an answer in the envelope, no fault of ours (those say "internal error"), no daemon that dies, and a
success that looks as the document says. `CORRAL_FUZZ_SECONDS` sets for how long.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import time
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
import urllib3
from schemathesis import GenerationMode, Response

from tests.lab.node import Node

SECONDS = float(os.environ.get("CORRAL_FUZZ_SECONDS", "300"))
EXAMPLES = 400

# Calls whose effect is meant for the machine itself, which the test must survive; they have tests of their own.
SPARED = (
    "POST /nodes/{node}/status", "POST /nodes/{node}/execute", "PUT /nodes/{node}/dns", "POST /nodes/{node}/hosts",
    "PUT /nodes/{node}/time", "POST /nodes/{node}/wakeonlan", "POST /nodes/{node}/services/", "POST /nodes/{node}/nat",
    "DELETE /nodes/{node}/nat", "POST /nodes/{node}/network", "PUT /nodes/{node}/network",
    "DELETE /nodes/{node}/network",
    "POST /storage", "PUT /storage/", "POST /nodes/{node}/termproxy", "POST /nodes/{node}/vncshell",
    "POST /nodes/{node}/spiceshell", "POST /nodes/{node}/certificates", "DELETE /nodes/{node}/certificates",
    "POST /nodes/{node}/startall", "POST /nodes/{node}/stopall",
    # Streams that don't end, and log-ins, which are slow on purpose.
    "GET /cluster/events", "POST /access/ticket", "POST /access/session",
    "POST /access/vncticket", "PUT /access/password",
    "GET /nodes/{node}/vncwebsocket", "GET /nodes/{node}/qemu/{vmid}/vncwebsocket",
    "POST /nodes/{node}/storage/{storage}/download-url", "GET /nodes/{node}/query-url-metadata",
)  # fmt: skip


class OutOfTime(BaseException):
    """Ends the search, which catches what is an Exception."""


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("fuzz") / "root") as started:
        yield started


@pytest.fixture
def session(node: Node) -> Iterator[requests.Session]:
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    node.login()
    made = node.call("POST", "/access/users/admin@pve/token/fuzz", privsep=False)
    node.call("POST", "/pools", poolid="p")
    node.do("POST", "/nodes/{node}/qemu", vmid=100, memory=64, scsi0="local:1", serial0="socket")
    with requests.Session() as opened:
        opened.verify, opened.trust_env = False, False
        opened.headers["Authorization"] = f"PVEAPIToken=admin@pve!fuzz={made['value']}"
        yield opened


def document(node: Node) -> dict[str, Any]:
    done = node.tool("corral", "openapi")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def operations(node: Node) -> list[Any]:
    """All that may be called. Names in paths are mostly those of things that exist: others are refused too early."""
    spec = document(node)
    known = {"node": [node.name], "vmid": [100, 100, 4711], "storage": ["local", "local", "none"], "poolid": ["p", "q"]}
    for path in spec["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in known and parameter["in"] == "path":
                    parameter["schema"] = {"enum": known[parameter["name"]]}
    found = [each.ok() for each in schemathesis.openapi.from_dict(spec).get_all_operations()]
    return [each for each in found if not f"{each.method.upper()} {each.path}".startswith(SPARED)]


def check(operation: Any, case: Any, reply: Response) -> None:
    """What every answer must be."""
    shown = f"{operation.method.upper()} {operation.path} {case.path_parameters} {case.query} {case.body!r}"
    assert not reply.message.startswith("internal error"), f"{shown}: {reply.message}"
    assert reply.status_code in (200, 400, 401, 403, 500, 501, 596), f"{shown}: {reply.status_code} {reply.message}"
    if reply.status_code == 200 and "json" in "".join(reply.headers.get("content-type", [])):
        assert "data" in reply.json(), shown


def fuzz(node: Node, session: requests.Session, operation: Any, seconds: float) -> dict[int, int]:
    """Call one operation in many ways for so long; how often each status came."""
    counts: dict[int, int] = {}
    end = time.monotonic() + seconds
    cases = operation.as_strategy() | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)

    @hypothesis.seed(random.getrandbits(64))  # of the session's seed, which pytest prints
    @hypothesis.settings(
        max_examples=EXAMPLES, phases=[hypothesis.Phase.generate], suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(case=cases)
    def one(case: Any) -> None:
        if time.monotonic() > end:
            raise OutOfTime
        reply = case.call(base_url=node.base, session=session, timeout=60, verify=False)
        counts[reply.status_code] = counts.get(reply.status_code, 0) + 1
        check(operation, case, reply)

    with contextlib.suppress(OutOfTime):
        one()
    return counts


@pytest.mark.timeout(SECONDS * 2 + 120)
def test_no_random_call_finds_a_fault_of_ours(node: Node, session: requests.Session) -> None:
    found = operations(node)
    counts: dict[int, int] = {}
    faults = []
    end = time.monotonic() + SECONDS
    for number, operation in enumerate(found):
        try:
            seen = fuzz(node, session, operation, (end - time.monotonic()) / (len(found) - number))
        except (AssertionError, BaseExceptionGroup) as error:  # the others are to be seen too
            faults.append(str(error))
        else:
            counts = {status: counts.get(status, 0) + seen.get(status, 0) for status in {*counts, *seen}}
    print(f"{len(found)} operations, calls by status: {dict(sorted(counts.items()))}")
    assert not faults, "\n\n".join(faults)
    assert node.call("GET", "/version")["version"]
    assert "Traceback" not in node.log.read_text()
