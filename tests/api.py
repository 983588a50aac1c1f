"""An app and a client without HTTP: requests go straight into the dispatcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import msgspec

from corral.access.realms import Pve
from corral.access.service import Access, bootstrap
from corral.app import App
from corral.core.clock import Clock
from corral.core.layout import Layout
from corral.core.secret import Secret
from corral.rest.call import Credentials, Reply, Request
from corral.rest.dispatch import Dispatcher
from corral.rest.endpoint import Endpoint
from corral.rest.envelope import encode
from corral.rest.observe import log_call
from corral.rest.plan import KEY
from corral.store.base import Cause, RecordClass, Transaction, Write
from corral.store.memory import MemoryStore
from corral.store.noted import NotedTree
from corral.system.fakes import FakeClock, FakeRun

ADMIN = "admin@pve"
ADMIN_PASSWORD = "a secret for tests"


class Absent:
    """Stands for a service that a test does not need: touching it fails and names it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        raise AssertionError(f"this test's app has no service '{self._name}' (wanted: .{attribute})")


def make_app(tmp_path: Path, **services: Any) -> App:
    """An app on a memory store, bootstrapped with `admin@pve`; `services` replace or add attributes of `App`."""
    clock: Clock = services.pop("clock", None) or FakeClock()
    store = services.pop("store", None) or MemoryStore(clock)
    layout = services.pop("layout", None) or Layout(tmp_path)
    tree = NotedTree(store)
    bootstrap(store, clock, layout, Secret(ADMIN_PASSWORD), Pve(tree))
    if store.get(KEY) is None:
        write = Write(key=KEY, text="00" * 32, cls=RecordClass.ROOT)
        store.commit(Transaction(cause=Cause(who="root@pam"), writes=(write,)))
    wanted: dict[str, Any] = {
        "run": FakeRun(),
        "node": "testnode",
        "access": Access(tree, clock),
        **services,
    }
    given: dict[str, Any] = {"layout": layout, "clock": clock, "tree": tree, "store": store, **wanted}
    absent: dict[str, Any] = {
        each.name: Absent(each.name) for each in fields(App) if each.default is MISSING and each.name not in given
    }
    return App(**given, **absent)


@dataclass(frozen=True)
class Client:
    """Calls endpoints of an app as one user: root@pam, unless `credentials` say otherwise.

    Answers are as on the wire: booleans are numbers, Structs are objects.
    """

    dispatcher: Dispatcher[App]
    credentials: Credentials = field(default_factory=lambda: Credentials(local_root=True))

    @classmethod
    def of(cls, app: App, endpoints: Sequence[Endpoint], index_keys: Mapping[str, str] | None = None) -> Client:
        """A client of these endpoints alone."""
        return cls(Dispatcher(app, endpoints, index_keys=index_keys, observer=log_call))

    def using(self, credentials: Credentials) -> Client:
        """The same client for another caller."""
        return replace(self, credentials=credentials)

    def by_token(self, tokenid: str, secret: str) -> Client:
        """The same client with an API token."""
        return self.using(Credentials(token=f"{tokenid}={secret}"))

    def by_password(self, user: str, password: str) -> Client:
        """The same client, logged in."""
        made = self.post("/access/ticket", username=user, password=password)
        return self.using(Credentials(ticket=made["ticket"], csrf=made["CSRFPreventionToken"]))

    def send(self, method: str, path: str, params: Mapping[str, Any] | None = None, **special: Any) -> Reply:
        """The reply, failed or not. `special`: plan, apply, idempotency_key of `Request`."""
        credentials = replace(self.credentials, changing=method != "GET")
        request = Request(method=method, path=path, params=_wire(params or {}), credentials=credentials, **special)
        return self.dispatcher.dispatch(request)

    def call(self, method: str, path: str, params: Mapping[str, Any] | None = None, **special: Any) -> Any:
        """The data of a call that must succeed."""
        reply = self.send(method, path, params, **special)
        assert reply.ok, f"{method} {path}: {reply.status} {reply.message!r} {reply.errors}"
        return wire(reply)["data"]

    def get(self, path: str, /, **params: Any) -> Any:
        """GET that must succeed."""
        return self.call("GET", path, params)

    def post(self, path: str, /, **params: Any) -> Any:
        """POST that must succeed."""
        return self.call("POST", path, params)

    def put(self, path: str, /, **params: Any) -> Any:
        """PUT that must succeed."""
        return self.call("PUT", path, params)

    def delete(self, path: str, /, **params: Any) -> Any:
        """DELETE that must succeed."""
        return self.call("DELETE", path, params)

    def refused(self, method: str, path: str, /, **params: Any) -> Reply:
        """The reply of a call that must fail."""
        reply = self.send(method, path, params)
        assert not reply.ok, f"{method} {path} succeeded: {reply.data!r}"
        return reply


def wire(reply: Reply) -> dict[str, Any]:
    """The body of a reply as JSON clients see it."""
    decoded: dict[str, Any] = msgspec.json.decode(encode(reply, "json").payload)
    return decoded


def _wire(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameter names as Python can't spell them: `force_cpu` stays, `force__cpu` is `force-cpu`."""
    return {key.replace("__", "-"): value for key, value in params.items()}
