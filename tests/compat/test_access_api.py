"""Every call of /access, /pools and /version through the dispatcher: what it changes, what it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.access.privileges import BUILTIN_ROLES
from corral.access.realms import Pam, Pve
from corral.access.realms.pve import Cost
from corral.access.records import UserConfig
from corral.access.secrets import SHADOW, TOKENS, ShadowConfig, TokenConfig
from corral.access.service import Access, bootstrap, rotate_keys
from corral.api import access, pools, version
from corral.core.identity import Identity
from corral.core.layout import Layout
from corral.core.secret import Secret
from corral.guests import records
from corral.metrics.board import GuestStatus, StatusBoard, StorageStatus
from corral.rest.call import Credentials, Reply, Request
from corral.rest.dispatch import Dispatcher
from corral.rest.observe import log_call
from corral.rest.plan import KEY as PLAN_KEY
from corral.rest.results import to_wire
from corral.store.base import Cause, Doc, RecordClass, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.noted import NotedTree
from corral.system.fakes import FakeClock

ENDPOINTS = [*access.ENDPOINTS, *pools.ENDPOINTS, *version.ENDPOINTS]
ADMIN_PASSWORD = "first-password"
JOE_PASSWORD = "joes-password"
_KEYS: list[Doc] = []
AUTH_FAILURE = "authentication failure"


class FakePam:
    """Knows one password of the machine's root; notes who was asked about."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def __call__(self, name: str, password: str, address: str) -> bool:
        self.asked.append((name, password, address))
        return (name, password) == ("root", "toor")


@dataclass(frozen=True)
class Shelf:
    """Storages by name."""

    names: tuple[str, ...] = ("local", "nfs")

    def ids(self) -> tuple[str, ...]:
        return self.names


@dataclass
class Node:
    """An app as far as these calls need one."""

    clock: FakeClock
    layout: Layout
    node: str = "n1"
    tasks: Any = None
    board: StatusBoard = field(default_factory=StatusBoard)
    storage: Shelf = field(default_factory=Shelf)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)
        self.tree = NotedTree(self.store)
        self.pam = FakePam()
        self.pve = Pve(self.tree, Cost(passes=1, memory=8))
        self.access = Access(self.tree, self.clock, realms=(Pam(self.pam), self.pve))
        self._lend_keys()
        bootstrap(self.store, self.clock, self.layout, Secret(ADMIN_PASSWORD), self.pve)
        self.put(PLAN_KEY, "00" * 32, RecordClass.ROOT)
        self.dispatcher: Dispatcher[Any] = Dispatcher(self, ENDPOINTS, observer=log_call)

    def _lend_keys(self) -> None:
        """Making an RSA key takes a third of a second: all nodes here share one."""
        if not _KEYS:
            donor = MemoryStore(self.clock)
            rotate_keys(donor, self.clock)
            _KEYS.extend(donor.list())
        for doc in _KEYS:
            self.put(doc.key, doc.text, doc.cls, **doc.header)

    def settle(self, revision: Revision) -> None:
        assert self.tree.revision >= revision

    def put(self, key: str, text: str, cls: RecordClass = RecordClass.API, **header: str) -> None:
        write = Write(key=key, text=text, cls=cls, header=header)
        self.store.commit(Transaction(cause=Cause(who="test"), writes=(write,)))

    def text(self, key: str) -> str:
        doc = self.store.get(key)
        return doc.text if doc else ""

    @property
    def users(self) -> UserConfig:
        return UserConfig.parse(self.text("user.cfg"))


class Client:
    """Somebody who makes calls."""

    def __init__(self, node: Node, credentials: Credentials) -> None:
        self._node = node
        self.credentials = credentials

    def reply(self, method: str, path: str, /, *, plan: bool = False, apply: str | None = None, **params: Any) -> Reply:
        wire = {name.rstrip("_").replace("__", "-"): value for name, value in params.items()}
        return self.send(method, path, wire, plan=plan, apply=apply)

    def send(self, method: str, path: str, wire: Mapping[str, Any], **how: Any) -> Reply:
        return self._node.dispatcher.dispatch(Request(method, path, wire, self.credentials, **how))

    def do(self, method: str, path: str, /, **params: Any) -> Any:
        reply = self.reply(method, path, **params)
        assert reply.ok, (reply.status, reply.message, reply.errors)
        return to_wire(reply.data)

    def refused(self, method: str, path: str, /, **params: Any) -> tuple[int, str]:
        reply = self.reply(method, path, **params)
        assert not reply.ok, f"{method} {path} was answered"
        return reply.status, reply.reason

    def errors(self, method: str, path: str, /, **params: Any) -> Mapping[str, str]:
        reply = self.reply(method, path, **params)
        assert reply.status == 400
        assert reply.errors is not None
        return reply.errors


@pytest.fixture
def node(clock: FakeClock, tmp_path: Any) -> Node:
    made = Node(clock, Layout(tmp_path))
    made.put("guest/100", "name: a\n", kind="qemu", node="n1", uuid="u", generation="1")
    made.put("guest/101", "name: b\n", kind="lxc", node="n1", uuid="v", generation="1")
    return made


@pytest.fixture
def root(node: Node) -> Client:
    return Client(node, Credentials(local_root=True))


@pytest.fixture
def anybody(node: Node) -> Client:
    return Client(node, Credentials(address="192.0.2.7"))


@pytest.fixture
def joe(node: Node, root: Client) -> Client:
    """joe@pve, a user without any right."""
    root.do("POST", "/access/users", userid="joe@pve", password=JOE_PASSWORD)
    return ticket_of(node, "joe@pve", JOE_PASSWORD)


def ticket_of(node: Node, user: str, password: str) -> Client:
    data = Client(node, Credentials(address="192.0.2.7")).do("POST", "/access/ticket", username=user, password=password)
    csrf = data["CSRFPreventionToken"]
    return Client(node, Credentials(ticket=data["ticket"], csrf=csrf, address="192.0.2.7", changing=True))


def token_of(node: Node, maker: Client, user: str, name: str, **params: Any) -> Client:
    made = maker.do("POST", f"/access/users/{user}/token/{name}", **params)
    return Client(node, Credentials(token=f"={made['full-tokenid']}={made['value']}", changing=True))


def grant(root: Client, who: str, path: str, role: str, **params: Any) -> None:
    root.do("PUT", "/access/acl", path=path, roles=role, users=who, **params)


def role(root: Client, roleid: str, *privs: str) -> str:
    root.do("POST", "/access/roles", roleid=roleid, privs=",".join(privs))
    return roleid


# --- logging in ------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("POST /access/ticket", "username", "password")
def test_the_first_administrator_logs_in(anybody: Client, clock: FakeClock) -> None:
    data = anybody.do("POST", "/access/ticket", username="admin@pve", password=ADMIN_PASSWORD)
    assert data["username"] == "admin@pve"
    assert data["ticket"].startswith(f"PVE:admin@pve:{int(clock.now()):08X}::")
    assert re.fullmatch(r"[0-9A-F]{8}:[A-Za-z0-9+/]+=*", data["CSRFPreventionToken"])
    assert sorted(data["cap"]) == ["access", "dc", "mapping", "nodes", "sdn", "storage", "vms"]
    assert data["cap"]["vms"]["VM.Allocate"] == 1
    assert "Sys.Modify" in data["cap"]["nodes"]


@pytest.mark.exercises("POST /access/ticket", "realm", "otp", "new-format")
def test_the_realm_may_come_apart(anybody: Client) -> None:
    data = anybody.do(
        "POST", "/access/ticket", username="admin", realm="pve", password=ADMIN_PASSWORD, otp="123456", new__format=0
    )
    assert data["username"] == "admin@pve"


@pytest.mark.exercises("POST /access/ticket", "username", "password", "realm", "tfa-challenge", refused=True)
@pytest.mark.parametrize(
    "params",
    [
        {"username": "admin@pve", "password": "wrong"},
        {"username": "admin@pve", "password": ""},
        {"username": "nobody@pve", "password": ADMIN_PASSWORD},
        {"username": "admin@nowhere", "password": ADMIN_PASSWORD},
        {"username": "admin", "password": ADMIN_PASSWORD},
        {"username": "admin@pve", "realm": "pam", "password": ADMIN_PASSWORD},
        {"username": "admin@pve!x", "password": ADMIN_PASSWORD},
        {"username": "root@pam", "password": "wrong"},
        {"username": "daemon@pam", "password": "toor"},
        {"username": "admin@pve", "password": ADMIN_PASSWORD, "tfa__challenge": "x"},
        {"username": "admin@pve", "password": "PVE:admin@pve:00000000::AAAA"},
    ],
)
def test_every_refused_login_reads_the_same(anybody: Client, params: dict[str, str]) -> None:
    anybody.reply("POST", "/access/ticket", username="x", password="y", realm="pve", tfa__challenge="z")
    assert anybody.refused("POST", "/access/ticket", **params) == (401, AUTH_FAILURE)


