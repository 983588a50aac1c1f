"""`/access/openid`: log-in by OpenID Connect, which no realm offers yet."""

from __future__ import annotations

from typing import Annotated, Any

from corral.app import Call
from corral.core.errors import Error, NotFound, Unauthorized
from corral.core.secret import Secret
from corral.rest import endpoint, never, world
from corral.schema.fields import doc, length, name
from corral.schema.types import Realm

_Redirect = Annotated[str, name("redirect-url"), length(0, 255), doc("Where the provider sends the browser back to.")]
_NEVER = never("realms of type 'openid' are not supported yet")


@endpoint("POST", "/access/openid/auth-url", allow=world("the first step of a log-in"), plan=_NEVER)
def auth_url(call: Call, realm: Realm, redirect_url: _Redirect) -> str:
    """Get the address at which an OpenID log-in begins: refused for now."""
    del redirect_url
    section = call.app.access.domains.realms.get(realm)
    if section is None:
        raise NotFound(f"domain '{realm}' does not exist")
    raise Error(f"realm '{realm}' is of type '{section.type}', not 'openid': log in with a password")


@endpoint("POST", "/access/openid/login", allow=world("the second step of a log-in"), plan=_NEVER)
def login(
    call: Call,
    state: Annotated[str, length(0, 1024), doc("What the provider sent back.")],
    code: Annotated[Secret, length(0, 4096), doc("What the provider sent back.")],
    redirect_url: _Redirect,
) -> dict[str, Any]:
    """Log in with the provider's answer: refused for now."""
    raise Unauthorized("authentication failure")


ENDPOINTS = (auth_url, login)
