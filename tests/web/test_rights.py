"""What people see who may not do everything: only what is theirs, and no errors where something isn't."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Response, expect

from tests.lab.node import Node
from tests.web.browser import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PASSWORD = "a good password"
VMID = 101


@pytest.fixture(scope="module", autouse=True)
def people(node: Node) -> None:
    """Mira may use one machine, Alan may look at everything."""
    for vmid, name in ((100, "db-1"), (VMID, "web-1"), (102, "mail-1")):
        node.do("POST", "/nodes/{node}/qemu", vmid=vmid, name=name, memory=64, scsihw="virtio-scsi-pci", net0="virtio")
    node.call("POST", "/access/groups", groupid="users-of-web")
    for user in ("mira", "alan"):
        node.call("POST", "/access/users", userid=f"{user}@pve", password=PASSWORD)
    node.call("PUT", "/access/users/mira@pve", groups="users-of-web")
    node.call("PUT", "/access/acl", path=f"/vms/{VMID}", groups="users-of-web", roles="PVEVMUser")
    node.call("PUT", "/access/acl", path="/", users="alan@pve", roles="PVEAuditor")


class Refusals(list[str]):
    """The calls of a page that were refused: what must not be asked should not be asked for."""

    def __init__(self, visitor: Visitor) -> None:
        super().__init__()
        visitor.page.on("response", self._heard)

    def _heard(self, response: Response) -> None:
        if response.status in (401, 403) and "/access/session" not in response.url:
            self.append(f"{response.status} {response.request.method} {response.url}")


def test_somebody_with_one_machine_sees_and_uses_only_that(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    refused = Refusals(visitor)
    visitor.log_in("mira", PASSWORD, path="/guests")
    expect(visitor.row("web-1")).to_be_visible()
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(2)  # with the header
    tree = page.get_by_role("tree")
    expect(tree.get_by_role("treeitem").filter(has_text="web-1")).to_be_visible()
    expect(tree.get_by_role("treeitem").filter(has_text="db-1")).to_have_count(0)
    expect(page.get_by_role("main").get_by_role("button", name="Create VM")).to_have_count(0)

    page.keyboard.press("Control+k")
    search = visitor.dialog("Search")
    search.get_by_role("combobox").fill("db-1")
    expect(search.get_by_role("option").filter(has_text="db-1")).to_have_count(0)
    search.get_by_role("combobox").fill("web-1")
    search.get_by_role("option").filter(has_text="web-1").first.click()

    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Shut down")).to_be_visible()
    page.get_by_role("button", name="More power actions").click()
    page.get_by_role("menuitem", name="Stop").click()
    visitor.dialog("Stop: web-1").get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()

    page.get_by_role("button", name="More", exact=True).click()
    expect(page.get_by_role("menuitem", name="Copy VM ID")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Delete")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Edit notes")).to_have_count(0)
    visitor.go(f"/guests/{VMID}/hardware")
    visitor.settle()
    visitor.look()
    # Its CD is a user's to change, and nothing else of its hardware.
    page.get_by_role("button", name="Add device").click()
    expect(page.get_by_role("menuitem", name="CD drive")).to_be_visible()
    for name in ("Disk", "Network device", "PCI device", "EFI disk"):
        expect(page.get_by_role("menuitem", name=name, exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    assert refused == []


def test_what_is_not_for_somebody_is_said_calmly(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    refused = Refusals(visitor)
    visitor.log_in("mira", PASSWORD, path="/guests/100")
    expect(page.get_by_text("There is no guest 100")).to_be_visible()
    expect(page.get_by_text("It was deleted, or you have no right to see it.")).to_be_visible()
    for path in ("/", "/nodes", "/storage", "/pools", "/tasks", "/history", "/access/users", "/datacenter/options"):
        visitor.go(path)
        assert not (faults := visitor.faults()), "\n".join(faults)
        expect(page.get_by_text("That did not work")).to_have_count(0)
    assert refused == []


def test_an_auditor_looks_at_everything_and_changes_nothing(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    refused = Refusals(visitor)
    visitor.log_in("alan", PASSWORD, path="/guests")
    expect(page.get_by_role("grid").get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("main").get_by_role("button", name="Create VM")).to_have_count(0)
    visitor.go(f"/guests/{VMID}/hardware")
    expect(page.get_by_role("main")).to_contain_text("Memory")
    for name in ("Start", "Add device", "Edit notes"):
        expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
    visitor.go("/access/users")
    expect(visitor.row("mira@pve")).to_be_visible()
    expect(page.get_by_role("button", name="Add user")).to_have_count(0)
    page.get_by_role("button", name="Actions of mira@pve").click()
    expect(page.get_by_role("menuitem", name="Remove")).to_be_disabled()
    page.keyboard.press("Escape")
    assert refused == []


def test_why_somebody_may_do_something_is_told(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path=f"/access/effective?who=mira@pve&path=/vms/{VMID}")
    expect(page.get_by_role("heading", name=f"What mira@pve may do on /vms/{VMID}")).to_be_visible()
    row = visitor.row("VM.PowerMgmt")
    expect(row).to_contain_text("Start, stop, reset and suspend a guest")
    expect(row).to_contain_text(f"PVEVMUser on /vms/{VMID} for group users-of-web")
    expect(visitor.row("VM.Allocate")).to_have_count(0)
    visitor.look()
