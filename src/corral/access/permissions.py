"""Privileges: what the ACL entries of a `user.cfg` give to whom. Compiled once per version of the record.

From `/` down to the path asked for, the entries of a level replace what was inherited, if they yield a role: those of
the token or user itself, else those of its groups together. An entry that does not propagate yields only on the exact
path. `NoAccess` leaves nothing beside it. Roles on a pool count on its members too. A token with privilege separation
has what its own entries give, as far as its user has it; another token has what its user has. root@pam has all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from corral.access.privileges import NO_ACCESS, PRIVILEGES, normalize_path
from corral.access.records import UserConfig
from corral.core.clock import Clock
from corral.core.identity import Identity

Granted = Mapping[str, bool]
"""Privilege → whether it propagates to what lies below the path."""

_Roles = dict[str, bool]
_Entries = dict[str, _Roles]

_NOTHING: Final[Granted] = MappingProxyType({})
_EVERYTHING: Final[Granted] = MappingProxyType(dict.fromkeys(sorted(PRIVILEGES), True))
_EMPTY: Final[frozenset[str]] = frozenset()
_MOST_CACHED: Final = 300_000
"""Answers kept; paths come from requests, so there must be a bound."""
_LONGEST_CACHED: Final = 128
"""Longest path whose answer is kept: paths that mean something are short."""


class Rights:
    """The privileges of everybody, for one version of `user.cfg`. `revision` changes when any answer may have."""

    def __init__(self, config: UserConfig, clock: Clock, revision: tuple[int, int] = (0, 0)) -> None:
        self.config = config
        self.revision = revision
        self._clock = clock
        self._entries: dict[str, _Entries] = {}
        for grant, propagate in config.acl.items():
            if config.role_privileges(grant.role) is not None:
                self._entries.setdefault(grant.subject, {}).setdefault(grant.path, {})[grant.role] = propagate
        self._groups: dict[str, list[str]] = {}
        for name, group in config.groups.items():
            for member in group.members:
                self._groups.setdefault(member, []).append(name)
        self._pools: dict[str, list[str]] = {}
        for poolid, pool in config.pools.items():
            for member in (*(f"/vms/{vmid}" for vmid in pool.vms), *(f"/storage/{name}" for name in pool.storages)):
                self._pools.setdefault(member, []).append(f"/pool/{poolid}")
        self._by_groups: dict[str, _Entries] = {}
        self._passed_on: dict[tuple[str, str], _Roles] = {}
        self._held: dict[tuple[str, str], tuple[Granted, frozenset[str]]] = {}
        self._of_roles: dict[frozenset[tuple[str, bool]], Granted] = {}

    # --- asking ----------------------------------------------------------------------------------------------------

    def privileges(self, who: Identity, path: str) -> frozenset[str]:
        """All privileges of `who` on an ACL path: empty for an unknown, disabled or expired one and for a bad path."""
        return self._answer(who, path)[1]

    def granted(self, who: Identity, path: str) -> Granted:
        """The same, with whether each privilege propagates."""
        return self._answer(who, path)[0]

    def visible(self, who: Identity, *privs: str) -> Callable[[str], bool]:
        """A fast test for lists: whether `who` has one of `privs` on a (normalized) path."""
        wanted = frozenset(privs)
        if who.is_root:
            return lambda _path: True

        def test(path: str) -> bool:
            return not wanted.isdisjoint(self._answer(who, path)[1])

        return test

    def groups_of(self, user: str) -> frozenset[str]:
        """Names of the groups that the user is in."""
        return frozenset(self._groups.get(user, ()))

    def active(self, who: Identity) -> bool:
        """Whether user and token exist, are enabled and have not expired."""
        user = self.config.user(who.user)
        if user is None or not user.enable or self._over(user.expire):
            return False
        if who.token is None:
            return True
        token = self.config.tokens.get(who.full)
        return token is not None and not self._over(token.expire)

    def paths(self) -> list[str]:
        """The ACL paths that have a meaning of their own here: those with entries and the members of pools."""
        return sorted({grant.path for grant in self.config.acl} | self._pools.keys())

    # --- deciding --------------------------------------------------------------------------------------------------

    def _over(self, expire: int) -> bool:
        return 0 < expire <= self._clock.now()

    def _answer(self, who: Identity, path: str) -> tuple[Granted, frozenset[str]]:
        if who.is_root:
            return _EVERYTHING, PRIVILEGES
        if not self.active(who):
            return _NOTHING, _EMPTY
        key = (who.full, path)
        found = self._held.get(key)
        if found is None:
            normal = normalize_path(path)
            granted = _NOTHING if normal is None else self._granted(who, normal)
            found = (granted, frozenset(granted))
            if len(path) <= _LONGEST_CACHED:
                if len(self._held) >= _MOST_CACHED:
                    self._held.clear()
                self._held[key] = found
        return found

    def _granted(self, who: Identity, path: str) -> Granted:
        token = self.config.tokens.get(who.full) if who.token is not None else None
        if token is None:
            return self._own(who, path)
        users = self._own(Identity(who.user), path)
        if not token.privsep:
            return users
        own = self._own(who, path)
        return {priv: propagate and users[priv] for priv, propagate in own.items() if priv in users}

    def _own(self, who: Identity, path: str) -> Granted:
        """What the entries for exactly this user or token give."""
        if who.is_root:
            return _EVERYTHING
        roles = self._with_pools(who, path)
        if not roles:
            return _NOTHING
        key = frozenset(roles.items())
        if key not in self._of_roles:
            granted: dict[str, bool] = {}
            for role, propagate in roles.items():
                for priv in (self.config.role_privileges(role) or _EMPTY) & PRIVILEGES:
                    granted[priv] = granted.get(priv, False) or propagate
            self._of_roles[key] = MappingProxyType(dict(sorted(granted.items())))
        return self._of_roles[key]

    def _with_pools(self, who: Identity, path: str) -> _Roles:
        roles = self._walk(who, path)
        if NO_ACCESS in roles:
            return roles
        for pool in self._pools.get(path, ()):
            through = self._walk(who, pool)
            if NO_ACCESS in through:
                return {NO_ACCESS: False}
            roles = {**dict.fromkeys(through, False), **roles}
        return roles

    def _walk(self, who: Identity, path: str) -> _Roles:
        """The roles on exactly this path, pools aside."""
        roles = self._level(who, path, exact=True) or self._inherited(who, _parent(path))
        return {NO_ACCESS: roles[NO_ACCESS]} if NO_ACCESS in roles else roles

    def _inherited(self, who: Identity, path: str) -> _Roles:
        """The roles that reach what lies below a path. Kept: thousands of guests share one answer."""
        if not path:
            return {}
        key = (who.full, path)
        if len(path) > _LONGEST_CACHED:
            return self._level(who, path, exact=False) or self._inherited(who, _parent(path))
        if key not in self._passed_on:
            if len(self._passed_on) >= _MOST_CACHED:
                self._passed_on.clear()
            roles = self._level(who, path, exact=False) or self._inherited(who, _parent(path))
            self._passed_on[key] = roles
            return roles
        return self._passed_on[key]

    def _level(self, who: Identity, path: str, *, exact: bool) -> _Roles:
        """What the entries of one level yield: one's own, else those of one's groups."""
        own = self._entries.get(who.full, {}).get(path, {})
        found = {role: on for role, on in own.items() if exact or on}
        if found or who.token is not None:
            return found
        groups = self._group_entries(who.user).get(path, {})
        return {role: on for role, on in groups.items() if exact or on}

    def _group_entries(self, user: str) -> _Entries:
        """The entries of all groups of a user, together."""
        if user not in self._by_groups:
            merged: _Entries = {}
            for group in self._groups.get(user, ()):
                for path, roles in self._entries.get(f"@{group}", {}).items():
                    into = merged.setdefault(path, {})
                    for role, propagate in roles.items():
                        into[role] = into.get(role, False) or propagate
            self._by_groups[user] = merged
        return self._by_groups[user]


def _parent(path: str) -> str:
    """`/a/b` → `/a`, `/a` → `/`, `/` → nothing."""
    return path.rpartition("/")[0] or ("/" if len(path) > 1 else "")