def test_pam_is_asked_about_known_users_only(node: Node, anybody: Client) -> None:
    assert anybody.do("POST", "/access/ticket", username="root@pam", password="toor")["username"] == "root@pam"
    anybody.refused("POST", "/access/ticket", username="daemon@pam", password="guess")
    assert node.pam.asked == [("root", "toor", "192.0.2.7"), ("corral-no-such-user", "", "192.0.2.7")]


def test_a_ticket_renews_itself_and_roots_becomes_anybody(node: Node, joe: Client, anybody: Client) -> None:
    ticket = joe.credentials.ticket
    again = anybody.do("POST", "/access/ticket", username="joe@pve", password=ticket)
    assert again["username"] == "joe@pve"
    assert anybody.refused("POST", "/access/ticket", username="admin@pve", password=ticket)[0] == 401
    roots = ticket_of(node, "root@pam", "toor").credentials.ticket
    assert anybody.do("POST", "/access/ticket", username="joe@pve", password=roots)["username"] == "joe@pve"
    assert anybody.refused("POST", "/access/ticket", username="nobody@pve", password=roots)[0] == 401


def test_a_ticket_of_a_disabled_user_is_worth_nothing(root: Client, joe: Client, anybody: Client) -> None:
    root.do("PUT", "/access/users/joe@pve", enable=0)
    assert joe.refused("GET", "/version") == (401, "Authentication failed!")
    for password in (joe.credentials.ticket, JOE_PASSWORD):
        assert anybody.refused("POST", "/access/ticket", username="joe@pve", password=password) == (401, AUTH_FAILURE)


def test_calls_need_a_ticket_and_changes_its_csrf_token(node: Node, joe: Client, anybody: Client) -> None:
    assert anybody.refused("GET", "/version") == (401, "No ticket")
    ticket = joe.credentials.ticket
    bare = Client(node, Credentials(ticket=ticket, changing=True))
    assert bare.refused("PUT", "/access/users/joe@pve") == (401, "Permission denied - invalid csrf token")
    other = node.access.tickets.issue_csrf("admin@pve")
    assert Client(node, Credentials(ticket=ticket, csrf=other, changing=True)).refused("PUT", "/access/acl")[0] == 401


@pytest.mark.exercises("POST /access/ticket", "path", "privs")
def test_login_with_path_only_verifies(node: Node, root: Client, joe: Client, anybody: Client) -> None:
    grant(root, "joe@pve", "/vms/100", "PVEVMUser")
    call = {"username": "joe@pve", "password": JOE_PASSWORD, "path": "/vms/100"}
    data = anybody.do("POST", "/access/ticket", **call, privs="VM.Console VM.Audit")
    assert set(data) == {"username", "cap"}
    assert "VM.Console" in data["cap"]["vms"]
    assert anybody.refused("POST", "/access/ticket", **call, privs="VM.Allocate") == (401, AUTH_FAILURE)
    assert anybody.errors("POST", "/access/ticket", **call) == {"privs": "missing property required by 'path'"}
    console = node.access.tickets.issue_console("joe@pve", "/vms/100")
    assert anybody.do("POST", "/access/ticket", **{**call, "password": console}, privs="VM.Console")


@pytest.mark.exercises("GET /access/ticket")
def test_the_log_in_page_may_be_probed(anybody: Client) -> None:
    assert anybody.do("GET", "/access/ticket") is None


def test_failed_log_ins_are_throttled_without_blocking_others(node: Node, joe: Client, clock: FakeClock) -> None:
    attacker = Client(node, Credentials(address="198.51.100.1"))
    for _ in range(50):
        attacker.refused("POST", "/access/ticket", username="joe@pve", password="guess")
    right = {"username": "joe@pve", "password": JOE_PASSWORD}
    assert attacker.refused("POST", "/access/ticket", **right) == (401, AUTH_FAILURE)
    assert Client(node, Credentials(address="192.0.2.7")).do("POST", "/access/ticket", **right)
    clock.advance(60)
    assert attacker.do("POST", "/access/ticket", **right)


@pytest.mark.exercises("POST /access/vncticket", "authid", "path", "privs", "port", "vncticket")
def test_a_console_ticket_is_verified(node: Node, root: Client, joe: Client, anybody: Client, clock: FakeClock) -> None:
    grant(root, "joe@pve", "/vms/100", "PVEVMUser")
    ticket = node.access.tickets.issue_console("joe@pve", "/vms/100", 5901)
    good = {"authid": "joe@pve", "vncticket": ticket, "path": "/vms/100", "privs": "VM.Console", "port": 5901}
    assert anybody.do("POST", "/access/vncticket", **good) is None
    for wrong in (
        {"authid": "root@pam"},
        {"authid": "joe@pve:x"},
        {"port": 5900},
        {"path": "/vms/101"},
        {"privs": "VM.Allocate"},
        {"vncticket": "PVEVNC:00000000::AA"},
    ):
        assert anybody.refused("POST", "/access/vncticket", **{**good, **wrong}) == (401, AUTH_FAILURE)
    clock.advance(41)
    assert anybody.refused("POST", "/access/vncticket", **good) == (401, AUTH_FAILURE)


# --- passwords -------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("PUT /access/password", "userid", "password", "confirmation-password")
def test_a_user_changes_its_password_by_its_old_one(joe: Client, anybody: Client) -> None:
    new = {"userid": "joe@pve", "password": "another-password"}
    assert joe.errors("PUT", "/access/password", **new).keys() == {"confirmation-password"}
    assert joe.refused("PUT", "/access/password", **new, confirmation__password="not mine") == (401, AUTH_FAILURE)
    joe.do("PUT", "/access/password", **new, confirmation__password=JOE_PASSWORD)
    assert anybody.refused("POST", "/access/ticket", username="joe@pve", password=JOE_PASSWORD)[0] == 401
    assert anybody.do("POST", "/access/ticket", username="joe@pve", password="another-password")


def test_a_ticket_is_no_confirmation(joe: Client) -> None:
    ticket = joe.credentials.ticket
    assert ticket is not None
    stolen = Secret(ticket)
    new = {"userid": "joe@pve", "password": "another-password", "confirmation-password": stolen.reveal()[:64]}
    assert joe.send("PUT", "/access/password", new).status == 401


@pytest.mark.exercises("PUT /access/password", "userid", "password", refused=True)
def test_passwords_of_others_need_both_privileges(node: Node, root: Client, joe: Client) -> None:
    call = {"userid": "admin@pve", "password": "taken-over", "confirmation__password": JOE_PASSWORD}
    assert joe.refused("PUT", "/access/password", **call)[0] == 403
    grant(root, "joe@pve", "/access/groups", "PVEUserAdmin")
    assert joe.refused("PUT", "/access/password", **call) == (
        403, "Permission check failed (/access/realm/pve, Realm.AllocateUser)",
    )  # fmt: skip
    grant(root, "joe@pve", "/access/realm/pve", "PVEUserAdmin")
    joe.do("PUT", "/access/password", **call)
    assert ticket_of(node, "admin@pve", "taken-over").do("GET", "/version")


def test_the_password_of_root_is_not_set_here(node: Node, root: Client, joe: Client) -> None:
    grant(root, "joe@pve", "/", "Administrator")
    call = {"userid": "root@pam", "password": "taken-over", "confirmation__password": JOE_PASSWORD}
    assert joe.refused("PUT", "/access/password", **call) == (403, "Permission check failed (user != root@pam)")
    assert root.refused("PUT", "/access/password", **call)[0] == 500


def test_passwords_are_kept_as_argon2_hashes_of_class_root(node: Node, joe: Client) -> None:
    doc = node.store.get(SHADOW)
    assert doc is not None
    assert doc.cls is RecordClass.ROOT
    assert JOE_PASSWORD not in doc.text
    assert ShadowConfig.parse(doc.text).hashes["joe"].startswith("$argon2id$")


