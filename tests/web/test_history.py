"""Who changed what: the timeline, reverts, how things stood, and plans that somebody else approves."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.lab.node import Node
from tests.web.browser import PHONE, Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


@pytest.fixture
def vmid(node: Node) -> int:
    """A machine with two changes behind it, the newest that there are."""
    number = int(node.call("GET", "/cluster/nextid"))
    node.do("POST", "/nodes/{node}/qemu", vmid=number, name="web", memory=2048, description="first\nsecond")
    node.call("PUT", f"/nodes/{node.name}/qemu/{number}/config", memory=4096)
    return number


def config(node: Node, vmid: int) -> dict[str, Any]:
    return dict(node.call("GET", f"/nodes/{node.name}/qemu/{vmid}/config"))


def test_changes_come_in_live_and_are_taken_back_by_keys(visit: Callable[..., Visitor], node: Node, vmid: int) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/history")
    newest = page.locator("[data-revision]").first
    expect(newest).to_contain_text("memory: 2048 → 4096")
    node.call("PUT", f"/nodes/{node.name}/qemu/{vmid}/config", cores=2)
    expect(newest).to_contain_text("cores: 2")
    visitor.look()

    newest.focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name=f"Changed options of VM {vmid} web")
    expect(table.get_by_role("row", name="memory")).to_contain_text("4096")
    visitor.settle()
    visitor.look()
    page.keyboard.press("r")
    plan = page.get_by_role("dialog").get_by_role("region", name="Plan")
    expect(plan.get_by_role("row", name="memory")).to_contain_text("2048")
    expect(page.get_by_role("dialog").locator("button[type=submit]")).to_be_enabled()
    visitor.look()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(newest).to_contain_text("memory: 4096 → 2048")
    assert (int(config(node, vmid)["memory"]), config(node, vmid)["cores"]) == (2048, 2)


@pytest.mark.parametrize("screen", [None, PHONE], ids=["desktop", "phone"])
def test_a_file_as_it_was_and_who_wrote_its_lines(
    visit: Callable[..., Visitor], node: Node, vmid: int, screen: Any
) -> None:
    rows = node.call("GET", "/cluster/history", path=f"guest/{vmid}")["rows"]
    visitor = visit(**({"screen": screen} if screen else {}))
    page = visitor.page
    visitor.log_in(path=f"/history?view=then&at=r{rows[-1]['revision']}&file=guest/{vmid}")
    expect(page.get_by_role("table", name=f"Changed options of VM {vmid} web")).to_be_visible()
    visitor.look()
    page.get_by_role("tab", name="Who wrote it").click()
    expect(page.get_by_role("table", name=f"Who wrote the lines of VM {vmid}")).to_contain_text("#second")
    visitor.look()


def test_somebody_else_approves_a_plan_by_phone(visit: Callable[..., Visitor], node: Node, vmid: int) -> None:
    params = {"node": node.name, "vmid": vmid, "memory": 3072}
    planned = node.call("PUT", f"/nodes/{node.name}/qemu/{vmid}/config", {"corral-plan": "1"}, memory=3072)
    body = planned["token"].partition(".")[0]
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    asked = {"operation": "PUT /nodes/{node}/qemu/{vmid}/config", "params": params, "asked": told}
    link = base64.urlsafe_b64encode(json.dumps(asked).encode()).decode().rstrip("=")
    node.call("POST", "/access/users", userid="mira@pve", password="a good password")
    node.call("PUT", "/access/acl", path=f"/vms/{vmid}", users="mira@pve", roles="PVEVMAdmin")
    node.call("PUT", f"/nodes/{node.name}/qemu/{vmid}/config", onboot=1)

    visitor = visit(screen=PHONE)
    page = visitor.page
    visitor.log_in("mira", "a good password", path=f"/approve#{link}")
    expect(page.get_by_text("admin@pve asks for this change")).to_be_visible()
    expect(page.get_by_text(f"Since it was asked for, this has changed: VM {vmid}")).to_be_visible()
    expect(page.get_by_role("region", name="Plan").get_by_role("row", name="memory")).to_contain_text("3072")
    visitor.look()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("The change was made in your name.")).to_be_visible()
    assert int(config(node, vmid)["memory"]) == 3072
    newest = node.call("GET", "/cluster/history", path=f"guest/{vmid}")["rows"][0]
    assert newest["user"] == "mira@pve"


def test_a_plan_that_no_longer_holds_is_made_again(visit: Callable[..., Visitor], node: Node, vmid: int) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path=f"/guests/{vmid}")
    page.get_by_role("main").get_by_text("Edit", exact=True).first.click()
    dialog = visitor.dialog("Edit notes")
    dialog.get_by_role("textbox").fill("another text")
    dialog.get_by_role("button", name="Review").click()
    expect(dialog.get_by_role("region", name="Plan")).to_contain_text("another text")
    expect(dialog.locator("button[type=submit]")).to_be_enabled()
    node.call("PUT", f"/nodes/{node.name}/qemu/{vmid}/config", cores=4)
    page.keyboard.press("Control+Enter")
    expect(dialog.get_by_role("alert")).to_contain_text(f"'guest/{vmid}' has changed since the plan was made")
    visitor.look()
    dialog.get_by_role("button", name="Review again").click()
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect(dialog.locator("button[type=submit]")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    expect(dialog).to_be_hidden()
    assert config(node, vmid)["description"] == "another text"
