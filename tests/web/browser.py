"""A person at a browser: Chromium by Playwright, with what every page must keep to watched all the time.

with Visitor(chromium, node) as visitor:
    visitor.log_in()
    visitor.open("/guests")
    visitor.look()                      # no violation of accessibility, nothing in the console
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Playwright, Request, expect

from tests.lab.node import PASSWORD, Node

ROOT = Path(__file__).parent.parent.parent
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = Path("/usr/bin/chromium")
# The browser must not look for its maker: a test machine need not have a way out.
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A refused or broken connection is what some tests are about.
EXPECTED = ("Failed to load resource", "net::ERR_", "WebSocket connection to")

# What stands where something is still to come.
LOADING = ".mantine-Loader-root, .mantine-Skeleton-root[data-visible]"
IDLE = "() => new Promise(done => setTimeout(() => requestIdleCallback(done, {timeout: 2000}), 60))"
# Requests that last as long as what they tell of.
ENDLESS = ("/cluster/events", "follow=1", "blob:", "data:")

# ms; the machines that tests run on are slow, and nothing here is about speed.
TIMEOUT = 45_000
expect.set_options(timeout=TIMEOUT)

Theme = Literal["light", "dark"]


class Screen(NamedTuple):
    """What somebody holds or sits at."""

    width: int
    height: int
    touch: bool = False


DESKTOP = Screen(1440, 900)
PHONE = Screen(360, 740, touch=True)


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium."""
    return playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)


class Visitor:
    """One browser context with one page: its own cookies and storage."""

    def __init__(
        self,
        browser: Browser,
        node: Node,
        *,
        screen: Screen = DESKTOP,
        theme: Theme = "light",
        language: Literal["en", "zh"] = "en",
    ) -> None:
        self.node = node
        self.screen = screen
        self.complaints: list[str] = []
        """What the console said and no test expects: errors, and violations of the page's policy."""
        self.asked: set[Request] = set()
        """Requests under way."""
        self.context = browser.new_context(
            ignore_https_errors=True,
            viewport={"width": screen.width, "height": screen.height},
            has_touch=screen.touch,
            is_mobile=screen.touch,
            color_scheme=theme,
            reduced_motion="reduce",
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            base_url=f"https://127.0.0.1:{node.port}",
        )
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page: Page = self.context.new_page()
        self._watch(self.page)
        self.context.on("page", self._watch)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _watch(self, page: Page) -> None:
        page.set_default_timeout(TIMEOUT)
        page.on("console", self._heard)
        page.on("request", self._asks)
        page.on("requestfinished", lambda request: self.asked.discard(request))
        page.on("requestfailed", lambda request: self.asked.discard(request))
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(word in message.text for word in EXPECTED):
            self.complaints.append(f"{message.type}: {message.text}")

    # ------------------------------------------------------------------------------------------------- what people do

    def open(self, path: str = "/") -> None:
        """Go to a page of the application and wait for its heading."""
        self.page.goto(path)
        expect(self.page.get_by_role("heading", level=1).first).to_be_visible()

    def go(self, path: str) -> None:
        """Go to a page as a link does, without loading the application anew, and wait until it is all there."""
        self.page.evaluate("path => history.pushState({}, '', path)", path)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is being asked for or drawn any more. (The event stream never ends.)"""
        end = time.monotonic() + 30
        calm = 0
        while calm < 2:
            if time.monotonic() > end:
                raise TimeoutError(f"{self.page.url} still waits for {[each.url for each in self.asked]}")
            self.page.evaluate(IDLE)
            calm = 0 if self.asked or self.page.locator(LOADING).count() else calm + 1

    def _asks(self, request: Request) -> None:
        if not any(part in request.url for part in ENDLESS):
            self.asked.add(request)

    def log_in(self, user: str = "admin", password: str = PASSWORD, *, realm: str = "pve", path: str = "/") -> None:
        """By the form, as people do."""
        self.page.goto(path)
        page = self.page
        page.get_by_label("User name").or_(page.get_by_label("用户名")).fill(f"{user}@{realm}")
        page.locator("input[type=password]").fill(password)
        page.get_by_role("button", name="Log in").or_(page.get_by_role("button", name="登录")).click()
        expect(page.locator("#main")).to_be_visible()

    # -------------------------------------------------------------------------------------------- what pages consist of

    def dialog(self, title: str | re.Pattern[str]) -> Locator:
        """The open dialog of that title."""
        return self.page.get_by_role("dialog", name=title)

    def row(self, text: str | re.Pattern[str]) -> Locator:
        """The rows of the page's list that have this in a cell."""
        return self.page.get_by_role("grid").get_by_role("row").filter(has_text=text)

    def choose(self, name: str, action: str) -> None:
        """An action from the menu of a list's row."""
        self.page.get_by_role("button", name=f"Actions of {name}", exact=True).click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def pick(self, field: Locator, value: str | re.Pattern[str]) -> None:
        """An option of a field that opens a list."""
        field.click()
        exact = isinstance(value, str)
        self.page.get_by_role("option", name=value, exact=exact).click()

    # ------------------------------------------------------------------------------------------- what must always hold

    def look(self) -> None:
        """The page as it is now: accessible, within its width, and without complaints in the console."""
        found = self.faults()
        assert not found, "\n".join(found)

    def faults(self) -> list[str]:
        """What `look` finds wrong, a line each; what the console said is told once."""
        violations = self.violations()
        if violations:  # a page in motion: what is really wrong stays
            self.page.wait_for_timeout(1000)
            violations = self.violations()
        said, self.complaints[:] = [*self.complaints], []
        width = self.page.evaluate("document.documentElement.scrollWidth")
        wide = [f"{self.page.url} is {width} px wide on a screen of {self.screen.width}"]
        return [
            *violations,
            *(wide if width > self.screen.width else []),
            *(f"console: {line}" for line in said),
        ]

    def violations(self) -> list[str]:
        """What axe finds wrong, a line each."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", WCAG
        )
        return [
            f"{self.page.url}: {rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:200]}"
            + (f" {json.dumps(node['any'][0]['data'])[:200]}" if node["any"] and node["any"][0].get("data") else "")
            for rule in found["violations"]
            for node in rule["nodes"][:3]
        ]

    def quiet(self) -> None:
        """Nothing in the console."""
        assert not self.complaints, "\n".join(self.complaints)

    def console_text(self) -> str:
        """What a serial console on the page shows."""
        with contextlib.suppress(Exception):
            return str(self.page.locator(".xterm-accessibility").inner_text())
        return ""
