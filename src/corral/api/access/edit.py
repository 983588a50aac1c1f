"""Changes of the access records, decided again when somebody else was faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from corral.access.domains import DOMAINS
from corral.access.names import ROOT_USER, is_userid
from corral.access.privileges import PERMISSIONS_MODIFY
from corral.access.records import USER_CONFIG, User, UserConfig
from corral.access.secrets import SHADOW, TOKENS, ShadowConfig, TokenConfig
from corral.app import Call
from corral.core.errors import Conflict, Error, Forbidden, NotFound
from corral.store.base import Doc, RecordClass, Tree, Write

_ATTEMPTS = 20
_CLASSES = {USER_CONFIG: RecordClass.API, TOKENS: RecordClass.API, SHADOW: RecordClass.ROOT, DOMAINS: RecordClass.API}


def change(call: Call, decide: Callable[[Tree], Sequence[Write]]) -> None:
    """Commit what `decide` makes of the records as they stand; again when they have changed meanwhile.

    `decide` must only compute, and raise what the caller should read.
    """
    for _ in range(_ATTEMPTS):
        writes = decide(call.tree)
        try:
            call.commit(*writes)
        except Conflict:
            call.app.settle(call.app.store.revision)
        else:
            return
    raise Conflict("users and permissions are changed by others all the time; try again")


def change_users(call: Call, decide: Callable[[UserConfig], UserConfig]) -> None:
    """Commit a change of `user.cfg` alone."""
    change(call, lambda tree: [write_users(tree, decide(read_users(tree)))])


def read_users(tree: Tree) -> UserConfig:
    """`user.cfg` as it stands."""
    return UserConfig.parse(_text(tree.get(USER_CONFIG)))


def write_users(tree: Tree, config: UserConfig) -> Write:
    """The write that puts `config` in place of what `read_users` read."""
    return _write(tree, USER_CONFIG, str(config))


def write_shadow(tree: Tree, decide: Callable[[ShadowConfig], ShadowConfig]) -> Write:
    """The write that changes `shadow.cfg`."""
    return _write(tree, SHADOW, str(decide(ShadowConfig.parse(_text(tree.get(SHADOW))))))


def write_tokens(tree: Tree, decide: Callable[[TokenConfig], TokenConfig]) -> Write:
    """The write that changes `token.cfg`."""
    return _write(tree, TOKENS, str(decide(TokenConfig.parse(_text(tree.get(TOKENS))))))


def write_domains(tree: Tree, text: str) -> Write:
    """The write that replaces `domains.cfg`."""
    return _write(tree, DOMAINS, text)


def _text(doc: Doc | None) -> str:
    return doc.text if doc else ""


def _write(tree: Tree, key: str, text: str) -> Write:
    doc = tree.get(key)
    return Write(key=key, text=text, expect=doc.version if doc else 0, cls=_CLASSES[key])


def need_user(config: UserConfig, userid: str) -> User:
    """The user; `NotFound` if there is none."""
    user = config.user(userid)
    if user is None:
        raise NotFound(f"no such user ('{userid}')")
    return user


def need_groups(config: UserConfig, groups: Sequence[str]) -> None:
    """`NotFound` if one of these groups does not exist."""
    for group in groups:
        if group not in config.groups:
            raise NotFound(f"no such group '{group}'")


def refuse_lesser_hands(call: Call, userid: str) -> None:
    """`Forbidden` where a change of this user would make the caller more than it is.

    root@pam is changed by root@pam alone. A token with privilege separation does not touch its own user: by another
    token, or one without separation, it would get all its user has.
    """
    config = call.app.access.users
    token = config.tokens.get(call.who.full) if call.who.token is not None else None
    separated = call.who.token is not None and (token is None or token.privsep)
    if userid == ROOT_USER and (call.who.user != ROOT_USER or separated):
        raise Forbidden("Permission check failed (user != root@pam)")
    if separated and userid == call.who.user:
        raise Forbidden(f"Permission check failed (user != {userid})")


_ALLOCATE = {"storage": "Datastore.Allocate", "vms": "VM.Allocate", "pool": "Pool.Allocate"}


def modifying(path: str) -> tuple[str, ...]:
    """Of which privileges one lets change permissions on a path; on one guest, storage or pool also to allocate it."""
    top, below = path.split("/")[1], path.count("/") > 1
    return (PERMISSIONS_MODIFY, _ALLOCATE[top]) if below and top in _ALLOCATE else (PERMISSIONS_MODIFY,)


def need_perm_modify(call: Call, path: str) -> None:
    """`Forbidden` unless the caller may change permissions on the path."""
    call.need_any(path, *modifying(path))


def check_new_userid(userid: str) -> None:
    """`Error` for a name that nobody may get."""
    if not is_userid(userid):
        raise Error(f"user name '{userid}' can't be used: it has ',', ';', '!' or an unprintable character")
