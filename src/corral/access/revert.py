"""Taking back a change of `user.cfg`: an earlier text as calls below `/access` and `/pools`. Pure.

The items are `user ID`, `user ID FIELD`, `group ID`, `group ID comment`, `member GROUP USER`, `role ID` (its
privileges), `pool ID`, `pool ID comment`, `pool ID guest VMID`, `pool ID storage ID`, `token ID`, `token ID FIELD` and
`acl PATH SUBJECT ROLE` (whether it propagates).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from corral.access.names import ROOT_USER, subject_kind
from corral.access.records import UserConfig
from corral.store.revert import Back, Step, Way

Wanted = Mapping[str, str | None]

_USER_FIELDS = ("enable", "expire", "firstname", "lastname", "email", "comment", "keys")
_TOKEN_FIELDS = ("expire", "privsep", "comment")
_HERE = "1"


def items(text: str) -> Mapping[str, str]:
    """What a text of `user.cfg` says, one by one."""
    config = UserConfig.parse(text)
    found: dict[str, str] = {}
    for userid, user in config.users.items():
        if userid != ROOT_USER:  # is always there
            found[f"user {userid}"] = _HERE
        found |= {f"user {userid} {field}": _text(getattr(user, field)) for field in _USER_FIELDS}
    for tokenid, token in config.tokens.items():
        found[f"token {tokenid}"] = _HERE
        found |= {f"token {tokenid} {field}": _text(getattr(token, field)) for field in _TOKEN_FIELDS}
    for groupid, group in config.groups.items():
        found |= {f"group {groupid}": _HERE, f"group {groupid} comment": group.comment}
        found |= {f"member {groupid} {member}": _HERE for member in group.members}
    for poolid, pool in config.pools.items():
        found |= {f"pool {poolid}": _HERE, f"pool {poolid} comment": pool.comment}
        found |= {f"pool {poolid} guest {vmid}": _HERE for vmid in pool.vms}
        found |= {f"pool {poolid} storage {storage}": _HERE for storage in pool.storages}
    found |= {f"role {roleid}": ",".join(sorted(role.privs)) for roleid, role in config.roles.items()}
    found |= {f"acl {' '.join(grant)}": str(int(propagate)) for grant, propagate in config.acl.items()}
    return found


def _text(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def steps(found: Back, now: Mapping[str, str]) -> Way:
    """The calls that bring these items back: what others need is made first and removed last."""
    back = _Calls(found.wanted, found.same, now)
    made = [
        *back.grants(taken=True),
        *back.members_of_pools(taken=True),
        *back.roles(),
        *back.groups(),
        *back.users(),
        *back.tokens(),
        *back.memberships(),
        *back.pools(),
        *back.members_of_pools(taken=False),
        *back.removals("pool"),
        *back.grants(taken=False),
        *back.removals("user", "group", "role"),
    ]
    return Way(made, back.warnings)


_DELETE = {
    "pool": ("DELETE /pools", "poolid"),
    "user": ("DELETE /access/users/{userid}", "userid"),
    "group": ("DELETE /access/groups/{groupid}", "groupid"),
    "role": ("DELETE /access/roles/{roleid}", "roleid"),
}


class _Calls:
    def __init__(self, wanted: Wanted, same: Mapping[str, str], now: Mapping[str, str]) -> None:
        self._wanted = {**wanted, **{item: value for item, value in same.items() if _is_lost(item, wanted, now)}}
        self._now = now
        self.warnings: list[str] = []
        for item, value in wanted.items():
            kind, _, name = item.partition(" ")
            if kind == "user" and value is not None and " " not in name:
                self.warnings.append(f"the password and the second factors of '{name}' do not come back")
            if kind == "token" and value is not None and " " not in name:
                self.warnings.append(f"API token '{name}' does not come back: its secret is gone")

    def _whole(self, kind: str) -> Iterator[tuple[str, str | None]]:
        """The wanted things of a kind, and what they are to be (None: gone)."""
        for item, value in self._wanted.items():
            found, _, name = item.partition(" ")
            if found == kind and " " not in name:
                yield name, value

    def _fields(self, kind: str, name: str) -> dict[str, str]:
        start = f"{kind} {name} "
        found = {item[len(start) :]: value for item, value in self._wanted.items() if item.startswith(start)}
        return {field: value for field, value in found.items() if value is not None and " " not in field}

    def _changed(self, kind: str) -> Iterator[tuple[str, dict[str, str]]]:
        """The things of a kind that stay, with those of their fields that are wanted otherwise."""
        names = dict.fromkeys(item.split(" ")[1] for item in self._wanted if item.startswith(f"{kind} "))
        for name in names:
            fields = self._fields(kind, name)
            if fields and f"{kind} {name}" not in self._wanted:
                yield name, fields

    def roles(self) -> Iterator[Step]:
        for name, privs in self._whole("role"):
            if privs is not None:
                call = "PUT /access/roles/{roleid}" if f"role {name}" in self._now else "POST /access/roles"
                yield Step(call, {"roleid": name, "privs": privs})

    def groups(self) -> Iterator[Step]:
        for name, value in self._whole("group"):
            if value is not None:
                yield Step("POST /access/groups", {"groupid": name, **self._fields("group", name)})
        for name, fields in self._changed("group"):
            yield Step("PUT /access/groups/{groupid}", {"groupid": name, **fields})

    def users(self) -> Iterator[Step]:
        for name, value in self._whole("user"):
            if value is not None:
                given = {field: text for field, text in self._fields("user", name).items() if text}
                groups = self._groups_of(name)
                more = {"groups": ",".join(groups)} if groups else {}
                yield Step("POST /access/users", {"userid": name, **given, **more})
        for name, fields in self._changed("user"):
            yield Step("PUT /access/users/{userid}", {"userid": name, **fields})

    def tokens(self) -> Iterator[Step]:
        for name, value in self._whole("token"):
            user, _, token = name.partition("!")
            if value is None and self._wanted.get(f"user {user}", "") is not None:
                yield Step("DELETE /access/users/{userid}/token/{tokenid}", {"userid": user, "tokenid": token})
        for name, fields in self._changed("token"):
            user, _, token = name.partition("!")
            yield Step("PUT /access/users/{userid}/token/{tokenid}", {"userid": user, "tokenid": token, **fields})

    def _groups_of(self, user: str) -> list[str]:
        """The groups that a user is to be in."""
        wanted = {item.split(" ")[1]: value for item, value in self._wanted.items() if _is_member(item, user)}
        now = {item.split(" ")[1] for item in self._now if _is_member(item, user)}
        return sorted((now | wanted.keys()) - {group for group, value in wanted.items() if value is None})

    def memberships(self) -> Iterator[Step]:
        users = dict.fromkeys(item.split(" ")[2] for item in self._wanted if item.startswith("member "))
        for user in users:
            # A user that is made anew has its groups from the start, one that goes leaves them all.
            if f"user {user}" not in self._wanted:
                groups = [name for name in self._groups_of(user) if self._wanted.get(f"group {name}", "") is not None]
                yield Step("PUT /access/users/{userid}", {"userid": user, "groups": ",".join(groups)})

    def pools(self) -> Iterator[Step]:
        for name, value in sorted(self._whole("pool")):
            if value is not None:
                yield Step("POST /pools", {"poolid": name, **self._fields("pool", name)})
        for name, fields in self._changed("pool"):
            yield Step("PUT /pools", {"poolid": name, **fields})

    def members_of_pools(self, *, taken: bool) -> Iterator[Step]:
        for item, value in self._wanted.items():
            words = item.split(" ")
            if words[0] == "pool" and len(words) == 4 and (value is None) == taken:
                member = {"vms": words[3]} if words[2] == "guest" else {"storage": words[3]}
                how = {"delete": "1"} if taken else {"allow-move": "1"}
                yield Step("PUT /pools", {"poolid": words[1], **member, **how})

    def grants(self, *, taken: bool) -> Iterator[Step]:
        for item, value in self._wanted.items():
            words = item.split(" ")
            if words[0] != "acl" or (value is None) != taken:
                continue
            path, subject, role = words[1:]
            kind = subject_kind(subject)
            if kind == "token" and not taken and f"token {subject}" not in self._now:
                continue
            who = {"groups": subject[1:]} if kind == "group" else {f"{kind}s": subject}
            how = {"delete": "1"} if value is None else {"propagate": value}
            yield Step("PUT /access/acl", {"path": path, "roles": role, **who, **how})

    def removals(self, *kinds: str) -> Iterator[Step]:
        for kind in kinds:
            call, parameter = _DELETE[kind]
            for name, value in sorted(self._whole(kind), reverse=True):
                if value is None:
                    yield Step(call, {parameter: name})


def _is_lost(item: str, wanted: Wanted, now: Mapping[str, str]) -> bool:
    """Whether an ACL entry that stays as it is goes on the way.

    With a pool go the entries on it, and a user, group or role that is made inherits none of earlier ones of its name.
    """
    words = item.split(" ")
    if words[0] != "acl":
        return False
    path, subject, role = words[1:]
    poolid = path.removeprefix("/pool/")
    if path != poolid and f"pool {poolid}" in wanted and wanted[f"pool {poolid}"] is None:
        return True
    named = (f"group {subject[1:]}" if subject.startswith("@") else f"user {subject}", f"role {role}")
    return any(wanted.get(each) is not None and each not in now for each in named)


def _is_member(item: str, user: str) -> bool:
    words = item.split(" ")
    return words[0] == "member" and words[2] == user