@pytest.mark.parametrize("imported", ["$5$saltsalt$OUO9K1RI5TUk2kJK.Bn68Q/88cgTdOg3IPsElyQJ1j9", None])
def test_an_imported_or_cheap_hash_is_renewed_at_log_in(
    node: Node, joe: Client, anybody: Client, imported: str | None
) -> None:
    old = imported or Pve(node.tree, Cost(passes=2, memory=16)).hash(Secret("imported"), b"x" * 16)
    node.put(SHADOW, str(ShadowConfig().with_hash("joe", old)))
    ticket = {"username": "joe@pve", "password": joe.credentials.ticket}
    assert anybody.refused("POST", "/access/ticket", username="joe@pve", password="wrong")[0] == 401
    assert anybody.do("POST", "/access/ticket", **ticket)
    assert old in node.text(SHADOW)
    for _ in range(2):
        assert anybody.do("POST", "/access/ticket", username="joe@pve", password="imported")
        assert ShadowConfig.parse(node.text(SHADOW)).hashes["joe"].startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_tokens_may_not_log_in_or_change_passwords(node: Node, root: Client, joe: Client) -> None:
    token = token_of(node, root, "joe@pve", "full", privsep=0)
    call = {"userid": "joe@pve", "password": "another-password", "confirmation__password": JOE_PASSWORD}
    assert token.refused("PUT", "/access/password", **call) == (
        403, "Permission check failed (calling 'PUT /access/password' is not allowed with an API token)",
    )  # fmt: skip


# --- users -----------------------------------------------------------------------------------------------------------

DETAILS = {
    "comment": "likes : and %",
    "email": "joe@example.com",
    "enable": 0,
    "expire": 1900000000,
    "firstname": "Joe",
    "keys": "x",
    "lastname": "Doe",
}


@pytest.mark.exercises(
    "POST /access/users",
    "userid", "password", "groups", "comment", "email", "enable", "expire", "firstname", "keys", "lastname",
)  # fmt: skip
@pytest.mark.exercises("GET /access/users/{userid}", "userid")
def test_a_user_is_made_as_told(root: Client, anybody: Client) -> None:
    root.do("POST", "/access/groups", groupid="ops")
    root.do("POST", "/access/users", userid="new@pve", password="long enough", groups="ops", **DETAILS)
    assert root.do("GET", "/access/users/new@pve") == {**DETAILS, "groups": ["ops"]}
    root.do("PUT", "/access/users/new@pve", enable=1)
    assert anybody.do("POST", "/access/ticket", username="new@pve", password="long enough")


@pytest.mark.exercises("POST /access/users", "userid", "password", "groups", refused=True)
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"userid": "admin@pve"}, "create user failed: user 'admin@pve' already exists"),
        ({"userid": "root@pam"}, "create user failed: user 'root@pam' already exists"),
        ({"userid": "x@nowhere"}, "domain 'nowhere' does not exist"),
        ({"userid": "x@pve", "groups": "nope"}, "no such group 'nope'"),
        ({"userid": "x@pam", "password": "long enough"}, "can't set the password of a user in realm 'pam' here"),
        ({"userid": "x,root@pam@pve"}, "user name 'x,root@pam@pve' can't be used"),
        ({"userid": "root@pam!x@pve"}, "user name 'root@pam!x@pve' can't be used"),
    ],
)
def test_a_user_that_can_not_be_made(node: Node, root: Client, params: dict[str, str], said: str) -> None:
    root.reply("POST", "/access/users", userid="admin@pve", password="long enough", groups="x")
    before = node.text("user.cfg")
    status, reason = root.refused("POST", "/access/users", **params)
    assert (status, reason[: len(said)]) == (500, said)
    assert node.text("user.cfg") == before


def test_wrong_values_of_a_user_are_all_told(root: Client) -> None:
    errors = root.errors(
        "POST", "/access/users", userid="no realm", password="short", email="x", expire=-1, enable="yes", keys="é"
    )
    assert set(errors) == {"userid", "password", "email", "expire", "enable", "keys"}


@pytest.mark.exercises("GET /access/users", "full", "enabled")
def test_users_are_listed(root: Client, joe: Client) -> None:
    root.do("POST", "/access/groups", groupid="ops")
    root.do("PUT", "/access/users/joe@pve", groups="ops", comment="hi")
    root.do("POST", "/access/users/joe@pve/token/ci", comment="robot")
    rows = {row["userid"]: row for row in root.do("GET", "/access/users")}
    assert rows["joe@pve"] == {"userid": "joe@pve", "enable": 1, "expire": 0, "realm-type": "pve", "comment": "hi"}
    assert rows["root@pam"]["realm-type"] == "pam"
    full = {row["userid"]: row for row in root.do("GET", "/access/users", full=1)}
    assert full["joe@pve"]["groups"] == "ops"
    assert full["joe@pve"]["tokens"] == [{"tokenid": "ci", "expire": 0, "privsep": 1, "comment": "robot"}]
    root.do("PUT", "/access/users/admin@pve", enable=0)
    assert [row["userid"] for row in root.do("GET", "/access/users", enabled=0)] == ["admin@pve"]
    assert [row["userid"] for row in root.do("GET", "/access/users", enabled=1)] == ["joe@pve", "root@pam"]


def test_users_see_themselves_and_the_groups_they_keep(root: Client, joe: Client) -> None:
    assert [row["userid"] for row in joe.do("GET", "/access/users")] == ["joe@pve"]
    root.do("POST", "/access/groups", groupid="ops")
    root.do("POST", "/access/users", userid="ann@pve", groups="ops")
    grant(root, "joe@pve", "/access/groups/ops", "PVEUserAdmin")
    assert [row["userid"] for row in joe.do("GET", "/access/users")] == ["ann@pve", "joe@pve"]
    assert joe.do("GET", "/access/users/ann@pve")["groups"] == ["ops"]
    assert joe.refused("GET", "/access/users/admin@pve")[0] == 403


@pytest.mark.exercises(
    "PUT /access/users/{userid}",
    "userid", "groups", "append", "comment", "email", "enable", "expire", "firstname", "keys", "lastname",
)  # fmt: skip
def test_a_user_is_changed_as_told(root: Client, joe: Client) -> None:
    for name in ("ops", "dev"):
        root.do("POST", "/access/groups", groupid=name)
    root.do("PUT", "/access/users/joe@pve", groups="ops", **DETAILS)
    assert root.do("GET", "/access/users/joe@pve") == {**DETAILS, "groups": ["ops"]}
    root.do("PUT", "/access/users/joe@pve", groups="dev", append=1)
    assert root.do("GET", "/access/users/joe@pve")["groups"] == ["dev", "ops"]
    root.do("PUT", "/access/users/joe@pve", groups="dev", append=0, email="")
    changed = root.do("GET", "/access/users/joe@pve")
    assert (changed["groups"], "email" in changed, changed["comment"]) == (["dev"], False, DETAILS["comment"])
    root.do("PUT", "/access/users/joe@pve", groups="")
    assert root.do("GET", "/access/users/joe@pve")["groups"] == []
    assert root.errors("PUT", "/access/users/joe@pve", append=1) == {"groups": "missing property required by 'append'"}


@pytest.mark.exercises("PUT /access/users/{userid}", "groups", refused=True)
def test_who_keeps_one_group_gives_itself_no_other(root: Client, joe: Client, node: Node) -> None:
    for name in ("ops", "admins", "jail"):
        root.do("POST", "/access/groups", groupid=name)
    root.do("PUT", "/access/users/joe@pve", groups="ops,jail")
    grant(root, "joe@pve", "/access/groups/ops", "PVEUserAdmin")
    mine = "/access/users/joe@pve"
    joe.do("PUT", mine, comment="I may say this")
    assert joe.refused("PUT", mine, groups="ops,admins") == (
        403, "Permission check failed (/access/groups/admins, User.Modify)",
    )  # fmt: skip
    assert joe.refused("PUT", mine, groups="ops") == (
        403, "Permission check failed (/access/groups/jail, User.Modify)",
    )  # fmt: skip
    for trick in (["admins"], ["ops", "admins"], "ops\0admins", "ops admins"):
        assert joe.refused("PUT", mine, groups=trick, append=1)[0] == 403
    assert node.users.groups_of("joe@pve") == {"ops", "jail"}


def test_only_root_switches_root_off(root: Client, joe: Client, node: Node) -> None:
    grant(root, "joe@pve", "/", "Administrator")
    for change in ({"enable": 0}, {"expire": 1}, {"keys": "x"}):
        assert joe.refused("PUT", "/access/users/root@pam", **change)[0] == 403
    joe.do("PUT", "/access/users/root@pam", email="root@example.com")
    root.do("PUT", "/access/users/root@pam", enable=0)
    assert not node.users.users["root@pam"].enable
    assert root.do("GET", "/version"), "the machine's root is never shut out"


