"""The cookie of a session on the wire: what browsers are told to keep, which cookie counts, who may log in."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from aiohttp import hdrs

from corral.access.tickets import LIFETIME
from corral.api import access
from corral.daemons import http
from corral.rest.call import Session
from tests.api import ADMIN, ADMIN_PASSWORD
from tests.unit.daemons.wires import Answer, Wire, drive, serving

URL = "/api2/json/access/session"
LOGIN = f"username={ADMIN}&password={quote(ADMIN_PASSWORD)}"


def cookie_of(answer: Answer) -> tuple[str, list[str]]:
    """The ticket, and the attributes of its cookie."""
    first, *words = answer.headers["set-cookie"].split("; ")
    assert answer.headers["cache-control"] == "no-store"
    name, _, value = first.partition("=")
    assert name == "__Host-PVEAuthCookie"
    assert quote(unquote(value), safe="") == value
    return unquote(value), words


async def login(wire: Wire, more: str = "", **headers: str) -> Answer:
    return await wire.form("POST", URL, LOGIN + more, **headers)


def test_a_log_in_is_kept_out_of_reach_of_scripts_and_other_sites(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, local_root=False, endpoints=access.ENDPOINTS) as wire:
            answer = await login(wire)
            ticket, words = cookie_of(answer)
            assert ticket.startswith(f"PVE:{ADMIN}:")
            assert words == ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]
            assert b"PVE:" not in answer.body
            kept = await login(wire, "&remember=1")
            assert cookie_of(kept)[1] == [*words, f"Max-Age={int(LIFETIME)}"]

            cookie = {"Cookie": f"theme=dark; __Host-PVEAuthCookie={quote(ticket, safe='')}"}
            shown = await wire.send("GET", URL, headers=cookie)
            assert shown.data["username"] == ADMIN
            assert "set-cookie" not in shown.headers
            token = {"CSRFPreventionToken": shown.data["CSRFPreventionToken"]}
            assert cookie_of(await wire.send("PUT", URL, headers={**cookie, **token}))[0].startswith(f"PVE:{ADMIN}:")
            without = await wire.send("PUT", URL, headers=cookie)
            assert (without.status, without.reason) == (401, "Permission denied - invalid csrf token")
            assert "set-cookie" not in without.headers

            gone = await wire.send("DELETE", URL)
            assert cookie_of(gone) == ("", [*words, "Max-Age=0"])

    drive(work())


def test_a_cookie_that_others_can_set_does_not_beat_ours(tmp_path: Path) -> None:
    """Cookies know no ports, and one without the prefix may come from plain HTTP."""

    async def work() -> None:
        async with serving(tmp_path, local_root=False, endpoints=access.ENDPOINTS) as wire:
            ours = quote(cookie_of(await login(wire))[0], safe="")
            for cookies in (
                f"PVEAuthCookie=planted; __Host-PVEAuthCookie={ours}",
                f"__Host-PVEAuthCookie={ours}; PVEAuthCookie=planted",
            ):
                assert (await wire.send("GET", "/api2/json/access/users", headers={"Cookie": cookies})).status == 200
                assert (await wire.send("GET", URL, headers={"Cookie": cookies})).data["username"] == ADMIN
            planted = {"Cookie": f"PVEAuthCookie={ours}"}
            assert (await wire.send("GET", "/api2/json/access/users", headers=planted)).status == 200, "as clients do"
            assert (await wire.send("GET", URL, headers=planted)).data is None, "but it makes no session"
            stale = {"Cookie": f"__Host-PVEAuthCookie=stale; PVEAuthCookie={ours}"}
            assert (await wire.send("GET", "/api2/json/access/users", headers=stale)).status == 401
            token = {"Cookie": f"__Host-PVEAuthCookie={ours}", "Authorization": "PVEAPIToken=admin@pve!no=thing"}
            assert (await wire.send("GET", "/api2/json/access/users", headers=token)).status == 401

    drive(work())


def test_to_learn_that_nobody_is_logged_in_takes_no_delay(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, local_root=False, delay=30, endpoints=access.ENDPOINTS) as wire:
            for headers in ({}, {"Cookie": "__Host-PVEAuthCookie=stale"}):
                answer = await wire.send("GET", URL, headers=headers)
                assert (answer.status, answer.body) == (200, b'{"data":null}')

    drive(work())


@pytest.mark.parametrize(
    ("headers", "foreign"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "https://node:8006"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "https://NODE:8006"}, False),
        ({"Origin": "http://node:8006"}, True),
        ({"Origin": "https://node:9090"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": ""}, True),
    ],
)
def test_a_browser_tells_whose_page_it_is(headers: dict[str, str], *, foreign: bool) -> None:
    assert http.is_foreign({hdrs.HOST: "node:8006", **headers}) == foreign


def test_a_form_on_another_site_logs_nobody_in(tmp_path: Path) -> None:
    async def work() -> None:
        async with serving(tmp_path, local_root=False, endpoints=access.ENDPOINTS) as wire:
            answer = await login(wire, Origin="https://evil.example")
            assert (answer.status, answer.headers.get("set-cookie")) == (403, None)
            answer = await login(wire, **{"Sec-Fetch-Site": "same-site"})
            assert (answer.status, answer.headers.get("set-cookie")) == (403, None)

    drive(work())


def test_a_ticket_can_write_no_attributes() -> None:
    assert http.set_cookie(Session("a; Domain=x\r\nb")).startswith("__Host-PVEAuthCookie=a%3B%20Domain%3Dx%0D%0Ab; ")
