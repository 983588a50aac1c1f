"""Network interfaces of a node: what `/etc/network/interfaces` says, joined with what the kernel has."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corral.core.errors import NotFound
from corral.system import files
from corral.system.netlink import Link

MAX_FILES = 100

_COPIED = {
    "bridge_ports": ("bridge_ports", "bridge-ports"),
    "bridge_vids": ("bridge_vids", "bridge-vids"),
    "slaves": ("slaves", "bond_slaves", "bond-slaves"),
    "bond_mode": ("bond_mode", "bond-mode"),
    "bond-primary": ("bond_primary", "bond-primary"),
    "bond_xmit_hash_policy": ("bond_xmit_hash_policy", "bond-xmit-hash-policy"),
    "vlan-raw-device": ("vlan-raw-device", "vlan_raw_device"),
    "vlan-id": ("vlan-id", "vlan_id"),
    "ovs_bridge": ("ovs_bridge",),
    "ovs_ports": ("ovs_ports",),
    "ovs_bonds": ("ovs_bonds",),
    "ovs_tag": ("ovs_tag",),
    "ovs_options": ("ovs_options",),
    "mtu": ("mtu", "ovs_mtu"),
}
_MODES = ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
_KINDS = {"bridge": "bridge", "bond": "bond", "vlan": "vlan", "openvswitch": "OVSBridge"}
_BRIDGES = ("bridge", "OVSBridge")


@dataclass
class Stanza:
    """One `iface NAME FAMILY METHOD` with its options; repeated ones in order."""

    name: str
    family: str
    method: str
    options: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def get(self, *names: str) -> str | None:
        """The value of the first option that has one of these names."""
        return next((value for key, value in self.options if key in names), None)


@dataclass
class Interfaces:
    """A file as read, with those it includes."""

    stanzas: list[Stanza] = field(default_factory=list)
    auto: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)


def parse(text: str) -> Interfaces:
    """Read one file; lines that are not understood are skipped. Included files are named in `sources`."""
    found = Interfaces()
    current: Stanza | None = None
    for line in _logical_lines(text):
        words = line.split(None, 1)
        head, rest = words[0], words[1].strip() if len(words) > 1 else ""
        if head.startswith("#"):
            if current is not None:
                current.comments.append(line.strip()[1:])
        elif head == "iface":
            parts = [*rest.split(), "inet", "manual"]
            current = Stanza(parts[0], *(("inet", "manual") if len(rest.split()) < 3 else (parts[1], parts[2])))
            found.stanzas.append(current)
        elif head in ("auto", "allow-auto", "allow-hotplug", "allow-ovs"):
            found.auto += rest.split()
            current = None
        elif head in ("source", "source-directory"):
            found.sources.append(rest)
            current = None
        elif head in ("mapping", "template"):
            current = None
        elif current is not None:
            current.options.append((head, rest))
    return found


def _logical_lines(text: str) -> Iterator[str]:
    """Lines with those that end in a backslash joined; blank ones are left out."""
    held = ""
    for raw in text.splitlines():
        if raw.endswith("\\"):
            held += raw[:-1] + " "
            continue
        line, held = (held + raw).strip(), ""
        if line:
            yield line


def read(root: Path) -> Interfaces:
    """The node's `etc/network/interfaces`, with the files that it includes."""
    base = root / "etc/network"
    merged = Interfaces()
    waiting, seen = [base / "interfaces"], 0
    while waiting and seen < MAX_FILES:
        path, seen = waiting.pop(0), seen + 1
        try:
            found = parse(files.read_text(path, limit=1024 * 1024))
        except NotFound:
            continue
        merged.stanzas += found.stanzas
        merged.auto += found.auto
        for source in found.sources:
            pattern = source.removeprefix("/etc/network/").removeprefix("/")
            for entry in sorted(base.glob(pattern)) if pattern else ():
                waiting += [entry] if entry.is_file() else sorted(each for each in entry.iterdir() if each.is_file())
    return merged


def rows(configured: Interfaces, links: Sequence[Link]) -> list[dict[str, Any]]:
    """Each interface as the API shows it, configured ones in their order first; `lo` and guests' taps are left out."""
    live = {link.name: link for link in links}
    names = dict.fromkeys(stanza.name for stanza in configured.stanzas)
    names |= dict.fromkeys(link.name for link in links if _shown(link))
    found = []
    for priority, name in enumerate((name for name in names if name != "lo"), start=3):
        stanzas = [stanza for stanza in configured.stanzas if stanza.name == name]
        found.append(_row(name, stanzas, live.get(name), priority, name in configured.auto))
    return found


