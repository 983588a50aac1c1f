"""Users and what they may do, made, changed and removed in the browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.lab.node import ApiError, Node
from tests.web.browser import Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PASSWORD = "a good password"


def other_of(node: Node) -> Node:
    """Somebody else who calls the same node."""
    other = Node(node.root)
    other.port = node.port
    return other


def test_a_user_is_made_logs_in_and_is_shut_out(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/access/users")
    page.get_by_role("button", name="Add user").click()
    dialog = visitor.dialog("Add user")
    dialog.get_by_label("User name").fill("mira")
    dialog.get_by_label("Password", exact=True).fill(PASSWORD)
    dialog.get_by_label("Password again").fill("another one")
    dialog.get_by_label("First name").fill("Mira")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_contain_text("The two passwords are not the same.")
    dialog.get_by_label("Password again").fill(PASSWORD)
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_be_hidden()
    expect(visitor.row("mira@pve")).to_contain_text("enabled")

    other = visit()
    other.log_in("mira", PASSWORD)
    expect(other.page.get_by_role("button", name="Account of mira@pve")).to_be_visible()

    visitor.choose("mira@pve", "Disable")
    visitor.dialog("Disable mira@pve").get_by_role("button", name="Disable").click()
    expect(visitor.row("mira@pve")).to_contain_text("disabled")
    with pytest.raises(ApiError):
        other_of(node).login("mira@pve", PASSWORD)

    visitor.choose("mira@pve", "Remove")
    visitor.dialog("Remove mira@pve").get_by_role("button", name="Remove").click()
    expect(visitor.row("mira@pve")).to_have_count(0)
    assert "mira@pve" not in {user["userid"] for user in node.call("GET", "/access/users")}


def test_a_group_gets_members_and_a_role_of_its_own(visit: Callable[..., Visitor], node: Node) -> None:
    node.call("POST", "/access/users", userid="joe@pve")
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/access/groups")
    page.get_by_role("button", name="Add group").first.click()
    dialog = visitor.dialog("Add group")
    dialog.get_by_label("Group").fill("operators")
    dialog.get_by_label("Comment").fill("Start and stop")
    dialog.get_by_role("button", name="Create").click()
    expect(visitor.row("operators")).to_contain_text("Start and stop")
    visitor.choose("operators", "Members")
    members = visitor.dialog("Members of operators")
    visitor.pick(members.get_by_role("combobox", name="Add a user"), "joe@pve")
    visitor.dialog("Add joe@pve to operators").get_by_role("button", name="Add").click()
    expect(members.get_by_role("button", name="Take joe@pve out of operators")).to_be_visible()
    members.get_by_role("button", name="Close").click()
    expect(members).to_be_hidden()

    page.get_by_role("tab", name="Roles", exact=True).click()
    page.get_by_role("button", name="Add role").click()
    role = visitor.dialog("Add role")
    role.get_by_label("Role").fill("Switch")
    role.get_by_label("Find a privilege").fill("PowerMgmt")
    role.get_by_role("checkbox", name="VM.PowerMgmt").check()
    role.get_by_role("button", name="Create").click()
    expect(visitor.row("Switch")).to_contain_text("VM.PowerMgmt")

    page.get_by_role("tab", name="Permissions", exact=True).click()
    page.get_by_role("button", name="Add permission").first.click()
    grant = visitor.dialog("Add permission")
    grant.get_by_role("combobox", name="Path").fill("/vms")
    page.keyboard.press("Escape")
    visitor.pick(grant.get_by_role("combobox", name="Who"), "operators")
    page.keyboard.press("Escape")
    visitor.pick(grant.get_by_role("combobox", name="Role"), "Switch")
    grant.get_by_role("button", name="Review").click()
    expect(grant.get_by_role("region", name="Plan")).to_contain_text("/vms")
    grant.get_by_role("button", name="Add").click()
    expect(grant).to_be_hidden()
    expect(visitor.row("/vms")).to_contain_text("operators")
    held = node.call("GET", "/access/permissions", userid="joe@pve", path="/vms/100")
    assert held["/vms/100"] == {"VM.PowerMgmt": 1}

    visitor.choose("/vms operators Switch", "Remove")
    visitor.dialog("Remove permission").get_by_role("button", name="Remove").click()
    expect(visitor.row("operators")).to_have_count(0)
    assert node.call("GET", "/access/permissions", userid="joe@pve", path="/vms/100")["/vms/100"] == {}


def test_the_secret_of_a_token_is_shown_once(visit: Callable[..., Visitor], node: Node) -> None:
    visitor = visit()
    page = visitor.page
    visitor.log_in(path="/access/tokens")
    page.get_by_role("button", name="Add API token").first.click()
    dialog = visitor.dialog("Add API token")
    dialog.get_by_label("Name").fill("ci")
    dialog.get_by_role("switch", name="Privilege separation").uncheck()
    dialog.get_by_role("button", name="Create").click()
    secret_dialog = visitor.dialog("Secret of admin@pve!ci")
    secret = secret_dialog.get_by_label("Secret", exact=True).input_value()
    close = secret_dialog.get_by_role("button", name="Close")
    page.keyboard.press("Escape")
    expect(close).to_be_disabled()
    secret_dialog.get_by_label("I have stored the secret").check()
    close.click()
    expect(secret_dialog).to_be_hidden()
    expect(visitor.row("admin@pve!ci")).to_be_visible()
    page.reload()
    expect(visitor.row("admin@pve!ci")).to_be_visible()
    assert secret not in page.content()

    program = other_of(node)
    program.use_token("admin@pve!ci", secret)
    assert program.call("GET", "/access/users")
    visitor.choose("admin@pve!ci", "Remove")
    visitor.dialog("Remove API token admin@pve!ci").get_by_role("button", name="Remove").click()
    expect(visitor.row("admin@pve!ci")).to_have_count(0)
    with pytest.raises(ApiError) as refused:
        program.call("GET", "/access/users")
    assert refused.value.status == 401
