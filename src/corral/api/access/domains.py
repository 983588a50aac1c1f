"""`/access/domains`: the realms. Those of LDAP, Active Directory and OpenID Connect are declared and refused."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec

from corral.access.domains import DOMAINS, Domains
from corral.access.realms import PLUGINS
from corral.api.access.edit import change, write_domains
from corral.app import Call
from corral.core.errors import AlreadyExists, Conflict, Error, NotFound, ParamError
from corral.core.secret import Secret
from corral.rest import all_of, endpoint, need, need_any, never, world
from corral.schema import formats
from corral.schema.fields import between, doc, length, name, pattern, struct_fields
from corral.schema.types import Digest, Realm, TaskId
from corral.store.base import Tree, Write

_URL = r"^[^\x00-\x1F\x7F <>#\"]*$"
_ALLOCATE = need("/access/realm", "Realm.Allocate")
_CHANGED = "detected modified configuration - file changed by other user? Try again."
_LATER = "realms of type '{}' are not supported yet; there are 'pam' and 'pve'"

_Attribute = Annotated[str, doc("Name of an LDAP attribute.")]
_Attributes = Annotated[tuple[str, ...], doc("A list of object classes.")]
_Dn = Annotated[str, length(0, 256), doc("A distinguished name.")]
_Filter = Annotated[str, length(0, 2048), doc("An LDAP filter.")]
_Server = Annotated[str, formats.ADDRESS, length(0, 256), doc("A server's name or address.")]


class RealmOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What realms can be told. Only `comment` and `default` belong to the types that work."""

    comment: Annotated[str, length(0, 4096), doc("Description.")] | None = None
    default: Annotated[bool, doc("Preselect this realm at log-in.")] | None = None
    tfa: Annotated[str, length(0, 128), doc("A second factor that everybody must use.")] | None = None
    acr_values: Annotated[str, name("acr-values"), pattern(_URL), doc("Wanted authentication contexts.")] | None = None
    audiences: Annotated[str, pattern(_URL), doc("Accepted audiences.")] | None = None
    autocreate: Annotated[bool, doc("Create users at their first log-in.", default=False)] | None = None
    base_dn: Annotated[_Dn, doc("Where users are searched.")] | None = None
    bind_dn: Annotated[_Dn, doc("Who searches.")] | None = None
    capath: Annotated[str, doc("Certificates of authorities.", default="/etc/ssl/certs")] | None = None
    case_sensitive: (
        Annotated[bool, name("case-sensitive"), doc("Tell user names apart by case.", default=True)] | None
    ) = None
    cert: Annotated[str, doc("Client certificate.")] | None = None
    certkey: Annotated[str, doc("Key of the client certificate.")] | None = None
    check_connection: Annotated[bool, name("check-connection"), doc("Try to connect first.", default=False)] | None = (
        None
    )
    client_id: Annotated[str, name("client-id"), length(0, 256), doc("OpenID client.")] | None = None
    client_key: Annotated[Secret, name("client-key"), length(0, 256), doc("Secret of the OpenID client.")] | None = None
    domain: Annotated[str, pattern(r"\S+"), length(0, 256), doc("Active Directory domain.")] | None = None
    filter: Annotated[_Filter, doc("Which users count.")] | None = None
    group_classes: Annotated[_Attributes, doc("Object classes of groups.")] | None = None
    group_dn: Annotated[_Dn, doc("Where groups are searched.")] | None = None
    group_filter: Annotated[_Filter, doc("Which groups count.")] | None = None
    group_name_attr: Annotated[_Attribute, length(0, 256), doc("Attribute that names a group.")] | None = None
    groups_autocreate: (
        Annotated[bool, name("groups-autocreate"), doc("Create groups at log-in.", default=False)] | None
    ) = None
    groups_claim: (
        Annotated[
            str, name("groups-claim"), pattern(r"(?:[A-Za-z0-9\.\-_]+)"), length(0, 256), doc("Claim with groups.")
        ]
        | None
    ) = None
    groups_overwrite: (
        Annotated[bool, name("groups-overwrite"), doc("Replace a user's groups at log-in.", default=False)] | None
    ) = None
    issuer_url: Annotated[str, name("issuer-url"), length(0, 256), doc("OpenID issuer.")] | None = None
    mode: Annotated[Literal["ldap", "ldaps", "ldap+starttls"], doc("LDAP transport.", default="ldap")] | None = None
    password: Annotated[Secret, doc("Password of `bind_dn`.")] | None = None
    port: Annotated[int, between(1, 65535), doc("Port of the server.")] | None = None
    prompt: Annotated[str, pattern(r"(?:none|login|consent|select_account|\S+)"), doc("OpenID prompt.")] | None = None
    query_userinfo: Annotated[bool, name("query-userinfo"), doc("Ask the userinfo endpoint.", default=True)] | None = (
        None
    )
    scopes: Annotated[str, doc("OpenID scopes.")] | None = None
    secure: Annotated[bool, doc("Use LDAPS; `mode` is the newer way.")] | None = None
    server1: Annotated[_Server, doc("The server.")] | None = None
    server2: Annotated[_Server, doc("The server to fall back to.")] | None = None
    sslversion: Annotated[Literal["tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"], doc("TLS version of LDAPS.")] | None = None
    sync_defaults_options: Annotated[str, name("sync-defaults-options"), doc("Defaults of a sync.")] | None = None
    sync_attributes: (
        Annotated[str, pattern(r"\w+=[^,]+(,\s*\w+=[^,]+)*"), doc("LDAP attribute of each property.")] | None
    ) = None
    user_attr: Annotated[str, pattern(r"\S{2,}"), length(0, 256), doc("Attribute that names a user.")] | None = None
    user_classes: Annotated[_Attributes, doc("Object classes of users.")] | None = None
    verify: Annotated[bool, doc("Verify the server's certificate.", default=False)] | None = None


