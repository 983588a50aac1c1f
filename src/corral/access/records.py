"""`user.cfg`: users, tokens, groups, pools, roles and ACL entries, read from and printed to its line format.

    user:joe@pve:1:0:Joe:Doe:joe@example.com:comment::
    token:joe@pve!ci:0:1:comment:
    group:admins:joe@pve,root@pam:comment:
    pool:lab:comment:100,101:local:
    role:Operator:VM.Audit,VM.PowerMgmt:
    acl:1:/vms:@admins,joe@pve:PVEVMAdmin:

Values are immutable; every change answers a new `UserConfig`. Lines that are not understood are kept. Parsing never
raises, and a printed text reads back as an equal value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self, TypeVar
from urllib.parse import quote, unquote

import msgspec

from corral.access.names import (
    ROOT_USER,
    is_name,
    is_poolid,
    is_tokenid,
    is_userid,
    subject_kind,
)
from corral.access.privileges import BUILTIN_ROLES, normalize_path
from corral.schema.fields import split_list

USER_CONFIG: Final = "user.cfg"
"""Key of the record."""


class User(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user. `expire` in seconds since the epoch, 0 for never. `more` are fields of a later version, kept."""

    userid: str
    enable: bool = True
    expire: int = 0
    firstname: str = ""
    lastname: str = ""
    email: str = ""
    comment: str = ""
    keys: str = ""
    more: str = ""


