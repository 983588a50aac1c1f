from __future__ import annotations

import os
from pathlib import Path

import pytest

from corral.cli import builder
from corral.cli.table import CallInfo, Option, Table, newest


def test_a_call_is_read_as_it_was_declared() -> None:
    table = Table(builder.build())
    info = table.call("POST /nodes/{node}/qemu/{vmid}/status/start")
    assert (info.method, info.path) == ("POST", "/nodes/{node}/qemu/{vmid}/status/start")
    assert info.option("vmid") == Option(
        "vmid", kind="integer", required=True, text=info.option("vmid").text  # type: ignore[union-attr]
    )  # fmt: skip
    assert info.option("nonsense") is None
    config = table.call("PUT /nodes/{node}/qemu/{vmid}/config")
    net = config.option("net")
    assert net is not None
    assert net.indexes == 32
    assert "bridge" in net.keys
    assert table.call("POST /access/ticket").never
    with pytest.raises(KeyError):
        table.call("GET /nothing")


def test_only_what_is_said_is_written() -> None:
    table = Table(b'GET /x\t{"text":"X.","options":[{"name":"a"}],"never":""}\n')
    assert table.pairs == ["GET /x"]
    assert table.call("GET /x") == CallInfo("GET", "/x", "X.", (Option("a"),))


def test_the_newest_source_counts_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "room" / "__pycache__").mkdir(parents=True)
    for number, name in enumerate(["a.py", "room/b.py", "room/c.json", "room/__pycache__/d.py"], 1):
        path = tmp_path / name
        path.write_bytes(b"")
        os.utime(path, ns=(number, number))
    assert newest(tmp_path) == 2
