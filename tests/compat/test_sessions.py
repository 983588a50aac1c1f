"""A browser's session on a running node: the cookie through both daemons, and what is opened by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from urllib.parse import quote

import aiohttp
import pytest
import requests

from tests.lab.node import PASSWORD, Node

# The certificate is one that no public authority has signed.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
COOKIE = "__Host-PVEAuthCookie"
ATTRIBUTES = ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("sessions") / "root") as started:
        yield started


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """Keeps cookies as browsers do."""
    with requests.Session() as opened:
        opened.verify, opened.trust_env = False, False
        yield opened


def login(node: Node, browser: requests.Session, **more: object) -> requests.Response:
    body = {"username": "admin", "realm": "pve", "password": PASSWORD, **more}
    answer = browser.post(f"{node.base}/access/session", json=body)
    assert answer.status_code == 200, answer.text
    browser.headers["CSRFPreventionToken"] = answer.json()["data"]["CSRFPreventionToken"]
    return answer


@pytest.mark.exercises("POST /access/session", "username", "realm", "password", "remember")
@pytest.mark.exercises("GET /access/session")
@pytest.mark.exercises("PUT /access/session")
@pytest.mark.exercises("DELETE /access/session")
def test_a_browser_lives_by_its_cookie_from_log_in_to_log_out(node: Node, browser: requests.Session) -> None:
    url = f"{node.base}/access/session"
    begun = time.monotonic()
    assert browser.get(url).json() == {"data": None}
    assert time.monotonic() - begun < 2, "refused log-ins wait three seconds; this is none"

    answer = login(node, browser, remember=True)
    first, *words = answer.headers["Set-Cookie"].split("; ")
    assert first.startswith(f"{COOKIE}=PVE%3Aadmin%40pve%3A")
    assert words == [*ATTRIBUTES, "Max-Age=7200"]
    assert "PVE:" not in answer.text
    assert 7100 < answer.json()["data"]["expires"] - time.time() <= 7200

    assert browser.get(f"{node.base}/version").json()["data"]["version"]
    shown = browser.get(url).json()["data"]
    assert shown["username"] == "admin@pve"
    browser.post(f"{node.base}/pools", data={"poolid": "made"}).raise_for_status()

    old = browser.cookies[COOKIE]
    time.sleep(1.1)  # tickets of one second are the same
    renewed = browser.put(url)
    assert renewed.headers["Set-Cookie"].split("; ")[1:] == ATTRIBUTES
    assert browser.cookies[COOKIE] != old
    assert renewed.json()["data"]["expires"] > shown["expires"]
    browser.headers["CSRFPreventionToken"] = renewed.json()["data"]["CSRFPreventionToken"]
    browser.delete(f"{node.base}/pools", params={"poolid": "made"}).raise_for_status()

    browser.delete(url).raise_for_status()
    assert COOKIE not in browser.cookies
    assert browser.get(url).json() == {"data": None}
    assert browser.get(f"{node.base}/version").status_code == 401


@pytest.mark.exercises("POST /access/session", refused=True)
def test_what_another_page_could_make_a_browser_send_is_refused(node: Node, browser: requests.Session) -> None:
    login(node, browser)
    # A page can't set this header on a request to another origin, and the browser sets none of itself.
    del browser.headers["CSRFPreventionToken"]
    for method, path in (("PUT", "/access/session"), ("POST", "/pools"), ("DELETE", "/pools")):
        answer = browser.request(method, f"{node.base}{path}")
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (401, None)
    for headers in ({"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
        form = {"username": "admin@pve", "password": PASSWORD}
        answer = browser.post(f"{node.base}/access/session", data=form, headers=headers)
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (403, None)
    own = {"Origin": f"https://127.0.0.1:{node.port}"}
    form = {"username": "admin@pve", "password": PASSWORD}
    assert browser.post(f"{node.base}/access/session", data=form, headers=own).status_code == 200


def test_plain_http_never_sees_or_sets_the_cookie(node: Node, browser: requests.Session) -> None:
    login(node, browser)
    for method, status in (("GET", 301), ("POST", 308)):
        url = f"http://127.0.0.1:{node.port}/api2/json/access/session"
        answer = browser.request(method, url, allow_redirects=False)
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (status, None)
        assert "Cookie" not in answer.request.headers


def test_event_stream_and_shell_open_by_the_cookie(node: Node, browser: requests.Session) -> None:
    login(node, browser)
    with browser.get(f"{node.base}/cluster/events", stream=True, timeout=20) as events:
        assert events.headers["Content-Type"] == "text/event-stream"
        assert next(events.iter_lines()).startswith(b"event: ")
    opened = browser.post(f"{node.base}/nodes/{node.name}/termproxy").json()["data"]
    ticket = quote(opened["ticket"], safe="")
    url = f"{node.base}/nodes/{node.name}/vncwebsocket?port={opened['port']}&vncticket={ticket}"

    async def greet() -> bytes:
        headers = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.ws_connect(url, ssl=False, protocols=("binary",)) as socket,
            asyncio.timeout(20),
        ):
            await socket.send_str(f"{opened['user']}:{opened['ticket']}\n")
            return await socket.receive_bytes()

    assert asyncio.run(greet()) == b"OK"


def test_the_page_is_served_with_its_policy(node: Node, browser: requests.Session) -> None:
    top = f"https://127.0.0.1:{node.port}"
    for path in ("/", "/guests/100", "/?console=kvm&novnc=1&vmid=100&vmname=a&node=n1&resize=off&cmd="):
        page = browser.get(f"{top}{path}", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html;charset=UTF-8")
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    missing = browser.get(f"{top}/guests/100")
    assert (missing.status_code, missing.reason) == (500, "no such file '/guests/100'")
