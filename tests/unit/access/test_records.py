"""user.cfg: every text can be read, what is printed reads back, deletes leave nothing dangling."""

from __future__ import annotations

from string import ascii_letters, digits, printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.access.names import identity, is_tokenid, is_userid, subject_kind
from corral.access.records import Grant, Group, Pool, Role, Token, User, UserConfig
from corral.access.secrets import ShadowConfig, TokenConfig, token_hash
from corral.core.identity import Identity

TEXT = """\
user:joe@pve:1:1700000000:Joe:Doe:joe@example.com:likes %25 and %3A:x:
token:joe@pve!ci:0:1:build robot:
user:root@pam:1:0::::::

group:admins:joe@pve,root@pam:The admins:

pool:lab:Test lab:100,101:local,nfs:

role:Operator:VM.Audit,VM.PowerMgmt:

acl:0:/:joe@pve!ci:PVEAuditor:
acl:1:/:@admins:Administrator:
acl:1:/vms:joe@pve:Operator,PVEVMUser:
"""


def test_a_text_in_printed_order_prints_unchanged() -> None:
    assert str(UserConfig.parse(TEXT)) == TEXT


def test_values_are_read() -> None:
    config = UserConfig.parse(TEXT)
    joe = config.users["joe@pve"]
    assert (joe.firstname, joe.expire, joe.comment, joe.keys) == ("Joe", 1700000000, "likes % and :", "x")
    assert config.tokens["joe@pve!ci"].privsep
    assert config.groups["admins"].members == {"joe@pve", "root@pam"}
    assert config.pools["lab"] == Pool(
        poolid="lab", comment="Test lab", vms=frozenset({100, 101}), storages=frozenset({"local", "nfs"})
    )
    assert config.acl[Grant("/", "@admins", "Administrator")] is True
    assert config.acl[Grant("/", "joe@pve!ci", "PVEAuditor")] is False


def test_lines_that_are_not_understood_are_kept() -> None:
    strange = (
        "# a comment\nfuture:thing:1:\nuser:no-realm:1:0:\nacl:1:/vms:what is this:X:\nrole:Administrator:VM.Audit:\n"
    )
    config = UserConfig.parse(TEXT + "\n" + strange)
    assert [line for line in str(config).splitlines() if line][-5:] == [
        "# a comment",
        "future:thing:1:",
        "user:no-realm:1:0:",
        "acl:1:/vms:what,is,this:X:",
        "role:Administrator:VM.Audit:",
    ]


def test_fields_of_a_later_version_are_kept() -> None:
    text = "user:joe@pve:1:0::::::new field:another:\n"
    assert str(UserConfig.parse(text)) == text


def test_missing_fields_at_the_end_of_a_line_are_empty() -> None:
    assert UserConfig.parse("user:joe@pve:1:0").users["joe@pve"] == User(userid="joe@pve")
    assert UserConfig.parse("token:joe@pve!tok:0").tokens["joe@pve!tok"].privsep, "a cut line must not widen a token"


def test_a_guest_is_in_one_pool() -> None:
    config = UserConfig.parse("pool:a::100:s:\npool:b::100,101:s:\n")
    assert config.pools["b"].vms == {101}
    assert config.with_guest_in(100, "b").pool_of(100) == "b"
    assert config.with_guest_in(100, None).pool_of(100) is None


def test_a_second_line_about_a_user_does_not_count_and_does_not_come_back() -> None:
    config = UserConfig.parse("user:a@pve:0:0:::::::\nuser:a@pve:1:0:::::::\n")
    assert not config.users["a@pve"].enable
    assert "a@pve" not in UserConfig.parse(str(config.without_user("a@pve"))).users


@pytest.mark.parametrize(
    "userid",
    ["x,root@pam@pve", "x;y@pve", "a b@pve", "x!y@pve", "a:b@pve", "a/b@pve", "@pve", "joe", "joe@", "a\n@pve",
     "a\u2028@pve", "a\0@pve", "joe@p", "a\u200b@pve", "x" * 62 + "@pve"],
)  # fmt: skip
def test_names_that_could_be_read_as_something_else_are_no_users(userid: str) -> None:
    assert not is_userid(userid)


def test_users_tokens_and_groups_are_told_apart() -> None:
    assert subject_kind("joe@pve") == "user"
    assert subject_kind("joe@pve!ci") == "token"
    assert subject_kind("@joe") == "group"
    assert subject_kind("joe") is subject_kind("") is subject_kind("@") is None
    assert is_tokenid("joe@pve!ci")
    assert not is_tokenid("joe@pve!c")
    assert identity("joe@x@pve!ci") == Identity("joe@x@pve", "ci")


