"""Taking back a change of a file of options: `datacenter.cfg`, a node's. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from corral.store.revert import Step


def steps(call: str, params: Mapping[str, str], wanted: Mapping[str, str | None]) -> list[Step]:
    """The call that brings these options back; `params` are those of its path."""
    given = {key: value for key, value in wanted.items() if value is not None}
    delete = ",".join(key for key, value in wanted.items() if value is None)
    return [Step(call, {**params, **given} | ({"delete": delete} if delete else {}))]
