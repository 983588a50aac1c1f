"""`./dev bench [NAME…]`: run the benches, print each figure as a line of JSON."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
import traceback

import bench


def names() -> list[str]:
    """All benches."""
    return [module.name for module in pkgutil.iter_modules(bench.__path__) if not module.name.startswith("_")]


def main() -> int:
    """Run them one after the other; 1 if one broke (a slow one is not broken)."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="Run benches and print JSON lines.")
    parser.add_argument("name", nargs="*", choices=[*names(), []], metavar="NAME", help=f"one of {', '.join(names())}")
    code = 0
    for name in parser.parse_args().name or names():
        start = time.monotonic()
        try:
            for row in importlib.import_module(f"bench.{name}").measure():
                print(row.line(), flush=True)
        except Exception:  # the next bench is to run, whatever this one did
            traceback.print_exc()
            code = 1
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
