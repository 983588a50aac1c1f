"""Redaction, differences and blame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.store.base import Cause, Past, RecordClass, Revision
from corral.store.history import blame, diff, redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cores: 2\ncipassword: $5$abc$def\nname: x\n", "cores: 2\ncipassword: ***\nname: x\n"),
        ("cifs: nas\n\tpassword s3cret word\n\tpath /x\n", "cifs: nas\n\tpassword ***\n\tpath /x\n"),
        ("\tencryption-key abc\n", "\tencryption-key ***\n"),
        ("tpm: local:1,secret=abc,version=2\n", "tpm: local:1,secret=***,version=2\n"),
        ("https://x/?token=abc&y=1\n", "https://x/?token=***&y=1\n"),
        ('{"password": "a\\"b", "x": "y"}', '{"password": "***", "x": "y"}'),
        ("client_secret = abc\n", "client_secret = ***\n"),
        ("bind-password: x", "bind-password: ***"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\ndef\n-----END RSA PRIVATE KEY-----\n",
         "-----BEGIN RSA PRIVATE KEY-----\n***\n-----END RSA PRIVATE KEY-----\n"),
    ],
)  # fmt: skip
def test_secrets_are_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "token:joe@pve!ci:0:1:comment:\n",
        "# the password: ask joe\n#password%3A x\n",
        "name: secret-server\ndescription: no token here\n",
        "password:\n",
        "-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n",
        "sshkeys: ssh-ed25519%20AAAA\n",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


@given(st.text(alphabet="password: token=secret,\n\tx\"'#", max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


def test_a_diff_is_unified_and_labelled() -> None:
    assert diff("a: 1\nb: 1\n", "a: 2\nb: 1\n", name="guest/100", old="1.4", new="1.5") == (
        "--- a/guest/100\t1.4\n+++ b/guest/100\t1.5\n@@ -1,2 +1,2 @@\n-a: 1\n+a: 2\n b: 1\n"
    )
    assert diff(None, "a\n", name="x").startswith("--- /dev/null\n+++ b/x\n")
    assert diff("a\n", None, name="x").startswith("--- a/x\n+++ /dev/null\n")
    assert diff("same\n", "same\n") == ""


def past(number: int, before: str | None, after: str | None) -> Past:
    return Past(
        key="k",
        revision=Revision(1, number),
        time=0.0,
        cause=Cause(who=f"u{number}@pve"),
        before=before,
        after=after,
        cls=RecordClass.API,
    )


def test_blame_names_the_last_change_of_each_line() -> None:
    pasts = [past(4, "a\nB\nc\n", "a\nB\nc\nd\n"), past(3, "a\nb\nc\n", "a\nB\nc\n"), past(2, "a\nb\n", "a\nb\nc\n")]
    assert [(line.text, line.past.revision.number if line.past else 0) for line in blame(pasts)] == [
        ("a", 0),
        ("B", 3),
        ("c", 2),
        ("d", 4),
    ]


def test_blame_of_a_whole_life_knows_every_line() -> None:
    pasts = [past(3, None, "x\n"), past(2, "a\n", None), past(1, None, "a\n")]
    assert [(line.text, line.past and line.past.revision.number) for line in blame(pasts)] == [("x", 3)]
    assert blame([]) == []


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=5).map("\n".join), min_size=1, max_size=6))
def test_blame_always_gives_the_present_text(versions: list[str]) -> None:
    pasts = [past(i, versions[i - 1] if i else None, text) for i, text in enumerate(versions)]
    assert [line.text for line in blame(pasts[::-1])] == versions[-1].splitlines()
