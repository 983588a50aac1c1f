"""Who makes a call."""

from __future__ import annotations

from typing import NamedTuple


class Identity(NamedTuple):
    """A user `name@realm`, and the name of the API token where one is used."""

    user: str
    token: str | None = None

    @property
    def full(self) -> str:
        """`name@realm` or `name@realm!token`: how tasks, logs and histories name the caller."""
        return self.user if self.token is None else f"{self.user}!{self.token}"

    @property
    def is_root(self) -> bool:
        """Whether this is root@pam by password or on the machine itself; its API tokens are not."""
        return self.user == "root@pam" and self.token is None

    @classmethod
    def parse(cls, text: str) -> Identity:
        """The inverse of `full`."""
        user, bang, token = text.partition("!")
        return cls(user, token if bang else None)


ROOT = Identity("root@pam")
