"""What happens elsewhere is on the page at once, without reloading and without asking; what is typed is never lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from tests.lab.node import PASSWORD, Node
from tests.web.browser import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

QUIET = 15_000
"""ms in which nothing may be asked for while nothing happens."""


@pytest.fixture(scope="module", autouse=True)
def machine(node: Node) -> None:
    """A machine."""
    node.do("POST", "/nodes/{node}/qemu", vmid=100, name="web-1", memory=64)


class Calls(list[Request]):
    """The calls of the API that the pages of a browser make."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        visitor.context.on("request", self._heard)

    def _heard(self, request: Request) -> None:
        if "/api2/" in request.url:
            self.append(request)

    def streams(self) -> list[Request]:
        return [request for request in self if "/cluster/events" in request.url]

    def others(self) -> list[str]:
        return [f"{each.method} {each.url}" for each in self if "/cluster/events" not in each.url]


def notes_dialog(page: Page) -> None:
    """Open the dialog for the notes and type something."""
    page.get_by_role("button", name="Edit notes").click()
    page.get_by_role("dialog", name="Edit notes").get_by_role("textbox").fill("not yet saved")


def test_what_happens_elsewhere_appears_by_itself(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests")
    expect(visitor.row("web-1")).to_contain_text("Stopped")
    # By a tool in a shell.
    assert node.tool("qm", "set", "100", "--name", "renamed-1").returncode == 0
    expect(visitor.row("renamed-1")).to_be_visible()
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem").filter(has_text="renamed-1")).to_be_visible()
    # By the API.
    node.do("POST", "/nodes/{node}/qemu", vmid=101, name="new-1", memory=64)
    expect(visitor.row("new-1")).to_be_visible()
    node.do("POST", "/nodes/{node}/qemu/101/status/start")
    expect(visitor.row("new-1")).to_contain_text("Running")
    node.do("POST", "/nodes/{node}/qemu/101/status/stop")
    expect(visitor.row("new-1")).to_contain_text("Stopped")
    node.do("DELETE", "/nodes/{node}/qemu/101")
    expect(visitor.row("new-1")).to_have_count(0)
    expect(tree.get_by_role("treeitem").filter(has_text="new-1")).to_have_count(0)
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="web-1")
    expect(visitor.row("web-1")).to_be_visible()


def test_nothing_is_asked_for_while_nothing_happens(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.log_in(path="/guests")
    expect(visitor.row("web-1")).to_be_visible()
    for path in ("/guests/100/summary", "/history", "/"):
        visitor.go(path)
    visitor.settle()
    calls = Calls(visitor)
    visitor.page.wait_for_timeout(QUIET)
    assert calls.others() == []
    assert calls.streams() == []


def test_a_task_shows_its_progress_its_log_and_its_end(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests/100/summary")
    page.get_by_role("button", name="Start", exact=True).click()
    toast = page.get_by_role("status").filter(has_text="Start: web-1")
    expect(toast).to_contain_text("Done.")
    toast.get_by_role("button", name="Show the log").click()
    drawer = page.get_by_role("region", name="Tasks")
    expect(drawer.get_by_role("button").filter(has_text="Start VM 100").first).to_be_visible()
    expect(drawer.get_by_role("log").or_(drawer.get_by_label("Log of Start VM 100"))).to_be_visible()
    # One of somebody else, beside it.
    upid = node.call("POST", "/nodes/{node}/qemu/100/status/stop")
    stop = drawer.get_by_role("button").filter(has_text="Stop VM 100").first
    expect(stop).to_be_visible()
    node.wait(upid)
    stop.click()
    expect(drawer.get_by_label("Log of Stop VM 100")).to_be_visible()
    visitor.look()


def test_tabs_share_one_stream_and_take_over_from_one_another(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    calls = Calls(visitor)
    first = visitor.page
    visitor.log_in(path="/guests")
    expect(visitor.row("web-1")).to_be_visible()
    second = visitor.context.new_page()
    second.goto("/guests")
    grid = second.get_by_role("grid")
    expect(grid.get_by_role("row").filter(has_text="web-1")).to_be_visible()
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="shared-1")
    expect(grid.get_by_role("row").filter(has_text="shared-1")).to_be_visible()
    expect(visitor.row("shared-1")).to_be_visible()
    assert len(calls.streams()) == 1
    # The one that reads for both goes away.
    first.close()
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="web-1")
    expect(grid.get_by_role("row").filter(has_text="web-1")).to_be_visible()
    assert len(calls.streams()) == 2


def test_a_server_that_is_away_for_a_while_costs_nothing(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests/100/summary")
    notes_dialog(page)
    node.stop()
    banner = page.get_by_role("status").filter(has_text="The connection to")
    try:
        expect(banner.first).to_be_attached()
        expect(page.get_by_text("Guests keep running")).to_be_visible()
    finally:
        node.start()
    node.login()
    expect(page.get_by_text("The connection to")).to_have_count(0)
    # What has happened meanwhile is there, and so is what was typed.
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="back-1")
    expect(page.get_by_role("heading", level=1, include_hidden=True)).to_have_text("back-1")
    dialog = visitor.dialog("Edit notes")
    expect(dialog.get_by_role("textbox")).to_have_value("not yet saved")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("main")).to_contain_text("not yet saved")
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="web-1", delete="description")


def test_what_was_changed_while_the_connection_was_lost_is_shown(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    visitor.log_in(path="/guests")
    expect(visitor.row("web-1")).to_be_visible()
    visitor.context.set_offline(True)
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="meanwhile-1")
    visitor.page.wait_for_timeout(500)
    visitor.context.set_offline(False)
    expect(visitor.row("meanwhile-1")).to_be_visible()
    node.call("PUT", "/nodes/{node}/qemu/100/config", name="web-1")
    expect(visitor.row("web-1")).to_be_visible()


def test_who_must_log_in_again_keeps_what_was_typed(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests/100/summary")
    notes_dialog(page)
    visitor.context.clear_cookies()
    dialog = visitor.dialog("Edit notes")
    dialog.get_by_role("button", name="Save").click()
    again = visitor.dialog("Log in again")
    expect(again).to_contain_text("Everything on the page stays as you left it.")
    again.locator("input[type=password]").fill(PASSWORD)
    again.get_by_role("button", name="Log in", exact=True).click()
    expect(again).to_be_hidden()
    # What waited goes on by itself.
    expect(page.get_by_role("main")).to_contain_text("not yet saved")
    assert node.call("GET", "/nodes/{node}/qemu/100/config")["description"].strip() == "not yet saved"


def test_logging_out_in_one_tab_logs_out_the_others(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in()
    other = visitor.context.new_page()
    other.goto("/guests")
    expect(other.get_by_role("grid")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Account of")).click()
    page.get_by_role("menuitem", name="Log out").click()
    for each in (page, other):
        expect(each.get_by_label("User name")).to_be_visible()
    assert not [each for each in visitor.context.cookies() if "AuthCookie" in each.get("name", "")]
