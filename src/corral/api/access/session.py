"""`/access/session`: a browser's log-in, whose ticket no script ever sees. Not part of the yardstick."""

from __future__ import annotations

from typing import Annotated

import msgspec

from corral.access.service import Login
from corral.access.tickets import LIFETIME
from corral.api.access.login import capabilities, log_in
from corral.app import Call
from corral.core.errors import Forbidden, Unauthorized
from corral.core.identity import Identity
from corral.core.secret import Secret
from corral.rest import anyone, endpoint, never, world
from corral.rest.call import Session
from corral.schema.fields import doc, length, name
from corral.schema.types import Realm

_Remember = Annotated[bool, doc("Keep the log-in when the browser ends, for as long as its ticket is good.")]


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who is logged in, and until when (Unix seconds). `cap` is what the user may do, by area: privilege → 1."""

    username: str
    cap: dict[str, dict[str, int]]
    csrf: Annotated[str, name("CSRFPreventionToken")]
    expires: int


@endpoint("GET", "/access/session", allow=world("a page asks whether anybody is logged in before it shows a log-in"))
def read(call: Call) -> LoggedIn | None:
    """Tell who is logged in by this browser's cookie; nothing if nobody is."""
    ticket = call.credentials.ticket if call.credentials.session else None
    made = call.app.access.session(ticket) if ticket else None
    return _shown(call, made) if made else None


@endpoint(
    "POST",
    "/access/session",
    allow=world("this is how one logs in"),
    pool="login",
    tokens=False,
    plan=never("logging in changes nothing"),
)
def create(
    call: Call,
    username: Annotated[str, length(1, 64), doc("User, `name@realm`, or the name alone beside `realm`.")],
    password: Annotated[Secret, doc("The password, or a valid ticket of the user or of root@pam.")],
    *,
    realm: Realm | None = None,
    tfa_challenge: Annotated[str, name("tfa-challenge"), doc("The challenge that `password` responds to.")]
    | None = None,
    remember: _Remember = False,
) -> LoggedIn:
    """Log in: the ticket comes in a cookie, not in the answer."""
    if call.credentials.foreign:
        raise Forbidden("logging in is refused to pages of another origin")  # they could make it their own user
    made = log_in(call, f"{username}@{realm}" if realm else username, password, tfa_challenge)
    return _kept(call, made, remember=remember)


@endpoint(
    "PUT",
    "/access/session",
    allow=anyone("a session is its user's own"),
    tokens=False,
    plan=never("renewing a log-in changes nothing"),
)
def renew(call: Call, *, remember: _Remember = False) -> LoggedIn:
    """Renew a log-in before it ends: a new ticket in the cookie, a new token against request forgery."""
    if not call.credentials.session:
        raise Unauthorized("No ticket")
    return _kept(call, call.app.access.issue(call.who.user), remember=remember)


@endpoint(
    "DELETE",
    "/access/session",
    allow=world("whoever has a cookie may lose it"),
    plan=never("logging out changes nothing"),
)
def delete(call: Call) -> None:
    """Log out: the browser drops its cookie."""
    call.session = Session("")


def _kept(call: Call, made: Login, *, remember: bool) -> LoggedIn:
    call.session = Session(made.ticket, LIFETIME if remember else None)
    return _shown(call, made)


def _shown(call: Call, made: Login) -> LoggedIn:
    cap = capabilities(call.app.access.rights, Identity(made.user))
    return LoggedIn(username=made.user, cap=cap, csrf=made.csrf, expires=int(made.expires))


ENDPOINTS = (read, create, renew, delete)
