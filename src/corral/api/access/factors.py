"""`/access/tfa` and what else concerns second factors: nobody can set one up yet, and these calls say so."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from corral.api.access.edit import need_user, refuse_lesser_hands
from corral.app import Call
from corral.core.errors import Error, NotFound
from corral.core.secret import Secret
from corral.rest import any_of, anyone, endpoint, never, user_group, user_param
from corral.schema.fields import doc, length, name
from corral.schema.types import UserId

_READ = any_of(user_param("self"), user_group("User.Modify", "Sys.Audit"))
_CHANGE = any_of(user_param("self"), user_group("User.Modify"))
_NEVER = never("second factors are not supported yet")

_EntryId = Annotated[str, doc("The entry's ID.")]
_Confirmation = Annotated[Secret, length(5, 64), doc("The caller's own password.")]


@endpoint("GET", "/access/tfa", allow=anyone("lists only users whom the caller may see"))
def index(call: Call) -> list[dict[str, Any]]:
    """List second factors of users: always empty."""
    return []


@endpoint("GET", "/access/tfa/{userid}", allow=_READ)
def entries(call: Call, userid: UserId) -> list[dict[str, Any]]:
    """List a user's second factors: always empty."""
    need_user(call.app.access.users, userid)
    return []


@endpoint("POST", "/access/tfa/{userid}", allow=_CHANGE, tokens=False, plan=_NEVER)
def add(
    call: Call,
    userid: UserId,
    type: Annotated[Literal["totp", "u2f", "webauthn", "recovery", "yubico"], doc("The kind of second factor.")],
    *,
    description: Annotated[str, length(0, 255), doc("Description.")] | None = None,
    totp: Annotated[Secret, doc("A TOTP URI.")] | None = None,
    value: Annotated[Secret, doc("The response to a challenge, or the first code.")] | None = None,
    challenge: Annotated[str, doc("The challenge that `value` responds to.")] | None = None,
    password: _Confirmation | None = None,
) -> None:
    """Add a second factor: refused for now."""
    del description, totp, value, challenge, password
    need_user(call.app.access.users, userid)
    raise Error(f"second factors are not supported yet: can't add '{type}' for user '{userid}'")


@endpoint("GET", "/access/tfa/{userid}/{id}", allow=_READ)
def entry(call: Call, userid: UserId, id: _EntryId) -> dict[str, Any]:
    """Get a second factor: there is none."""
    raise _missing(call, userid, id)


@endpoint("PUT", "/access/tfa/{userid}/{id}", allow=_CHANGE, tokens=False, plan=_NEVER)
def update(
    call: Call,
    userid: UserId,
    id: _EntryId,
    *,
    description: Annotated[str, length(0, 255), doc("Description.")] | None = None,
    enable: Annotated[bool, doc("Whether it may be used.")] | None = None,
    password: _Confirmation | None = None,
) -> None:
    """Change a second factor: there is none."""
    raise _missing(call, userid, id)


@endpoint("DELETE", "/access/tfa/{userid}/{id}", allow=_CHANGE, tokens=False, plan=_NEVER)
def delete(call: Call, userid: UserId, id: _EntryId, *, password: _Confirmation | None = None) -> None:
    """Delete a second factor: there is none."""
    raise _missing(call, userid, id)


@endpoint("GET", "/access/users/{userid}/tfa", allow=_READ)
def kinds(
    call: Call,
    userid: UserId,
    *,
    multiple: Annotated[bool, name("multiple"), doc("Answer the list `types`.")] = False,
) -> dict[str, Any]:
    """Get the kinds of a user's second factors: none."""
    need_user(call.app.access.users, userid)
    return {"types": []} if multiple else {}


@endpoint("PUT", "/access/users/{userid}/unlock-tfa", allow=user_group("User.Modify"), example={"userid": "joe@pve"})
def unlock(call: Call, userid: UserId) -> bool:
    """Unlock a user's second factors; answers whether they were locked, which they never are."""
    need_user(call.app.access.users, userid)
    refuse_lesser_hands(call, userid)
    return False


def _missing(call: Call, userid: str, entry_id: str) -> NotFound:
    need_user(call.app.access.users, userid)
    return NotFound(f"no such TFA entry '{entry_id}' of user '{userid}'")


ENDPOINTS = (index, entries, add, entry, update, delete, kinds, unlock)
