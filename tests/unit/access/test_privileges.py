"""The table of privileges and roles, against the yardstick's facts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from corral.access.privileges import BUILTIN_ROLES, PRIVILEGES, is_acl_path, normalize_path

FACTS = Path(os.environ.get("CORRAL_PVE_API", Path(__file__).parents[4] / "shared" / "pve-api")) / "privileges.json"


@pytest.fixture
def facts() -> dict[str, object]:
    if not FACTS.exists():
        pytest.skip(f"no yardstick at {FACTS} (set CORRAL_PVE_API)")
    found: dict[str, object] = json.loads(FACTS.read_text())
    return found


def test_there_are_47_privileges(facts: dict[str, object]) -> None:
    assert sorted(PRIVILEGES) == facts["privileges"]
    assert len(PRIVILEGES) == 47


def test_builtin_roles_are_those_of_the_yardstick(facts: dict[str, object]) -> None:
    assert {name: sorted(privs) for name, privs in BUILTIN_ROLES.items()} == facts["roles"]


@pytest.mark.parametrize(
    "path",
    ["/", "/access", "/access/groups/a.b-c_d", "/access/realm/pve", "/nodes/n1", "/pool/a/b/c", "/sdn/zones/z/v/12",
     "/sdn/prefix-lists/p", "/storage/local", "/vms", "/vms/100", "/mapping/pci/x"],
)  # fmt: skip
def test_known_paths_may_be_in_an_acl(path: str) -> None:
    assert is_acl_path(path)


@pytest.mark.parametrize(
    "path",
    ["", "vms", "/vms/", "/vms/12", "/vms/0100", "/vms/100/x", "/pool/a/b/c/d", "/foo", "/sdn/zones/z/v/0", "//"],
)
def test_other_paths_may_not(path: str) -> None:
    assert not is_acl_path(path)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [("", "/"), ("/", "/"), ("//", "/"), ("vms/100", "/vms/100"), ("/vms//100/", "/vms/100"),
     ("/vms/../x", "/vms/../x"), ("/vms/1 00", None), ("/vms/\n", None), ("/vms/é", None), ("/vms\0", None),
     ("/a" * 17, None), ("/" + "a" * 1024, None)],
)  # fmt: skip
def test_paths_have_one_form(raw: str, normal: str | None) -> None:
    assert normalize_path(raw) == normal
