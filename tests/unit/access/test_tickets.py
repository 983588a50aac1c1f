"""Tickets: only ours, only for their time, only for their user."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral.access.keys import CSRF, OLD_PUBLIC, PRIVATE, PUBLIC, Keys
from corral.access.service import rotate_keys
from corral.access.tickets import MOST_CACHED, Tickets
from corral.core.errors import Error, Unauthorized
from corral.store.base import Doc, RecordClass, Revision
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock

HOUR = 3600.0


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    made = MemoryStore(clock)
    rotate_keys(made, clock)
    return made


@pytest.fixture
def tickets(store: MemoryStore, clock: FakeClock) -> Tickets:
    return Tickets(Keys(store), clock)


class Unprivileged:
    """The tree that `corral-api` sees."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @property
    def revision(self) -> Revision:
        return self._store.revision

    def get(self, key: str) -> Doc | None:
        doc = self._store.get(key)
        return None if doc is None or doc.cls is RecordClass.ROOT else doc

    def list(self, prefix: str = "") -> list[Doc]:
        return [doc for doc in self._store.list(prefix) if doc.cls is not RecordClass.ROOT]


def refused(tickets: Tickets, text: str) -> bool:
    try:
        tickets.check(text)
    except Unauthorized as exc:
        return str(exc) == "Authentication failed!"
    return False


def test_a_ticket_has_the_form_that_clients_know(tickets: Tickets) -> None:
    ticket = tickets.issue("joe@pve")
    assert re.fullmatch(r"PVE:joe@pve:[0-9A-F]{8}::[A-Za-z0-9+/]+=*", ticket)
    assert tickets.check(ticket) == "joe@pve"


@pytest.mark.parametrize("user", ["jörg@pve", "a%3Ab@pve", 'q"uote@pve', "a@b@pve", "x" * 60 + "@pve"])
def test_every_name_makes_a_ticket_for_itself(tickets: Tickets, user: str) -> None:
    ticket = tickets.issue(user)
    assert ticket.isascii()
    assert tickets.check(ticket) == user
    tickets.check_csrf(user, tickets.issue_csrf(user))


def test_it_is_checked_without_the_private_key(tickets: Tickets, store: MemoryStore, clock: FakeClock) -> None:
    there = Tickets(Keys(Unprivileged(store)), clock)
    assert there.check(tickets.issue("joe@pve")) == "joe@pve"
    there.check_csrf("joe@pve", tickets.issue_csrf("joe@pve"))
    with pytest.raises(Error, match="not readable"):
        there.issue("joe@pve")


def test_it_lasts_two_hours(tickets: Tickets, clock: FakeClock) -> None:
    ticket = tickets.issue("joe@pve")
    clock.advance(2 * HOUR - 1)
    assert not refused(tickets, ticket)
    clock.advance(1)
    assert refused(tickets, ticket), "also when it was found good before"


def test_it_may_be_five_minutes_from_the_future(tickets: Tickets, clock: FakeClock) -> None:
    ticket = tickets.issue("joe@pve")
    clock.advance(-299)
    assert not refused(tickets, ticket)
    clock.advance(-1)
    assert refused(tickets, ticket)


def test_it_outlives_one_turn_of_the_key_but_not_two(store: MemoryStore, tickets: Tickets, clock: FakeClock) -> None:
    clock.advance(24 * HOUR - 60)
    ticket = tickets.issue("joe@pve")
    clock.advance(60)
    assert rotate_keys(store, clock)
    assert not refused(tickets, ticket)
    assert tickets.check(tickets.issue("joe@pve")) == "joe@pve"
    _turn_now(store, clock)
    assert refused(tickets, ticket), "also when it was found good before"


def _turn_now(store: MemoryStore, clock: FakeClock) -> None:
    clock.advance(24 * HOUR)
    assert rotate_keys(store, clock)
    clock.advance(-24 * HOUR)


def test_keys_turn_once_a_day(store: MemoryStore, clock: FakeClock) -> None:
    first = _text(store, PUBLIC)
    clock.advance(24 * HOUR - 1)
    assert not rotate_keys(store, clock)
    clock.advance(1)
    assert rotate_keys(store, clock)
    assert not rotate_keys(store, clock)
    assert (_text(store, OLD_PUBLIC), _text(store, PUBLIC) == first) == (first, False)


def test_a_key_from_the_future_turns(store: MemoryStore, clock: FakeClock) -> None:
    clock.advance(-25 * HOUR)
    assert rotate_keys(store, clock)


