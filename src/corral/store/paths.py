"""The tree of files that users of Proxmox VE know, as a view of the records: for the CLI, file access and import.

    nodes/<node>/qemu-server/<vmid>.conf      guest/<vmid>, kind qemu          nodes/<node>/lxc/<vmid>.conf   kind lxc
    nodes/<node>/config                       node/<id>
    priv/shadow.cfg, priv/token.cfg, …        shadow.cfg, token.cfg, …         pve-www.key                    csrf
    storage.cfg, firewall/100.fw, …           the same key
    .corral/<key>                             every record that has no file there: queues, idempotency keys

Every record has exactly one path and every path at most one record. `local`, `qemu-server` and `lxc` at the top stand
for the local node's, as there, but are not listed.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import NamedTuple

from corral.core.errors import Conflict, NotFound, ParamError
from corral.store.base import Doc, RecordClass, Tree, Write
from corral.store.keys import check_key

GUEST = "guest/"
NODE = "node/"
OWN = ".corral/"

_DIRECTORIES = {"qemu": "qemu-server", "lxc": "lxc"}
_KINDS = {directory: kind for kind, directory in _DIRECTORIES.items()}
_GUEST_PATH = re.compile(r"nodes/(?P<node>[^/]+)/(?P<directory>qemu-server|lxc)/(?P<vmid>[1-9][0-9]{2,8})\.conf")
_NODE_PATH = re.compile(r"nodes/(?P<node>[^/]+)/config")
_VMID = re.compile(r"[1-9][0-9]{2,8}")

_PATHS = {
    "shadow.cfg": "priv/shadow.cfg",
    "token.cfg": "priv/token.cfg",
    "tfa.cfg": "priv/tfa.cfg",
    "priv/authkey": "priv/authkey.key",
    "csrf": "pve-www.key",
}
_KEYS = {path: key for key, path in _PATHS.items()}
_HIDDEN = ("guest/", "node/", "kept/", "idempotency/", "vmid-lease/", "queue/")
_PUBLIC = frozenset({"datacenter.cfg", "storage.cfg", "authkey.pub"})
_ROOT = frozenset({"shadow.cfg", "tfa.cfg"})


class Entry(NamedTuple):
    """A file of the view."""

    path: str
    doc: Doc


def default_class(key: str) -> RecordClass:
    """The class that a record of that key gets when it is made by its path."""
    if key in _ROOT or key.startswith(("priv/", "kept/")):
        return RecordClass.ROOT
    return RecordClass.PUBLIC if key in _PUBLIC else RecordClass.API


def unseen(key: str, cls: RecordClass) -> bool:
    """Whether only root's programs may read the record's text: class root, and what lies below `priv/` in the view."""
    return cls is RecordClass.ROOT or _plain_path(key).startswith(("priv/", "pve-www.key"))


class PathView:
    """The view of one tree as it is now. `local` is the local node's name, if paths may leave it out."""

    def __init__(self, tree: Tree, *, local: str = "", new_uuid: Callable[[], str] = lambda: str(uuid.uuid4())) -> None:
        self._tree = tree
        self._local = local
        self._new_uuid = new_uuid

    def path(self, doc: Doc) -> str:
        """The one path of a record."""
        kind, node = doc.header.get("kind", ""), doc.header.get("node", "")
        vmid = doc.key.removeprefix(GUEST)
        if doc.key.startswith(GUEST) and _VMID.fullmatch(vmid) and kind in _DIRECTORIES and node:
            return f"nodes/{self._node_name(node)}/{_DIRECTORIES[kind]}/{vmid}.conf"
        if doc.key.startswith(NODE) and "/" not in doc.key[len(NODE) :]:
            return f"nodes/{self._node_name(doc.key[len(NODE) :])}/config"
        return _plain_path(doc.key)

    def path_of(self, key: str) -> str:
        """The path of the record with that key; of one that is gone, without what only its header said."""
        doc = self._tree.get(key)
        return self.path(doc) if doc else _plain_path(key)

    def key(self, path: str) -> str:
        """The key behind a path, whether there is such a record or not; `ParamError` for what can't be a path."""
        path = self._resolve(path)
        if found := _GUEST_PATH.fullmatch(path):
            return f"{GUEST}{found['vmid']}"
        if found := _NODE_PATH.fullmatch(path):
            return f"{NODE}{self._node_id(found['node'])}"
        if path in _KEYS:
            return _KEYS[path]
        key = path.removeprefix(OWN)
        check_key(key)
        return key

    def find(self, path: str) -> Doc | None:
        """The record at a path; None also if its guest is on another node or of another kind."""
        doc = self._tree.get(self.key(path))
        return doc if doc and self.path(doc) == self._resolve(path) else None

    def put(self, path: str, text: str) -> Write:
        """The write that gives a path this text, to be committed by the caller; it compares the version read.

        A new guest gets its header. `Conflict` for a guest that is elsewhere: files move no guest. `NotFound` for a
        node that does not exist.
        """
        resolved, key = self._resolve(path), self.key(path)
        doc = self._tree.get(key)
        if doc is not None:
            if self.path(doc) != resolved:
                raise Conflict(f"'{path}' can't be written: the record is at '{self.path(doc)}'")
            return Write(key=key, text=text, expect=doc.version)
        header: dict[str, str] = {}
        if found := _GUEST_PATH.fullmatch(resolved):
            node, kind = self._node_id(found["node"]), _KINDS[found["directory"]]
            if self._tree.get(f"{NODE}{node}") is None:
                raise NotFound(f"no such node '{found['node']}'")
            header = {"kind": kind, "uuid": self._new_uuid(), "node": node, "generation": "1"}
        elif key.startswith(NODE):
            raise NotFound(f"'{path}' can't be made: nodes are not made by their files")
        elif _plain_path(key) != resolved:
            raise ParamError({"path": "no such file can be made"}, f"'{path}' can't be made: use '{_plain_path(key)}'")
        return Write(key=key, text=text, expect=0, cls=default_class(key), header=header)

    def _resolve(self, path: str) -> str:
        path = path.removeprefix("/etc/pve/").removeprefix("/")
        check_key(path)
        top, _, rest = path.partition("/")
        if self._local and rest and top == "local":
            return f"nodes/{self._local}/{rest}"
        if self._local and rest and top in _KINDS:
            return f"nodes/{self._local}/{path}"
        return path

    def _node_name(self, node: str) -> str:
        doc = self._tree.get(f"{NODE}{node}")
        return doc.header.get("name", node) if doc else node

    def _node_id(self, name: str) -> str:
        for doc in self._tree.list(NODE):
            if doc.header.get("name", doc.key[len(NODE) :]) == name:
                return doc.key[len(NODE) :]
        return name

    def list(self, prefix: str = "") -> list[Entry]:
        """The files below a path (all by default), in order of their paths."""
        wanted = prefix.removeprefix("/etc/pve").strip("/")
        entries = sorted(Entry(self.path(doc), doc) for doc in self._tree.list())
        if not wanted:
            return entries
        wanted = self._resolve(wanted)
        return [entry for entry in entries if entry.path == wanted or entry.path.startswith(f"{wanted}/")]


def _plain_path(key: str) -> str:
    """The path of a record that is no guest with an owner."""
    if key in _PATHS:
        return _PATHS[key]
    if key.startswith((*_HIDDEN, OWN)) or key in _KEYS or _GUEST_PATH.fullmatch(key) or _NODE_PATH.fullmatch(key):
        return f"{OWN}{key}"
    return key
