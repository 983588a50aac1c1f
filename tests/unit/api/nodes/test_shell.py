"""Which session a ticket opens."""

from __future__ import annotations

from pathlib import Path

from corral.api.nodes.host import shell
from corral.core.layout import Layout
from corral.node.shell import Shells
from corral.rest import Console
from corral.system.relay import session_socket
from tests.api import Client, make_app


def test_a_ticket_opens_the_session_it_was_made_for_and_no_other_on_its_port(tmp_path: Path) -> None:
    app = make_app(tmp_path, shells=Shells(Layout(tmp_path)))
    client = Client.of(app, shell.ENDPOINTS)
    opened = []
    for _ in range(2):
        ticket = app.access.tickets.issue_console("root@pam", "/nodes/testnode", 5900)
        app.clock.sleep(1)
        found = client.send("GET", "/nodes/testnode/vncwebsocket", {"port": 5900, "vncticket": ticket}).special
        assert isinstance(found, Console)
        assert found.path == session_socket(app.layout.consoles, 5900, f"root@pam:{ticket}")
        opened.append(found.path)
    assert opened[0] != opened[1]