@pytest.mark.exercises("DELETE /access/users/{userid}", "userid")
def test_a_deleted_user_leaves_nothing_behind(node: Node, root: Client, joe: Client) -> None:
    root.do("POST", "/access/groups", groupid="ops")
    root.do("PUT", "/access/users/joe@pve", groups="ops")
    root.do("POST", "/access/users/joe@pve/token/ci")
    grant(root, "joe@pve", "/", "Administrator")
    root.do("PUT", "/access/acl", path="/", roles="Administrator", tokens="joe@pve!ci")
    root.do("DELETE", "/access/users/joe@pve")
    assert "joe" not in node.text("user.cfg") + node.text(SHADOW) + node.text(TOKENS)
    assert joe.refused("GET", "/version") == (401, "Authentication failed!")
    root.do("POST", "/access/users", userid="joe@pve")
    assert root.do("GET", "/access/permissions", userid="joe@pve") == {}


@pytest.mark.exercises("DELETE /access/users/{userid}", "userid", refused=True)
def test_some_users_can_not_be_deleted(root: Client, joe: Client) -> None:
    grant(root, "joe@pve", "/", "Administrator")
    assert root.refused("DELETE", "/access/users/nobody@pve") == (500, "no such user ('nobody@pve')")
    assert root.refused("DELETE", "/access/users/root@pam")[0] == 500
    assert joe.refused("DELETE", "/access/users/root@pam")[0] == 403


# --- tokens ----------------------------------------------------------------------------------------------------------

TOKEN = "/access/users/joe@pve/token/ci"


@pytest.mark.exercises(
    "POST /access/users/{userid}/token/{tokenid}", "userid", "tokenid", "comment", "expire", "privsep"
)
@pytest.mark.exercises("GET /access/users/{userid}/token/{tokenid}", "userid", "tokenid")
@pytest.mark.exercises("GET /access/users/{userid}/token", "userid")
def test_a_token_is_made_and_works(node: Node, root: Client, joe: Client, clock: FakeClock) -> None:
    end = int(clock.now()) + 100
    made = joe.do("POST", TOKEN, comment="robot", expire=end, privsep=0)
    assert made["full-tokenid"] == "joe@pve!ci"
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["value"])
    assert made["info"] == {"comment": "robot", "expire": end, "privsep": 0}
    assert joe.do("GET", TOKEN) == made["info"]
    assert joe.do("GET", "/access/users/joe@pve/token") == [{"tokenid": "ci", **made["info"]}]
    assert made["value"] not in node.text(TOKENS), "only a hash is kept"
    client = joe
    for form in ("=joe@pve!ci={}", " joe@pve!ci={}", "joe@pve!ci={}"):
        client = Client(node, Credentials(token=form.format(made["value"]), changing=True))
        assert client.do("GET", "/version")
        assert client.do("GET", "/version"), "also the second time"
    for wrong in ("=joe@pve!ci=x", "=joe@pve!no=" + made["value"], "=joe@pve=" + made["value"], "", "="):
        assert Client(node, Credentials(token=wrong)).refused("GET", "/version")[0] == 401
    clock.advance(100)
    assert client.refused("GET", "/version") == (401, "Authentication failed!")


def test_a_token_ends_with_its_user(node: Node, root: Client, joe: Client, clock: FakeClock) -> None:
    token = token_of(node, joe, "joe@pve", "ci", privsep=0)
    assert token.do("GET", "/version")
    root.do("PUT", "/access/users/joe@pve", enable=0)
    assert token.refused("GET", "/version")[0] == 401
    root.do("PUT", "/access/users/joe@pve", enable=1, expire=int(clock.now()) + 5)
    assert token.do("GET", "/version")
    clock.advance(5)
    assert token.refused("GET", "/version")[0] == 401


@pytest.mark.exercises(
    "PUT /access/users/{userid}/token/{tokenid}",
    "userid", "tokenid", "comment", "expire", "privsep", "regenerate", "delete",
)  # fmt: skip
def test_a_token_is_changed_as_told(node: Node, joe: Client) -> None:
    old = joe.do("POST", TOKEN, privsep=0)["value"]
    end = 1_800_000_000
    assert joe.do("PUT", TOKEN, comment="new", expire=end, privsep=1) == {"comment": "new", "expire": end, "privsep": 1}
    assert joe.do("PUT", TOKEN, delete="comment,expire") == {"expire": 0, "privsep": 1}
    changed = joe.do("PUT", TOKEN, regenerate=1)
    assert changed["full-tokenid"] == "joe@pve!ci"
    assert Client(node, Credentials(token=f"=joe@pve!ci={old}")).refused("GET", "/version")[0] == 401
    assert Client(node, Credentials(token=f"=joe@pve!ci={changed['value']}")).do("GET", "/version")
    assert joe.errors("PUT", TOKEN, comment="x", delete="comment") == {"delete": "option 'comment' is set too"}
    assert joe.errors("PUT", TOKEN, delete="nope") == {"delete": "option 'nope' can't be deleted"}


@pytest.mark.exercises("DELETE /access/users/{userid}/token/{tokenid}", "userid", "tokenid")
def test_a_deleted_token_is_gone_with_its_entries(node: Node, root: Client, joe: Client) -> None:
    token = token_of(node, joe, "joe@pve", "ci")
    root.do("PUT", "/access/acl", path="/vms", roles="PVEVMUser", tokens="joe@pve!ci")
    joe.do("DELETE", TOKEN)
    assert token.refused("GET", "/version")[0] == 401
    assert "joe@pve!ci" not in node.text("user.cfg") + node.text(TOKENS)
    assert joe.refused("DELETE", TOKEN) == (500, "no such token 'ci' for user 'joe@pve'")


@pytest.mark.exercises("POST /access/users/{userid}/token/{tokenid}", "userid", "tokenid", "privsep", refused=True)
def test_tokens_do_not_make_themselves_more(node: Node, root: Client, joe: Client) -> None:
    grant(root, "joe@pve", "/", "Administrator")
    weak = token_of(node, joe, "joe@pve", "weak")
    assert weak.refused("POST", "/access/users/joe@pve/token/strong", privsep=0)[0] == 403
    root.do("PUT", "/access/acl", path="/access", roles="PVEUserAdmin", tokens="joe@pve!weak")
    mine = "/access/users/joe@pve/token"
    for method, path, params in (
        ("POST", f"{mine}/strong", {"privsep": 0}),
        ("PUT", f"{mine}/weak", {"privsep": 0}),
        ("PUT", f"{mine}/weak", {"expire": 0}),
        ("DELETE", f"{mine}/weak", {}),
        ("POST", "/access/users/root@pam/token/strong", {"privsep": 0}),
        ("DELETE", "/access/users/joe@pve", {}),
    ):
        assert weak.refused(method, path, **params)[0] == 403, (method, path)
    assert joe.refused("POST", "/access/users/root@pam/token/mine", privsep=0) == (
        403, "Permission check failed (user != root@pam)",
    )  # fmt: skip
    assert joe.errors("POST", f"{mine}/weak") == {"tokenid": "Token already exists."}
    assert root.refused("GET", "/access/users/ghost@pve/token") == (500, "no such user ('ghost@pve')")


def test_a_token_of_root_is_not_root(node: Node, root: Client) -> None:
    full = token_of(node, root, "root@pam", "full", privsep=0)
    assert full.do("GET", "/access/permissions")["/"]["Sys.Modify"] == 1
    bound = token_of(node, root, "root@pam", "bound")
    assert bound.do("GET", "/access/permissions") == {}
    assert bound.refused("POST", "/access/users/root@pam/token/more", privsep=0)[0] == 403


# --- groups ----------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("POST /access/groups", "groupid", "comment")
@pytest.mark.exercises("GET /access/groups")
@pytest.mark.exercises("GET /access/groups/{groupid}", "groupid")
@pytest.mark.exercises("PUT /access/groups/{groupid}", "groupid", "comment")
@pytest.mark.exercises("DELETE /access/groups/{groupid}", "groupid")
def test_groups_are_made_changed_and_deleted(node: Node, root: Client, joe: Client) -> None:
    root.do("POST", "/access/groups", groupid="ops", comment="first")
    root.do("PUT", "/access/users/joe@pve", groups="ops")
    assert root.do("GET", "/access/groups") == [{"groupid": "ops", "users": "joe@pve", "comment": "first"}]
    root.do("PUT", "/access/groups/ops", comment="second")
    assert root.do("GET", "/access/groups/ops") == {"members": ["joe@pve"], "comment": "second"}
    root.do("PUT", "/access/acl", path="/vms", roles="PVEVMUser", groups="ops")
    root.do("DELETE", "/access/groups/ops")
    assert root.do("GET", "/access/groups") == []
    assert "ops" not in node.text("user.cfg")


