"""The first start, the turn of keys, and who a request is from."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from corral.access.keys import PRIVATE
from corral.access.realms import Pam, Pve
from corral.access.realms.pve import Cost
from corral.access.records import USER_CONFIG, UserConfig
from corral.access.secrets import SHADOW, TOKENS, ShadowConfig, TokenConfig
from corral.access.service import FIRST_ADMIN, Access, bootstrap, rotate_keys
from corral.core.errors import Error, TimedOut, Unauthorized
from corral.core.identity import ROOT, Identity
from corral.core.layout import Layout
from corral.core.secret import Secret
from corral.rest.call import Credentials
from corral.store.base import Cause, Revision, Transaction, Write
from corral.store.memory import MemoryStore
from corral.system.fakes import FakeClock

CHEAP = Cost(passes=1, memory=8)
SALT = b"sixteen byte salt"


def put(store: MemoryStore, key: str, text: str) -> None:
    store.commit(Transaction(cause=Cause(who="test"), writes=(Write(key=key, text=text),)))


def text(store: MemoryStore, key: str) -> str:
    doc = store.get(key)
    return doc.text if doc else ""


@pytest.fixture
def store(clock: FakeClock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def realm(store: MemoryStore) -> Pve:
    return Pve(store, CHEAP)


@pytest.fixture
def access(store: MemoryStore, clock: FakeClock, realm: Pve) -> Access:
    return Access(store, clock, realms=(Pam(lambda name, password, address: False), realm))


def test_the_first_start_makes_an_administrator_with_a_random_password(
    store: MemoryStore, clock: FakeClock, realm: Pve, access: Access, tmp_path: Path
) -> None:
    layout = Layout(tmp_path)
    made = bootstrap(store, clock, layout, None, realm)
    assert made is not None
    assert len(made.reveal()) >= 16
    assert layout.admin_password.read_text() == f"{made.reveal()}\n"
    assert stat.S_IMODE(layout.admin_password.stat().st_mode) == 0o600
    assert access.login(FIRST_ADMIN, made).user == FIRST_ADMIN
    assert "Sys.Modify" in access.rights.privileges(Identity(FIRST_ADMIN), "/nodes/x")
    assert made.reveal() not in text(store, USER_CONFIG) + text(store, SHADOW)


def test_a_second_start_changes_nothing(store: MemoryStore, clock: FakeClock, realm: Pve, tmp_path: Path) -> None:
    bootstrap(store, clock, Layout(tmp_path), Secret("given by hand"), realm)
    assert not Layout(tmp_path).admin_password.exists()
    before = store.revision
    assert bootstrap(store, clock, Layout(tmp_path), Secret("another one"), realm) is None
    assert store.revision == before
    assert realm.authenticate("admin", Secret("given by hand"), "", known=True)


def test_a_lost_race_for_the_turn_of_the_key_is_no_error(store: MemoryStore, clock: FakeClock) -> None:
    class Slow(MemoryStore):
        """Somebody else commits first."""

        def commit(self, txn: Transaction) -> Revision:
            super().commit(Transaction(cause=Cause(who="other"), writes=(Write(key=PRIVATE, text="theirs"),)))
            return super().commit(txn)

    slow = Slow(clock)
    assert not rotate_keys(slow, clock)
    assert text(slow, PRIVATE) == "theirs"


def test_the_peer_of_roots_socket_is_root(access: Access) -> None:
    assert access.verify(Credentials(local_root=True, ticket="nonsense")) == ROOT


@pytest.mark.parametrize("credentials", [Credentials(), Credentials(csrf="x", changing=True)])
def test_nobody_is_told_so(access: Access, credentials: Credentials) -> None:
    with pytest.raises(Unauthorized, match=r"^No ticket$"):
        access.verify(credentials)


def test_a_bad_ticket_is_not_helped_by_a_good_token(store: MemoryStore, clock: FakeClock, access: Access) -> None:
    rotate_keys(store, clock)
    put(store, USER_CONFIG, "user:joe@pve:1:0::::::\ntoken:joe@pve!ci:0:0::\n")
    put(store, TOKENS, str(TokenConfig().with_secret("joe@pve!ci", "s")))
    assert access.verify(Credentials(token="joe@pve!ci=s")) == Identity("joe@pve", "ci")
    with pytest.raises(Unauthorized):
        access.verify(Credentials(ticket="PVE:joe@pve:0::x", token="joe@pve!ci=s"))


def test_a_removed_secret_ends_at_once(store: MemoryStore, access: Access) -> None:
    put(store, USER_CONFIG, "user:joe@pve:1:0::::::\ntoken:joe@pve!ci:0:0::\n")
    put(store, TOKENS, str(TokenConfig().with_secret("joe@pve!ci", "s")))
    assert access.verify(Credentials(token="joe@pve!ci=s"))
    put(store, TOKENS, "")
    with pytest.raises(Unauthorized, match=r"^Authentication failed!$"):
        access.verify(Credentials(token="joe@pve!ci=s"))


def test_rights_are_compiled_once_per_version(store: MemoryStore, access: Access) -> None:
    put(store, USER_CONFIG, "user:joe@pve:1:0::::::\n")
    first = access.rights
    assert access.rights is first
    put(store, "other", "x")
    assert access.rights is first
    put(store, USER_CONFIG, "user:joe@pve:1:0::::::\nacl:1:/:joe@pve:PVEAuditor:\n")
    assert access.rights is not first
    assert access.rights.revision != first.revision


def test_a_user_without_password_does_not_log_in(store: MemoryStore, clock: FakeClock, access: Access) -> None:
    rotate_keys(store, clock)
    put(store, USER_CONFIG, "user:joe@pve:1:0::::::\n")
    for password in ("", "x", "nobody has this password"):
        with pytest.raises(Unauthorized):
            access.login("joe@pve", Secret(password), address=password)


@pytest.mark.parametrize("digest", ["*", "$5$salt$hash", "$1$salt$hash", "$argon2id$v=19$broken", "!"])
def test_a_hash_of_another_kind_lets_nobody_in(store: MemoryStore, realm: Pve, digest: str) -> None:
    put(store, SHADOW, str(ShadowConfig().with_hash("joe", digest)))
    assert not realm.authenticate("joe", Secret("x"), "", known=True)


def test_unknown_users_cost_a_hash_too(store: MemoryStore) -> None:
    compared: list[str] = []

    class Counting(Pve):
        def _matches(self, digest: str, password: Secret) -> bool:
            compared.append(digest)
            return super()._matches(digest, password)

    realm = Counting(store, CHEAP)
    put(store, SHADOW, str(ShadowConfig().with_hash("joe", realm.hash(Secret("right"), SALT))))
    assert realm.authenticate("joe", Secret("right"), "", known=True)
    for name, known in (("joe", False), ("ghost", True), ("ghost", False)):
        assert not realm.authenticate(name, Secret("right"), "", known=known)
    assert len(compared) == 4
    assert all(digest.startswith("$argon2id$v=19$m=8,t=1,p=1$") for digest in compared)


def test_a_password_found_right_is_known_for_a_while(store: MemoryStore, clock: FakeClock) -> None:
    compared: list[str] = []

    class Counting(Pve):
        def _matches(self, digest: str, password: Secret) -> bool:
            compared.append(password.reveal())
            return super()._matches(digest, password)

    realm = Counting(store, CHEAP, clock=clock)

    def ask(password: str) -> bool:
        return realm.authenticate("joe", Secret(password), "", known=True)

    put(store, SHADOW, str(ShadowConfig().with_hash("joe", realm.hash(Secret("right"), SALT))))
    assert [ask("right"), ask("right"), ask("wrong"), ask("wrong")] == [True, True, False, False]
    assert compared == ["right", "wrong", "wrong"]
    put(store, SHADOW, str(ShadowConfig().with_hash("joe", realm.hash(Secret("new"), SALT))))
    assert not ask("right"), "a changed password counts at once"
    assert ask("new")
    clock.advance(301)
    compared.clear()
    assert ask("new")
    assert compared == ["new"]


def test_made_up_names_do_not_wait_in_line(store: MemoryStore) -> None:
    """While PAM hangs, users that do not exist are refused at once."""
    hanging, go_on = threading.Barrier(5), threading.Event()

    def hangs(name: str, password: str, address: str) -> bool:
        hanging.wait(10)
        return go_on.wait(10)

    realm = Pam(hangs)
    with ThreadPoolExecutor(4) as pool:
        known = [pool.submit(realm.authenticate, f"u{n}", Secret("x"), "", known=True) for n in range(4)]
        hanging.wait(10)
        assert not realm.authenticate("ghost", Secret("x"), "", known=False)
        go_on.set()
        assert [each.result() for each in known] == [True] * 4


def test_a_realm_that_can_not_answer_refuses(store: MemoryStore, clock: FakeClock) -> None:
    def hangs(name: str, password: str, address: str) -> bool:
        raise TimedOut("the directory does not answer")

    rotate_keys(store, clock)
    put(store, USER_CONFIG, "user:root@pam:1:0::::::\n")
    access = Access(store, clock, realms=(Pam(hangs), Pve(store, CHEAP)))
    with pytest.raises(Unauthorized, match=r"^authentication failure$"):
        access.login("root@pam", Secret("x"))


def test_passwords_of_pam_are_not_kept_here() -> None:
    with pytest.raises(Error, match="run 'passwd' on the node"):
        Pam(lambda name, password, address: False).hash(Secret("x"), SALT)


def test_the_record_of_the_first_start_reads_back(
    store: MemoryStore, clock: FakeClock, realm: Pve, tmp_path: Path
) -> None:
    bootstrap(store, clock, Layout(tmp_path), Secret("given by hand"), realm)
    config = UserConfig.parse(text(store, USER_CONFIG))
    assert set(config.users) == {"root@pam", FIRST_ADMIN}
    assert str(config) == text(store, USER_CONFIG)
