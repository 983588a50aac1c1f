"""Rules that hold for everything declared and written: descriptions, permissions, sizes, one way to do each thing."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import corral
from corral import api
from corral.rest.endpoint import Endpoint

SOURCE = Path(corral.__file__).parent
FORBIDDEN_NAMES = re.compile(r"(^|_)(utils?|helpers?|common|misc|manager|handler)(_|$)")


def declared() -> list[Endpoint]:
    return list(api.endpoints())


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE), ast.parse(path.read_text())


@pytest.mark.parametrize("endpoint", declared(), ids=lambda each: each.pair)
def test_a_call_says_what_it_does_and_what_each_parameter_means(endpoint: Endpoint) -> None:
    assert re.match(r"[A-Z].*[.…]$", endpoint.summary), "a sentence as the docstring's first line"
    without = [name for name, field in endpoint.flat.items() if not field.text]
    assert not without, "described by doc(…)"


@pytest.mark.parametrize("endpoint", [each for each in declared() if each.changes], ids=lambda each: each.pair)
def test_a_call_that_changes_something_can_be_planned_or_says_why_not(endpoint: Endpoint) -> None:
    assert endpoint.example is not None or endpoint.plan is not None
    assert endpoint.plan is None or endpoint.plan.why


def test_no_call_is_declared_twice() -> None:
    pairs = [each.pair for each in declared()]
    assert sorted(set(pairs)) == sorted(pairs)


def test_modules_are_named_for_what_they_hold() -> None:
    assert [str(path) for path, _ in modules() if FORBIDDEN_NAMES.search(path.stem)] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path) for path, tree in modules() if tree.body and not ast.get_docstring(tree)] == []


def test_only_one_module_starts_processes() -> None:
    importers = set()
    for path, tree in modules():
        for node in ast.walk(tree):
            names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if "subprocess" in names:
                importers.add(str(path))
    assert importers == {"system/run.py"}


def test_handlers_are_short() -> None:
    """Logic lives below `api`: a handler loads, decides what needs data, calls one service and returns."""
    lengths = {}
    for endpoint in declared():
        (handler,) = ast.parse(_source(endpoint)).body
        assert isinstance(handler, ast.FunctionDef)
        body = handler.body[1:] if ast.get_docstring(handler) else handler.body
        lengths[endpoint.pair] = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
    assert {pair: lines for pair, lines in lengths.items() if lines > 30} == {}
    assert sum(lines <= 15 for lines in lengths.values()) >= 0.9 * len(lengths)


def _source(endpoint: Endpoint) -> str:
    return textwrap.dedent(inspect.getsource(endpoint.handler))
