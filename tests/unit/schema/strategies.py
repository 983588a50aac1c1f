"""Texts that declared fields and property strings accept, for hypothesis."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from corral.schema.fields import Field
from corral.schema.propstring import PropertyString, fields_by_wire

# One text per named grammar that a strategy can't guess.
SAMPLES = {
    "mac-addr": ["BC:24:11:2C:69:EC", "02:00:00:00:00:01"],
    "pve-bridge-id": ["vmbr0", "net-1.2"],
    "pve-configid": ["ab", "map_1"],
    "pve-volume-id": ["local:iso/x.iso", "lvm:vm-100-disk-0"],
    "pve-volume-id-or-qm-path": ["none", "cdrom", "local:100/vm-100-disk-0.qcow2", "/dev/sda", "local:32"],
    "pve-volume-id-or-absolute-path": ["/x/y.img", "local:import/a.qcow2"],
    "disk-size": ["4G", "104858K", "1.5T"],
    "urlencoded": ["a%20b", ""],
    "CIDR": ["10.0.0.0/24", "fd00::/64"],
    "dns-name": ["a.example.com", "host"],
    "pve-cpu-type": ["host", "x86-64-v2-AES"],
    "pve-iface": ["eth0", "bond0.5"],
    "ipv4": ["10.0.0.1"],
    "ipv6": ["fe80::1"],
    "pve-ipv4-config": ["dhcp", "manual", "10.0.0.5/24"],
    "pve-ipv6-config": ["auto", "fd00::2/64"],
    "pve-phys-bits": ["host", "40"],
    "pve-qm-bootdev-list": ["scsi0;ide2;net0", "usb13"],
}


def value(field: Field) -> st.SearchStrategy[str]:
    """Texts of one field."""
    if field.enum:
        return st.sampled_from(field.enum)
    if field.format is not None and field.format.name in SAMPLES:
        return st.sampled_from(SAMPLES[field.format.name])
    if field.kind == "boolean":
        return st.sampled_from(["0", "1", "on", "Yes", "off"])
    if field.kind in ("integer", "number"):
        low = int(field.minimum) if field.minimum is not None else 0
        high = int(field.maximum) if field.maximum is not None else low + 10**6
        return st.integers(low, high).map(str)
    if field.regex is not None:
        most = field.max_length or 1000
        matching = st.from_regex(re.compile(field.regex, re.ASCII), fullmatch=True)
        return matching.filter(lambda text: text == text.strip() and text.isprintable() and len(text) <= most)
    return st.from_regex(r"[A-Za-z0-9._/-]{1,12}", fullmatch=True)


@st.composite
def texts(draw: st.DrawFn, cls: type[PropertyString]) -> str:
    """Texts of a property string, keys in any order."""
    parts = []
    chosen = set()
    for key, field in fields_by_wire(cls).items():
        if not field.optional or draw(st.booleans()):
            chosen.add(key)
    for key in list(chosen):
        needed = fields_by_wire(cls)[key].requires
        if needed:
            chosen.add(needed)
    for key in sorted(chosen):
        parts.append(f"{key}={draw(value(fields_by_wire(cls)[key]))}")
    return ",".join(draw(st.permutations(parts)))
