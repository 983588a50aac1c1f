"""Logging in and out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.browser import DESKTOP, PHONE, Screen, Visitor

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_page_is_usable_by_everyone(visit: Callable[..., Visitor], screen: Screen, theme: str) -> None:
    visitor = visit(screen=screen, theme=theme)
    visitor.page.goto("/")
    expect(visitor.page.get_by_role("button", name="Log in")).to_be_visible()
    visitor.look()


def test_the_ticket_is_out_of_reach_of_scripts_and_gone_after_logging_out(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    visitor.log_in()
    cookie = next(each for each in visitor.context.cookies() if "AuthCookie" in each.get("name", ""))
    assert [cookie["httpOnly"], cookie["secure"], cookie["sameSite"]] == [True, True, "Strict"]
    readable = visitor.page.evaluate("document.cookie + JSON.stringify([localStorage, sessionStorage])")
    assert "PVE:" not in readable


def test_a_wrong_password_is_said_calmly(visit: Callable[..., Visitor]) -> None:
    visitor = visit()
    page = visitor.page
    page.goto("/guests")
    page.get_by_label("User name").fill("admin@pve")
    page.locator("input[type=password]").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.locator("input[type=password]").fill("corral-test-password")
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#main")).to_be_visible()
    assert page.url.endswith("/guests"), "the page asked for is there after logging in"
