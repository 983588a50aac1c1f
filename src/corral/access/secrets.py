"""Records of what proves an identity: `shadow.cfg` (passwords of realm pve) and `token.cfg` (API tokens).

Both hold hashes only.

    shadow.cfg  class root  name:$argon2id$…:
    token.cfg   class api   name@realm!token sha256:<64 hex>

A password is guessable, so its hash is made slow (Argon2id). A token's secret is a random UUID with 122 random bits:
nobody guesses it however fast a hash is, so SHA-256 does, and checking a token costs a microsecond on every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final, Self

import msgspec

from corral.access.names import is_tokenid

SHADOW: Final = "shadow.cfg"
TOKENS: Final = "token.cfg"

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


class ShadowConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`shadow.cfg`: name in realm pve → hash of the password. Lines that are not understood are kept."""

    hashes: dict[str, str] = {}
    kept: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text; of two lines for one name the first counts."""
        hashes: dict[str, str] = {}
        kept = []
        for line in text.split("\n"):
            match = re.fullmatch(r"([^:\s]+):([^:\s]+):?\s*", line)
            if match:
                hashes.setdefault(match[1], match[2])
            elif line.strip():
                kept.append(line)
        return cls(hashes=hashes, kept=tuple(kept))

    def __str__(self) -> str:
        lines = [f"{name}:{digest}:" for name, digest in sorted(self.hashes.items())]
        return "".join(f"{line}\n" for line in (*lines, *self.kept))

    def with_hash(self, name: str, digest: str) -> ShadowConfig:
        """With this hash for that name."""
        return ShadowConfig(hashes={**self.hashes, name: digest}, kept=self.kept)

    def without(self, name: str) -> ShadowConfig:
        """Without that name."""
        return ShadowConfig(hashes={key: it for key, it in self.hashes.items() if key != name}, kept=self.kept)


class TokenConfig(msgspec.Struct, frozen=True, kw_only=True):
    """`token.cfg`: full token id → hash of its secret. One in the clear, as in imported files, is read as its hash."""

    hashes: dict[str, str] = {}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a text; lines that are not understood are dropped, since they may hold a secret."""
        hashes: dict[str, str] = {}
        for line in text.split("\n"):
            tokenid, _, rest = line.strip().partition(" ")
            secret = rest.strip()
            if not is_tokenid(tokenid):
                continue
            if _SHA256.fullmatch(secret):
                hashes.setdefault(tokenid, secret)
            elif _UUID.fullmatch(secret):
                hashes.setdefault(tokenid, token_hash(secret))
        return cls(hashes=hashes)

    def __str__(self) -> str:
        return "".join(f"{tokenid} {digest}\n" for tokenid, digest in sorted(self.hashes.items()))

    def with_secret(self, tokenid: str, secret: str) -> TokenConfig:
        """With the hash of this secret for that token."""
        return TokenConfig(hashes={**self.hashes, tokenid: token_hash(secret)})

    def without(self, gone: Callable[[str], bool]) -> TokenConfig:
        """Without the tokens for which `gone` holds."""
        return TokenConfig(hashes={key: it for key, it in self.hashes.items() if not gone(key)})

    def matches(self, tokenid: str, secret: str) -> bool:
        """Whether this is the token's secret; takes as long for an unknown token."""
        known = self.hashes.get(tokenid)
        equal = hmac.compare_digest(known or token_hash(""), token_hash(secret))
        return equal and known is not None


def token_hash(secret: str) -> str:
    """How a token's secret is kept."""
    return f"sha256:{hashlib.sha256(secret.encode(errors='replace')).hexdigest()}"