@pytest.mark.exercises("POST /access/groups", "groupid", refused=True)
@pytest.mark.exercises("DELETE /access/groups/{groupid}", refused=True)
def test_groups_in_the_wrong_state(root: Client) -> None:
    root.do("POST", "/access/groups", groupid="ops")
    assert root.refused("POST", "/access/groups", groupid="ops") == (
        500, "create group failed: group 'ops' already exists",
    )  # fmt: skip
    for method in ("GET", "PUT", "DELETE"):
        assert root.refused(method, "/access/groups/none") == (500, "group 'none' does not exist")
    assert set(root.errors("POST", "/access/groups", groupid="a:b")) == {"groupid"}


def test_groups_are_shown_to_who_may_see_them(root: Client, joe: Client) -> None:
    for name in ("ops", "dev"):
        root.do("POST", "/access/groups", groupid=name)
    assert joe.do("GET", "/access/groups") == []
    grant(root, "joe@pve", "/access/groups/dev", "PVEUserAdmin")
    assert [row["groupid"] for row in joe.do("GET", "/access/groups")] == ["dev"]
    assert joe.refused("DELETE", "/access/groups/dev") == (
        403, "Permission check failed (/access/groups, Group.Allocate)",
    )  # fmt: skip


# --- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("POST /access/roles", "roleid", "privs")
@pytest.mark.exercises("GET /access/roles/{roleid}", "roleid")
@pytest.mark.exercises("PUT /access/roles/{roleid}", "roleid", "privs", "append")
@pytest.mark.exercises("DELETE /access/roles/{roleid}", "roleid")
def test_roles_are_made_changed_and_deleted(node: Node, root: Client, joe: Client) -> None:
    root.do("POST", "/access/roles", roleid="Op", privs="VM.Audit VM.Console")
    assert root.do("GET", "/access/roles/Op") == {"VM.Audit": 1, "VM.Console": 1}
    root.do("PUT", "/access/roles/Op", privs="VM.PowerMgmt", append=1)
    assert len(root.do("GET", "/access/roles/Op")) == 3
    root.do("PUT", "/access/roles/Op", privs="VM.Backup", append=0)
    assert root.do("GET", "/access/roles/Op") == {"VM.Backup": 1}
    grant(root, "joe@pve", "/vms", "Op")
    root.do("DELETE", "/access/roles/Op")
    assert ":Op:" not in node.text("user.cfg")
    assert root.do("GET", "/access/permissions", userid="joe@pve") == {}


@pytest.mark.exercises("GET /access/roles")
def test_built_in_roles_are_listed_and_stay(root: Client) -> None:
    rows = {row["roleid"]: row for row in root.do("GET", "/access/roles")}
    assert {name for name, row in rows.items() if row["special"]} == set(BUILTIN_ROLES)
    assert rows["PVETemplateUser"]["privs"] == "VM.Audit,VM.Clone"
    assert root.refused("PUT", "/access/roles/NoAccess", privs="VM.Audit") == (
        500, "auto-generated role 'NoAccess' cannot be modified",
    )  # fmt: skip
    assert root.refused("DELETE", "/access/roles/Administrator") == (
        500, "auto-generated role 'Administrator' cannot be deleted",
    )  # fmt: skip
    assert root.refused("POST", "/access/roles", roleid="PVEAdmin") == (
        500, "create role failed: role 'PVEAdmin' already exists",
    )  # fmt: skip


@pytest.mark.exercises("POST /access/roles", "roleid", "privs", refused=True)
def test_roles_refuse_unknown_privileges_and_callers(root: Client, joe: Client) -> None:
    assert set(root.errors("POST", "/access/roles", roleid="Op", privs="VM.Fly")) == {"privs"}
    assert joe.refused("POST", "/access/roles", roleid="Op", privs="VM.Audit") == (
        403, "Permission check failed (/access, Sys.Modify)",
    )  # fmt: skip
    for method in ("GET", "PUT", "DELETE"):
        assert root.refused(method, "/access/roles/none") == (500, "role 'none' does not exist")


# --- ACL -------------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("PUT /access/acl", "path", "roles", "users", "groups", "tokens", "propagate", "delete")
@pytest.mark.exercises("GET /access/acl")
def test_acl_entries_are_made_listed_and_removed(root: Client, joe: Client) -> None:
    root.do("POST", "/access/groups", groupid="ops")
    root.do("POST", TOKEN)
    root.do(
        "PUT", "/access/acl", path="vms//100/", roles="PVEVMUser,PVEAuditor", users="joe@pve", groups="ops",
        tokens="joe@pve!ci", propagate=0,
    )  # fmt: skip
    mine = [row for row in root.do("GET", "/access/acl") if row["path"] == "/vms/100"]
    assert {(row["type"], row["ugid"], row["roleid"], row["propagate"]) for row in mine} == {
        (kind, ugid, name, 0)
        for kind, ugid in (("user", "joe@pve"), ("group", "ops"), ("token", "joe@pve!ci"))
        for name in ("PVEVMUser", "PVEAuditor")
    }
    assert "VM.Console" in root.do("GET", "/access/permissions", userid="joe@pve", path="/vms/100")["/vms/100"]
    root.do("PUT", "/access/acl", path="/vms/100", roles="PVEVMUser", users="joe@pve", groups="ops", delete=1)
    left = [row for row in root.do("GET", "/access/acl") if row["path"] == "/vms/100"]
    assert {(row["ugid"], row["roleid"]) for row in left} == {
        ("joe@pve", "PVEAuditor"), ("ops", "PVEAuditor"), ("joe@pve!ci", "PVEVMUser"), ("joe@pve!ci", "PVEAuditor"),
    }  # fmt: skip


@pytest.mark.exercises("PUT /access/acl", "path", "roles", "users", "groups", "tokens", refused=True)
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"users": "ghost@pve"}, "ACL update failed: user 'ghost@pve' does not exist"),
        ({"groups": "ghost"}, "ACL update failed: group 'ghost' does not exist"),
        ({"tokens": "joe@pve!ghost"}, "ACL update failed: no such token 'ghost' for user 'joe@pve'"),
        ({"users": "admin@pve", "roles": "Ghost"}, "ACL update failed: role 'Ghost' does not exist"),
    ],
)
def test_an_acl_names_only_what_is_there(root: Client, params: dict[str, str], said: str) -> None:
    wrong = {"path": "/nope", "roles": "PVEVMUser", "users": "x@pve", "groups": "x", "tokens": "x@pve!xx"}
    assert root.errors("PUT", "/access/acl", **wrong) == {"path": "invalid ACL path '/nope'"}
    assert root.refused("PUT", "/access/acl", **{"path": "/vms", "roles": "PVEVMUser", **params}) == (500, said)
    assert set(root.errors("PUT", "/access/acl", path="/vms", roles="PVEVMUser")) == {"users", "groups", "tokens"}


def test_acl_is_shown_to_who_may_change_it(root: Client, joe: Client) -> None:
    grant(root, "admin@pve", "/vms/100", "PVEVMAdmin")
    grant(root, "admin@pve", "/vms/101", "PVEVMAdmin")
    assert joe.do("GET", "/access/acl") == []
    grant(root, "joe@pve", "/vms/100", "PVEVMAdmin")
    assert {row["path"] for row in joe.do("GET", "/access/acl")} == {"/vms/100"}
    grant(root, "joe@pve", "/access", "PVEAuditor")
    assert {"/", "/vms/101"} <= {row["path"] for row in joe.do("GET", "/access/acl")}


