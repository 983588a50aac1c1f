"""`Access`: who makes a request, whether a log-in is good, and what everybody may do."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from corral.access.domains import DOMAINS, Domains
from corral.access.keys import Keys, new_keys
from corral.access.names import ROOT_USER, identity, is_userid, local_name, realm_of
from corral.access.permissions import Rights
from corral.access.privileges import ADMINISTRATOR
from corral.access.realms import PLUGINS, Pam, Pve, Realm
from corral.access.records import USER_CONFIG, Grant, User, UserConfig
from corral.access.secrets import SHADOW, TOKENS, ShadowConfig, TokenConfig
from corral.access.throttle import Throttle
from corral.access.tickets import Tickets
from corral.core.clock import Clock
from corral.core.errors import Conflict, Error, Unauthorized
from corral.core.identity import ROOT, Identity
from corral.core.layout import Layout
from corral.core.secret import Secret
from corral.store.base import Cause, RecordClass, Store, Transaction, Tree, Write
from corral.system.files import atomic_write, ensure_dir

log = logging.getLogger(__name__)

FIRST_ADMIN: Final = "admin@pve"
LOGIN_REFUSED: Final = "authentication failure"
"""The one text for a refused log-in, whatever the cause."""

_REFUSED: Final = "Authentication failed!"
_MOST_TOKENS: Final = 4096


class Credentials(Protocol):
    """What a request brought to say who makes it (see `corral.rest.call`)."""

    @property
    def ticket(self) -> str | None:
        """The ticket, URL-decoded."""
        ...

    @property
    def csrf(self) -> str | None:
        """The token against request forgery."""
        ...

    @property
    def token(self) -> str | None:
        """`USER@REALM!TOKENID=SECRET`, URL-decoded, with what stood between `PVEAPIToken` and it."""
        ...

    @property
    def local_root(self) -> bool:
        """Whether the request came over the socket that only root may use."""
        ...

    @property
    def changing(self) -> bool:
        """Whether the CSRF token is demanded beside a ticket."""
        ...


class Login(NamedTuple):
    """A good log-in."""

    user: str
    ticket: str
    csrf: str
    expires: float
    """Unix seconds."""


class _Tokens(NamedTuple):
    """One version of `token.cfg`, and the texts that were found good by it."""

    version: tuple[int, int]
    config: TokenConfig
    good: dict[str, Identity]


class Access:
    """Authentication and privileges, read from `tree`.

    In `corral-api`, whose tree has no record of class root, `verify` and `rights` work; logging in and signing need
    `corrald`.
    """

    def __init__(self, tree: Tree, clock: Clock, *, realms: Sequence[Realm] | None = None) -> None:
        self._tree = tree
        self._clock = clock
        self._realms = {
            realm.kind: realm for realm in (realms if realms is not None else (Pam(), Pve(tree, clock=clock)))
        }
        self._throttle = Throttle(clock)
        self._rights: Rights | None = None
        self._tokens = _Tokens((-1, -1), TokenConfig(), {})
        self.tickets = Tickets(Keys(tree), clock)

    # --- who may do what -------------------------------------------------------------------------------------------

    @property
    def rights(self) -> Rights:
        """The privileges by the present `user.cfg`; compiled when it has changed."""
        revision = self._version(USER_CONFIG)
        found = self._rights
        if found is None or found.revision != revision:
            doc = self._tree.get(USER_CONFIG)
            found = self._rights = Rights(UserConfig.parse(doc.text if doc else ""), self._clock, revision)
        return found

    def _version(self, key: str) -> tuple[int, int]:
        doc = self._tree.get(key)
        return (self._tree.revision.era, doc.version if doc else 0)

    @property
    def users(self) -> UserConfig:
        """The present `user.cfg`."""
        return self.rights.config

    @property
    def domains(self) -> Domains:
        """The present `domains.cfg`."""
        doc = self._tree.get(DOMAINS)
        return Domains.parse(doc.text if doc else "", PLUGINS)

    def realm(self, name: str) -> Realm | None:
        """What checks the passwords of a realm; None if there is none of that name that works here."""
        section = self.domains.realms.get(name)
        return self._realms.get(section.type) if section else None

    # --- who is this -----------------------------------------------------------------------------------------------

    def verify(self, credentials: Credentials) -> Identity:
        """Who makes a request; `Unauthorized` if nobody may be told by its credentials."""
        if credentials.local_root:
            return ROOT
        if credentials.ticket:
            return self._by_ticket(credentials.ticket, credentials.csrf if credentials.changing else None, credentials)
        if credentials.token:
            return self._by_token(credentials.token)
        raise Unauthorized("No ticket")

    def _by_ticket(self, ticket: str, csrf: str | None, credentials: Credentials) -> Identity:
        who = Identity(self.tickets.check(ticket))
        if not self.rights.active(who):
            raise Unauthorized(_REFUSED)
        if credentials.changing:
            self.tickets.check_csrf(who.user, csrf or "")
        return who

    def _by_token(self, text: str) -> Identity:
        # Texts found good (hashed) need no second look while `token.cfg` stands: this is on the way of every request.
        version = self._version(TOKENS)
        state = self._tokens
        if state.version != version:
            doc = self._tree.get(TOKENS)
            state = self._tokens = _Tokens(version, TokenConfig.parse(doc.text if doc else ""), {})
        key = hashlib.sha256(text.encode(errors="replace")).hexdigest()
        who = state.good.get(key)
        if who is None:
            who = _token_identity(text, state.config)
            if len(state.good) < _MOST_TOKENS:
                state.good[key] = who
        if not self.rights.active(who):
            raise Unauthorized(_REFUSED)
        return who

    # --- logging in ------------------------------------------------------------------------------------------------

    def login(self, username: str, password: Secret, *, address: str = "") -> Login:
        """Check a password, or a ticket in its place, and answer a new ticket; `Unauthorized` for every cause.

        Blocks for as long as the realm takes, up to some seconds.
        """
        return self.issue(self.prove(username, password, address=address))

    def issue(self, user: str) -> Login:
        """A new ticket for somebody who is known to be `user`, by what only they can have."""
        return self._login(self.tickets.issue(user))

    def session(self, ticket: str) -> Login | None:
        """The log-in that a ticket stands for, with a new token against forgery; None if it is not good (any more)."""
        try:
            made = self._login(ticket)
        except Unauthorized:
            return None
        return made if self.rights.active(Identity(made.user)) else None

    def _login(self, ticket: str) -> Login:
        holder = self.tickets.holder(ticket)
        return Login(holder.user, ticket, self.tickets.issue_csrf(holder.user), holder.expires)

    def prove(self, username: str, password: Secret, *, address: str = "", ticket_too: bool = True) -> str:
        """The user, if the password is right, or (`ticket_too`) is a good ticket of the same user or of root@pam."""
        if ticket_too and self._ticket_speaks_for(password.reveal(), username):
            return username
        attempt = self._throttle.begin(username[:128], address)
        if attempt is None:
            log.warning("too many failed log-ins: %r from %s is refused unseen", username[:128], address or "here")
            raise Unauthorized(LOGIN_REFUSED)
        if not self._password_holds(username, password, address):
            log.warning("log-in refused: %r from %s", username[:128], address or "here")
            raise Unauthorized(LOGIN_REFUSED)
        attempt.succeeded()
        return username

    def _ticket_speaks_for(self, text: str, username: str) -> bool:
        if not text.startswith("PVE:"):
            return False
        try:
            holder = self.tickets.check(text)
        except Unauthorized:
            return False
        rights = self.rights
        return holder in (username, ROOT_USER) and all(rights.active(Identity(it)) for it in (holder, username))

    def _password_holds(self, username: str, password: Secret, address: str) -> bool:
        """Compare; what can't be right (no such user, realm, password) takes the time of a wrong password."""
        known = is_userid(username) and self.rights.active(Identity(username)) and bool(password)
        realm = self.realm(realm_of(username)) if is_userid(username) else None
        if realm is None:
            realm, known = self._realms[Pve.kind], False
        try:
            return realm.authenticate(local_name(username), password, address, known=known) and known
        except Error as exc:
            log.error("realm of %r can't check passwords: %s", username[:128], exc)
            return False