def test_keys_have_their_classes_and_no_history(store: MemoryStore) -> None:
    classes = {key: _doc(store, key).cls for key in (PUBLIC, PRIVATE, CSRF)}
    assert classes == {PUBLIC: RecordClass.PUBLIC, PRIVATE: RecordClass.ROOT, CSRF: RecordClass.API}
    assert not store.history(PRIVATE)


def _doc(store: MemoryStore, key: str) -> Doc:
    doc = store.get(key)
    assert doc is not None
    return doc


def _text(store: MemoryStore, key: str) -> str:
    return _doc(store, key).text


def test_another_user_in_a_ticket_breaks_it(tickets: Tickets) -> None:
    assert refused(tickets, tickets.issue("joe@pve").replace("joe@pve", "root@pam"))


def test_a_partial_ticket_is_no_ticket(tickets: Tickets) -> None:
    assert refused(tickets, tickets.issue_partial("joe@pve", '{"totp":true}'))
    assert refused(tickets, tickets.issue("!tfa!x@pve"))


def test_a_console_ticket_is_no_ticket_and_no_other(tickets: Tickets) -> None:
    console = tickets.issue_console("joe@pve", "/vms/100", 5900)
    assert refused(tickets, console)
    for ticket in (tickets.issue("joe@pve"), console.replace("PVEVNC", "PVETUNNEL")):
        with pytest.raises(Unauthorized):
            tickets.check_console(ticket, "joe@pve", "/vms/100", 5900)


@given(st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_changed_character_breaks_it(tickets: Tickets, data: st.DataObject) -> None:
    ticket = tickets.issue("joe@pve")
    position = data.draw(st.integers(0, len(ticket) - 1))
    letter = data.draw(st.characters(codec="ascii"))
    changed = ticket[:position] + letter + ticket[position + 1 :]
    if changed != ticket:
        assert refused(tickets, changed)


@given(st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_refused_politely(tickets: Tickets, text: str) -> None:
    assert refused(tickets, text)
    assert refused(tickets, f"PVE:{text}:00000000::AAAA")
    with pytest.raises(Unauthorized):
        tickets.check_console(f"PVEVNC:00000000::{text}", text, text)
    with pytest.raises(Unauthorized):
        tickets.check_csrf("joe@pve", text)


def test_what_is_remembered_is_bounded(tickets: Tickets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corral.access.tickets.MOST_CACHED", 5)
    for number in range(20):
        tickets.check(tickets.issue(f"u{number}@pve"))
    assert len(tickets._good) == 5
    assert MOST_CACHED > 1000


# --- request forgery -------------------------------------------------------------------------------------------------


def test_a_csrf_token_is_one_users_for_two_hours(tickets: Tickets, clock: FakeClock) -> None:
    token = tickets.issue_csrf("joe@pve")
    tickets.check_csrf("joe@pve", token)
    for user, text in (
        ("eve@pve", token),
        ("joe@pve", ""),
        ("joe@pve", token[:-3] + ("B" if token[-3] == "A" else "A") + token[-2:]),
        ("joe@pve", "0" + token[1:]),
    ):
        with pytest.raises(Unauthorized, match="invalid csrf token"):
            tickets.check_csrf(user, text)
    clock.advance(2 * HOUR)
    with pytest.raises(Unauthorized, match="invalid csrf token"):
        tickets.check_csrf("joe@pve", token)


# --- consoles --------------------------------------------------------------------------------------------------------


def test_a_console_ticket_is_for_one_user_path_and_port(tickets: Tickets) -> None:
    ticket = tickets.issue_console("joe@pve!ci", "/vms/100", 5900)
    tickets.check_console(ticket, "joe@pve!ci", "/vms/100", 5900)
    for who, path, port in (
        ("joe@pve", "/vms/100", 5900),
        ("joe@pve!ci", "/vms/101", 5900),
        ("joe@pve!ci", "/vms/100", 5901),
        ("joe@pve!ci", "/vms/100", None),
        ("joe@pve!ci:/vms/100", "", 5900),
    ):
        with pytest.raises(Unauthorized, match="invalid PVEVNC ticket"):
            tickets.check_console(ticket, who, path, port)


@pytest.mark.parametrize(("seconds", "good"), [(-21, False), (-20, True), (40, True), (41, False)])
def test_a_console_ticket_is_good_for_a_moment(tickets: Tickets, clock: FakeClock, seconds: int, good: bool) -> None:
    ticket = tickets.issue_console("joe@pve", "/vms/100")
    clock.advance(seconds)
    if good:
        tickets.check_console(ticket, "joe@pve", "/vms/100")
    else:
        with pytest.raises(Unauthorized):
            tickets.check_console(ticket, "joe@pve", "/vms/100")