class RealmRow(msgspec.Struct, frozen=True, kw_only=True):
    """A realm, as a log-in page shows it."""

    realm: str
    type: str
    comment: str | None = None
    default: bool | None = None


@endpoint("GET", "/access/domains", allow=world("a log-in page shows the realms"))
def index(call: Call) -> list[RealmRow]:
    """List realms."""
    comments = {plugin.builtin: plugin.comment for plugin in PLUGINS}
    return [
        RealmRow(
            realm=key,
            type=section.type,
            comment=section.config.comment or comments.get(key),
            default=section.config.default or None,
        )
        for key, section in sorted(call.app.access.domains.realms.items())
        if section.config is not None
    ]


@endpoint("POST", "/access/domains", allow=_ALLOCATE, plan=never("realms that can be made are not supported yet"))
def create(
    call: Call,
    realm: Realm,
    type: Annotated[Literal["ad", "ldap", "openid", "pam", "pve"], doc("The realm's type.")],
    *,
    options: RealmOptions,
    username_claim: Annotated[str, name("username-claim"), doc("OpenID claim that names a user.")] | None = None,
) -> None:
    """Add a realm."""
    del options, username_claim  # of types that can't be made yet
    if realm in call.app.access.domains.realms:
        raise AlreadyExists(f"add auth server failed: domain '{realm}' already exists")
    if type in {plugin.kind for plugin in PLUGINS}:
        raise ParamError({"type": f"unable to create builtin type '{type}'"})
    raise ParamError({"type": _LATER.format(type)})


@endpoint("GET", "/access/domains/{realm}", allow=need_any("/access/realm", "Realm.Allocate", "Sys.Audit"))
def read(call: Call, realm: Realm) -> dict[str, Any]:
    """Get a realm's settings."""
    section = _need_realm(call.app.access.domains, realm)
    shown: dict[str, Any] = {"type": section.type, "digest": _digest(call.tree)}
    if section.config is not None:
        shown |= {key: value for key, value in msgspec.structs.asdict(section.config).items() if value is not None}
    return shown