def test_who_may_allocate_a_guest_shares_no_more_than_it_has(root: Client, joe: Client, node: Node) -> None:
    root.do("POST", "/access/users", userid="ann@pve")
    grant(root, "joe@pve", "/vms/100", "PVEVMAdmin")
    joe.do("PUT", "/access/acl", path="/vms/100", roles="PVEVMUser", users="ann@pve")
    assert "VM.Console" in root.do("GET", "/access/permissions", userid="ann@pve")["/vms/100"]
    denied = (403, "Permission check failed (/vms/100, Permissions.Modify)")
    assert joe.refused("PUT", "/access/acl", path="/vms/100", roles="Administrator", users="joe@pve") == denied
    assert joe.refused("PUT", "/access/acl", path="/vms/100", roles="NoAccess", users="admin@pve") == denied
    assert joe.refused("PUT", "/access/acl", path="/vms/100", roles="PVEVMUser", users="admin@pve") == denied
    assert joe.refused("PUT", "/access/acl", path="/vms/101", roles="PVEVMUser", users="ann@pve")[0] == 403
    assert joe.refused("PUT", "/access/acl", path="/vms", roles="PVEVMUser", users="ann@pve")[0] == 403
    joe.do("PUT", "/access/acl", path="/vms/100", roles="PVEVMUser", users="ann@pve", delete=1)
    assert root.do("GET", "/access/permissions", userid="ann@pve") == {}


def test_removing_a_narrow_entry_is_no_way_to_a_wide_one(root: Client, joe: Client) -> None:
    grant(root, "joe@pve", "/", "Administrator")
    grant(root, "joe@pve", "/vms/100", role(root, "Keeper", "VM.Allocate", "VM.Audit"))
    assert joe.refused("PUT", "/access/acl", path="/vms/100", roles="Keeper", users="joe@pve", delete=1)[0] == 403


def test_a_permission_that_stays_on_its_path_gives_none_below(root: Client, joe: Client) -> None:
    grant(root, "joe@pve", "/vms", role(root, "Perm", "Permissions.Modify"), propagate=0)
    assert joe.refused("PUT", "/access/acl", path="/vms", roles="Administrator", users="joe@pve")[0] == 403
    joe.do("PUT", "/access/acl", path="/vms", roles="PVEVMUser", users="joe@pve", propagate=0)


def test_a_pool_keeper_shuts_nobody_out_of_its_guests(root: Client, joe: Client) -> None:
    root.do("POST", "/pools", poolid="lab")
    root.do("PUT", "/pools", poolid="lab", vms="100")
    root.do("POST", "/access/users", userid="ann@pve")
    grant(root, "ann@pve", "/vms", "PVEVMAdmin")
    grant(root, "joe@pve", "/pool/lab", "PVEPoolAdmin")
    assert joe.refused("PUT", "/access/acl", path="/pool/lab", roles="NoAccess", users="ann@pve")[0] == 403
    joe.do("PUT", "/access/acl", path="/pool/lab", roles="PVEPoolUser", users="ann@pve")


# --- permissions -----------------------------------------------------------------------------------------------------


@pytest.mark.exercises("GET /access/permissions", "path", "userid")
def test_effective_permissions_are_told(node: Node, root: Client, joe: Client) -> None:
    grant(root, "joe@pve", "/vms/100", "PVETemplateUser", propagate=0)
    assert joe.do("GET", "/access/permissions") == {"/vms/100": {"VM.Audit": 0, "VM.Clone": 0}}
    assert joe.do("GET", "/access/permissions", path="/vms/101") == {"/vms/101": {}}
    token = token_of(node, joe, "joe@pve", "ci", privsep=0)
    assert token.do("GET", "/access/permissions") == joe.do("GET", "/access/permissions", userid="joe@pve!ci")
    for other, who in ((joe, "admin@pve"), (joe, "admin@pve!xx"), (token, "joe@pve")):
        assert other.refused("GET", "/access/permissions", userid=who) == (
            403, "Permission check failed (/access, Sys.Audit)",
        )  # fmt: skip
    assert root.refused("GET", "/access/permissions", userid="no@pve") == (500, "no such user ('no@pve')")
    assert root.refused("GET", "/access/permissions", userid="joe@pve!no")[0] == 500
    assert set(root.errors("GET", "/access/permissions", path="/vms/é")) == {"path"}


# --- realms ----------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("GET /access/domains")
def test_realms_are_listed_to_the_world(anybody: Client) -> None:
    assert [(row["realm"], row["type"]) for row in anybody.do("GET", "/access/domains")] == [
        ("pam", "pam"), ("pve", "pve"),
    ]  # fmt: skip


@pytest.mark.exercises("PUT /access/domains/{realm}", "realm", "comment", "default", "delete", "digest")
@pytest.mark.exercises("GET /access/domains/{realm}", "realm")
def test_a_realm_is_changed(root: Client, anybody: Client) -> None:
    digest = root.do("GET", "/access/domains/pve")["digest"]
    root.do("PUT", "/access/domains/pve", comment="Ours", default=1, digest=digest)
    rows = {row["realm"]: row for row in anybody.do("GET", "/access/domains")}
    assert (rows["pve"]["comment"], rows["pve"]["default"], "default" in rows["pam"]) == ("Ours", 1, False)
    assert root.refused("PUT", "/access/domains/pve", comment="Late", digest=digest) == (
        500, "detected modified configuration - file changed by other user? Try again.",
    )  # fmt: skip
    root.do("PUT", "/access/domains/pam", default=1)
    assert "default" not in root.do("GET", "/access/domains/pve"), "there is one default"
    root.do("PUT", "/access/domains/pve", delete="comment")
    assert "comment" not in root.do("GET", "/access/domains/pve")


LDAP = {
    "acr-values": "a", "audiences": "a", "autocreate": 1, "base_dn": "dc=x", "bind_dn": "cn=x", "capath": "/x",
    "case-sensitive": 1, "cert": "x", "certkey": "x", "check-connection": 1, "client-id": "x", "client-key": "x",
    "domain": "x", "filter": "x", "group_classes": "x", "group_dn": "x", "group_filter": "x", "group_name_attr": "cn",
    "groups-autocreate": 1, "groups-claim": "x", "groups-overwrite": 1, "issuer-url": "x", "mode": "ldaps",
    "password": "x", "port": 389, "prompt": "login", "query-userinfo": 1, "scopes": "x", "secure": 1,
    "server1": "ldap.example.com", "server2": "10.0.0.1", "sslversion": "tlsv1_3", "sync-defaults-options": "full=1",
    "sync_attributes": "email=mail", "tfa": "type=oath", "user_attr": "uid", "user_classes": "x", "verify": 1,
}  # fmt: skip


@pytest.mark.exercises("PUT /access/domains/{realm}", *LDAP, refused=True)
@pytest.mark.exercises(
    "POST /access/domains", "realm", "type", "comment", "default", "username-claim", *LDAP, refused=True
)
def test_options_of_directories_are_refused_by_name(node: Node, root: Client) -> None:
    reply = root.send("PUT", "/access/domains/pve", LDAP)
    assert reply.errors == dict.fromkeys(LDAP, "not an option of realms of type 'pve'")
    new = {"realm": "corp", "comment": "x", "default": 1, "username-claim": "x", **LDAP}
    for kind in ("ldap", "ad", "openid"):
        reply = root.send("POST", "/access/domains", {**new, "type": kind})
        assert reply.errors == {"type": f"realms of type '{kind}' are not supported yet; there are 'pam' and 'pve'"}
    assert (
        root.errors("POST", "/access/domains", realm="x2", type="pve")["type"] == "unable to create builtin type 'pve'"
    )
    assert root.refused("POST", "/access/domains", realm="pve", type="ldap") == (
        500, "add auth server failed: domain 'pve' already exists",
    )  # fmt: skip
    assert node.text("domains.cfg") == ""


@pytest.mark.exercises("DELETE /access/domains/{realm}", "realm", refused=True)
@pytest.mark.exercises(
    "POST /access/domains/{realm}/sync",
    "realm", "dry-run", "enable-new", "full", "purge", "remove-vanished", "scope", refused=True,
)  # fmt: skip
def test_built_in_realms_stay_and_have_nothing_to_sync(root: Client, joe: Client) -> None:
    assert root.refused("DELETE", "/access/domains/pve")[0] == 500
    assert root.refused("DELETE", "/access/domains/none") == (500, "domain 'none' does not exist")
    params = {"dry__run": 1, "enable__new": 0, "full": 1, "purge": 1, "remove__vanished": "acl;entry", "scope": "both"}
    assert root.refused("POST", "/access/domains/pve/sync", **params) == (
        500, "realm 'pve' is of type 'pve': it has no directory to sync with",
    )  # fmt: skip
    assert joe.refused("PUT", "/access/domains/pve", comment="x") == (
        403, "Permission check failed (/access/realm, Realm.Allocate)",
    )  # fmt: skip


