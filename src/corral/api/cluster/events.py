"""/cluster/events: what changes, as it happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from corral.api.cluster.sight import CallerSight
from corral.app import Call
from corral.core.errors import ParamError
from corral.metrics.hub import Event
from corral.rest import Events, Frame, anyone, endpoint
from corral.schema import doc
from corral.store.base import Revision


@endpoint("GET", "/cluster/events", allow=anyone("each event is shown to those who may see its object"))
def events(
    call: Call,
    *,
    since: Annotated[str | None, doc("Resume after this revision, the id of the last `change` seen.")] = None,
) -> Events:
    """Stream of server-sent events: changes of records, tasks and status."""
    cursor = _cursor(since or call.resume)

    def subscribe(push: Callable[[Frame], None]) -> Callable[[], None]:
        def forward(event: Event) -> None:
            push(Frame(*event))

        return call.app.hub.subscribe(CallerSight(call), cursor, forward)

    return Events(subscribe)


def _cursor(text: str | None) -> Revision | None:
    if text is None:
        return None
    try:
        return Revision.parse(text)
    except ValueError as exc:
        raise ParamError({"since": f"not a revision: '{text[:50]}'"}) from exc


ENDPOINTS = (events,)
