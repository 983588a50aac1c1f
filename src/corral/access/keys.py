"""The cluster's signing key, as records: tickets are signed with the private key and checked with public ones.

authkey.pub      public  the present public key (PEM)
authkey.pub.old  public  the one before: tickets signed just before a turn stay good
priv/authkey     root    the private key (PEM)
csrf             api     key of the tokens against request forgery (base64)
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from corral.core.errors import Error
from corral.store.base import RecordClass, Tree, Write

PUBLIC: Final = "authkey.pub"
OLD_PUBLIC: Final = "authkey.pub.old"
PRIVATE: Final = "priv/authkey"
CSRF: Final = "csrf"
TURN: Final = 24 * 3600.0
"""Seconds after which the signing key turns."""

_CREATED = "created"


def new_keys(tree: Tree, now: float) -> tuple[Write, ...]:
    """What is to be written so that all keys exist and the signing key is at most a day old; empty if nothing is.

    Each write compares versions, so two daemons that turn the key at once make one new key.
    """
    writes: list[Write] = []
    if tree.get(CSRF) is None:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        writes.append(Write(key=CSRF, text=f"{key}\n", expect=0, cls=RecordClass.API, history=False))
    private, public = tree.get(PRIVATE), tree.get(PUBLIC)
    if private is not None and public is not None and _fresh(private.header.get(_CREATED, ""), now):
        return tuple(writes)
    private_text, public_text = _pair()
    header = {_CREATED: str(int(now))}
    writes += [
        Write(
            key=PRIVATE,
            text=private_text,
            expect=private.version if private else 0,
            cls=RecordClass.ROOT,
            header=header,
            history=False,
        ),
        Write(
            key=PUBLIC,
            text=public_text,
            expect=public.version if public else 0,
            cls=RecordClass.PUBLIC,
            header=header,
            history=False,
        ),
    ]
    if public is not None:
        writes.append(Write(key=OLD_PUBLIC, text=public.text, cls=RecordClass.PUBLIC, history=False))
    return tuple(writes)


def _fresh(created: str, now: float) -> bool:
    # A key "from the future" is one made before the clock was set back: it must not live for ever.
    return created.isdecimal() and -TURN < now - int(created) < TURN


def _pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Keys:
    """The keys as they stand in the tree, parsed once per version. Safe for threads."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._public: tuple[tuple[str, ...], tuple[rsa.RSAPublicKey, ...]] = ((), ())
        self._private: tuple[str, rsa.RSAPrivateKey | None] = ("", None)

    def public(self) -> Sequence[rsa.RSAPublicKey]:
        """The present public key, then the previous one. The same object until they change."""
        docs = (self._tree.get(PUBLIC), self._tree.get(OLD_PUBLIC))
        texts = tuple(doc.text for doc in docs if doc is not None)
        if self._public[0] != texts:
            self._public = (texts, tuple(_public_key(text) for text in texts))
        return self._public[1]

    def private(self) -> rsa.RSAPrivateKey:
        """The private key; `Error` where it can't be read."""
        doc = self._tree.get(PRIVATE)
        if doc is None:
            raise Error("tickets can't be signed here: the key is not readable by this daemon")
        if self._private[0] != doc.text:
            key = serialization.load_pem_private_key(doc.text.encode(), password=None)
            assert isinstance(key, rsa.RSAPrivateKey)
            self._private = (doc.text, key)
        found = self._private[1]
        assert found is not None
        return found

    def csrf(self) -> bytes:
        """The key of the tokens against request forgery."""
        doc = self._tree.get(CSRF)
        if doc is None:
            raise Error("no key for CSRF tokens: the node has not been set up")
        return base64.b64decode(doc.text)


def _public_key(text: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(text.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return key