def test_a_realm_of_an_unknown_type_is_kept_and_lets_nobody_in(node: Node, root: Client, anybody: Client) -> None:
    node.put("domains.cfg", "ldap: corp\n\tserver1 x\n\tbase_dn dc=x\n\npve: pve\n\tcomment c\n")
    root.do("PUT", "/access/domains/pve", comment="new")
    assert "ldap: corp\n\tserver1 x\n\tbase_dn dc=x\n" in node.text("domains.cfg")
    assert anybody.refused("POST", "/access/ticket", username="x@corp", password="y") == (401, AUTH_FAILURE)
    root.do("DELETE", "/access/domains/corp")
    assert "corp" not in node.text("domains.cfg")


# --- second factors and OpenID, which are not there -------------------------------------------------------------------


@pytest.mark.exercises("GET /access/tfa")
@pytest.mark.exercises("GET /access/tfa/{userid}", "userid")
@pytest.mark.exercises("GET /access/users/{userid}/tfa", "userid", "multiple")
@pytest.mark.exercises("PUT /access/users/{userid}/unlock-tfa", "userid")
def test_there_are_no_second_factors(root: Client, joe: Client) -> None:
    assert joe.do("GET", "/access/tfa") == joe.do("GET", "/access/tfa/joe@pve") == []
    assert joe.do("GET", "/access/users/joe@pve/tfa", multiple=1) == {"types": []}
    assert joe.do("GET", "/access/users/joe@pve/tfa", multiple=0) == {}
    assert root.do("PUT", "/access/users/joe@pve/unlock-tfa") == 0


@pytest.mark.exercises(
    "POST /access/tfa/{userid}",
    "userid", "type", "description", "totp", "value", "challenge", "password", refused=True,
)  # fmt: skip
@pytest.mark.exercises("GET /access/tfa/{userid}/{id}", "userid", "id", refused=True)
@pytest.mark.exercises(
    "PUT /access/tfa/{userid}/{id}", "userid", "id", "description", "enable", "password", refused=True
)
@pytest.mark.exercises("DELETE /access/tfa/{userid}/{id}", "userid", "id", "password", refused=True)
def test_second_factors_are_refused_clearly(joe: Client) -> None:
    given = {"type": "totp", "description": "d", "totp": "t", "value": "v", "challenge": "c", "password": "12345"}
    assert joe.refused("POST", "/access/tfa/joe@pve", **given) == (
        500, "second factors are not supported yet: can't add 'totp' for user 'joe@pve'",
    )  # fmt: skip
    none = (500, "no such TFA entry '1' of user 'joe@pve'")
    assert joe.refused("GET", "/access/tfa/joe@pve/1") == none
    assert joe.refused("PUT", "/access/tfa/joe@pve/1", description="x", enable=1, password="12345") == none
    assert joe.refused("DELETE", "/access/tfa/joe@pve/1", password="12345") == none


@pytest.mark.exercises("GET /access/openid")
@pytest.mark.exercises("POST /access/openid/auth-url", "realm", "redirect-url", refused=True)
@pytest.mark.exercises("POST /access/openid/login", "state", "code", "redirect-url", refused=True)
def test_openid_is_refused_clearly(joe: Client, anybody: Client) -> None:
    assert joe.do("GET", "/access/openid") == [{"subdir": "auth-url"}, {"subdir": "login"}]
    assert anybody.refused("POST", "/access/openid/auth-url", realm="pve", redirect__url="https://x") == (
        500, "realm 'pve' is of type 'pve', not 'openid': log in with a password",
    )  # fmt: skip
    assert anybody.refused("POST", "/access/openid/auth-url", realm="none", redirect__url="https://x")[0] == 500
    assert anybody.refused("POST", "/access/openid/login", state="s", code="c", redirect__url="https://x") == (
        401, AUTH_FAILURE,
    )  # fmt: skip


# --- pools -----------------------------------------------------------------------------------------------------------


@pytest.mark.exercises("POST /pools", "poolid", "comment")
@pytest.mark.exercises("GET /pools", "poolid", "type")
@pytest.mark.exercises("GET /pools/{poolid}", "poolid", "type")
@pytest.mark.exercises("PUT /pools", "poolid", "comment", "vms", "storage", "delete")
@pytest.mark.exercises("DELETE /pools", "poolid")
def test_pools_are_filled_listed_and_emptied(node: Node, root: Client) -> None:
    node.board.put(GuestStatus(vmid=100, node="n1", status="running", uptime=5))
    node.board.put(StorageStatus(storage="nfs", node="n2", used=1, total=2))
    root.do("POST", "/pools", poolid="lab", comment="Lab")
    root.do("POST", "/pools", poolid="lab/deep")
    assert root.do("GET", "/pools") == [{"poolid": "lab", "comment": "Lab"}, {"poolid": "lab/deep"}]
    root.do("PUT", "/pools", poolid="lab", vms="100,101", storage="local,nfs", comment="Full")
    (pool,) = root.do("GET", "/pools", poolid="lab")
    assert (pool["poolid"], pool["comment"]) == ("lab", "Full")
    assert [member["id"] for member in pool["members"]] == [
        "qemu/100", "lxc/101", "storage/n2/nfs", "storage/n1/local",
    ]  # fmt: skip
    assert pool["members"][0]["status"] == "running"
    assert [it["vmid"] for it in root.do("GET", "/pools", poolid="lab", type="lxc")[0]["members"]] == [101]
    assert root.do("GET", "/pools/lab")["members"] == pool["members"]
    assert [it["storage"] for it in root.do("GET", "/pools/lab", type="storage")["members"]] == ["nfs", "local"]
    assert root.refused("DELETE", "/pools", poolid="lab") == (500, "delete pool failed: pool 'lab' is not empty")
    root.do("PUT", "/pools", poolid="lab", vms="100,101", storage="local,nfs", delete=1)
    assert root.refused("DELETE", "/pools", poolid="lab") == (500, "delete pool failed: pool 'lab' has sub-pools")
    root.do("DELETE", "/pools", poolid="lab/deep")
    root.do("DELETE", "/pools", poolid="lab")
    assert root.do("GET", "/pools") == []


@pytest.mark.exercises("PUT /pools/{poolid}", "poolid", "comment", "vms", "storage", "allow-move", "delete")
@pytest.mark.exercises("DELETE /pools/{poolid}", "poolid")
@pytest.mark.exercises("PUT /pools", "vms", "allow-move")
def test_a_guest_moves_between_pools_when_told_to(node: Node, root: Client) -> None:
    for name in ("one", "two"):
        root.do("POST", "/pools", poolid=name)
    root.do("PUT", "/pools/one", vms="100", storage="local", comment="first", allow__move=0, delete=0)
    assert root.do("GET", "/pools/one")["comment"] == "first"
    assert root.refused("PUT", "/pools", poolid="two", vms="100") == (
        500, "update pools failed: VM 100 belongs already to pool 'one' and 'allow-move' is not set",
    )  # fmt: skip
    root.do("PUT", "/pools", poolid="two", vms="100", allow__move=1)
    assert node.users.pool_of(100) == "two"
    root.do("PUT", "/pools/one", vms="100", allow__move=1)
    root.do("PUT", "/pools/one", vms="100", storage="local", delete=1)
    root.do("DELETE", "/pools/one")
    assert "one" not in node.users.pools


@pytest.mark.exercises("PUT /pools", "poolid", "vms", "storage", refused=True)
@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"vms": "999"}, "update pools failed: VM 999 does not exist"),
        ({"vms": "100", "delete": 1}, "update pools failed: VM 100 is not a pool member"),
        ({"storage": "nope"}, "update pools failed: storage 'nope' does not exist"),
        ({"storage": "local", "delete": 1}, "update pools failed: Storage 'local' is not a pool member"),
        ({"poolid": "none", "vms": "100"}, "pool 'none' does not exist"),
    ],
)
def test_a_pool_refuses(root: Client, params: dict[str, Any], said: str) -> None:
    root.do("POST", "/pools", poolid="lab")
    root.reply("PUT", "/pools", poolid="none", vms="100", storage="local")
    assert root.refused("PUT", "/pools", **{"poolid": "lab", **params}) == (500, said)


def test_pools_in_the_wrong_state(root: Client) -> None:
    root.do("POST", "/pools", poolid="lab")
    root.do("PUT", "/pools", poolid="lab", vms="100", storage="local")
    assert root.refused("PUT", "/pools", poolid="lab", vms="100")[1].endswith("VM 100 is already a pool member")
    assert root.refused("PUT", "/pools", poolid="lab", storage="local")[1].endswith("is already a pool member")
    assert root.refused("POST", "/pools", poolid="lab") == (500, "create pool failed: pool 'lab' already exists")
    assert root.refused("POST", "/pools", poolid="no/deep")[1] == (
        "create pool failed: parent 'no' of nested pool 'no/deep' does not exist"
    )
    assert set(root.errors("POST", "/pools", poolid="a/b/c/d")) == {"poolid"}


