"""`/nodes/{node}/query-url-metadata`: what a file on the web is, before it is downloaded."""

from __future__ import annotations

from typing import Annotated

from corral.api import shapes
from corral.app import Call
from corral.rest import any_of, endpoint, need
from corral.schema import doc, length, name, pattern
from corral.schema.types import NodeName


@endpoint(
    "GET",
    "/nodes/{node}/query-url-metadata",
    allow=any_of(need("/", "Sys.Audit", "Sys.Modify"), need("/nodes/{node}", "Sys.AccessNetwork")),
    runs="node",
    root=True,
    pool="url",
)
def metadata(
    call: Call,
    node: NodeName,
    *,
    url: Annotated[str, length(0, 4096), pattern(r"https?://[\x21-\x7e]*"), doc("The file's address.")],
    verify: Annotated[bool, name("verify-certificates"), doc("Whether the server's certificate must be valid.")] = True,
) -> shapes.FileOnWeb:
    """Ask a server for a file's name, size and type."""
    anywhere = call.may("/", "Sys.Modify")
    found = call.app.storage.fetcher(verify=verify, anywhere=anywhere, timeout=10).look(url)
    answer = {"filename": found.filename, "size": found.size, "mimetype": found.mimetype}
    return {key: value for key, value in answer.items() if value is not None}


ENDPOINTS = (metadata,)
