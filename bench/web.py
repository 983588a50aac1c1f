"""The web UI on 10,000 guests, in a real browser with a cold cache, and what it weighs.

paint_ms            from asking for the page to the first rows of the list of guests (budget 1500)
search_p95_ms       from a key to the answers to it, over queries with and without typing errors (budget 100)
scroll_longest_ms   the longest task of the page's thread while the list is scrolled from end to end (budget 200)
first_load_kib      JavaScript as sent, up to those rows (budget 350)
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from bench import Row, percentile
from tests.lab.node import Node
from tests.web.browser import Visitor, launch

GUESTS = 10_000
# What is typed, and what an answer to it shows.
WORDS = (
    ("queue-dev-1230", "1230"), ("monitro", "monitor"), ("5042", "5042"), ("serach", "search"), ("wiki dev", "wiki"),
    ("bakcup-prod", "backup"), ("seed1", "seed1"), ("buld", "build"), ("queue prod", "queue"), ("vpn", "vpn"),
)  # fmt: skip

# Long tasks from the start on, and the moment at which something useful stood on the page.
WATCH = """
window.tasks = [];
new PerformanceObserver(list => window.tasks.push(...list.getEntries().map(e => e.duration)))
  .observe({type: 'longtask', buffered: true});
"""
# Set from inside the page: a look from outside takes longer than what it looks for.
FIRST_ROW = """
() => new Promise(done => {
  const look = () => {
    const rows = document.querySelectorAll('[role=row] [role=gridcell], [role=row] [role=cell], tbody tr td')
    if (rows.length > 20) requestAnimationFrame(() => done(performance.now()))
    else requestAnimationFrame(look)
  }
  look()
})
"""
SCROLL = """
async () => {
  window.tasks.length = 0
  const frame = () => new Promise(requestAnimationFrame)
  const tall = e => e.clientHeight > 200 && e.scrollHeight > e.clientHeight * 20
  const list = [...document.querySelectorAll('*')].find(tall)
  const step = list.scrollHeight / 240
  for (let at = 0; at <= 240; at += 1) { list.scrollTop = at * step; await frame() }
  await new Promise(done => setTimeout(done, 300))
  return {longest: Math.max(0, ...window.tasks), far: list.scrollTop / list.scrollHeight, rows: list.scrollHeight}
}
"""
SEARCH = """
([word, expected]) => new Promise(done => {
  const field = document.activeElement
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set
  const list = () => document.querySelector('[role=listbox]')
  const begun = performance.now()
  const seen = new MutationObserver(() => requestAnimationFrame(() => {
    if (!list()?.querySelector('[role=option]')?.textContent.includes(expected)) return
    seen.disconnect()
    done(performance.now() - begun)
  }))
  seen.observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true})
  set.call(field, word)
  field.dispatchEvent(new Event('input', {bubbles: true}))
  setTimeout(() => { seen.disconnect(); done(null) }, 5000)
})
"""


def seeded(root: Path) -> Node:
    """A started node with the inventory, logged in."""
    node = Node(root)
    node.start()
    subprocess.run(
        [node.program, "seed", "--guests", str(GUESTS), "--root", root], env=node.environment, check=True,
        stdout=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    node.login()
    return node


def first_load(visitor: Visitor) -> tuple[float, int]:
    """Milliseconds to the first rows, and bytes of JavaScript as sent, by somebody who has logged in before."""
    sent: list[int] = []
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    scripts: set[str] = set()

    def began(event: dict[str, Any]) -> None:
        if event.get("type") == "Script":
            scripts.add(event["requestId"])

    def ended(event: dict[str, Any]) -> None:
        if event["requestId"] in scripts:
            sent.append(int(event["encodedDataLength"]))

    session.on("Network.responseReceived", began)
    session.on("Network.loadingFinished", ended)
    visitor.page.goto("/guests", wait_until="commit")
    moment = float(visitor.page.evaluate(FIRST_ROW))
    session.send("Network.setCacheDisabled", {"cacheDisabled": False})
    return moment, sum(sent)


def search_times(page: Page) -> list[float]:
    """Milliseconds from a key to its answers, for each word twice."""
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog").get_by_role("combobox")).to_be_focused()
    times = []
    for word, expected in (*WORDS, *WORDS):
        milliseconds = page.evaluate(SEARCH, [word, expected])
        assert milliseconds is not None, f"'{word}' does not find '{expected}'"
        times.append(float(milliseconds))
    page.keyboard.press("Escape")
    return times


def measure() -> Iterator[Row]:
    """Paint, weight, search and scrolling."""
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as directory, sync_playwright() as playwright:
        node = seeded(Path(directory) / "root")
        with launch(playwright) as browser:
            try:
                with Visitor(browser, node) as visitor:
                    visitor.context.add_init_script(WATCH)
                    visitor.log_in()
                    runs = [first_load(visitor) for _ in range(3)]
                    yield Row("web", "paint_ms", sorted(ms for ms, _ in runs)[1], 1500, "middle of 3; peer: the budget")
                    yield Row("web", "first_load_kib", max(size for _, size in runs) / 1024, 350, "peer: the budget")
                    times = search_times(visitor.page)
                    yield Row("web", "search_p95_ms", percentile(times, 0.95), 100, f"worst {max(times):.0f}")
                    scrolled = visitor.page.evaluate(SCROLL)
                    assert scrolled["far"] > 0.9, "the list was not scrolled to its end"
                    yield Row("web", "scroll_longest_ms", scrolled["longest"], 200, "no task above 50 ms shows as 0")
            finally:
                node.__exit__()
