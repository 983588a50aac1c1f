"""Finding things among two thousand: by typing, in the tree, in the list, by keys alone."""

from __future__ import annotations

import csv
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.lab.node import Node
from tests.web.browser import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture(scope="module", autouse=True)
def many(node: Node) -> None:
    """Two thousand machines: `web-prod-1000`, `db-prod-1001`, …"""
    subprocess.run(
        [node.program, "seed", "--guests", "2000", "--nodes", "1", "--first", "1000", "--root", node.root],
        env=node.environment, check=True, stdout=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip
    node.do("POST", "/nodes/{node}/qemu", vmid=100, name="warehouse", memory=64, tags="blue-moon")


def search(visitor: Visitor, text: str) -> Locator:
    """What is found."""
    visitor.page.keyboard.press("/")
    dialog = visitor.dialog("Search")
    dialog.get_by_role("combobox").fill(text)
    return dialog.get_by_role("option")


def test_everything_is_found_by_typing(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests")
    expect(visitor.row("warehouse")).to_be_visible()
    for text in ("100", "warehouse", "warehuose", "blue-moon"):
        expect(search(visitor, text).first, text).to_contain_text("warehouse")
        page.keyboard.press("Escape")
    found = search(visitor, "warehouse")
    expect(found.first).to_have_attribute("aria-selected", "true")
    visitor.look()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/guests/100"))

    expect(search(visitor, "create vm").first).to_contain_text("Create VM")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("create=vm"))
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(search(visitor, "start warehouse").first).to_contain_text("100 warehouse")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(search(visitor, "zzzzqqqq")).to_have_count(0)
    expect(visitor.dialog("Search")).to_contain_text("Nothing fits")


def test_the_shortcuts_that_are_shown_work(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in()
    page.keyboard.press("?")
    dialog = visitor.dialog("Keyboard shortcuts")
    expect(dialog).to_contain_text("Overview")
    visitor.look()
    go = dialog.get_by_role("heading", name="Go to").locator("..")
    shown: list[tuple[str, str]] = re.findall(r"([A-Z][\w ]+)\s+g\s+then\s+(\w)", go.inner_text())
    assert len(shown) == 9, go.inner_text()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    for name, key in shown:
        page.keyboard.press("g")
        page.keyboard.press(key)
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.keyboard.press("t")
    expect(page.get_by_role("region", name="Tasks")).to_be_visible()
    page.keyboard.press("t")
    expect(page.get_by_role("region", name="Tasks")).to_have_count(0)
    page.keyboard.press("[")
    expect(page.get_by_role("tree")).to_have_count(0)
    page.keyboard.press("[")
    expect(page.get_by_role("tree")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("tree")).to_be_focused()
    page.keyboard.press("Control+k")
    expect(visitor.dialog("Search")).to_be_visible()
    page.keyboard.press("Escape")
    expect(visitor.dialog("Search")).to_be_hidden()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("create=vm"))


def test_the_tree_is_walked_by_keys_and_has_four_views(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in()
    tree = page.get_by_role("tree")
    node = tree.get_by_role("treeitem", expanded=True).filter(has_text="n1")
    expect(node).to_be_visible()
    # Only what is in sight is in the page.
    assert tree.get_by_role("treeitem").count() < 120
    tree.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/guests/100"))
    tree.focus()
    page.keyboard.press("End")
    expect(tree.locator("[data-active]")).to_contain_text("local")
    page.keyboard.press("w")
    expect(tree.locator("[data-active]")).to_contain_text("warehouse")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(tree.locator("[data-active]")).to_have_attribute("aria-expanded", "false")

    for view, shown in (("By pool", "In no pool"), ("By tag", "blue-moon"), ("Storage", "local"), ("By node", "n1")):
        page.get_by_role("button", name=re.compile("^View: ")).click()
        page.get_by_role("menuitemradio", name=view).click()
        expect(page.get_by_role("button", name=f"View: {view}")).to_be_visible()
        expect(tree.get_by_role("treeitem").filter(has_text=shown).first).to_be_visible()
    page.get_by_role("textbox", name="Filter the tree").fill("ware")
    expect(tree.get_by_role("treeitem").filter(has_text="warehouse")).to_be_visible()
    expect(tree.get_by_role("treeitem").filter(has_text="web-prod")).to_have_count(0)


def test_favourites_and_what_was_looked_at_are_remembered(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests/100")
    page.get_by_role("button", name="Add to the favorites").click()
    page.reload()
    expect(page.get_by_role("button", name="Remove from the favorites")).to_be_visible()
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem").filter(has_text="Favorites")).to_be_visible()
    expect(tree.get_by_role("treeitem").filter(has_text="warehouse").first).to_be_visible()
    page.keyboard.press("/")
    recent = visitor.dialog("Search").get_by_role("group", name="Recent")
    expect(recent.get_by_role("option").first).to_contain_text("warehouse")


def test_a_list_is_filtered_sorted_and_taken_along(visit: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/guests")
    grid = page.get_by_role("grid", name="Guests")
    first = grid.get_by_role("row").nth(1)
    expect(first).to_contain_text("warehouse")
    page.get_by_role("searchbox", name="Search").fill("web-prod")
    expect(page).to_have_url(re.compile("q=web-prod"))
    expect(first).to_contain_text("web-prod-")
    name = grid.get_by_role("columnheader").filter(has_text="Name")
    name.get_by_role("button").click()
    name.get_by_role("button").click()
    expect(name).to_have_attribute("aria-sort", "descending")
    expect(page).to_have_url(re.compile("sort=-name"))
    best = first.inner_text()
    page.reload()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("web-prod")
    expect(first).to_have_text(best, use_inner_text=True)
    # Another page and back.
    first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/guests/\d+"))
    page.go_back()
    expect(page).to_have_url(re.compile("sort=-name"))
    expect(first).to_have_text(best, use_inner_text=True)

    page.get_by_role("button", name="View", exact=True).click()
    page.get_by_role("menuitemcheckbox", name="Node").click()
    expect(grid.get_by_role("columnheader").filter(has_text="Node")).to_have_count(0)
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name="Export as CSV").click()
    saved.value.save_as(tmp_path / "guests.csv")
    with (tmp_path / "guests.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert "Node" not in rows[0]
    assert len(rows) > 20
    assert all(row["Name"].startswith("web-prod") for row in rows)
    assert [row["Name"] for row in rows] == sorted((row["Name"] for row in rows), reverse=True)

    boxes = grid.get_by_role("checkbox")
    boxes.nth(1).click()
    boxes.nth(4).click(modifiers=["Shift"])
    expect(page.get_by_role("status").filter(has_text="4 selected").first).to_be_attached()
    visitor.look()
    page.get_by_role("button", name="Clear the selection").click()
    page.get_by_role("button", name="Clear filters").click()
    expect(page).not_to_have_url(re.compile("q="))
