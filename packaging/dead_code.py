"""Find code that nothing uses, with vulture: functions, classes, imports, arguments and lines after a return.

Vulture alone can't know that a protocol's method uses none of its parameters, that an endpoint is called by the
dispatcher and that a Struct's fields are its wire format; this says so once instead of in a list of exceptions.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

# What a framework calls by these decorators is used.
CALLED_BY_DECORATOR = (
    "@endpoint",
    "@ENDPOINTS.*",
    "@property",
    "@cached_property",
    "@*.fixture",
    "@overload",
    "@route",
)
CALLED_BY_NAME = (
    "test_*", "pytest_*", "main", "corral", "qm", "pvesh", "pvesm", "pveum",   # entry points
    "visit_*", "do_*", "emit", "__*__",
    "connection_made", "connection_lost", "data_received", "datagram_received",   # asyncio protocols
)  # fmt: skip


def is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it has no body: a protocol's or abstract method, an overload."""
    return all(
        isinstance(part, ast.Pass | ast.Raise) or (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        for part in node.body
    )


def is_endpoint(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether it declares a call: its parameters are the schema, used or not."""
    calls = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
    return any(isinstance(func, ast.Name) and func.id == "endpoint" for func in calls)


def signature_lines(source: str) -> set[int]:
    """Numbers of the lines where parameters stand that need not be used."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if is_stub(node):
                lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            elif is_endpoint(node):
                lines.update(range(node.lineno, node.body[0].lineno))
    return lines


def unused(roots: list[str]) -> list[Item]:
    """What vulture finds below `src`, with uses counted in all of `roots`."""
    vulture = Vulture(ignore_names=list(CALLED_BY_NAME), ignore_decorators=list(CALLED_BY_DECORATOR))
    vulture.scavenge([root for root in roots if Path(root).exists()])
    stubs = {path: signature_lines(path.read_text()) for path in Path("src").rglob("*.py")}
    found = []
    for item in vulture.get_unused_code(min_confidence=60):
        path = Path(item.filename)
        path = path.relative_to(Path.cwd()) if path.is_absolute() else path
        kinds = ("function", "class", "method", "import", "unreachable_code")
        argument = item.typ == "variable" and item.confidence == 100
        if path.parts[0] == "src" and (item.typ in kinds or argument) and item.first_lineno not in stubs[path]:
            found.append(item)
    return found


def main() -> int:
    """Print what is unused; 1 if anything is."""
    found = unused(["src", "tests", "bench", "docs"])
    for item in found:
        print(item.get_report())
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