class Token(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An API token; `id` is the full `name@realm!token`. `privsep`: it has only what its own ACL entries give."""

    id: str
    expire: int = 0
    privsep: bool = True
    comment: str = ""
    more: str = ""

    @property
    def user(self) -> str:
        """Whose token it is."""
        return self.id.partition("!")[0]

    @property
    def name(self) -> str:
        """Its name without the user."""
        return self.id.partition("!")[2]


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group and its members."""

    groupid: str
    members: frozenset[str] = frozenset()
    comment: str = ""
    more: str = ""


class Pool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pool of guests and storages. A guest is in at most one pool, a storage in any number."""

    poolid: str
    comment: str = ""
    vms: frozenset[int] = frozenset()
    storages: frozenset[str] = frozenset()
    more: str = ""

    @property
    def empty(self) -> bool:
        """Whether it has no members."""
        return not self.vms and not self.storages


class Role(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A role made by an administrator; `privs` may name privileges that this version does not know."""

    roleid: str
    privs: frozenset[str] = frozenset()
    more: str = ""


class Grant(NamedTuple):
    """What an ACL entry is about: `subject` is a user, a token or `@group`."""

    path: str
    subject: str
    role: str


class UserConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of `user.cfg`. `tokens` are keyed by their full id, `acl` maps each entry to whether it propagates."""

    users: dict[str, User] = {}
    tokens: dict[str, Token] = {}
    groups: dict[str, Group] = {}
    pools: dict[str, Pool] = {}
    roles: dict[str, Role] = {}
    acl: dict[Grant, bool] = {}
    kept: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text. Of two lines about one thing the first counts; dangling references are kept."""
        draft = _Draft()
        for line in text.split("\n"):
            draft.line(line)
        return cls(
            users=draft.users,
            tokens=draft.tokens,
            groups=draft.groups,
            pools=draft.pools,
            roles=draft.roles,
            acl=draft.acl,
            kept=tuple(draft.kept),
        )

    def __str__(self) -> str:
        blocks = (
            self._user_lines(),
            [_line("group", it.groupid, _join(it.members), _encode(it.comment), it.more) for it in _by_id(self.groups)],
            [
                _line("pool", it.poolid, _encode(it.comment), _join(it.vms), _join(it.storages), it.more)
                for it in _by_id(self.pools)
            ],
            [_line("role", it.roleid, _join(it.privs), it.more) for it in _by_id(self.roles)],
            self._acl_lines(),
            list(self.kept),
        )
        return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)

    def _user_lines(self) -> list[str]:
        tokens: dict[str, list[Token]] = {}
        for token in _by_id(self.tokens):
            tokens.setdefault(token.user, []).append(token)
        lines = []
        for it in _by_id(self.users):
            texts = (it.firstname, it.lastname, it.email, it.comment, it.keys)
            lines.append(_line("user", it.userid, _flag(it.enable), str(it.expire), *map(_encode, texts), it.more))
            lines += [_token_line(token) for token in tokens.pop(it.userid, [])]
        return lines + [_token_line(token) for dangling in tokens.values() for token in dangling]

    def _acl_lines(self) -> list[str]:
        roles: dict[tuple[str, bool, str], list[str]] = {}
        for grant, propagate in self.acl.items():
            roles.setdefault((grant.path, propagate, grant.subject), []).append(grant.role)
        subjects: dict[tuple[str, bool, str], list[str]] = {}
        for (path, propagate, subject), names in roles.items():
            subjects.setdefault((path, propagate, _join(names)), []).append(subject)
        return [
            _line("acl", _flag(propagate), path, _join(who), names, "")
            for (path, propagate, names), who in sorted(subjects.items())
        ]

    # --- reading ---------------------------------------------------------------------------------------------------

    def user(self, userid: str) -> User | None:
        """The user; root@pam is always there."""
        found = self.users.get(userid)
        return User(userid=ROOT_USER) if found is None and userid == ROOT_USER else found

    def groups_of(self, userid: str) -> frozenset[str]:
        """Names of the groups that the user is in."""
        return frozenset(name for name, group in self.groups.items() if userid in group.members)

    def tokens_of(self, userid: str) -> list[Token]:
        """The user's tokens, in order of their names."""
        return [self.tokens[key] for key in sorted(self.tokens) if self.tokens[key].user == userid]

    def role_privileges(self, roleid: str) -> frozenset[str] | None:
        """The privileges of a role, built in or not; None if there is none of that name."""
        if roleid in BUILTIN_ROLES:
            return BUILTIN_ROLES[roleid]
        found = self.roles.get(roleid)
        return found.privs if found else None

    def pool_of(self, vmid: int) -> str | None:
        """The pool that the guest is in."""
        return next((pool.poolid for pool in self.pools.values() if vmid in pool.vms), None)

    # --- changing --------------------------------------------------------------------------------------------------

    def with_user(self, user: User) -> UserConfig:
        """With this user, new or changed. A new one inherits nothing that still names an earlier one of its name."""
        fresh = self if user.userid in self.users or user.userid == ROOT_USER else self.without_user(user.userid)
        return msgspec.structs.replace(fresh, users={**fresh.users, user.userid: user})

    def without_user(self, userid: str) -> UserConfig:
        """Without the user, its tokens, its memberships and its ACL entries."""
        users = {key: user for key, user in self.users.items() if key != userid}
        tokens = {key: token for key, token in self.tokens.items() if token.user != userid}
        groups = {
            key: msgspec.structs.replace(group, members=group.members - {userid}) if userid in group.members else group
            for key, group in self.groups.items()
        }

        def gone(grant: Grant) -> bool:
            return grant.subject == userid or grant.subject.startswith(f"{userid}!")

        return msgspec.structs.replace(
            self,
            users=users,
            tokens=tokens,
            groups=groups,
            acl=self._acl_without(gone),
            kept=self._kept_without(userid),
        )

    def _kept_without(self, userid: str) -> tuple[str, ...]:
        # A line that some later version understands must not bring back what was deleted.
        return tuple(line for line in self.kept if not line.startswith((f"user:{userid}:", f"token:{userid}!")))

    def with_token(self, token: Token) -> UserConfig:
        """With this token, new or changed; a new one inherits no ACL entry of an earlier one."""
        fresh = self if token.id in self.tokens else self.without_token(token.id)
        return msgspec.structs.replace(fresh, tokens={**fresh.tokens, token.id: token})

    def without_token(self, tokenid: str) -> UserConfig:
        """Without the token and its ACL entries."""
        tokens = {key: token for key, token in self.tokens.items() if key != tokenid}
        return msgspec.structs.replace(self, tokens=tokens, acl=self._acl_without(lambda it: it.subject == tokenid))

    def with_group(self, group: Group) -> UserConfig:
        """With this group, new or changed; a new one inherits no ACL entry of an earlier one."""
        fresh = self if group.groupid in self.groups else self.without_group(group.groupid)
        return msgspec.structs.replace(fresh, groups={**fresh.groups, group.groupid: group})

    def without_group(self, groupid: str) -> UserConfig:
        """Without the group and its ACL entries."""
        groups = {key: group for key, group in self.groups.items() if key != groupid}
        return msgspec.structs.replace(
            self, groups=groups, acl=self._acl_without(lambda it: it.subject == f"@{groupid}")
        )

    def with_memberships(self, userid: str, groupids: Iterable[str]) -> UserConfig:
        """With the user in exactly these (existing) groups."""
        wanted = frozenset(groupids)
        groups = {
            key: msgspec.structs.replace(
                group, members=group.members | {userid} if key in wanted else group.members - {userid}
            )
            for key, group in self.groups.items()
        }
        return msgspec.structs.replace(self, groups=groups)

    def with_role(self, role: Role) -> UserConfig:
        """With this role, new or changed; a new one is not yet in any ACL entry."""
        fresh = self if role.roleid in self.roles else self.without_role(role.roleid)
        return msgspec.structs.replace(fresh, roles={**fresh.roles, role.roleid: role})

    def without_role(self, roleid: str) -> UserConfig:
        """Without the role and the ACL entries that give it."""
        roles = {key: role for key, role in self.roles.items() if key != roleid}
        return msgspec.structs.replace(self, roles=roles, acl=self._acl_without(lambda it: it.role == roleid))

    def with_pool(self, pool: Pool) -> UserConfig:
        """With this pool, new or changed. ACL entries on its path may be older than the pool: they count."""
        return msgspec.structs.replace(self, pools={**self.pools, pool.poolid: pool})

    def without_pool(self, poolid: str) -> UserConfig:
        """Without the pool and the ACL entries on it."""
        pools = {key: pool for key, pool in self.pools.items() if key != poolid}
        return msgspec.structs.replace(
            self, pools=pools, acl=self._acl_without(lambda it: it.path == f"/pool/{poolid}")
        )

    def with_guest_in(self, vmid: int, poolid: str | None) -> UserConfig:
        """With the guest in that pool alone, or in none."""
        pools = {
            key: msgspec.structs.replace(pool, vms=pool.vms | {vmid} if key == poolid else pool.vms - {vmid})
            for key, pool in self.pools.items()
        }
        return msgspec.structs.replace(self, pools=pools)

    def without_guest(self, vmid: int) -> UserConfig:
        """Without what names the guest: its pool membership and the ACL entries on it."""
        fresh = self.with_guest_in(vmid, None)
        return msgspec.structs.replace(fresh, acl=fresh._acl_without(lambda it: it.path == f"/vms/{vmid}"))

    def with_grants(self, grants: Iterable[Grant], *, propagate: bool) -> UserConfig:
        """With these ACL entries."""
        return msgspec.structs.replace(self, acl={**self.acl, **dict.fromkeys(grants, propagate)})

    def without_grants(self, grants: Iterable[Grant]) -> UserConfig:
        """Without these ACL entries; missing ones do not matter."""
        gone = frozenset(grants)
        return msgspec.structs.replace(self, acl=self._acl_without(gone.__contains__))

    def _acl_without(self, gone: Callable[[Grant], bool]) -> dict[Grant, bool]:
        return {grant: propagate for grant, propagate in self.acl.items() if not gone(grant)}


