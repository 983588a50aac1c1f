"""What cloud-init is told about the guest: addresses, and images of the user's own."""

from __future__ import annotations

from typing import Annotated, ClassVar

from corral.guests.qemu.formats import IPV4_CONFIG, IPV6_CONFIG
from corral.schema import formats
from corral.schema.fields import between, doc, name, pattern, requires
from corral.schema.propstring import PropertyString


class IpConfig(PropertyString, frozen=True, kw_only=True):
    """Addresses of one card: `ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto`."""

    format_name: ClassVar[str] = "pve-qm-ipconfig"

    gw: Annotated[str, formats.IPV4, requires("ip"), doc("IPv4 gateway.")] | None = None
    gw6: Annotated[str, formats.IPV6, requires("ip6"), doc("IPv6 gateway.")] | None = None
    ip: (
        Annotated[str, IPV4_CONFIG, doc("IPv4 address with prefix, `dhcp`, or `manual` for none.", default="dhcp")]
        | None
    ) = None
    ip6: (
        Annotated[str, IPV6_CONFIG, doc("IPv6 address with prefix, `auto`, `dhcp`, or `manual`.", default="dhcp")]
        | None
    ) = None


class CiCustom(PropertyString, frozen=True, kw_only=True):
    """Files that replace generated ones: `user=local:snippets/user.yaml`."""

    format_name: ClassVar[str] = "pve-qm-cicustom"

    meta: Annotated[str, formats.VOLUME_ID, doc("Replaces the meta data.")] | None = None
    network: Annotated[str, formats.VOLUME_ID, doc("Replaces the network configuration.")] | None = None
    user: Annotated[str, formats.VOLUME_ID, doc("Replaces the user data.")] | None = None
    vendor: Annotated[str, formats.VOLUME_ID, doc("Gives the vendor data.")] | None = None


class Meta(PropertyString, frozen=True, kw_only=True):
    """Facts about the guest's creation."""

    creation_qemu: (
        Annotated[
            str, name("creation-qemu"), pattern(r"\d+(\.\d+)+"), doc("QEMU's version when the guest was created.")
        ]
        | None
    ) = None
    ctime: Annotated[int, between(0), doc("When the guest was created, as UNIX time.")] | None = None