@endpoint(
    "PUT",
    "/access/domains/{realm}",
    allow=_ALLOCATE,
    example={"realm": "pve", "comment": "changed by an example", "default": True},
)
def update(
    call: Call,
    realm: Realm,
    *,
    options: RealmOptions,
    delete: Annotated[
        tuple[Annotated[str, formats.CONFIG_ID], ...], length(0, 4096), doc("A list of settings to reset.")
    ]
    | None = None,
    digest: Digest | None = None,
) -> None:
    """Change a realm's settings."""
    given = {key: value for key, value in msgspec.structs.asdict(options).items() if value is not None}

    def decide(tree: Tree) -> list[Write]:
        doc = tree.get(DOMAINS)
        domains = Domains.parse(doc.text if doc else "", PLUGINS)
        section = _need_realm(domains, realm)
        if digest and digest != _digest(tree):
            raise Conflict(_CHANGED)
        if section.config is None:
            raise Error(_LATER.format(section.type))
        changes = _changes(section.config, section.type, given, delete or ())
        return [write_domains(tree, str(domains.with_realm(realm, msgspec.structs.replace(section.config, **changes))))]

    change(call, decide)


def _changes(config: Any, kind: str, given: dict[str, Any], delete: tuple[str, ...]) -> dict[str, Any]:
    """Attribute → new value; `ParamError` for what the realm's type does not have."""
    known = set(msgspec.structs.asdict(config))
    wire = {field.attr: field.wire for field in struct_fields(RealmOptions)}
    foreign = {wire[key]: f"not an option of realms of type '{kind}'" for key in given if key not in known}
    if foreign:
        raise ParamError(foreign)
    for key in delete:
        if key not in wire.values():
            raise ParamError({"delete": f"unknown option '{key}'"})
        if key in given:
            raise ParamError({"delete": f"option '{key}' is set too"})
    return {**given, **{key: None for key in delete if key in known}}


@endpoint("DELETE", "/access/domains/{realm}", allow=_ALLOCATE, plan=never("the realms there are can't be deleted"))
def delete(call: Call, realm: Realm) -> None:
    """Delete a realm."""
    _need_realm(call.app.access.domains, realm)
    if realm in {plugin.builtin for plugin in PLUGINS}:
        raise Error(f"delete auth server failed: unable to delete realm '{realm}' - it is built in")

    def decide(tree: Tree) -> list[Write]:
        found = tree.get(DOMAINS)
        domains = Domains.parse(found.text if found else "", PLUGINS)
        return [write_domains(tree, str(Domains(realms={k: it for k, it in domains.realms.items() if k != realm})))]

    change(call, decide)


@endpoint(
    "POST",
    "/access/domains/{realm}/sync",
    allow=all_of(need("/access/realm/{realm}", "Realm.AllocateUser"), need("/access/groups", "User.Modify")),
    plan=never("no realm that can be synced is supported yet"),
)
def sync(
    call: Call,
    realm: Realm,
    *,
    dry_run: Annotated[bool, name("dry-run"), doc("Only say what would be done.")] = False,
    enable_new: Annotated[bool, name("enable-new"), doc("Enable users that are new.")] = True,
    full: Annotated[bool, doc("Remove what is gone there; `remove-vanished` is the newer way.")] | None = None,
    purge: Annotated[bool, doc("Remove ACL entries of what is gone.")] | None = None,
    remove_vanished: Annotated[
        str,
        name("remove-vanished"),
        pattern(r"(?:(?:(?:acl|properties|entry);)*(?:acl|properties|entry))|none"),
        doc("What to remove of users and groups that are gone."),
    ] = "none",
    scope: Annotated[Literal["users", "groups", "both"], doc("What to sync.")] | None = None,
) -> TaskId:
    """Take over users and groups from a directory."""
    del dry_run, enable_new, full, purge, remove_vanished, scope  # nothing to sync with yet
    section = _need_realm(call.app.access.domains, realm)
    raise Error(f"realm '{realm}' is of type '{section.type}': it has no directory to sync with")


def _need_realm(domains: Domains, realm: str) -> Any:  # Any: a Section of any realm's config
    section = domains.realms.get(realm)
    if section is None:
        raise NotFound(f"domain '{realm}' does not exist")
    return section


def _digest(tree: Tree) -> str:
    found = tree.get(DOMAINS)
    return hashlib.sha1((found.text if found else "").encode(), usedforsecurity=False).hexdigest()


ENDPOINTS = (index, create, read, update, delete, sync)
