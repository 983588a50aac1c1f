"""The order of checks, plans, and what replies look like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from corral.app import App, Call
from corral.core.errors import Error
from corral.rest import Listing, Wire, anyone, endpoint, need, never, world
from corral.rest.call import Credentials, Reply
from corral.rest.envelope import encode
from corral.rest.plan import LIFETIME
from corral.schema import doc
from corral.schema.types import NodeName
from corral.store.base import Write
from corral.system.fakes import FakeClock
from corral.tasks.base import Draws, Intent, Requester, TaskArgs
from tests.api import ADMIN, ADMIN_PASSWORD, Client, make_app


@endpoint("GET", "/open", allow=world("a test"))
def open_call(call: Call) -> str:
    """Answer."""
    return f"hello {call.who.user}"


@endpoint("GET", "/nodes/{node}/facts", allow=need("/nodes/{node}", "Sys.Audit"), runs="node")
def facts(call: Call, node: NodeName, *, count: Annotated[int, doc("How many.")] = 1) -> Any:
    """Answer."""
    return {"node": node, "yes": True, "none": None, "count": count}


@endpoint("GET", "/rows", allow=anyone("a test"))
def rows(call: Call) -> Listing:
    """Answer."""
    return Listing([{"a": 1}], total=7)


@endpoint("GET", "/encoded", allow=anyone("a test"))
def encoded(call: Call) -> Wire:
    """Answer."""
    return Wire(b'[{"x":1}]')


@endpoint("PUT", "/notes/{name}", allow=need("/", "Sys.Modify"), example={"name": "one", "text": "t"})
def put_note(call: Call, name: Annotated[str, doc("Name.")], *, text: Annotated[str, doc("Text.")]) -> None:
    """Write a note."""
    mark = call.draws.draw("mark", lambda: "drawn")
    call.edit(f"note/{name}", lambda old: f"{old}{text} {mark}\n")


class Sleep(TaskArgs, frozen=True, kw_only=True):
    type = "sleep"
    name: str


@endpoint("POST", "/own", allow=anyone("a test"), example={"text": "t"})
def put_own(call: Call, *, text: Annotated[str, doc("Text.")]) -> None:
    """Write."""
    call.edit("note/own", lambda _: f"{text} drawn\n")


@endpoint("POST", "/sleep", allow=need("/", "Sys.Modify"), example={"name": "x"})
def sleep(call: Call, *, name: Annotated[str, doc("Name.")]) -> str:
    """Sleep."""
    return call.spawn(Sleep(name=name))


@endpoint("POST", "/stream", allow=need("/", "Sys.Modify"), plan=never("it streams"))
def stream(call: Call) -> None:
    """Stream."""


@endpoint("GET", "/broken", allow=anyone("a test"))
def broken(call: Call) -> None:
    """Fail."""
    raise ZeroDivisionError


@endpoint("GET", "/fails", allow=anyone("a test"))
def fails(call: Call) -> None:
    """Fail."""
    raise Error("VM 100 already running\nwith a second line")


@endpoint("DELETE", "/closed", allow=need("/", "Sys.Modify"), tokens=False)
def closed(call: Call) -> None:
    """Closed to tokens."""


ENDPOINTS = (open_call, facts, rows, encoded, put_note, put_own, sleep, stream, broken, fails, closed)


class Spawned:
    """The second door, which the tests watch."""

    def __init__(self) -> None:
        self.spawned: list[tuple[TaskArgs, Requester]] = []

    def plan(self, args: TaskArgs, draws: Draws) -> Intent:
        return Intent(effects=(f"sleeps as {draws.draw('bed', lambda: 'bed 7')}",), locks=("guest/100",))

    def spawn(self, args: TaskArgs, draws: Draws, by: Requester) -> str:
        self.spawned.append((args, by))
        return f"UPID in {draws.known.get('bed')}"

    def run(self, args: TaskArgs, draws: Draws, by: Requester, *, gone: Any = None) -> Any:
        return None


@pytest.fixture
def tasks() -> Spawned:
    return Spawned()


@pytest.fixture
def app(tmp_path: Path, tasks: Spawned, clock: FakeClock) -> App:
    return make_app(tmp_path, tasks=tasks, clock=clock)


@pytest.fixture
def root(app: App) -> Client:
    return Client.of(app, ENDPOINTS)


NOBODY = Credentials()


def test_results_are_told_in_the_manner_of_the_wire(root: Client) -> None:
    assert root.get("/nodes/testnode/facts") == {"node": "testnode", "yes": 1, "none": None, "count": 1}
    assert root.get("/nodes/localhost/facts", count="3")["count"] == 3


def test_nobody_is_asked_for_credentials_before_anything_else(root: Client) -> None:
    nobody = root.using(NOBODY)
    for path in ("/nodes/testnode/facts", "/no/such/path"):
        reply = nobody.refused("GET", path)
        assert (reply.status, reply.reason) == (401, "No ticket")
    assert nobody.get("/open") == "hello "


def test_an_unknown_path_or_method_is_not_implemented(root: Client) -> None:
    assert root.refused("GET", "/no/such/path").status == 501
    reply = root.refused("DELETE", "/rows")
    assert (reply.status, reply.reason) == (501, "Method 'DELETE /rows' not implemented")


def test_permission_comes_before_validation(app: App) -> None:
    text = "user:weak@pve:1:0::::::\n"
    app.store.commit(_transaction(app, "user.cfg", text))
    weak = _by_ticket(app, "weak@pve")
    reply = weak.refused("GET", "/nodes/testnode/facts", count="x")
    assert (reply.status, reply.reason) == (403, "Permission check failed (/nodes/testnode, Sys.Audit)")


def test_this_node_is_not_reached_around_its_acl(app: App) -> None:
    users = "user:weak@pve:1:0::::::\n\nacl:1:/nodes:weak@pve:PVEAuditor:\nacl:1:/nodes/testnode:weak@pve:NoAccess:\n"
    app.store.commit(_transaction(app, "user.cfg", users))
    weak = _by_ticket(app, "weak@pve")
    for name in ("testnode", "localhost"):
        assert weak.refused("GET", f"/nodes/{name}/facts").status == 403


def test_a_parameter_that_contradicts_the_path_is_refused(root: Client) -> None:
    reply = root.refused("GET", "/nodes/testnode/facts", node="other", count="x")
    assert reply.errors == {"node": "duplicate parameter (already defined in URI) with conflicting values!"}


def test_another_node_is_told_before_parameters_are_validated(root: Client) -> None:
    assert root.refused("GET", "/nodes/elsewhere/facts", count="x").message == "no such cluster node 'elsewhere'\n"


def test_wrong_parameters_are_all_named(root: Client) -> None:
    reply = root.refused("GET", "/nodes/testnode/facts", count="x", more="1")
    assert (reply.status, reply.reason) == (400, "Parameter verification failed.")
    assert reply.errors is not None
    assert reply.errors.keys() == {"count", "more"}


def test_the_reason_phrase_is_the_first_line_of_the_message(root: Client) -> None:
    reply = root.refused("GET", "/fails")
    assert (reply.status, reply.reason) == (500, "VM 100 already running")
    assert reply.message == "VM 100 already running\nwith a second line\n"


def test_a_fault_of_ours_is_told_without_its_details(root: Client) -> None:
    reply = root.refused("GET", "/broken")
    assert reply.status == 500
    assert "ZeroDivisionError" in reply.reason
    assert "division" not in (reply.message or "")


def test_envelopes(root: Client) -> None:
    reply = root.send("GET", "/rows")
    assert msgspec.json.decode(encode(reply, "json").payload) == {"data": [{"a": 1}], "total": 7}
    assert msgspec.json.decode(encode(reply, "extjs").payload) == {"data": [{"a": 1}], "total": 7, "success": 1}
    failed = root.send("GET", "/fails")
    assert encode(failed, "json").status == 500
    body = encode(failed, "extjs")
    assert (body.status, msgspec.json.decode(body.payload)["status"]) == (200, 500)
    assert encode(Reply(data="<b>"), "htmljs").payload == b'{"data":"&lt;b&gt;","success":1}'
    assert encode(root.send("GET", "/encoded"), "json").payload == b'{"data":[{"x":1}]}'


def test_an_index_lists_what_is_below(root: Client) -> None:
    assert root.get("/nodes/testnode") == [{"subdir": "facts"}]
    assert {"subdir": "notes"} in root.get("/")


# --- plans -------------------------------------------------------------------------------------------------------


def test_a_plan_tells_the_texts_and_changes_nothing(root: Client, app: App) -> None:
    before = app.store.revision
    planned = root.call("PUT", "/notes/one", {"text": "hi"}, plan=True)
    (write,) = planned["plan"]["writes"]
    assert (write["key"], write["action"], write["text"]) == ("note/one", "create", "hi drawn\n")
    assert "+hi drawn" in write["diff"]
    assert app.store.revision == before
    assert root.call("PUT", "/notes/one", {"text": "hi"}, apply=planned["token"]) is None
    doc = app.store.get("note/one")
    assert doc is not None
    assert doc.text == "hi drawn\n"


def test_a_plan_shows_whole_records_only_to_those_who_may_read_them(root: Client, app: App) -> None:
    users = "user:mate@pve:1:0::::::\nuser:weak@pve:1:0::::::\n\nacl:1:/notes:weak@pve:PVEAdmin:\n"
    app.store.commit(_transaction(app, "user.cfg", users))
    app.store.commit(_transaction(app, "note/own", "private: of others\ncipassword: $6$x\nmine: old\n"))
    weak = _by_ticket(app, "weak@pve")
    changing = {"text": "private: of others\ncipassword: $6$y\nmine:"}
    (write,) = weak.call("POST", "/own", changing, plan=True)["plan"]["writes"]
    assert "text" not in write
    assert "private" not in write["diff"]
    assert "+mine: drawn" in write["diff"]
    (write,) = root.call("POST", "/own", changing, plan=True)["plan"]["writes"]
    assert write["text"] == "private: of others\ncipassword: ***\nmine: drawn\n"
    assert "$6$" not in write["diff"]


def test_a_task_is_planned_by_its_check_and_applied_with_the_same_draws(root: Client, tasks: Spawned) -> None:
    planned = root.call("POST", "/sleep", {"name": "x"}, plan=True)
    assert planned["plan"]["effects"] == ["sleeps as bed 7"]
    assert planned["plan"]["locks"] == ["guest/100"]
    assert tasks.spawned == []
    assert root.call("POST", "/sleep", {"name": "x"}, apply=planned["token"]) == "UPID in bed 7"
    assert len(tasks.spawned) == 1


def test_a_plan_is_refused_when_what_it_read_has_changed(root: Client, app: App) -> None:
    token = root.call("PUT", "/notes/one", {"text": "hi"}, plan=True)["token"]
    root.put("/notes/one", text="first")
    reply = root.send("PUT", "/notes/one", {"text": "hi"}, apply=token)
    assert reply.message == "'note/one' has changed since the plan was made; plan again\n"
    doc = app.store.get("note/one")
    assert doc is not None
    assert doc.text == "first drawn\n"


def test_a_plan_is_for_one_call_with_its_parameters_and_its_user(root: Client, app: App) -> None:
    token = root.call("PUT", "/notes/one", {"text": "hi"}, plan=True)["token"]
    for method, path, params in (("PUT", "/notes/one", {"text": "ho"}), ("PUT", "/notes/two", {"text": "hi"})):
        reply = root.send(method, path, params, apply=token)
        assert reply.errors == {"corral-apply": "the plan is for another call, other parameters or another user"}
    admin = _by_ticket(app, ADMIN)
    assert admin.send("PUT", "/notes/one", {"text": "hi"}, apply=token).status == 400


def test_forged_and_old_plans_are_refused(root: Client, clock: FakeClock) -> None:
    token = root.call("PUT", "/notes/one", {"text": "hi"}, plan=True)["token"]
    body, _, mac = token.partition(".")
    for forged in ("", "x", f"{body}.", f"{body}.{mac[:-2]}AA", f"{body[:-4]}AAAA.{mac}", "é.é"):
        reply = root.send("PUT", "/notes/one", {"text": "hi"}, apply=forged or "-")
        assert reply.status == 400, forged
    clock.advance(LIFETIME + 1)
    reply = root.send("PUT", "/notes/one", {"text": "hi"}, apply=token)
    assert reply.errors == {"corral-apply": "the plan is older than an hour; plan again"}


def test_reads_and_streams_are_not_planned(root: Client) -> None:
    assert root.send("GET", "/rows", plan=True).status == 400
    reply = root.send("POST", "/stream", plan=True)
    assert reply.errors == {"corral-plan": "this call can't be planned: it streams"}


def _transaction(app: App, key: str, text: str) -> Any:
    from corral.store.base import Cause, Transaction

    return Transaction(cause=Cause(who="root@pam"), writes=(Write(key=key, text=text),))


def _by_ticket(app: App, user: str) -> Client:
    tickets = app.access.tickets
    made = Credentials(ticket=tickets.issue(user), csrf=tickets.issue_csrf(user))
    return Client.of(app, ENDPOINTS, None).using(made)


def test_the_password_of_the_first_administrator_holds(app: App) -> None:
    from corral.core.secret import Secret

    assert app.access.prove(ADMIN, Secret(ADMIN_PASSWORD)) == ADMIN


def test_requests_need_the_csrf_token_beside_a_ticket(app: App) -> None:
    client = _by_ticket(app, ADMIN)
    without = client.using(Credentials(ticket=client.credentials.ticket))
    assert without.get("/rows") == [{"a": 1}]
    reply = without.refused("PUT", "/notes/one", text="x")
    assert (reply.status, reply.reason) == (401, "Permission denied - invalid csrf token")
    client.put("/notes/one", text="x")