def _shown(link: Link) -> bool:
    """Whether a device that no file names is an interface of the node, and not a guest's or a helper's."""
    if link.kind:
        return link.kind in _KINDS
    return link.name != "lo" and not re.match(r"(tap|t[0-9a-f]{4}|veth|fwpr|fwln|fwbr)", link.name)


def _row(name: str, stanzas: list[Stanza], link: Link | None, priority: int, auto: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"iface": name, "priority": priority, "families": [], "method": "manual", "method6": "manual"}
    for stanza in stanzas:
        _add_stanza(row, stanza)
    if not stanzas:
        row["families"] = ["inet"]
    if link is not None:
        row["exists"] = True
        if link.up:
            row["active"] = True
        _add_live(row, link, bool(stanzas))
    if auto:
        row["autostart"] = True
    row["type"] = kind_of(name, stanzas, link)
    return row


def _add_stanza(row: dict[str, Any], stanza: Stanza) -> None:
    six = stanza.family == "inet6"
    row["families"].append(stanza.family)
    row["method6" if six else "method"] = stanza.method
    if address := stanza.get("address"):
        _add_address(row, address if "/" in address else f"{address}/{stanza.get('netmask') or (64 if six else 24)}")
    if gateway := stanza.get("gateway"):
        row["gateway6" if six else "gateway"] = gateway
    for key, names in _COPIED.items():
        if (value := stanza.get(*names)) is not None:
            row[key] = int(value) if key == "mtu" and value.isdigit() else value
    if row.get("bridge_ports") == "none":
        row["bridge_ports"] = ""
    if (mode := str(row.get("bond_mode", ""))).isdigit() and int(mode) < len(_MODES):
        row["bond_mode"] = _MODES[int(mode)]
    if stanza.get("bridge_vlan_aware", "bridge-vlan-aware") in ("yes", "1", "on", "true"):
        row["bridge_vlan_aware"] = True
    if stanza.comments:
        row["comments6" if six else "comments"] = "\n".join(stanza.comments) + "\n"
    known = {name for names in _COPIED.values() for name in names}
    known |= {"address", "netmask", "gateway", "bridge_vlan_aware", "bridge-vlan-aware", "ovs_type"}
    if other := [f"{key} {value}".strip() for key, value in stanza.options if key not in known]:
        row["options6" if six else "options"] = other


def _add_live(row: dict[str, Any], link: Link, configured: bool) -> None:
    """What only the kernel knows: addresses that DHCP or nobody's file gave."""
    for address in link.addresses:
        six = ":" in address
        if not address.startswith("fe80:") and ("address6" if six else "address") not in row:
            _add_address(row, address)
    if link.kind == "vlan" and "vlan-id" not in row and (match := re.search(r"\.(\d+)$", link.name)):
        row["vlan-id"] = match[1]
    if not configured:
        row.setdefault("mtu", link.mtu)


def _add_address(row: dict[str, Any], text: str) -> None:
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        return
    if found.version == 6:
        row |= {"address6": str(found.ip), "netmask6": found.network.prefixlen, "cidr6": found.with_prefixlen}
    else:
        row |= {"address": str(found.ip), "netmask": str(found.network.prefixlen), "cidr": found.with_prefixlen}


def kind_of(name: str, stanzas: Iterable[Stanza], link: Link | None) -> str:
    """The API's word for an interface: by its options, else by its name, else by what the kernel says."""
    options = {key: value for stanza in stanzas for key, value in stanza.options}
    if "ovs_type" in options:
        return options["ovs_type"]
    if options.keys() & {"bridge_ports", "bridge-ports"}:
        return "bridge"
    if options.keys() & {"slaves", "bond_slaves", "bond-slaves"}:
        return "bond"
    if ":" in name:
        return "alias"
    if options.keys() & {"vlan-raw-device", "vlan_raw_device", "vlan-id"} or re.search(r"\.\d+$|^vlan\d+$", name):
        return "vlan"
    if link is not None:
        return _KINDS.get(link.kind, "unknown") if link.kind else "eth"
    return "eth" if re.match(r"(eth|en|ib|wl|nic)", name) else "unknown"


_FAMILIES = {"any_bridge": (*_BRIDGES, "vnet"), "any_local_bridge": _BRIDGES}


def of_type(found: list[dict[str, Any]], wanted: str | None) -> list[dict[str, Any]]:
    """The rows of a type, or of a family of types."""
    if wanted in (None, "include_sdn"):
        return found
    kinds = _FAMILIES.get(wanted or "", (wanted,))
    return [row for row in found if row["type"] in kinds]
