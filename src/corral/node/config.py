"""A node's own options, kept in its record `node/<name>`."""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar

import msgspec

from corral.cluster.datacenter import Location
from corral.cluster.optionfile import OptionFile, parse_options
from corral.core.errors import Conflict
from corral.schema import PropertyString, between, doc, formats, indexed, length, name

CHANGED = "detected modified configuration - file changed by other user? Try again."


class Acme(PropertyString, frozen=True, kw_only=True):
    """How the node gets its certificate by ACME."""

    account: Annotated[str, formats.CONFIG_ID, doc("The ACME account.", default="default")] | None = None
    domains: Annotated[str, doc("The certificate's names, separated by semicolons.")] | None = None


class AcmeDomain(PropertyString, frozen=True, kw_only=True):
    """One name of the certificate, with the plugin that proves it."""

    default_key: ClassVar[str] = "domain"
    alias: Annotated[str, formats.DNS_NAME, doc("The name that is proven instead.")] | None = None
    domain: Annotated[str, formats.DNS_NAME, doc("The certificate's name.")]
    plugin: Annotated[str, formats.CONFIG_ID, doc("The plugin that proves it.", default="standalone")] | None = None


class WakeOnLan(PropertyString, frozen=True, kw_only=True):
    """How other nodes wake this one."""

    default_key: ClassVar[str] = "mac"
    bind: Annotated[str, name("bind-interface"), formats.IFACE, doc("Send from this interface.")] | None = None
    broadcast: (
        Annotated[str, name("broadcast-address"), formats.IPV4, doc("Send there.", default="255.255.255.255")] | None
    ) = None
    mac: Annotated[str, formats.MAC, doc("The MAC address that is woken.")]


class NodeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """A node's options; None is unset."""

    acme: Annotated[Acme, doc("How the node gets its certificate by ACME.")] | None = None
    acmedomain: Annotated[dict[int, AcmeDomain], indexed(6), doc("Further names of the certificate.")] | None = None
    ballooning_target: (
        Annotated[
            int, name("ballooning-target"), between(0, 100), doc("Memory use, in percent, to balloon to.", default=80)
        ]
        | None
    ) = None
    description: Annotated[str, length(0, 65536), doc("Notes on the node.")] | None = None
    location: Annotated[Location, doc("Where the node stands.")] | None = None
    startall_delay: (
        Annotated[
            int,
            name("startall-onboot-delay"),
            between(0, 300),
            doc("Wait so many seconds before guests are started.", default=0),
        ]
        | None
    ) = None
    wakeonlan: Annotated[WakeOnLan, doc("How other nodes wake this one.")] | None = None


def key_of(node: str) -> str:
    """The key of a node's record."""
    return f"node/{node}"


def read(text: str) -> OptionFile[NodeOptions]:
    """A node's options from its record's text."""
    return parse_options(text, NodeOptions)


def digest(text: str) -> str:
    """The digest that clients compare: SHA-1 of the text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def changed(text: str, given: NodeOptions, delete: tuple[str, ...], expected: str | None) -> str:
    """The record's new text; `Conflict` if `expected` is a digest of another text."""
    if expected and expected != digest(text):
        raise Conflict(CHANGED)
    return str(read(text).changed(given, delete))
