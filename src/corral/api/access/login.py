"""`/access/ticket`, `/access/vncticket` and `/access/password`."""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec

from corral.access.names import ROOT_USER, identity, local_name, realm_of
from corral.access.permissions import Rights
from corral.access.privileges import PERMISSIONS_MODIFY, normalize_path
from corral.access.service import LOGIN_REFUSED, Login, random_salt
from corral.api.access.edit import change, need_user, refuse_lesser_hands, write_shadow
from corral.api.access.types import Privileges
from corral.app import Call
from corral.core.errors import NotFound, ParamError, Unauthorized
from corral.core.identity import Identity
from corral.core.secret import Secret
from corral.rest import all_of, any_of, endpoint, never, user_group, user_param, world
from corral.schema.fields import doc, length, name, requires
from corral.schema.types import Realm, UserId

_SELF_OR_KEEPER = any_of(user_param("self"), all_of(user_param("Realm.AllocateUser"), user_group("User.Modify")))
_Path = Annotated[str, length(0, 64), doc("Only verify: the ACL path on which `privs` are needed.")]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in. `cap` is what the user may do, by area: privilege → 1."""

    username: str
    cap: dict[str, dict[str, int]]
    ticket: str | None = None
    csrf: Annotated[str | None, name("CSRFPreventionToken")] = None


@endpoint("GET", "/access/ticket", allow=world("does nothing; log-in pages probe it"))
def probe(call: Call) -> None:
    """Do nothing."""


@endpoint(
    "POST",
    "/access/ticket",
    allow=world("this is how one logs in"),
    pool="login",
    tokens=False,
    plan=never("logging in changes nothing"),
)
def login(
    call: Call,
    username: Annotated[str, length(1, 64), doc("User, `name@realm`, or the name alone beside `realm`.")],
    password: Annotated[Secret, doc("The password, or a valid ticket of the user or of root@pam.")],
    *,
    realm: Realm | None = None,
    path: Annotated[_Path, requires("privs")] | None = None,
    privs: Annotated[Privileges, requires("path"), length(0, 64)] | None = None,
    otp: Annotated[Secret, doc("One-time password; not needed, since no second factor can be set up yet.")]
    | None = None,
    tfa_challenge: Annotated[str, name("tfa-challenge"), doc("The challenge that `password` responds to.")]
    | None = None,
    new_format: Annotated[bool, name("new-format"), doc("Without effect: there is only one format.")] = True,
) -> Ticket:
    """Create or verify an authentication ticket."""
    del otp, new_format  # nobody has a second factor; there is one format
    user = f"{username}@{realm}" if realm else username
    rights = call.app.access.rights
    if tfa_challenge is None and path is not None and privs is not None:
        _verify(call, user, password, path, privs)
        return Ticket(username=user, cap=capabilities(rights, Identity(user)))
    made = log_in(call, user, password, tfa_challenge)
    return Ticket(
        username=made.user,
        ticket=made.ticket,
        csrf=made.csrf,
        cap=capabilities(rights, Identity(made.user)),
    )


def log_in(call: Call, user: str, password: Secret, tfa_challenge: str | None) -> Login:
    """A new ticket for the right password or ticket; `Unauthorized` for every cause."""
    if tfa_challenge is not None:
        raise Unauthorized(LOGIN_REFUSED)
    made = call.app.access.login(user, password, address=call.address)
    _renew_hash(call, made.user, password)
    return made


def _renew_hash(call: Call, user: str, password: Secret) -> None:
    """After a log-in: replace a hash that was imported, or made at another cost. Happens once a password."""
    realm, name = call.app.access.realm(realm_of(user)), local_name(user)
    if realm is None or not realm.outdated(name):
        return
    # What was given may have been a ticket.
    if realm.authenticate(name, password, call.address, known=True):
        digest = realm.hash(password, base64.b64decode(random_salt()))
        change(call, lambda tree: [write_shadow(tree, lambda it: it.with_hash(name, digest))])


def _verify(call: Call, user: str, password: Secret, path: str, privs: tuple[str, ...]) -> None:
    """`Unauthorized` unless the password, ticket or console ticket is good and the user has all of `privs`."""
    access = call.app.access
    normal = normalize_path(path)
    if normal is None or not privs:
        raise Unauthorized(LOGIN_REFUSED)
    if not _opens_console(call, Identity(user), password.reveal(), normal):
        access.prove(user, password, address=call.address)
    if not access.rights.privileges(Identity(user), normal).issuperset(privs):
        raise Unauthorized(LOGIN_REFUSED)


def _opens_console(call: Call, who: Identity, ticket: str, path: str, port: int | None = None) -> bool:
    try:
        call.app.access.tickets.check_console(ticket, who.full, path, port)
    except Unauthorized:
        return False
    return call.app.access.rights.active(who)


@endpoint(
    "POST",
    "/access/vncticket",
    allow=world("the ticket itself is the credential"),
    plan=never("verifying changes nothing"),
)
def verify_console_ticket(
    call: Call,
    authid: Annotated[str, length(1, 64), doc("User or full token ID that the ticket was made for.")],
    vncticket: Annotated[str, length(1, 1024), doc("The ticket.")],
    path: Annotated[str, length(1, 64), doc("The ACL path that it was made for.")],
    privs: Annotated[Privileges, length(1, 64)],
    *,
    port: Annotated[int, doc("The port that it was made for.")] | None = None,
) -> None:
    """Verify a console's ticket."""
    who, normal = identity(authid), normalize_path(path)
    if who is None or normal is None or not privs or not _opens_console(call, who, vncticket, normal, port):
        raise Unauthorized(LOGIN_REFUSED)
    if not call.app.access.rights.privileges(who, normal).issuperset(privs):
        raise Unauthorized(LOGIN_REFUSED)


