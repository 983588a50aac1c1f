"""Whatever a caller sends: an answer that says what is wrong, no fault of ours, nothing outside of the storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.api.nodes.storage import ENDPOINTS as NODE_ENDPOINTS
from corral.api.storage import ENDPOINTS
from corral.metrics.series import Metrics
from corral.rest.endpoint import Endpoint
from corral.schema.fields import Field
from tests.integration.storage.bench import Bench
from tests.unit.storage.prepared import prepare

CALLS = [made for made in (*ENDPOINTS, *NODE_ENDPOINTS) if made.spool is None]
NASTY = [
    "",
    "0",
    "-1",
    "1",
    "local",
    "100",
    "999999999999999999999",
    "local:iso/x.iso",
    "local:100/vm-100-disk-0.raw",
    "backup/vzdump-qemu-4711-2026_01_31-04_00_00.vma.zst",
    "4712/vm-4712-disk-0.raw",
    "../../etc/passwd",
    "iso/../../x.iso",
    "/",
    "%2e%2e%2f",
    "a\0b",
    "a\nb",
    "http://[",
    "http://\u00fc.example./",
    "http://x:99999999/",
    "vm-100-disk-0.qcow2",
    "keep-last=1",
    "keep-all=1,keep-last=-1",
    "/nonexistent/\u00fc",
    "iso,images",
    "qcow2",
    "5M",
    "\u202e\U0001f4a9",
]
values = st.sampled_from(NASTY) | st.text(max_size=30) | st.integers().map(str) | st.booleans() | st.none()


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("fuzz")) as made:
        prepare(made.local)
        made.app.metrics = Metrics(made.root / "var/metrics", made.app.clock)
        yield made


def some(each: Field) -> st.SearchStrategy[Any]:
    """Values for a parameter: now and then right ones."""
    fitting: list[Any] = list(each.enum)
    if each.kind == "boolean":
        fitting += [0, 1]
    return values | st.sampled_from(fitting) if fitting else values


@st.composite
def requests(draw: st.DrawFn) -> tuple[Endpoint, str, dict[str, Any]]:
    made: Endpoint = draw(st.sampled_from(CALLS))
    path = made.path.replace("{node}", "testnode")
    path = path.replace("{storage}", draw(st.just("local") | st.sampled_from(NASTY)))
    path = path.replace("{volume}", draw(st.sampled_from(NASTY)))
    given_names = draw(st.sets(st.sampled_from(sorted(set(made.flat) - set(made.path_params)) or ["x"]), max_size=6))
    params = {name: draw(some(made.flat[name]) if name in made.flat else values) for name in given_names}
    # A storage of any directory, and downloads from anywhere, are what an administrator may ask for.
    if "path" in params:
        params["path"] = draw(st.sampled_from(["relative", "/", "/etc", "/srv/\0", "/srv/..", "", "/srv;x"]))
    params.pop("digest", None)
    return made, path, params


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=requests())
def test_every_request_is_answered(
    bench: Bench, caplog: pytest.LogCaptureFixture, sent: tuple[Endpoint, str, dict[str, Any]]
) -> None:
    made, path, params = sent
    reply = bench.client.send(made.method, path, params)
    assert "internal error" not in (reply.message or ""), (made.pair, path, params, reply.message)
    assert "\n" not in reply.reason
    assert "\r" not in reply.reason
    if isinstance(reply.data, str) and reply.data.startswith("UPID:"):
        bench.ended(reply.data)
    assert "failed by a bug" not in caplog.text, (made.pair, path, params)


def test_nothing_was_written_outside(bench: Bench) -> None:
    outside = {path.name for path in bench.root.iterdir()}
    assert outside <= {"var", "etc", "counter", "counter.lock", "run"}, outside
    assert not Path("/nonexistent").exists()