def test_a_deleted_user_leaves_nothing_behind() -> None:
    config = UserConfig.parse(TEXT).without_user("joe@pve")
    assert "joe@pve" not in str(config)


def test_a_new_thing_inherits_nothing_that_names_an_earlier_one() -> None:
    left = "group:admins:ghost@pve:\nacl:1:/:ghost@pve,ghost@pve!tok,@gone:Administrator:\nacl:1:/:joe@pve:Old:\n"
    config = UserConfig.parse(left)
    assert "ghost" not in str(config.with_user(User(userid="ghost@pve"))).replace("user:ghost@pve", "")
    assert not any(it.subject == "@gone" for it in config.with_group(Group(groupid="gone")).acl)
    assert not any(it.subject == "ghost@pve!tok" for it in config.with_token(Token(id="ghost@pve!tok")).acl)
    assert not any(it.role == "Old" for it in config.with_role(Role(roleid="Old")).acl)


def test_changing_a_user_keeps_its_memberships_and_grants() -> None:
    config = UserConfig.parse(TEXT)
    changed = config.with_user(User(userid="joe@pve", comment="new"))
    assert changed.acl == config.acl
    assert changed.groups == config.groups


def test_a_removed_guest_leaves_pool_and_acl() -> None:
    config = UserConfig.parse("pool:lab::100:\nacl:1:/vms/100:joe@pve:PVEVMUser:\n").without_guest(100)
    assert "100" not in str(config)


@given(st.text())
def test_any_text_reads_and_prints_to_an_equal_value(text: str) -> None:
    config = UserConfig.parse(text)
    assert UserConfig.parse(str(config)) == config


_word = st.text(ascii_letters + digits + ".-_", min_size=1, max_size=6)
_user = st.builds("{}@{}".format, _word, st.sampled_from(["pam", "pve"]))
_line = st.one_of(
    st.builds("user:{}:{}:{}:{}".format, _user, st.sampled_from("01x"), st.integers(-1, 9), st.text(printable)),
    st.builds("token:{}!{}:{}".format, _user, _word, st.text(":01", max_size=4)),
    st.builds("group:{}:{}:{}".format, _word, st.lists(_user).map(",".join), st.text(":%éx\r", max_size=9)),
    st.builds("pool:{}::{}:{}".format, _word, st.text("10,;9 ", max_size=12), _word),
    st.builds("role:{}:{}".format, st.one_of(_word, st.just("NoAccess")), _word),
    st.builds(
        "acl:{}:/{}:{}:{}".format, st.sampled_from(["0", "1", ""]), st.text("a/1 ", max_size=5),
        st.lists(st.one_of(_user, _word)).map(",".join), _word,
    ),
)  # fmt: skip


@given(st.lists(_line).map("\n".join))
def test_any_lines_read_and_print_to_an_equal_value(text: str) -> None:
    config = UserConfig.parse(text)
    assert UserConfig.parse(str(config)) == config
    assert str(UserConfig.parse(str(config))) == str(config)


@given(st.text(), st.text(), st.text())
def test_no_text_in_a_field_forges_a_line(comment: str, first: str, mail: str) -> None:
    user = User(userid="joe@pve", comment=comment, firstname=first, email=mail)
    config = UserConfig().with_user(user)
    again = UserConfig.parse(str(config))
    clean = {
        field: getattr(user, field).encode("utf-8", "replace").decode() for field in ("comment", "firstname", "email")
    }
    assert set(again.users) == {"joe@pve"}
    assert not again.kept
    assert {field: getattr(again.users["joe@pve"], field) for field in clean} == clean


@given(st.text())
def test_shadow_and_token_files_read_any_text(text: str) -> None:
    shadow, tokens = ShadowConfig.parse(text), TokenConfig.parse(text)
    assert ShadowConfig.parse(str(shadow)) == shadow
    assert TokenConfig.parse(str(tokens)) == tokens


def test_a_token_secret_in_the_clear_is_read_as_its_hash() -> None:
    secret = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    config = TokenConfig.parse(f"joe@pve!ci {secret}\n")
    assert str(config) == f"joe@pve!ci {token_hash(secret)}\n"
    assert config.matches("joe@pve!ci", secret)
    assert not config.matches("joe@pve!ci", secret[:-1])
    assert not config.matches("joe@pve!other", secret)
    assert not config.matches("joe@pve!ci", config.hashes["joe@pve!ci"]), "the hash is not the secret"