_AREAS = {
    "access": ("User.", "Group.", PERMISSIONS_MODIFY),
    "dc": ("Sys.Audit", "Sys.Modify", "SDN."),
    "mapping": ("Mapping.", PERMISSIONS_MODIFY),
    "nodes": ("Sys.", PERMISSIONS_MODIFY),
    "sdn": ("SDN.", PERMISSIONS_MODIFY),
    "storage": ("Datastore.", PERMISSIONS_MODIFY),
    "vms": ("VM.", PERMISSIONS_MODIFY),
}
_PROBED = ("/", "/access/groups", "/mapping", "/nodes", "/sdn", "/storage", "/vms")


def capabilities(rights: Rights, who: Identity) -> dict[str, dict[str, int]]:
    """What a user may do somewhere, by area: enough for a user interface to hide what can't work."""
    found: dict[str, dict[str, int]] = {area: {} for area in _AREAS}
    for path in sorted({*_PROBED, *rights.paths()}):
        top = path.split("/")[1]
        areas = {"": ("dc",), "pool": ("vms", "storage")}.get(top, (top,))
        held = rights.privileges(who, path)
        for area in areas:
            wanted = tuple(word for word in _AREAS.get(area, ()) if top != "pool" or word != PERMISSIONS_MODIFY)
            found.get(area, {}).update({priv: 1 for priv in sorted(held) if wanted and priv.startswith(wanted)})
    return found


@endpoint(
    "PUT",
    "/access/password",
    allow=_SELF_OR_KEEPER,
    pool="login",
    tokens=False,
    example={"userid": "joe@pve", "password": "a better password"},
)
def change_password(
    call: Call,
    userid: UserId,
    password: Annotated[Secret, length(8, 64), doc("The new password.")],
    *,
    confirmation_password: Annotated[
        Secret,
        name("confirmation-password"),
        length(5, 64),
        doc("The caller's own present password; root@pam may leave it out."),
    ]
    | None = None,
) -> None:
    """Change a user's password."""
    need_user(call.app.access.users, userid)
    if userid == ROOT_USER:
        refuse_lesser_hands(call, userid)
    _confirm(call, confirmation_password)
    realm = call.app.access.realm(realm_of(userid))
    if realm is None:
        raise NotFound(f"domain '{realm_of(userid)}' does not exist")
    digest = realm.hash(password, base64.b64decode(call.draws.draw("salt", random_salt)))
    change(call, lambda tree: [write_shadow(tree, lambda it: it.with_hash(local_name(userid), digest))])


def _confirm(call: Call, given: Secret | None) -> None:
    """A stolen ticket must not be enough to change a password for good."""
    if call.who.is_root:
        return
    if given is None:
        raise ParamError({"confirmation-password": "the caller's own password is required"})
    call.app.access.prove(call.who.user, given, address=call.address, ticket_too=False)


ENDPOINTS = (probe, login, verify_console_ticket, change_password)
