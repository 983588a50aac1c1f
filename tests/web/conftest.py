"""A browser and a node for each file of tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.lab.node import Node
from tests.web.browser import AXE, CHROMIUM, ROOT, Visitor, launch


# Not for the whole session: while Playwright is open in a thread, no other test can run an event loop there.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    assert AXE.exists(), "the web UI's packages are not installed: ./dev prepare"
    assert (ROOT / "src/corral/daemons/site/index.html").exists(), "the web UI is not built: ./dev prepare"
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A fresh node, logged in as its administrator."""
    with Node(tmp_path_factory.mktemp("web") / "root") as started:
        started.login()
        yield started


@pytest.fixture
def visit(chromium: Browser, node: Node) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors of the node; what they saw of errors fails the test at its end."""
    with ExitStack() as stack:
        made: list[Visitor] = []

        def make(**options: Any) -> Visitor:
            visitor = stack.enter_context(Visitor(chromium, options.pop("node", node), **options))
            made.append(visitor)
            return visitor

        yield make
        for visitor in made:
            visitor.quiet()
