"""What the web UI is for: a machine's whole life in the browser, on real QEMU."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.lab.guest import Guest
from tests.lab.node import Node
from tests.web.browser import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

BOOT = 120_000


def guests(node: Node) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = node.call("GET", "/cluster/resources", type="vm")
    return rows


def pixels(screen: Locator) -> str:
    """A digest of what a canvas shows."""
    return hashlib.sha256(screen.screenshot()).hexdigest()


def see_another_picture(page: Page, screen: Locator, before: str) -> None:
    """Wait until the canvas shows something else."""
    for _ in range(120):
        if pixels(screen) != before:
            return
        page.wait_for_timeout(500)
    raise AssertionError("the display shows the same picture all the time")


def confirm(page: Page) -> None:
    """Do what the dialog asks about, and see it go."""
    dialog = page.get_by_role("dialog")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_be_hidden()


def test_from_a_fresh_node_to_an_open_console_and_back(
    visit: Callable[..., Visitor], node: Node, guest_image: Guest
) -> None:
    visitor = visit()
    visitor.log_in()
    page = visitor.page

    # Three clicks: the wizard, the file, the deed. All else has a default.
    page.get_by_role("link", name="Create VM").or_(page.get_by_role("button", name="Create VM")).first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("dialog").get_by_role("button", name="Choose file").click()
    chooser.value.set_files(guest_image.qcow2)
    visitor.look()
    page.get_by_role("dialog").get_by_role("button", name="Create", exact=True).click()

    # It opens its console by itself; the display shows the machine boot.
    page.wait_for_url(re.compile(r"/guests/\d+/console"), timeout=BOOT)
    screen = page.locator("canvas").first
    expect(screen).to_be_visible(timeout=BOOT)
    see_another_picture(page, screen, pixels(screen))
    visitor.look()
    made = int(page.url.split("/guests/")[1].split("/")[0])
    assert [row["status"] for row in guests(node) if row["vmid"] == made] == ["running"]

    # The serial console can be read, and typed at.
    page.get_by_text("Serial", exact=True).click()
    terminal = page.locator(".xterm")
    expect(terminal).to_be_visible()
    terminal.click()
    text = page.locator(".xterm-accessibility")
    for _ in range(100):  # what was printed before nobody looked is not shown again
        page.keyboard.press("Enter")
        page.wait_for_timeout(2000)
        if "login:" in text.inner_text():
            break
    page.keyboard.type("root\n", delay=20)
    expect(text).to_contain_text("Password", timeout=BOOT)
    page.keyboard.type("corral\n", delay=20)
    page.keyboard.type("echo $((6*7))\n", delay=20)
    expect(text).to_contain_text("42", timeout=BOOT)
    visitor.look()


@pytest.fixture
def machine(node: Node) -> int:
    """A machine that does not run."""
    vmid = int(node.call("GET", "/cluster/nextid"))
    node.do(
        "POST", "/nodes/{node}/qemu", vmid=vmid, name=f"shop-{vmid}", memory=128, scsihw="virtio-scsi-pci",
        scsi0="local:1", serial0="socket", agent=1,
    )  # fmt: skip
    return vmid


def test_a_change_is_reviewed_before_it_is_made(visit: Callable[..., Visitor], node: Node, machine: int) -> None:
    visitor = visit()
    visitor.log_in(path=f"/guests/{machine}/hardware")
    page = visitor.page
    page.get_by_role("row", name="Memory").or_(
        page.get_by_role("listitem").filter(has_text="Memory")
    ).first.get_by_role("button", name="Edit").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("spinbutton").or_(dialog.get_by_role("textbox")).first.fill("192")
    dialog.get_by_role("button", name="Review").click()
    plan = dialog.get_by_role("region", name="Plan")
    expect(plan).to_contain_text("128")
    expect(plan).to_contain_text("192")
    assert node.call("GET", f"/nodes/{{node}}/qemu/{machine}/config")["memory"] in ("128", 128), "nothing is done yet"
    visitor.look()
    confirm(page)
    # The page follows by itself.
    expect(page.locator("#main")).to_contain_text("192")
    assert node.call("GET", f"/nodes/{{node}}/qemu/{machine}/config")["memory"] in ("192", 192)


def test_several_are_started_stopped_and_deleted_together(visit: Callable[..., Visitor], node: Node) -> None:
    pair = []
    for name in ("bulk-one", "bulk-two"):
        vmid = int(node.call("GET", "/cluster/nextid"))
        node.do("POST", "/nodes/{node}/qemu", vmid=vmid, name=name, memory=64, net0="virtio")
        pair.append(vmid)
    visitor = visit()
    visitor.log_in(path="/guests?q=bulk-")
    page = visitor.page
    for vmid in pair:
        row = page.get_by_role("row").filter(has_text=str(vmid))
        row.get_by_role("checkbox").check()
    visitor.look()
    bar = page.get_by_role("toolbar", name="Actions on the selection")
    bar.get_by_role("button", name="Start").click()
    for vmid in pair:
        expect(page.get_by_role("row").filter(has_text=str(vmid))).to_contain_text("Running", timeout=60_000)
    bar.get_by_role("button", name="Stop").click()
    confirm(page)
    for vmid in pair:
        expect(page.get_by_role("row").filter(has_text=str(vmid))).to_contain_text("Stopped", timeout=60_000)
    bar.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete").click()
    visitor.look()
    confirm(page)
    for vmid in pair:
        expect(page.get_by_role("row").filter(has_text=str(vmid))).to_have_count(0, timeout=60_000)
    assert not {row["vmid"] for row in guests(node)} & set(pair)
