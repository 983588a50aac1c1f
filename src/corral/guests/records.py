"""Records of guests in the store: `guest/<vmid>`, who owns them, their texts, and free numbers.

A guest is one record: its header says kind, UUID, owning node and generation, its text is the configuration. The lock
that others see is the option `lock` in that text; the queue's lock `guest/<vmid>` is only held while a task runs.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterator
from typing import Literal, NamedTuple

from corral.core.errors import AlreadyExists, Conflict, Error, NotFound
from corral.store.base import Doc, RecordClass, Store, Tree, Write

Kind = Literal["qemu", "lxc"]

PREFIX = "guest/"
LOWEST, HIGHEST = 100, 999_999_999
LEASE = 60.0
"""Seconds for which a number handed out by `next_free` is not handed out again."""

_FOLDERS = {"qemu": "qemu-server", "lxc": "lxc"}
CHANGED = "detected modified configuration - file changed by other user? Try again."


class Guest(NamedTuple):
    """A guest as its record says. `version` is the record's, for comparing when writing."""

    vmid: int
    kind: Kind
    uuid: str
    node: str
    generation: int
    text: str
    version: int

    @property
    def digest(self) -> str:
        """What clients of the API compare."""
        return digest(self.text)

    def rewrite(self, text: str) -> Write:
        """The write that changes the text, if nobody has changed the record meanwhile."""
        return Write(key=key(self.vmid), text=text, expect=self.version)

    def removal(self) -> Write:
        """The write that removes the guest."""
        return Write(key=key(self.vmid), text=None, expect=self.version)

    def check_digest(self, given: str | None) -> None:
        """`Conflict` when the caller read another text. Either side missing: no check."""
        if given and given != self.digest:
            raise Conflict(CHANGED)


def key(vmid: int) -> str:
    """The record's key."""
    return f"{PREFIX}{vmid}"


def digest(text: str) -> str:
    """SHA-1 of a configuration's text, in hex."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def of(doc: Doc) -> Guest:
    """Read a record."""
    header = doc.header
    return Guest(
        vmid=int(doc.key.removeprefix(PREFIX)),
        kind="lxc" if header.get("kind") == "lxc" else "qemu",
        uuid=header.get("uuid", ""),
        node=header.get("node", ""),
        generation=int(header.get("generation", "1")),
        text=doc.text,
        version=doc.version,
    )


def find(tree: Tree, vmid: int, *, kind: Kind | None = None, node: str | None = None) -> Guest | None:
    """The guest, if there is one (of that kind, on that node)."""
    doc = tree.get(key(vmid))
    guest = of(doc) if doc else None
    if guest is None or (kind and guest.kind != kind) or (node and guest.node != node):
        return None
    return guest


def load(tree: Tree, vmid: int, *, kind: Kind, node: str) -> Guest:
    """The guest; `NotFound` in the words that clients know."""
    guest = find(tree, vmid, kind=kind, node=node)
    if guest is None:
        raise NotFound(f"Configuration file 'nodes/{node}/{_FOLDERS[kind]}/{vmid}.conf' does not exist")
    return guest


def every(tree: Tree, *, kind: Kind | None = None, node: str | None = None) -> Iterator[Guest]:
    """All guests (of that kind, on that node), by number."""
    found = [of(doc) for doc in tree.list(PREFIX) if doc.key[len(PREFIX) :].isdigit()]
    for guest in sorted(found):
        if (kind is None or guest.kind == kind) and (node is None or guest.node == node):
            yield guest


def refuse_taken(tree: Tree, vmid: int) -> None:
    """`AlreadyExists` if the number is a guest's."""
    if guest := find(tree, vmid):
        word = "CT" if guest.kind == "lxc" else "VM"
        raise AlreadyExists(f"unable to create VM {vmid} - {word} {vmid} already exists on node '{guest.node}'")


def claim(vmid: int, *, kind: Kind, uuid: str, node: str, text: str) -> Write:
    """The write that makes a guest, if its number is free."""
    header = {"kind": kind, "uuid": uuid, "node": node, "generation": "1"}
    return Write(key=key(vmid), text=text, expect=0, cls=RecordClass.API, header=header)


def lowest_free(tree: Tree, *, lower: int = LOWEST, upper: int = HIGHEST, but: Collection[int] = ()) -> int:
    """The lowest number that no guest has and that is not among `but`; `Error` when there is none."""
    taken = {int(doc.key[len(PREFIX) :]) for doc in tree.list(PREFIX) if doc.key[len(PREFIX) :].isdigit()}
    for vmid in range(lower, upper + 1):
        if vmid not in taken and vmid not in but:
            return vmid
    raise Error(f"unable to get any free VMID in range [{lower}, {upper}]")


def next_free(store: Store, tree: Tree, *, lower: int = LOWEST, upper: int = HIGHEST) -> int:
    """A free number that nobody else is told for a minute. It steers only this call: a create may take it anyway."""
    taken = {int(doc.key[len(PREFIX) :]) for doc in tree.list(PREFIX) if doc.key[len(PREFIX) :].isdigit()}
    holder = secrets.token_hex(8)
    for vmid in range(lower, upper + 1):
        if vmid not in taken and store.lease(f"vmid-lease/{vmid}", holder, LEASE) is not None:
            return vmid
    raise Error(f"unable to get any free VMID in range [{lower}, {upper}]")
