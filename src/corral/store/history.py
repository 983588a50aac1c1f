"""What was: redaction of secrets, and histories, states and blames computed from change records. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from corral.store.base import Cause, Doc, Past, RecordClass, Revision, Stood, Touch

REDACTED = "***"
"""Stands where a secret stood. A plan that reverts to a text must read it as: keep what is there now."""

_NAMES = r"[\w.-]*(?:password|passwd|passphrase|secret|psk|api[-_]?key|private[-_]?key|encryption[-_]?key)"
_NAMES_OR_TOKEN = rf"(?:{_NAMES}|[\w.-]*token)"
_RULES = (
    # `cipassword: …` of a guest, with blanks after the colon: `token:user@pve!name:…` of user.cfg is no secret.
    re.compile(rf"^(?P<keep>[ \t]*{_NAMES_OR_TOKEN}[ \t]*:[ \t]+)(?P<secret>\S.*)$", re.IGNORECASE | re.MULTILINE),
    # `<tab>password …` in a section of storage.cfg and its like.
    re.compile(rf"^(?P<keep>[ \t]+{_NAMES_OR_TOKEN}[ \t]+)(?P<secret>[^\s:=].*)$", re.IGNORECASE | re.MULTILINE),
    # `…,password=…,…` in a property string, and `secret = …` in files of that form.
    re.compile(rf"(?P<keep>(?<![\w.-]){_NAMES_OR_TOKEN}[ \t]*=[ \t]*)(?P<secret>[^\s,;&]+)", re.IGNORECASE),
    re.compile(rf'(?P<keep>"{_NAMES_OR_TOKEN}"\s*:\s*")(?P<secret>(?:[^"\\]|\\.)+)', re.IGNORECASE),
    re.compile(r"(?P<keep>-----BEGIN [A-Z ]*PRIVATE KEY-----\n)(?P<secret>.*?)(?=-----END|\Z)", re.DOTALL),
)


_HINTS = ("passw", "passphrase", "secret", "psk", "api", "private", "encryption", "token")


def redact(text: str) -> str:
    """The text with the values of keys that name a secret replaced by `REDACTED`; the same for its own result."""
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):  # most texts: 100 times faster than the rules
        return text
    for rule in _RULES:
        text = rule.sub(_hide, text)
    return text


def _hide(match: re.Match[str]) -> str:
    end = "\n" if match["secret"].endswith("\n") else ""
    return f"{match['keep']}{REDACTED}{end}"


def shown(doc: Doc | None) -> str | None:
    """A record's text as its history shows it: whole for class `root`, else without secrets."""
    if doc is None:
        return None
    return doc.text if doc.cls is RecordClass.ROOT else redact(doc.text)


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change record as kept: the text that a revision replaced (None: there was none), secrets redacted."""

    key: str
    revision: Revision
    time: float
    cause: Cause
    cls: RecordClass
    before: str | None = None

    def past(self, after: str | None) -> Past:
        """The entry with the text that followed: the next newer entry's `before`, or the record's present text."""
        return Past(
            key=self.key,
            revision=self.revision,
            time=self.time,
            cause=self.cause,
            before=self.before,
            after=after,
            cls=self.cls,
        )

    def touch(self) -> Touch:
        """The entry without its text."""
        return Touch(key=self.key, revision=self.revision, time=self.time, cause=self.cause, cls=self.cls)


def unfold(newest_first: Iterable[Entry], docs: Mapping[str, Doc]) -> Iterable[Past]:
    """The entries with their following texts; `newest_first` must have all entries of its keys up to the present."""
    following: dict[str, str | None] = {}
    for entry in newest_first:
        if entry.key not in following:
            following[entry.key] = shown(docs.get(entry.key))
        yield entry.past(following[entry.key])
        following[entry.key] = entry.before


def rewind(docs: Iterable[Doc], newest_first: Iterable[Entry], number: int) -> dict[str, Stood]:
    """The records at revision `number`: the present ones, with all entries above that number taken back.

    Of each key the oldest of those entries would do.
    """
    stood = {doc.key: Stood(doc.text, doc.cls) for doc in docs if doc.history or doc.version <= number}
    for entry in newest_first:
        if entry.revision.number <= number:
            break
        if entry.before is None:
            stood.pop(entry.key, None)
        else:
            stood[entry.key] = Stood(entry.before, entry.cls)
    return dict(sorted(stood.items()))


def diff(before: str | None, after: str | None, *, name: str = "", old: str = "", new: str = "") -> str:
    """A unified diff of two texts (None: absent); empty when they are equal. `old` and `new` label the moments."""
    a, b = (before or "").splitlines(), (after or "").splitlines()
    lines = difflib.unified_diff(
        a,
        b,
        fromfile="/dev/null" if before is None else f"a/{name}",
        tofile="/dev/null" if after is None else f"b/{name}",
        fromfiledate=old,
        tofiledate=new,
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)


def counts(before: str | None, after: str | None) -> tuple[int, int]:
    """How many lines were added and removed."""
    a, b = (before or "").splitlines(), (after or "").splitlines()
    same = 0
    for old, new in zip(a, b, strict=False):
        if old != new:
            break
        same += 1
    a, b = a[same:], b[same:]
    while a and b and a[-1] == b[-1]:
        a.pop()
        b.pop()
    if a and b:
        kept = sum(block.size for block in difflib.SequenceMatcher(None, a, b).get_matching_blocks())
        return len(b) - kept, len(a) - kept
    return len(b), len(a)


class Line(NamedTuple):
    """A line of a record's present text and the change that brought it; `past` is None if that is older than kept."""

    text: str
    past: Past | None


def blame(pasts: Sequence[Past]) -> list[Line]:
    """Who wrote each line: `pasts` are the changes of one record, newest first, as `Store.history` answers them."""
    if not pasts:
        return []
    lines = [Line(text, None) for text in (pasts[-1].before or "").splitlines()]
    for past in reversed(pasts):
        lines = _carry(lines, past)
    return lines


def _carry(lines: list[Line], past: Past) -> list[Line]:
    after = (past.after or "").splitlines()
    matcher = difflib.SequenceMatcher(None, [line.text for line in lines], after, autojunk=False)
    out: list[Line] = []
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            out += lines[old_start:old_end]
        else:
            out += [Line(text, past) for text in after[new_start:new_end]]
    return out
