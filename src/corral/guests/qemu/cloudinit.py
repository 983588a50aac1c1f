"""What cloud-init is told about a guest: the files of its drive, as pure text, and the drive made of them.

`nocloud` (the default) and `configdrive2` (Windows) are the layouts that cloud-init and cloudbase-init read;
`opennebula` is a shell fragment for images with its contextualization.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote

import msgspec

from corral.core.errors import Error
from corral.guests.qemu.config import Section
from corral.guests.qemu.identity import IpConfig
from corral.guests.qemu.options import VmFile

Type = Literal["nocloud", "configdrive2", "opennebula"]
Part = Literal["user", "network", "meta"]

LABELS: Final[Mapping[Type, str]] = {"nocloud": "cidata", "configdrive2": "config-2", "opennebula": "CONTEXT"}
_WINDOWS = ("wxp", "w2k", "w2k3", "w2k8", "wvista", "win7", "win8", "win10", "win11")

OPTIONS: Final = (
    "cicustom", "cipassword", "citype", "ciupgrade", "ciuser", "nameserver", "searchdomain", "sshkeys",
)  # fmt: skip
"""Options that only cloud-init reads; `ipconfigN` too."""


class Custom(NamedTuple):
    """Texts of the user's own that replace generated ones."""

    user: str | None = None
    network: str | None = None
    meta: str | None = None
    vendor: str | None = None


class Card(NamedTuple):
    """A network card as the guest sees it, and its addresses."""

    number: int
    mac: str
    addresses: IpConfig | None


class Resolver(NamedTuple):
    """Name servers and search domains."""

    servers: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


def concerns(key: str) -> bool:
    """Whether a change of that option changes what cloud-init is told."""
    return key in OPTIONS or key == "name" or (key.startswith("ipconfig") and key[8:].isdigit())


def noted(section: Section) -> dict[str, str]:
    """What the special section of a configuration keeps: the options that the present drive was made of."""
    return {key: text for key, text in section.raw.items() if concerns(key) or key.startswith("net")}


def type_of(options: VmFile) -> Type:
    """The layout for a guest."""
    if options.citype is not None:
        return options.citype
    return "configdrive2" if options.ostype in _WINDOWS else "nocloud"


def cards_of(options: VmFile) -> list[Card]:
    """The guest's network cards with what `ipconfigN` says about them."""
    return [Card(index, card.macaddr or "", options.ipconfig.get(index)) for index, card in options.net.items()]


def resolver_of(options: VmFile, host: Resolver) -> Resolver:
    """The guest's resolver: its own settings, else the host's where neither is set."""
    servers = tuple((options.nameserver or "").replace(",", " ").replace(";", " ").split())
    domains = tuple((options.searchdomain or "").replace(",", " ").replace(";", " ").split())
    return Resolver(servers or host.servers, domains or host.domains)


class Seed(NamedTuple):
    """Everything that the files of a guest's drive are made of."""

    name: str
    options: VmFile
    resolver: Resolver
    custom: Custom = Custom()

    def part(self, part: Part) -> str:
        """One file's text, generated or the user's own."""
        given = getattr(self.custom, part)
        if given is not None:
            return str(given)
        match part:
            case "user":
                return user_data(self)
            case "network":
                return interfaces(self) if type_of(self.options) == "configdrive2" else network_config(self)
            case "meta":
                return meta_data(self, self.part("user"), self.part("network"))

    def files(self) -> dict[str, str]:
        """The files of the drive, by path."""
        kind = type_of(self.options)
        if kind == "opennebula":
            return {"context.sh": context(self)}
        vendor = self.custom.vendor
        if kind == "nocloud":
            names = {"user": "user-data", "network": "network-config", "meta": "meta-data", "vendor": "vendor-data"}
        else:
            names = {
                "user": "openstack/latest/user_data", "network": "openstack/content/0000",
                "meta": "openstack/latest/meta_data.json", "vendor": "openstack/latest/vendor_data.json",
            }  # fmt: skip
        parts: tuple[Part, ...] = ("user", "network", "meta")
        found = {names[part]: self.part(part) for part in parts}
        return found | ({names["vendor"]: vendor} if vendor is not None else {})


