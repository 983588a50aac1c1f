"""Logging in to a running node, as real clients do it."""

from __future__ import annotations

import os
import stat
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from proxmoxer import ProxmoxAPI
from proxmoxer.core import AuthenticationError, ResourceException

from tests.lab.node import PASSWORD, Node, NotReady

# The client warns of our certificate, which no public authority has signed.
pytestmark = pytest.mark.filterwarnings("ignore:Unverified HTTPS request")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with one administrator."""
    if os.geteuid():
        pytest.skip("a node needs root")
    made = Node(tmp_path_factory.mktemp("access") / "root")
    try:
        made.start()
    except NotReady as error:
        pytest.fail(f"the node does not come up: {error}")
    try:
        yield made
    finally:
        made.__exit__()


def client(node: Node, **how: Any) -> Any:
    return ProxmoxAPI("127.0.0.1", port=node.port, verify_ssl=False, **how)


@pytest.fixture(scope="module")
def admin(node: Node) -> Any:
    return client(node, user="admin@pve", password=PASSWORD)


def test_a_client_logs_in_by_password_and_by_token(node: Node, admin: Any) -> None:
    admin.access.users.post(userid="ann@pve", password="anns-password", comment="made by a client")
    admin.access.acl.put(path="/", users="ann@pve", roles="PVEAuditor")
    ann = client(node, user="ann@pve", password="anns-password")
    secret = ann.access.users("ann@pve").token("ci").post(privsep=0)["value"]
    robot = client(node, user="ann@pve", token_name="ci", token_value=secret)
    assert robot.access.permissions.get() == ann.access.permissions.get()
    assert "Sys.Audit" in robot.access.permissions.get()["/"]
    node.headers = {"Authorization": f"PVEAPIToken=ann%40pve%21ci={secret}"}
    assert node.call("GET", "/version"), "it may be URL-encoded"
    node.headers = {"Authorization": f"PVEAPIToken ann@pve!ci={secret}"}
    assert node.call("GET", "/version"), "and come after a blank"
    ann.access.users("ann@pve").token("ci").delete()
    with pytest.raises(ResourceException) as refused:
        robot.version.get()
    assert refused.value.status_code == 401


def test_a_client_reads_why_it_is_refused(node: Node, admin: Any) -> None:
    admin.access.users.post(userid="joe@pve", password="joes-password")
    joe = client(node, user="joe@pve", password="joes-password")
    with pytest.raises(ResourceException) as refused:
        joe.pools.post(poolid="lab")
    assert refused.value.status_code == 403
    assert "Permission check failed (/pool/lab, Pool.Allocate)" in str(refused.value)
    with pytest.raises(AuthenticationError):
        client(node, user="joe@pve", password="wrong")
    with pytest.raises(AuthenticationError):
        client(node, user="root@pam", password="surely wrong")


def test_a_change_counts_for_the_next_read(node: Node, admin: Any) -> None:
    for number in range(20):
        admin.access.groups.post(groupid=f"g{number}")
        assert f"g{number}" in {row["groupid"] for row in admin.access.groups.get()}


def test_a_ticket_without_csrf_token_reads_only(node: Node) -> None:
    ticket = urllib.parse.quote(node.login()["ticket"], safe="")
    node.headers = {"Cookie": f"PVEAuthCookie={ticket}"}
    assert node.call("GET", "/version")["release"] == "9.2"
    status, reason, body = node.request("POST", "/access/groups", groupid="forged")
    assert (status, reason, body) == (401, "Permission denied - invalid csrf token", "")
    node.headers = {"Authorization": f"PVEAuthCookie={ticket}"}
    assert node.call("GET", "/version")["release"] == "9.2"


STRANGERS: tuple[dict[str, str], ...] = (
    {},
    {"Cookie": "PVEAuthCookie=nonsense"},
    {"Cookie": "PVEAuthCookie="},
    {"Authorization": "PVEAPIToken=root@pam!x=y"},
    {"Authorization": "Basic cm9vdDpyb290"},
    {"X-Corral-Address": "127.0.0.1", "PVEDisableProxy": "true"},
)


def test_nobody_gets_in_by_other_headers(node: Node) -> None:
    node.headers = {}
    with ThreadPoolExecutor(len(STRANGERS)) as pool:
        replies = list(pool.map(lambda headers: node.request("GET", "/access/users", headers), STRANGERS))
    for status, reason, body in replies:
        assert (status, reason in ("No ticket", "Authentication failed!"), body) == (401, True, "")


def test_an_administrator_is_not_root_of_the_machine(node: Node, admin: Any) -> None:
    with pytest.raises(ResourceException) as refused:
        admin.access.users("root@pam").token("mine").post(privsep=0)
    assert "Permission check failed (user != root@pam)" in str(refused.value)


def test_the_machines_root_needs_no_password(node: Node) -> None:
    assert "root@pam" in node.tool("pveum", "user", "list").stdout
    node.tool("pveum", "user", "add", "cli@pve", "--comment", "by the tool")
    node.login()
    assert node.call("GET", "/access/users/cli@pve")["comment"] == "by the tool"


def test_secrets_are_for_root_alone(node: Node) -> None:
    for name in ("node.key", "ca.key"):
        assert stat.S_IMODE((node.root / "etc/corral/pki" / name).stat().st_mode) == 0o600
    assert not (node.root / "etc/corral/admin-password").exists(), "a given password is not written down"


def test_wrong_passwords_shut_out_nobody_else(node: Node) -> None:
    node.tool("pveum", "user", "add", "fay@pve", "--password", "fays-password")
    node.headers = {}

    def attempt(password: str) -> tuple[int, str]:
        return node.request("POST", "/access/ticket", username="fay@pve", password=password)[:2]

    with ThreadPoolExecutor(20) as pool:
        replies = set(pool.map(attempt, ["guess"] * 20))
    assert replies == {(401, "authentication failure")}
    # The guesses came from here: here even the right password has to wait, for this account alone.
    assert attempt("fays-password") == (401, "authentication failure")
    assert node.login()["username"] == "admin@pve"