class _AclLine(NamedTuple):
    """An `acl:` line: its entries, and the same line about the subjects that are none."""

    entries: tuple[Grant, ...]
    propagate: bool
    strange: str


_Parsed = User | Token | Group | Pool | Role | _AclLine


class _Draft:
    """What has been read so far."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.groups: dict[str, Group] = {}
        self.pools: dict[str, Pool] = {}
        self.roles: dict[str, Role] = {}
        self.acl: dict[Grant, bool] = {}
        self.kept: list[str] = []
        self._pooled: set[int] = set()

    def line(self, line: str) -> None:
        """Read one line; keep it if it is not understood. A second line about the same thing does not count."""
        line = line.rstrip("\r")
        if not line.strip():
            return
        match _parsed(line):
            case None:
                self.kept.append(line)
            case User() as user:
                self.users.setdefault(user.userid, user)
            case Token() as token:
                self.tokens.setdefault(token.id, token)
            case Group() as group:
                self.groups.setdefault(group.groupid, group)
            case Pool() as pool:
                self._pool(pool)
            case Role() as role:
                self.roles.setdefault(role.roleid, role)
            case _AclLine(entries, propagate, strange):
                self.acl.update(dict.fromkeys(entries, propagate))
                if strange:
                    self.kept.append(strange)

    def _pool(self, pool: Pool) -> None:
        if pool.poolid not in self.pools:
            members = pool.vms - self._pooled
            self._pooled |= members
            self.pools[pool.poolid] = pool if members == pool.vms else msgspec.structs.replace(pool, vms=members)


@lru_cache(maxsize=16384)
def _parsed(line: str) -> _Parsed | None:
    """What one line says; None if it is not understood. Kept: of a long text mostly one line changes at a time."""
    kind, _, rest = line.partition(":")
    reader = _READERS.get(kind)
    return reader(rest.split(":")) if reader else None


def _user(fields: list[str]) -> User | None:
    (userid, enable, expire, *texts), more = _take(fields, 8)
    seconds = _seconds(expire)
    if not is_userid(userid) or seconds is None:
        return None
    first, last, email, comment, keys = map(_decode, texts)
    return User(
        userid=userid,
        enable=enable not in ("", "0"),
        expire=seconds,
        firstname=first,
        lastname=last,
        email=email,
        comment=comment,
        keys=keys,
        more=more,
    )


def _token(fields: list[str]) -> Token | None:
    (tokenid, expire, privsep, comment), more = _take(fields, 4)
    seconds = _seconds(expire)
    if not is_tokenid(tokenid) or seconds is None:
        return None
    return Token(id=tokenid, expire=seconds, privsep=privsep != "0", comment=_decode(comment), more=more)


def _group(fields: list[str]) -> Group | None:
    (groupid, members, comment), more = _take(fields, 3)
    if not is_name(groupid):
        return None
    found = frozenset(name for name in split_list(members) if is_userid(name))
    return Group(groupid=groupid, members=found, comment=_decode(comment), more=more)


def _pool(fields: list[str]) -> Pool | None:
    (poolid, comment, vms, storages), more = _take(fields, 4)
    if not is_poolid(poolid):
        return None
    found = frozenset(int(vmid) for vmid in split_list(vms) if vmid.isascii() and vmid.isdecimal() and len(vmid) < 10)
    stores = frozenset(name for name in split_list(storages) if is_name(name))
    return Pool(poolid=poolid, comment=_decode(comment), vms=found, storages=stores, more=more)


def _role(fields: list[str]) -> Role | None:
    (roleid, privs), more = _take(fields, 2)
    if not is_name(roleid) or roleid in BUILTIN_ROLES:
        return None
    return Role(roleid=roleid, privs=frozenset(priv for priv in split_list(privs) if is_name(priv)), more=more)


def _acl(fields: list[str]) -> _AclLine | None:
    (propagate, raw, subjects, roles), more = _take(fields, 4)
    path = normalize_path(raw)
    if path is None or not raw or more:
        return None
    every = split_list(subjects)
    strange = [name for name in every if subject_kind(name) is None]
    names = [role for role in split_list(roles) if is_name(role)]
    entries = tuple(Grant(path, subject, role) for subject in every if subject not in strange for role in names)
    left = _line("acl", propagate, raw, ",".join(strange), roles, "") if strange else ""
    return _AclLine(entries, propagate not in ("", "0"), left)


_READERS: Final[Mapping[str, Callable[[list[str]], _Parsed | None]]] = {
    "user": _user,
    "token": _token,
    "group": _group,
    "pool": _pool,
    "role": _role,
    "acl": _acl,
}


def _take(fields: list[str], count: int) -> tuple[list[str], str]:
    """`count` fields (missing ones are empty) and what follows them: one empty field for the colon at a line's end."""
    padded = fields + [""] * (count + 1 - len(fields))
    return padded[:count], ":".join(padded[count:])


def _seconds(text: str) -> int | None:
    if text == "":
        return 0
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _token_line(it: Token) -> str:
    return _line("token", it.id, str(it.expire), _flag(it.privsep), _encode(it.comment), it.more)


def _line(*fields: str) -> str:
    return ":".join(fields)


def _flag(value: bool) -> str:
    return "1" if value else "0"


def _join(items: Iterable[Any]) -> str:  # Any: texts or numbers
    return ",".join(str(item) for item in sorted(items))


T = TypeVar("T")


def _by_id(things: Mapping[str, T]) -> list[T]:
    return [things[key] for key in sorted(things)]


# Everything printable in ASCII but the separator and the escape itself stands for itself.
_SAFE: Final = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in "%:")


def _encode(text: str) -> str:
    return quote(text, safe=_SAFE, errors="replace")


def _decode(text: str) -> str:
    return unquote(text)
