"""How much of the API is declared, and how much is *exercised*: driven by a test to an asserted effect.

A test claims what it drives:

    @pytest.mark.exercises("POST /nodes/{node}/qemu", "memory", "cores")
    @pytest.mark.exercises("DELETE /nodes/{node}/qemu/{vmid}", refused=True)

and the claim is checked: dispatch writes every call it runs to the file named by `CORRAL_CALL_LOG`; a test that passes
without having made the claimed call, with those parameters and that outcome, fails. What passed is kept in
`.cache/exercised.json`, by test. `./dev coverage-api` compares it with the yardstick (`$CORRAL_PVE_API`, default
`../shared/pve-api`) and with what `corral api-schema` declares.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
KEPT = ROOT / ".cache" / "exercised.json"

Claim = tuple[str, tuple[str, ...], bool]
"""Call, parameters, whether it is to be refused."""


def family(param: str, known: Iterable[str] = ()) -> str:
    """The name in the yardstick: `net0` → `net[n]`, unless it has that very name (`smbios1`, `efidisk0`)."""
    if param in known:
        return param
    numbered = re.sub(r"\d+$", "[n]", param)
    return numbered if numbered in known else param


# ------------------------------------------------------------------------------------------------- the plugin: claims


def claims(item: pytest.Item) -> list[Claim]:
    """What a test says it exercises."""
    found = []
    for marker in item.iter_markers("exercises"):
        call, *params = marker.args
        assert re.match(r"(GET|POST|PUT|DELETE) /", call), f"not a call: {call!r}"
        found.append((call, tuple(params), bool(marker.kwargs.get("refused", False))))
    return found


def unproved(claimed: Iterable[Claim], made: Iterable[Mapping[str, Any]]) -> list[str]:
    """The claims that the calls made do not bear out, one sentence each."""
    done: dict[tuple[str, bool], set[str]] = {}
    for call in made:
        if not call.get("plan"):
            done.setdefault((call["call"], bool(call["ok"])), set()).update(call["params"])
    wrong = []
    for name, params, refused in claimed:
        outcome = "refused" if refused else "successful"
        if (name, not refused) not in done:
            wrong.append(f"claims to exercise {name}, but no {outcome} call of it was made")
        elif missing := [p for p in params if p not in done[name, not refused] and f"{{{p}}}" not in name]:
            wrong.append(f"claims to exercise {', '.join(missing)} of {name}, but no {outcome} call had it")
    return wrong


class Recorder:
    """Checks claims after each test and keeps those that held."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.held: dict[str, list[Claim]] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        start = self.log.stat().st_size
        try:
            yield
        except BaseException:
            self.failed.add(item.nodeid)
            raise
        claimed = claims(item)
        if not claimed:
            return
        with self.log.open() as file:
            file.seek(start)
            wrong = unproved(claimed, [json.loads(line) for line in file])
        if wrong:
            self.failed.add(item.nodeid)
            pytest.fail("\n".join(wrong), pytrace=False)
        self.held[item.nodeid] = claimed

    def pytest_sessionfinish(self) -> None:
        if not (self.held or self.failed):
            return
        kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        kept.update(self.held)
        for name in self.failed:
            kept.pop(name, None)
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=0, sort_keys=True))


def pytest_configure(config: pytest.Config) -> None:
    # Daemons that dropped their privileges write to it too: hence not below the checkout, which may be 0700.
    directory = Path(tempfile.mkdtemp(prefix="corral-calls-"))
    directory.chmod(0o711)
    log = directory / "calls.log"
    log.touch()
    log.chmod(0o666)
    os.environ["CORRAL_CALL_LOG"] = str(log)
    config.add_cleanup(lambda: shutil.rmtree(directory, ignore_errors=True))
    config.pluginmanager.register(Recorder(log), "corral-exercises")


# --------------------------------------------------------------------------------------------------------- the report


@dataclass
class Area:
    """Counts of one part of the tree: calls and parameters in the yardstick, declared, exercised."""

    calls: list[int] = field(default_factory=lambda: [0, 0, 0])
    params: list[int] = field(default_factory=lambda: [0, 0, 0])

    def add(self, other: Area) -> None:
        """Sum up."""
        self.calls = [a + b for a, b in zip(self.calls, other.calls, strict=True)]
        self.params = [a + b for a, b in zip(self.params, other.params, strict=True)]