def test_who_keeps_a_pool_takes_in_only_what_it_may_share(root: Client, joe: Client) -> None:
    for name in ("lab", "other"):
        root.do("POST", "/pools", poolid=name)
    root.do("PUT", "/pools", poolid="other", vms="100")
    grant(root, "joe@pve", "/pool/lab", "PVEPoolAdmin")
    assert [row["poolid"] for row in joe.do("GET", "/pools")] == ["lab"]
    assert joe.refused("GET", "/pools", poolid="other") == (403, "Permission check failed (/pool/other, Pool.Audit)")
    assert joe.refused("PUT", "/pools", poolid="lab", vms="101") == (
        403, "Permission check failed (/vms/101, Permissions.Modify|VM.Allocate)",
    )  # fmt: skip
    assert joe.refused("PUT", "/pools", poolid="lab", storage="local")[0] == 403
    grant(root, "joe@pve", "/vms/100", "PVEVMAdmin")
    assert joe.refused("PUT", "/pools", poolid="lab", vms="100", allow__move=1) == (
        403, "Permission check failed (/pool/other, Permissions.Modify|Pool.Allocate)",
    )  # fmt: skip
    assert joe.refused("POST", "/pools", poolid="mine") == (403, "Permission check failed (/pool/mine, Pool.Allocate)")


# --- version, index, plans -------------------------------------------------------------------------------------------


@pytest.mark.exercises("GET /version")
@pytest.mark.exercises("GET /access")
def test_version_and_index(node: Node, joe: Client) -> None:
    data = joe.do("GET", "/version")
    assert (data["version"], data["release"], data["product"]) == ("9.2", "9.2", "Corral")
    assert re.fullmatch(r"[0-9a-fA-F]{8,64}", data["repoid"])
    node.put("datacenter.cfg", "keyboard: de\nconsole: xtermjs\n")
    assert joe.do("GET", "/version")["console"] == "xtermjs"
    assert {row["subdir"] for row in joe.do("GET", "/access")} >= {
        "acl",
        "domains",
        "groups",
        "roles",
        "ticket",
        "users",
    }


def test_a_plan_changes_nothing_and_is_applied_as_drawn(node: Node, joe: Client) -> None:
    before = node.store.revision
    reply = joe.reply("POST", TOKEN, plan=True)
    assert reply.ok, reply.message
    assert node.store.revision == before
    plan = reply.data
    assert [row["key"] for row in plan["plan"]["writes"]] == ["user.cfg", "token.cfg"]
    made = joe.reply("POST", TOKEN, apply=plan["token"])
    assert made.ok, made.message
    assert made.data.value == plan["plan"]["draws"]["secret"]
    again = joe.reply("POST", TOKEN, apply=plan["token"])
    assert not again.ok


@pytest.mark.parametrize("made", [each for each in ENDPOINTS if each.example is not None], ids=lambda made: made.pair)
def test_examples_are_accepted_on_a_prepared_node(node: Node, root: Client, joe: Client, made: Any) -> None:
    root.do("POST", "/access/groups", groupid="ops")
    root.do("POST", "/access/roles", roleid="Operator", privs="VM.PowerMgmt")
    root.do("POST", TOKEN)
    root.do("POST", "/pools", poolid="lab")
    path = re.sub(r"{(\w+)}", lambda found: str(made.example[found[1]]), made.path)
    params = {key: value for key, value in made.example.items() if f"{{{key}}}" not in made.path}
    before = node.store.revision
    plan = root.send(made.method, path, params, plan=True)
    assert plan.ok, plan.message
    assert node.store.revision == before
    applied = root.send(made.method, path, params, apply=plan.data["token"])
    assert applied.ok, applied.message
    for row in plan.data["plan"]["writes"]:
        doc = node.store.get(row["key"])
        assert doc is not None
        assert "text" not in row or doc.text == row["text"]


def test_every_call_that_changes_says_how_it_is_planned() -> None:
    assert not [each.pair for each in ENDPOINTS if each.changes and each.example is None and each.plan is None]


def test_changes_made_at_once_are_all_kept(node: Node, root: Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: root.do("POST", "/access/groups", groupid=f"g{number}"), range(40)))
    assert len(node.users.groups) == 40
    assert records.find(node.tree, 100) is not None


# --- nobody gets more than there was ---------------------------------------------------------------------------------

_PATHS = ["/", "/vms", "/vms/100", "/vms/101", "/pool/lab", "/pool/lab/deep", "/storage/local", "/nodes/n1"]
_ROLES = ["Administrator", "NoAccess", "PVEAdmin", "PVEVMUser", "PVEVMAdmin", "PVEPoolAdmin", "Keeper", "Looker"]
_SUBJECTS = ["eve@pve", "ann@pve", "@crew", "eve@pve!weak", "eve@pve!full"]
_PEOPLE = ["eve@pve", "eve@pve!weak", "eve@pve!full", "ann@pve", "bob@pve"]
_entry = st.tuples(st.sampled_from(_PATHS), st.sampled_from(_SUBJECTS), st.sampled_from(_ROLES), st.booleans())
_attempt = st.tuples(_entry, st.booleans(), st.sampled_from(["eve@pve", "eve@pve!weak", "eve@pve!full"]))
_BASE = """\
user:root@pam:1:0::::::
user:eve@pve:1:0::::::
user:ann@pve:1:0::::::
user:bob@pve:1:0::::::
token:eve@pve!weak:0:1::
token:eve@pve!full:0:0::
group:crew:eve@pve,bob@pve:
pool:lab::100:local:
pool:lab/deep::101::
role:Keeper:VM.Allocate,Pool.Allocate,Datastore.Allocate,VM.Audit:
role:Looker:VM.Audit:
"""


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Node:
    return Node(FakeClock(), Layout(tmp_path_factory.mktemp("shared")))


def _acl_text(entries: list[tuple[str, str, str, bool]]) -> str:
    return "".join(f"acl:{int(wide)}:{path}:{subject}:{name}:\n" for path, subject, name, wide in entries)


@given(
    st.sampled_from(["/vms/100", "/pool/lab", "/pool/lab/deep", "/storage/local"]),
    st.lists(_entry, max_size=8),
    st.lists(_attempt, min_size=1, max_size=6),
)
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_by_its_acl_nobody_gets_more_than_the_one_who_changes_it(
    shared_node: Node, keeps: str, entries: list[tuple[str, str, str, bool]], attempts: list[tuple[Any, bool, str]]
) -> None:
    node = shared_node
    # The one who tries always has something to work with.
    node.put(
        "user.cfg",
        _BASE + _acl_text([*entries, (keeps, "eve@pve", "Keeper", True), (keeps, "eve@pve!weak", "Keeper", True)]),
    )
    for (path, subject, name, wide), delete, actor in attempts:
        before = {who: _all_held(node, who) for who in _PEOPLE}
        kind = "groups" if subject[0] == "@" else "tokens" if "!" in subject else "users"
        params = {"path": path, "roles": name, kind: subject.lstrip("@"), "propagate": int(wide), "delete": int(delete)}
        reply = _as(node, actor).send("PUT", "/access/acl", params)
        after = {who: _all_held(node, who) for who in _PEOPLE}
        if not reply.ok:
            assert after == before
            continue
        powerful = "Permissions.Modify" in before[actor][path]
        for who in _PEOPLE:
            for each in _PATHS:
                assert powerful or after[who][each] <= before[who][each] | before[actor][each], (who, each)
                assert powerful or delete or before[who][each] <= after[who][each], (who, each)


def _all_held(node: Node, who: str) -> dict[str, frozenset[str]]:
    rights = node.access.rights
    return {path: rights.privileges(Identity.parse(who), path) for path in _PATHS}


def _as(node: Node, who: str) -> Client:
    """Somebody, without the trouble of a log-in."""
    client = Client(node, Credentials(token=f"{who}=secret"))
    if "!" in who:
        node.put(TOKENS, str(TokenConfig().with_secret(who, "secret")))
        return client
    ticket = node.access.tickets.issue(who)
    return Client(node, Credentials(ticket=ticket, csrf=node.access.tickets.issue_csrf(who), changing=True))
