"""The scalar grammars of the API, each under the name that clients and the yardstick know it by."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from corral.schema.fields import Format

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"


def _regex(pattern: str, text: str, *, flags: int = 0, maximum: int | None = None) -> Callable[[str], str]:
    compiled = re.compile(pattern, flags | re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value) or (maximum is not None and len(value) > maximum):
            raise ValueError(text)
        return value

    return check


def _vmid(value: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{2,8}", value, re.ASCII):
        raise ValueError("value does not look like a valid VM ID")
    return int(value)


def _ipv4(value: str) -> str:
    try:
        ipaddress.IPv4Address(value)
    except ValueError as exc:
        raise ValueError("value does not look like a valid IPv4 address") from exc
    return value


def _ipv6(value: str) -> str:
    try:
        if "%" in value:
            raise ValueError(value)
        ipaddress.IPv6Address(value)
    except ValueError as exc:
        raise ValueError("value does not look like a valid IPv6 address") from exc
    return value


def _ip(value: str) -> str:
    try:
        return _ipv6(value) if ":" in value else _ipv4(value)
    except ValueError as exc:
        raise ValueError("value does not look like a valid IP address") from exc


def _cidr(address: Callable[[str], str], least: int, most: int, what: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        host, slash, bits = value.partition("/")
        try:
            address(host)
        except ValueError as exc:
            raise ValueError(f"value does not look like a valid {what} network") from exc
        if not slash or not re.fullmatch(r"[0-9]{1,3}", bits) or not least <= int(bits) <= most:
            raise ValueError(f"value does not look like a valid {what} network")
        return value

    return check


_cidr4 = _cidr(_ipv4, 8, 32, "IPv4")
_cidr6 = _cidr(_ipv6, 8, 128, "IPv6")


def _any_of(text: str, *checks: Callable[[str], str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        for each in checks:
            try:
                return each(value)
            except ValueError:
                continue
        raise ValueError(text)

    return check


_dns_name = _regex(rf"{_LABEL}(?:\.{_LABEL})*", "value does not look like a valid DNS name", maximum=253)


def _word(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in words:
            raise ValueError(f"value is none of {', '.join(words)}")
        return value

    return check


def _userid(value: str) -> str:
    if not 3 <= len(value) <= 64:
        raise ValueError("value does not look like a valid user name")
    if not re.fullmatch(r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+", value) or not value.isprintable():
        raise ValueError("value does not look like a valid user name")
    return value


def _tokenid(value: str) -> str:
    user, bang, token = value.rpartition("!")
    if not bang or not re.fullmatch(r"[A-Za-z][A-Za-z0-9.\-_]+", token, re.ASCII):
        raise ValueError("value does not look like a valid token ID")
    _userid(user)
    return value


def _volid(value: str) -> str:
    if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]:\S.*", value) or not value.isprintable():
        raise ValueError("unable to parse volume ID")
    return value


def _cpuset(value: str) -> str:
    for part in value.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,5})(?:-([0-9]{1,5}))?\s*", part, re.ASCII)
        if not match or (match[2] and int(match[2]) < int(match[1])):
            raise ValueError("value does not look like a valid CPU set")
    return value


IPV4 = Format("ipv4", _ipv4)
IPV6 = Format("ipv6", _ipv6)
IP = Format("ip", _ip)
CIDRV4 = Format("CIDRv4", _cidr4)
CIDRV6 = Format("CIDRv6", _cidr6)
CIDR = Format("CIDR", _any_of("value does not look like a valid CIDR network", _cidr4, _cidr6))
IP_OR_CIDR = Format("IPorCIDR", _any_of("value does not look like a valid IP address or network", _ip, _cidr4, _cidr6))
DNS_NAME = Format("dns-name", _dns_name)
ADDRESS = Format("address", _any_of("value does not look like a valid address", _ip, _dns_name))
EMAIL = Format(
    "email",
    _regex(
        r"[\w+\-~]+(?:\.[\w+\-~]+)*@[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*", "value does not look like a valid email address"
    ),
)
MAC = Format(
    "mac-addr",
    _regex(
        r"[a-f0-9][02468ace](?::[a-f0-9]{2}){5}", "value does not look like a valid unicast MAC address", flags=re.I
    ),
)
MAC_PREFIX = Format(
    "mac-prefix",
    _regex(
        r"[a-f0-9][02468ace](?::[a-f0-9]{2}){0,2}(?::[a-f0-9]?)?",
        "value is not a valid unicast MAC address prefix",
        flags=re.I,
    ),
)
NODE = Format("pve-node", _regex(_LABEL, "value does not look like a valid node name", maximum=63))
VMID = Format("pve-vmid", _vmid)
STORAGE_ID = Format(
    "pve-storage-id",
    _regex(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", "invalid characters in storage ID", maximum=100),
)
VOLUME_ID = Format("pve-volume-id", _volid)
CONTENT = Format(
    "pve-storage-content", _word("images", "rootdir", "vztmpl", "iso", "backup", "snippets", "none", "import")
)
IMAGE_FORMAT = Format("pve-storage-format", _word("raw", "qcow2", "vmdk", "subvol"))
STORAGE_PATH = Format("pve-storage-path", _regex(r"/[^;()\n\r\0]+", "value does not look like a valid absolute path"))
CONFIG_ID = Format("pve-configid", _regex(r"[a-zA-Z][a-zA-Z0-9_-]+", "invalid configuration ID"))
USERID = Format("pve-userid", _userid)
TOKENID = Format("pve-tokenid", _tokenid)
REALM = Format("pve-realm", _regex(r"[A-Za-z][A-Za-z0-9.\-_]+", "value does not look like a valid realm", maximum=32))
GROUPID = Format("pve-groupid", _regex(r"[A-Za-z0-9.\-_]+", "group name contains invalid characters", maximum=255))
ROLEID = Format("pve-roleid", _regex(r"[A-Za-z0-9.\-_]+", "role name contains invalid characters", maximum=255))
POOLID = Format(
    "pve-poolid",
    _regex(r"[A-Za-z0-9.\-_]+(?:/[A-Za-z0-9.\-_]+){0,2}", "pool name contains invalid characters", maximum=255),
)
TAG = Format("pve-tag", _regex(r"[a-z0-9_][a-z0-9_\-+.]*", "invalid characters in tag", flags=re.I))
IFACE = Format("pve-iface", _regex(r"[a-z][a-z0-9_]{1,20}(?:[:.]\d+)?", "invalid network interface name", flags=re.I))
BRIDGE_ID = Format("pve-bridge-id", _regex(r"[-_.\w\d]+", "invalid bridge name"))
CPUSET = Format("pve-cpuset", _cpuset)
URLENCODED = Format("urlencoded", _regex(r"[-%a-zA-Z0-9_.!~*'()]*", "invalid urlencoded string"))
PRIV = Format("pve-priv", _regex(r"[A-Za-z]+(?:\.[A-Za-z]+)+", "invalid privilege"))
UPID = Format("upid", _regex(r"UPID:\S+", "value does not look like a task ID"))