def area(path: str) -> str:
    """The part of the tree a path belongs to: `/nodes/{node}/qemu/…` → `nodes/qemu`."""
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    return "/".join(parts[:2]) if parts[0] in ("nodes", "cluster") and len(parts) > 1 else parts[0]


def exercised_params(kept: Mapping[str, list[Any]]) -> dict[str, set[str]]:
    """Parameters by call, as claimed by passed tests."""
    found: dict[str, set[str]] = defaultdict(set)
    for held in kept.values():
        for call, params, _refused in held:
            found[call].update(params)
    return found


def measure(
    yardstick: Iterable[Mapping[str, Any]], declared: Mapping[str, set[str]], exercised: Mapping[str, set[str]]
) -> dict[str, Area]:
    """Counts by area. A path's own parameters count as exercised with the call."""
    areas: dict[str, Area] = defaultdict(Area)
    for endpoint in yardstick:
        call = f"{endpoint['method']} {endpoint['path']}"
        wanted = set(endpoint["params"])
        in_path = set(re.findall(r"\{([^}]+)\}", endpoint["path"]))
        has = declared.get(call)
        driven = exercised.get(call)
        driven_params = set() if driven is None else ({family(p, wanted) for p in driven} | in_path) & wanted
        areas[area(endpoint["path"])].add(
            Area(
                [1, int(has is not None), int(driven is not None)],
                [len(wanted), len(wanted & (has or set())), len(driven_params)],
            )
        )
    return dict(sorted(areas.items()))


def declared_now() -> dict[str, set[str]]:
    """Parameters by call, from `corral api-schema`."""
    program = Path(sys.executable).parent / "corral"
    done = subprocess.run([program, "api-schema"], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        print(f"corral api-schema failed: {done.stderr.strip()}", file=sys.stderr)
        return {}
    return {f"{one['method']} {one['path']}": set(one["params"]) for one in json.loads(done.stdout)}


def table(areas: Mapping[str, Area]) -> list[str]:
    """The report as lines of text."""
    lines = [
        f"{'area':24} {'calls':>7} {'declared':>9} {'exercised':>10} {'params':>8} {'declared':>9} {'exercised':>10}"
    ]
    total = Area()
    for name, counts in [*areas.items(), ("all", total)]:
        if name != "all":
            total.add(counts)
        c, p = counts.calls, counts.params
        lines.append(f"{name:24} {c[0]:7} {c[1]:9} {c[2]:10} {p[0]:8} {p[1]:9} {p[2]:10}")
    return lines


def main() -> int:
    """`./dev coverage-api [--brief | --missing]`."""
    parser = argparse.ArgumentParser(prog="./dev coverage-api", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--brief", action="store_true", help="only the areas where something is declared")
    parser.add_argument("--missing", action="store_true", help="also list what is declared but not exercised")
    options = parser.parse_args()
    source = Path(os.environ.get("CORRAL_PVE_API", ROOT.parent / "shared" / "pve-api")) / "endpoints.json"
    if not source.exists():
        print(f"no yardstick at {source} (set CORRAL_PVE_API)")
        return 0
    yardstick = json.loads(source.read_text())
    declared = declared_now()
    exercised = exercised_params(json.loads(KEPT.read_text()) if KEPT.exists() else {})
    areas = measure(yardstick, declared, exercised)
    if options.brief:
        areas = {name: counts for name, counts in areas.items() if counts.calls[1]}
    print("\n".join(table(areas)))
    own = sorted(set(declared) - {f"{one['method']} {one['path']}" for one in yardstick})
    print(f"beside the yardstick: {len(own)} calls declared, {len([c for c in own if c in exercised])} exercised")
    if options.missing:
        for one in yardstick:
            call = f"{one['method']} {one['path']}"
            if call in declared:
                wanted = set(one["params"])
                left = (wanted & declared[call]) - {family(p, wanted) for p in exercised.get(call, ())}
                left -= set(re.findall(r"\{([^}]+)\}", one["path"]))
                state = "not exercised" if call not in exercised else "partly"
                if call not in exercised or left:
                    print(f"{state:14} {call}  {' '.join(sorted(left))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