def _quoted(text: str) -> str:
    """A text as YAML; every JSON string is one."""
    return json.dumps(text)


def ssh_keys(options: VmFile) -> list[str]:
    """The public keys, one each."""
    return [line.strip() for line in unquote(options.sshkeys or "").splitlines() if line.strip()]


def user_data(seed: Seed) -> str:
    """cloud-config for the user and the host's name."""
    options = seed.options
    host = seed.name.partition(".")[0]
    lines = ["#cloud-config", f"hostname: {_quoted(host)}", "manage_etc_hosts: true"]
    domain = seed.resolver.domains[:1]
    if "." in seed.name:
        lines.append(f"fqdn: {_quoted(seed.name)}")
    elif domain:
        lines.append(f"fqdn: {_quoted(f'{host}.{domain[0]}')}")
    lines += [f"user: {_quoted(options.ciuser)}"] if options.ciuser else []
    if options.ciuser == "root":
        lines.append("disable_root: false")
    if options.cipassword is not None:
        lines.append(f"password: {_quoted(options.cipassword.reveal())}")
    if keys := ssh_keys(options):
        lines += ["ssh_authorized_keys:", *(f"  - {_quoted(key)}" for key in keys)]
    lines += ["chpasswd:", "  expire: false"]
    if options.ciuser != "root":
        lines += ["users:", "  - default"]
    if options.ciupgrade is not False:
        lines.append("package_upgrade: true")
    return "\n".join(lines) + "\n"


def network_config(seed: Seed) -> str:
    """Network configuration, version 1."""
    config: list[dict[str, Any]] = []
    for card in cards_of(seed.options):
        entry: dict[str, Any] = {"type": "physical", "name": f"eth{card.number}", "mac_address": card.mac.lower()}
        subnets = list(_subnets(card.addresses))
        config.append(entry | ({"subnets": subnets} if subnets else {}))
    if seed.resolver.servers or seed.resolver.domains:
        server: dict[str, Any] = {"type": "nameserver", "address": list(seed.resolver.servers)}
        if seed.resolver.domains:
            server["search"] = list(seed.resolver.domains)
        config.append(server)
    # JSON is YAML, and needs no library.
    return json.dumps({"version": 1, "config": config}, indent=4) + "\n"


def _subnets(addresses: IpConfig | None) -> Iterator[dict[str, Any]]:
    if addresses is None:
        return
    if addresses.ip == "dhcp":
        yield {"type": "dhcp4"}
    elif addresses.ip and addresses.ip != "manual":
        interface = ipaddress.IPv4Interface(addresses.ip)
        fixed = {"type": "static", "address": str(interface.ip), "netmask": str(interface.netmask)}
        yield fixed | ({"gateway": addresses.gw} if addresses.gw else {})
    if addresses.ip6 == "dhcp":
        yield {"type": "dhcp6"}
    elif addresses.ip6 == "auto":
        yield {"type": "ipv6_slaac"}
    elif addresses.ip6 and addresses.ip6 != "manual":
        fixed = {"type": "static6", "address": addresses.ip6}
        yield fixed | ({"gateway": addresses.gw6} if addresses.gw6 else {})


