"""What ACL entries give to whom."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corral.access.permissions import Rights
from corral.access.privileges import BUILTIN_ROLES, PRIVILEGES
from corral.access.records import Grant, UserConfig
from corral.core.identity import ROOT, Identity
from corral.system.fakes import FakeClock

BASE = """\
user:root@pam:1:0::::::
user:joe@pve:1:0::::::
user:off@pve:0:0::::::
user:old@pve:1:1700000100::::::
token:joe@pve!all:0:0::
token:joe@pve!some:0:1::
token:joe@pve!old:1700000100:0::
token:off@pve!tok:0:0::
token:root@pam!tok:0:1::
group:g1:joe@pve:
group:g2:joe@pve:
pool:lab::100,101:local:
pool:lab/deep::102::
role:Look:VM.Audit:
role:Run:VM.PowerMgmt:
role:Odd:VM.Audit,VM.Unheard.Of:
"""

JOE = Identity("joe@pve")


def rights(acl: str, clock: FakeClock | None = None) -> Rights:
    return Rights(UserConfig.parse(BASE + acl), clock or FakeClock())


LOOK, RUN = {"VM.Audit"}, {"VM.PowerMgmt"}
BOTH = LOOK | RUN

TABLE = [
    ("nothing is given without an entry", "", "joe@pve", "/vms/100", set()),
    ("an entry counts on its path", "acl:1:/vms/100:joe@pve:Look:", "joe@pve", "/vms/100", LOOK),
    ("not on a sibling", "acl:1:/vms/100:joe@pve:Look:", "joe@pve", "/vms/1000", set()),
    ("not above", "acl:1:/vms/100:joe@pve:Look:", "joe@pve", "/vms", set()),
    ("it propagates", "acl:1:/:joe@pve:Look:", "joe@pve", "/vms/100", LOOK),
    ("unless told not to", "acl:0:/vms:joe@pve:Look:", "joe@pve", "/vms/100", set()),
    ("then it counts on the exact path", "acl:0:/vms:joe@pve:Look:", "joe@pve", "/vms", LOOK),
    ("a lower level replaces", "acl:1:/:joe@pve:Look:\nacl:1:/vms:joe@pve:Run:", "joe@pve", "/vms/1", RUN),
    ("one that yields nothing doesn't", "acl:1:/:joe@pve:Look:\nacl:0:/vms:joe@pve:Run:", "joe@pve", "/vms/1", LOOK),
    ("groups add up", "acl:1:/:@g1:Look:\nacl:1:/:@g2:Run:", "joe@pve", "/", BOTH),
    ("the user's own entry beats groups", "acl:1:/:@g1:Look:\nacl:1:/:joe@pve:Run:", "joe@pve", "/", RUN),
    ("a group's lower entry beats the user's", "acl:1:/vms:@g1:Look:\nacl:1:/:joe@pve:Run:", "joe@pve", "/vms/1", LOOK),
    ("two roles on a level add up", "acl:1:/:joe@pve:Look,Run:", "joe@pve", "/", BOTH),
    ("NoAccess leaves nothing", "acl:1:/:joe@pve:Look,NoAccess:", "joe@pve", "/vms", set()),
    ("NoAccess by one group too", "acl:1:/:@g1:Look:\nacl:1:/:@g2:NoAccess:", "joe@pve", "/", set()),
    ("but a lower level lifts it", "acl:1:/:joe@pve:NoAccess:\nacl:1:/vms:joe@pve:Look:", "joe@pve", "/vms/1", LOOK),
    ("one that stays on its path", "acl:1:/:joe@pve:Look:\nacl:0:/vms:joe@pve:NoAccess:", "joe@pve", "/vms/1", LOOK),
    ("an unknown role does not replace", "acl:1:/:joe@pve:Look:\nacl:1:/vms:joe@pve:Nope:", "joe@pve", "/vms/1", LOOK),
    ("an unknown privilege is none", "acl:1:/:joe@pve:Odd:", "joe@pve", "/", LOOK),
    ("root@pam has all", "acl:1:/:root@pam:NoAccess:", "root@pam", "/vms/1", PRIVILEGES),
    ("a disabled user has nothing", "acl:1:/:off@pve:Look:", "off@pve", "/", set()),
    ("nor has its token", "acl:1:/:off@pve:Look:", "off@pve!tok", "/", set()),
    ("an unknown user has nothing", "acl:1:/:new@pve:Look:", "new@pve", "/", set()),
    ("an unknown token has nothing", "acl:1:/:joe@pve,joe@pve!new:Look:", "joe@pve!new", "/", set()),
    ("a full token has what its user has", "acl:1:/:@g1:Look:", "joe@pve!all", "/", LOOK),
    ("and not what its own entry says", "acl:1:/:@g1:Look:\nacl:1:/:joe@pve!all:Run:", "joe@pve!all", "/", LOOK),
    ("a separated token has nothing by itself", "acl:1:/:joe@pve:Look:", "joe@pve!some", "/", set()),
    ("it has what both have", "acl:1:/:joe@pve:Look:\nacl:1:/:joe@pve!some:Look,Run:", "joe@pve!some", "/", LOOK),
    ("its user's NoAccess holds", "acl:1:/:joe@pve:NoAccess:\nacl:1:/:joe@pve!some:Look:", "joe@pve!some", "/", set()),
    ("its own NoAccess holds", "acl:1:/:joe@pve:Look:\nacl:1:/:joe@pve!some:NoAccess:", "joe@pve!some", "/", set()),
    ("a separated token of root@pam is bound", "acl:1:/vms:root@pam!tok:Look:", "root@pam!tok", "/vms/1", LOOK),
    ("and has nothing elsewhere", "acl:1:/vms:root@pam!tok:Look:", "root@pam!tok", "/", set()),
    ("a pool counts on its guests", "acl:1:/pool/lab:joe@pve:Look:", "joe@pve", "/vms/100", LOOK),
    ("and storages", "acl:0:/pool/lab:joe@pve:Look:", "joe@pve", "/storage/local", LOOK),
    ("and no others", "acl:1:/pool/lab:joe@pve:Look:", "joe@pve", "/vms/103", set()),
    ("a pool above propagates", "acl:1:/pool/lab:joe@pve:Look:", "joe@pve", "/vms/102", LOOK),
    ("pool and own add up", "acl:1:/pool/lab:joe@pve:Look:\nacl:1:/vms:joe@pve:Run:", "joe@pve", "/vms/100", BOTH),
    ("NoAccess there wins", "acl:1:/pool/lab:@g1:NoAccess:\nacl:1:/vms:@g1:Run:", "joe@pve", "/vms/100", set()),
    ("NoAccess here wins", "acl:1:/pool/lab:@g1:Look:\nacl:1:/vms:@g1:NoAccess:", "joe@pve", "/vms/100", set()),
    ("slashes do not matter", "acl:1:/vms/100:joe@pve:Look:", "joe@pve", "vms//100/", LOOK),
    ("dots are names", "acl:1:/vms/100:joe@pve:Look:", "joe@pve", "/vms/100/../200", LOOK),
    ("a bad path gives nothing", "acl:1:/:joe@pve:Look:", "joe@pve", "/vms/[1]", set()),
]  # fmt: skip


@pytest.mark.parametrize(("promise", "acl", "who", "path", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_rule(promise: str, acl: str, who: str, path: str, expected: set[str]) -> None:
    assert rights(acl + "\n").privileges(Identity.parse(who), path) == expected, promise


def test_expiry_takes_effect_without_a_change_of_the_record(clock: FakeClock) -> None:
    found = rights("acl:1:/:old@pve,joe@pve:Look:\n", clock)
    old, token = Identity("old@pve"), Identity("joe@pve", "old")
    assert found.privileges(old, "/") == found.privileges(token, "/") == LOOK
    clock.advance(100)
    assert found.privileges(old, "/") == found.privileges(token, "/") == set()
    assert found.privileges(JOE, "/") == LOOK


def test_propagation_is_told() -> None:
    found = rights("acl:0:/vms:joe@pve:Look:\nacl:1:/vms:joe@pve:Run:\nacl:1:/pool/lab:joe@pve:Look:\n")
    assert found.granted(JOE, "/vms") == {"VM.Audit": False, "VM.PowerMgmt": True}
    assert found.granted(JOE, "/storage/local") == {"VM.Audit": False}
    assert found.granted(JOE, "/pool/lab") == {"VM.Audit": True}


def test_a_token_propagates_only_what_its_user_does() -> None:
    found = rights("acl:0:/vms:joe@pve:Look:\nacl:1:/vms:joe@pve!some:Look:\n")
    assert found.granted(Identity("joe@pve", "some"), "/vms") == {"VM.Audit": False}


def test_lists_are_filtered_by_any_of_some_privileges() -> None:
    found = rights("acl:1:/vms/100:joe@pve:Look:\nacl:1:/vms/101:joe@pve:Run:\n")
    seen = found.visible(JOE, "VM.Audit", "VM.Backup")
    assert [path for path in ("/vms/100", "/vms/101", "/vms/102") if seen(path)] == ["/vms/100"]
    assert found.visible(ROOT, "VM.Audit")("/vms/102")


def test_answers_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral.access.permissions._MOST_CACHED", 50)
    found = rights("acl:1:/:joe@pve:Look:\n")
    for number in range(1000):
        assert found.privileges(JOE, f"/vms/{100 + number}") == LOOK
    assert len(found._held) <= 50


# --- properties ------------------------------------------------------------------------------------------------------

PATHS = ["/", "/vms", "/vms/100", "/vms/102", "/storage/local", "/pool/lab", "/pool/lab/deep", "/access"]
SUBJECTS = ["joe@pve", "joe@pve!some", "joe@pve!all", "@g1", "@g2", "root@pam!tok"]
ROLES = ["Look", "Run", "NoAccess", "Administrator", "PVEAdmin", "PVEVMUser"]
_grants = st.dictionaries(
    st.builds(Grant, st.sampled_from(PATHS), st.sampled_from(SUBJECTS), st.sampled_from(ROLES)),
    st.booleans(),
    max_size=12,
)
_config = UserConfig.parse(BASE)


def _rights(acl: dict[Grant, bool]) -> Rights:
    import msgspec

    return Rights(msgspec.structs.replace(_config, acl=acl), FakeClock())


@given(_grants)
@settings(max_examples=300)
def test_a_token_never_has_more_than_its_user(acl: dict[Grant, bool]) -> None:
    found = _rights(acl)
    for path in PATHS:
        mine = found.granted(JOE, path)
        for name in ("some", "all"):
            for priv, propagate in found.granted(Identity("joe@pve", name), path).items():
                assert priv in mine
                assert mine[priv] or not propagate


@given(_grants, st.sampled_from(PATHS), st.sampled_from(["joe@pve", "@g1"]), st.booleans())
@settings(max_examples=300)
def test_no_access_never_adds_a_privilege_on_its_own_path(
    acl: dict[Grant, bool], path: str, subject: str, propagate: bool
) -> None:
    before = _rights(acl).privileges(JOE, path)
    after = _rights({**acl, Grant(path, subject, "NoAccess"): propagate}).privileges(JOE, path)
    assert after <= before
    if subject == "joe@pve":
        assert after == set()


@given(_grants, st.sampled_from(PATHS), st.sampled_from(ROLES))
@settings(max_examples=300)
def test_another_role_beside_ones_own_takes_nothing_away_but_by_no_access(
    acl: dict[Grant, bool], path: str, role: str
) -> None:
    own = {**acl, Grant(path, "joe@pve", "Look"): True}
    before = _rights(own).privileges(JOE, path)
    after = _rights({**own, Grant(path, "joe@pve", role): True}).privileges(JOE, path)
    assert after >= before or role == "NoAccess"


@given(_grants)
def test_privileges_are_those_of_roles_that_somebody_gave(acl: dict[Grant, bool]) -> None:
    found = _rights(acl)
    given_roles = {grant.role for grant in acl if grant.subject in ("joe@pve", "@g1", "@g2")}
    possible = {"Look": {"VM.Audit"}, "Run": {"VM.PowerMgmt"}, **BUILTIN_ROLES}
    most = set().union(*(possible[role] for role in given_roles)) if given_roles else set()
    for path in PATHS:
        assert found.privileges(JOE, path) <= most


def test_answers_for_long_paths_are_not_kept() -> None:
    """Paths come from requests: a short one names something, a long one would only fill memory."""
    config = UserConfig.parse("user:joe@pve:1:0::::::\nacl:1:/vms:joe@pve:PVEVMUser:\n")
    found = Rights(config, FakeClock())
    joe = Identity("joe@pve")
    for number in range(50):
        assert "VM.Audit" in found.privileges(joe, f"/vms/{'x' * 300}/{number}")
        assert found.privileges(joe, "/" + "%" * 5000 + str(number)) == frozenset()
    assert not any(len(path) > 128 for _, path in (*found._held, *found._passed_on))