def _token_identity(text: str, config: TokenConfig) -> Identity:
    match = re.fullmatch(r"(\S+)=([^\s=]+)", text.strip().removeprefix("=").strip())
    if match is None or len(text) > 1024:
        raise Unauthorized(_REFUSED)
    who = identity(match[1])
    right = config.matches(match[1], match[2])
    if who is None or who.token is None or not right:
        raise Unauthorized(_REFUSED)
    return who


def rotate_keys(store: Store, clock: Clock) -> bool:
    """Make missing keys, and turn the signing key once it is a day old. For `corrald`'s start and its timer.

    True if anything was written. Harmless when called often or by several nodes at once.
    """
    writes = new_keys(store, clock.now())
    if not writes:
        return False
    try:
        store.commit(Transaction(cause=Cause(who=ROOT.full, why="turn of the signing key"), writes=writes))
    except Conflict:
        return False
    return True


def bootstrap(store: Store, clock: Clock, layout: Layout, password: Secret | None, realm: Pve) -> Secret | None:
    """At the first start of a cluster: make root@pam known and the administrator admin@pve, and all keys.

    With `password` None or empty a random one is made, kept in `layout.admin_password` (0600) and answered: it is to be
    shown once. Does nothing but `rotate_keys` where `user.cfg` exists.
    """
    rotate_keys(store, clock)
    if store.get(USER_CONFIG) is not None:
        return None
    made = None if password else Secret(secrets.token_urlsafe(15))
    if made is not None:
        # Before the commit: a node that dies between the two makes another password at its next start.
        ensure_dir(layout.etc)
        atomic_write(layout.admin_password, f"{made.reveal()}\n", mode=0o600)
    chosen = made or password
    assert chosen is not None
    config = (
        UserConfig()
        .with_user(User(userid=ROOT_USER))
        .with_user(User(userid=FIRST_ADMIN, comment="First administrator"))
        .with_grants([Grant("/", FIRST_ADMIN, ADMINISTRATOR)], propagate=True)
    )
    shadow = ShadowConfig().with_hash(local_name(FIRST_ADMIN), realm.hash(chosen, secrets.token_bytes(16)))
    writes = (
        Write(key=USER_CONFIG, text=str(config), expect=0, cls=RecordClass.API),
        Write(key=SHADOW, text=str(shadow), cls=RecordClass.ROOT),
        Write(key=TOKENS, text="", cls=RecordClass.API),
    )
    store.commit(Transaction(cause=Cause(who=ROOT.full, why="first start"), writes=writes))
    return made


def random_salt() -> str:
    """A salt for a password's hash, as a text that can be drawn while planning."""
    return base64.b64encode(secrets.token_bytes(16)).decode()
