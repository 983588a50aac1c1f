"""`/cluster/options`: `datacenter.cfg`."""

from __future__ import annotations

from typing import Annotated, Any

from corral.app import Call
from corral.cluster import datacenter
from corral.cluster.datacenter import Datacenter
from corral.rest import anyone, endpoint, need
from corral.schema import doc, spread
from corral.schema.fields import split_list

_FOR_ALL = ("consent-text", "console", "language", "registered-tags", "tag-style", "user-tag-access")


@endpoint("GET", "/cluster/options", allow=anyone("without Sys.Audit on / only what user interfaces need"))
def read(call: Call) -> dict[str, Any]:
    """Get the cluster's options."""
    file = datacenter.read(call.tree.get(datacenter.KEY))
    shown = datacenter.wire(file)
    if not call.may("/", "Sys.Audit"):
        shown = {key: value for key, value in shown.items() if key in _FOR_ALL}
    return {**shown, "allowed-tags": _allowed_tags(call, file.options)}


def _allowed_tags(call: Call, options: Datacenter) -> list[str]:
    """The tags that the caller may set: listed ones, those in use where that is allowed, registered ones for some."""
    access = options.user_tag_access or datacenter.UserTags()
    mode = access.allow or "free"
    tags = set((access.listed or "").split(";")) if mode in ("list", "existing") else set()
    if mode in ("existing", "free"):
        facts = call.app.rows.facts().values()
        tags |= {tag for each in facts if each.tags for tag in each.tags.replace(",", ";").split(";")}
    if call.may("/", "Sys.Modify"):
        tags |= set((options.registered_tags or "").split(";"))
    return sorted(tag.strip() for tag in tags if tag.strip())


@endpoint(
    "PUT", "/cluster/options", allow=need("/", "Sys.Modify"), root=True,
    example={"keyboard": "en-us", "mac_prefix": "BC:24:11", "next-id": "lower=200,upper=9000"},
)  # fmt: skip
def write(
    call: Call,
    *,
    options: Annotated[Datacenter, spread],
    delete: Annotated[str, doc("Options to unset: a list.")] = "",
) -> None:
    """Set options of the cluster."""
    names = tuple(split_list(delete))
    call.edit(datacenter.KEY, lambda text: str(datacenter.parse(text).changed(options, names)))


ENDPOINTS = (read, write)
