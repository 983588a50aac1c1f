"""`/access/session`: a log-in whose ticket only the browser's cookie jar ever holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from corral.access.tickets import LIFETIME
from corral.api import access
from corral.rest.call import Credentials, Reply, Session
from corral.system.fakes import FakeClock
from tests.api import ADMIN, ADMIN_PASSWORD, Client, make_app, wire


@pytest.fixture
def root(tmp_path: Path, clock: FakeClock) -> Client:
    return Client.of(make_app(tmp_path, clock=clock), access.ENDPOINTS)


@pytest.fixture
def anybody(root: Client) -> Client:
    return root.using(Credentials(address="192.0.2.7"))


@pytest.fixture
def admin(anybody: Client) -> Client:
    return browser(anybody, anybody.send("POST", "/access/session", {"username": ADMIN, "password": ADMIN_PASSWORD}))


def browser(anybody: Client, reply: Reply) -> Client:
    """What a browser is after an answer: it has the cookie, and its page the token against forgery."""
    assert reply.session is not None, reply
    csrf = wire(reply)["data"]["CSRFPreventionToken"]
    return anybody.using(Credentials(ticket=reply.session.ticket, session=True, csrf=csrf))


@pytest.mark.exercises("POST /access/session", "username", "password", "realm", "remember")
def test_a_log_in_puts_the_ticket_into_the_cookie_alone(anybody: Client, clock: FakeClock) -> None:
    reply = anybody.send("POST", "/access/session", {"username": "admin", "realm": "pve", "password": ADMIN_PASSWORD})
    assert reply.session is not None
    assert reply.session.ticket.startswith(f"PVE:{ADMIN}:")
    assert reply.session.lifetime is None
    assert reply.session.ticket not in repr(reply)
    data = wire(reply)["data"]
    assert sorted(data) == ["CSRFPreventionToken", "cap", "expires", "username"]
    assert data["username"] == ADMIN
    assert data["cap"]["vms"]["VM.Allocate"] == 1
    assert data["expires"] == int(clock.now()) + LIFETIME
    kept = anybody.send("POST", "/access/session", {"username": ADMIN, "password": ADMIN_PASSWORD, "remember": 1})
    assert kept.session is not None
    assert kept.session.lifetime == LIFETIME


@pytest.mark.exercises("POST /access/session", "username", "password", "realm", "tfa-challenge", refused=True)
def test_a_refused_log_in_sets_no_cookie(anybody: Client) -> None:
    for params in (
        {"username": ADMIN, "password": "wrong"},
        {"username": "nobody@pve", "password": ADMIN_PASSWORD},
        {"username": "admin", "realm": "pve", "password": "wrong"},
        {"username": ADMIN, "password": ADMIN_PASSWORD, "tfa-challenge": "x"},
    ):
        reply = anybody.send("POST", "/access/session", params)
        assert (reply.status, reply.message) == (401, "authentication failure\n")
        assert reply.session is None


@pytest.mark.exercises("POST /access/session", refused=True)
def test_a_page_of_another_origin_can_log_nobody_in(anybody: Client) -> None:
    foreign = anybody.using(Credentials(foreign=True))
    reply = foreign.refused("POST", "/access/session", username=ADMIN, password=ADMIN_PASSWORD)
    assert reply.status == 403
    assert reply.session is None


@pytest.mark.exercises("GET /access/session")
def test_a_page_learns_who_is_logged_in(admin: Client, clock: FakeClock) -> None:
    begun = int(clock.now())
    clock.advance(60)
    reply = admin.send("GET", "/access/session")
    data = wire(reply)["data"]
    assert (data["username"], data["expires"]) == (ADMIN, begun + LIFETIME)
    assert reply.session is None, "the cookie stays as it is"
    again = replace(admin.credentials, csrf=data["CSRFPreventionToken"])
    admin.using(again).put("/access/session")


@pytest.mark.exercises("GET /access/session")
def test_that_nobody_is_logged_in_is_no_error(root: Client, admin: Client, clock: FakeClock) -> None:
    ticket = admin.credentials.ticket
    for credentials in (
        Credentials(),
        Credentials(local_root=True),
        Credentials(ticket="nonsense", session=True),
        Credentials(ticket=ticket),  # not in the cookie that only we can have set
        Credentials(token="admin@pve!ci=secret"),
    ):
        assert root.using(credentials).get("/access/session") is None
    root.put(f"/access/users/{ADMIN}", enable=0)
    assert admin.get("/access/session") is None
    root.put(f"/access/users/{ADMIN}", enable=1)
    assert admin.get("/access/session")
    clock.advance(LIFETIME)
    assert admin.get("/access/session") is None


@pytest.mark.exercises("PUT /access/session", "remember")
def test_a_log_in_is_renewed_without_a_password(root: Client, anybody: Client, clock: FakeClock) -> None:
    root.post("/access/users", userid="joe@pve", password="joes-password")
    joe = browser(
        anybody, anybody.send("POST", "/access/session", {"username": "joe@pve", "password": "joes-password"})
    )
    for remember in (False, True, False):
        clock.advance(LIFETIME - 10)
        reply = joe.send("PUT", "/access/session", {"remember": int(remember)})
        assert reply.session is not None
        assert reply.session.lifetime == (LIFETIME if remember else None)
        assert reply.session.ticket != joe.credentials.ticket
        assert wire(reply)["data"]["expires"] == int(clock.now()) + LIFETIME
        joe = browser(anybody, reply)
    clock.advance(LIFETIME)
    assert joe.refused("PUT", "/access/session").status == 401


@pytest.mark.exercises("PUT /access/session", refused=True)
def test_only_the_cookie_with_its_token_renews(root: Client, admin: Client) -> None:
    good = admin.credentials
    for credentials in (
        replace(good, csrf=None),
        replace(good, csrf="00000000:AAAA"),
        replace(good, session=False),
        replace(good, ticket=None, session=False),
        Credentials(local_root=True),
    ):
        reply = root.using(credentials).refused("PUT", "/access/session")
        assert (reply.status, reply.session) == (401, None)
    secret = root.post(f"/access/users/{ADMIN}/token/ci", privsep=0)["value"]
    assert root.by_token(f"{ADMIN}!ci", secret).refused("PUT", "/access/session").status == 403


@pytest.mark.exercises("DELETE /access/session")
def test_anybody_can_log_out(admin: Client, anybody: Client) -> None:
    for client in (admin, anybody, anybody.using(Credentials(ticket="nonsense", session=True))):
        reply = client.send("DELETE", "/access/session")
        assert (reply.status, reply.data, reply.session) == (200, None, Session(""))
