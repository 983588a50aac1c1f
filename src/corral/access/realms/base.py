"""What a type of realm must do, and the settings that all have."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Protocol

import msgspec

from corral.core.secret import Secret
from corral.schema.fields import doc, length


class RealmConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Settings of every realm: the keys of its section in `domains.cfg`."""

    comment: Annotated[str, length(0, 4096), doc("Description.")] | None = None
    default: Annotated[bool, doc("Preselect this realm at log-in.")] | None = None


class Realm(Protocol):
    """One type of realm. It is built once per process and serves every realm of its type.

    kind     the word in `domains.cfg`
    config   its settings
    builtin  the name of the realm that exists without being made, and can't be removed
    comment  what is shown for that one while nobody wrote a comment
    """

    kind: ClassVar[str]
    config: ClassVar[type[RealmConfig]]
    builtin: ClassVar[str]
    comment: ClassVar[str]

    def authenticate(self, name: str, password: Secret, address: str, *, known: bool) -> bool:
        """Whether this is the password of `name` (without realm). May block for some seconds.

        With `known` False there is no such user: the answer is False, after the time that a wrong password takes.
        `address` is where the user comes from, empty for this machine. Raises `Error` when it can't be found out.
        """
        ...

    def hash(self, password: Secret, salt: bytes) -> str:
        """What is kept of a new password; `Error` for realms whose passwords are kept elsewhere."""
        ...

    def outdated(self, name: str) -> bool:
        """Whether what is kept of the password of `name` should be replaced by a new `hash` of it."""
        ...


def config_types(plugins: tuple[type[Realm], ...]) -> dict[str, type[Any]]:
    """Section types of `domains.cfg`."""
    return {plugin.kind: plugin.config for plugin in plugins}