def interfaces(seed: Seed) -> str:
    """Network configuration in Debian's form, as configdrive2 has it."""
    lines = ["auto lo", "iface lo inet loopback", ""]
    for card in cards_of(seed.options):
        addresses, device = card.addresses, f"eth{card.number}"
        lines.append(f"auto {device}")
        if addresses is None:
            lines.append("")
            continue
        if addresses.ip == "dhcp":
            lines.append(f"iface {device} inet dhcp")
        elif addresses.ip and addresses.ip != "manual":
            interface = ipaddress.IPv4Interface(addresses.ip)
            lines += [f"iface {device} inet static", f"    address {interface.ip}", f"    netmask {interface.netmask}"]
            lines += [f"    gateway {addresses.gw}"] if addresses.gw else []
        if addresses.ip6 in ("dhcp", "auto"):
            lines.append(f"iface {device} inet6 {addresses.ip6}")
        elif addresses.ip6 and addresses.ip6 != "manual":
            six = ipaddress.IPv6Interface(addresses.ip6)
            lines += [f"iface {device} inet6 static", f"    address {six.ip}", f"    netmask {six.network.prefixlen}"]
            lines += [f"    gateway {addresses.gw6}"] if addresses.gw6 else []
        lines.append("")
    if seed.resolver.servers:
        lines.append(f"    dns-nameservers {' '.join(seed.resolver.servers)}")
    if seed.resolver.domains:
        lines.append(f"    dns-search {' '.join(seed.resolver.domains)}")
    return "\n".join(lines) + "\n"


def meta_data(seed: Seed, user: str, network: str) -> str:
    """Meta data; the instance id changes with the other files, so that cloud-init runs again."""
    instance = hashlib.sha1((user + network).encode(), usedforsecurity=False).hexdigest()
    if type_of(seed.options) == "nocloud":
        return f"instance-id: {instance}\n"
    known: dict[str, Any] = {
        "uuid": instance, "hostname": seed.name, "network_config": {"content_path": "/content/0000"},
    }  # fmt: skip
    if keys := ssh_keys(seed.options):
        known["public_keys"] = {f"key-{number}": key for number, key in enumerate(keys)}
    if seed.options.ciuser:
        known["admin_username"] = seed.options.ciuser
    return json.dumps(known, indent=4) + "\n"


def context(seed: Seed) -> str:
    """OpenNebula's context: shell assignments."""
    options = seed.options
    known: dict[str, str] = {"SET_HOSTNAME": seed.name, "NETWORK": "YES"}
    if options.ciuser:
        known["USERNAME"] = options.ciuser
    if options.cipassword is not None:
        known["CRYPTED_PASSWORD"] = options.cipassword.reveal()
    if keys := ssh_keys(options):
        known["SSH_PUBLIC_KEY"] = "\n".join(keys)
    for card in cards_of(options):
        prefix = f"ETH{card.number}_"
        known[f"{prefix}MAC"] = card.mac.lower()
        if card.addresses and card.addresses.ip and card.addresses.ip not in ("dhcp", "manual"):
            interface = ipaddress.IPv4Interface(card.addresses.ip)
            known |= {f"{prefix}IP": str(interface.ip), f"{prefix}MASK": str(interface.netmask)}
            known |= {f"{prefix}GATEWAY": card.addresses.gw} if card.addresses.gw else {}
    if seed.resolver.servers:
        known["DNS"] = " ".join(seed.resolver.servers)
    return "".join(f"{key}='{_shell(value)}'\n" for key, value in known.items())


def _shell(text: str) -> str:
    return text.replace("'", "'\\''")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One option that cloud-init reads: `value` as the present drive has it, `new` as the next one will."""

    key: str
    value: str | None = None
    pending: str | None = None
    delete: int | None = None


def changes(config: Section, special: Mapping[str, str] | None) -> Sequence[Row]:
    """What a new drive would say that the present one does not. `special`: what that was made of, None if unknown."""
    now = {key: text for key, text in noted(config).items() if concerns(key)}
    then = {key: text for key, text in (special if special is not None else now).items() if concerns(key)}
    rows = []
    for key in sorted({*now, *then}):
        value = _masked(key, then.get(key))
        pending = None if now.get(key) == then.get(key) else _masked(key, now.get(key))
        rows.append(Row(key=key, value=value, pending=pending, delete=1 if key in then and key not in now else None))
    return rows


def _masked(key: str, text: str | None) -> str | None:
    return "**********" if text is not None and key == "cipassword" else text


def refuse_large(size: int, room: int) -> None:
    """`Error` for a drive that its volume can't hold."""
    if size > room:
        raise Error(f"the cloud-init drive would need {size} bytes, its volume has {room}")
