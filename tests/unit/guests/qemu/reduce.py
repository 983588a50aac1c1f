"""Reduce a QEMU command line to facts that implementations must share, and the shared cases' world to our values.

The rules are those of the cases' README: no PCI slots, no run directory, no names of nodes, files of firmware by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from corral.guests.qemu.cpu import Cpu
from corral.guests.qemu.host import YARDSTICK, Firmware, Host, Located, Sev, Version

RUN = "/run/test-guest"
FIRMWARE = "/firmware"

HEADS = {
    "device": "driver", "object": "qom-type", "netdev": "type", "machine": "type", "vga": "type", "tpmdev": "type",
    "chardev": "backend", "numa": "kind", "smp": "cpus", "m": "size", "name": "name", "vnc": "display",
}  # fmt: skip
UNLISTED = {"id", "pidfile", "daemonize", "readconfig", "iscsi", "mon", "qmp", "S"}
CONTROLLERS = {"pci-bridge", "pcie-root-port", "i82801b11-bridge", "pcie-pci-bridge"}
BARE = {"no-shutdown", "nodefaults", "nographic", "snapshot", "no-reboot"}


def _split(text: str) -> list[tuple[str, str | None]]:
    parts = re.split(r"(?<!,),(?!,)", text)
    return [(key, value if equals else None) for key, equals, value in (part.partition("=") for part in parts)]


def _dictionary(option: str, text: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for number, (key, value) in enumerate(_split(text)):
        if value is None and number == 0:
            out[HEADS.get(option, "_")] = key
        else:
            out[key] = True if value is None else value.replace(",,", ",")
    return out


def _paths(value: dict[str, Any]) -> dict[str, Any]:
    removed = [key for key, text in value.items() if isinstance(text, str) and text.startswith(RUN)]
    out = {
        key: f"firmware:{PurePosixPath(text).name}" if isinstance(text, str) and text.startswith(FIRMWARE) else text
        for key, text in value.items()
        if key not in removed
    }
    return out | {"removed": removed} if removed else out


def _device(text: str) -> dict[str, Any]:
    out = _dictionary("device", text)
    bus, addr = out.get("bus"), out.get("addr")
    if addr is None:
        return out
    if out["driver"] != "vfio-pci" and "multifunction" in out and "." in addr:
        out.pop("multifunction")
    del out["bus"], out["addr"]
    out["at"] = "pcie-root" if bus == "pcie.0" else "pcie-port" if str(bus).startswith("ich9-pcie-port") else "pci"
    if "." in addr:
        out["function"] = int(addr.partition(".")[2], 0)
    return out


def _cpu(text: str) -> dict[str, Any]:
    model, *rest = text.split(",")
    props: dict[str, Any] = {}
    for word in rest:
        if word[0] not in "+-":
            key, equals, value = word.partition("=")
            props[key] = value if equals else True
    plus = sorted(word[1:] for word in rest if word[0] == "+")
    minus = sorted(word[1:] for word in rest if word[0] == "-")
    return {"model": model, "plus": plus, "minus": minus, "props": props}


def _layers(node: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    layer = {key: value for key, value in node.items() if key not in ("file", "node-name")}
    if isinstance(layer.get("filename"), str):
        name = layer["filename"]
        if name.startswith(RUN):
            del layer["filename"]
            layer["filename-removed"] = True
        elif name.startswith(FIRMWARE):
            layer["filename"] = f"firmware:{PurePosixPath(name).name}"
    yield layer
    if "file" in node:
        yield from _layers(node["file"])


def _blockdev(text: str, groups: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    node = json.loads(text)
    key = node["node-name"].removeprefix("drive-")
    if node["driver"] == "throttle":
        return {"for": key, "layers": list(_layers(node["file"])), "limits": groups[node["throttle-group"]]}
    return {"for": key, "layers": list(_layers(node))}


def options(args: Sequence[str]) -> dict[str, list[Any]]:
    """The options of a command line, without its program, reduced."""
    pairs: list[tuple[str, str]] = []
    for word in args:
        if word.startswith("-") and not word.startswith("-/"):
            pairs.append((word[1:], ""))
        else:
            pairs[-1] = (pairs[-1][0], word)
    groups = {}
    for flag, text in pairs:
        if flag == "object" and text.startswith("{"):
            group = json.loads(text)
            groups[group["id"]] = group["limits"]
    out: dict[str, list[Any]] = {}
    for flag, text in pairs:
        value = _reduced(flag, text, groups)
        if value is not None:
            out.setdefault(flag, []).append(value)
    return out


def _reduced(flag: str, text: str, groups: Mapping[str, dict[str, Any]]) -> Any:
    if flag in UNLISTED:
        return None
    if not text:
        return True
    match flag:
        case "device":
            device = _device(text)
            return None if device["driver"] in CONTROLLERS else device
        case "object":
            return None if text.startswith("{") else _dictionary(flag, text)
        case "cpu":
            return _cpu(text)
        case "blockdev":
            return _blockdev(text, groups)
        case "global":
            name, _, value = text.partition("=")
            driver, _, prop = name.partition(".")
            return {"driver": driver, "property": prop, "value": value}
        case "vnc":
            return {"display": "unix", **{k: v for k, v in _dictionary(flag, text).items() if k != "display"}}
        case "chardev":
            stream = _dictionary(flag, text)
            return None if stream["id"] in ("qmp", "event") else _paths(stream)
        case "netdev":
            side = _dictionary(flag, text)
            return {key: value for key, value in side.items() if key not in ("script", "downscript")}
        case "drive":
            return _paths(_dictionary(flag, text))
        case _:
            return _dictionary(flag, text)


# --- the world of the cases -------------------------------------------------------------------------------------------


def host(env: Mapping[str, Any], assume: Mapping[str, Any]) -> Host:
    """The host a case assumes."""
    world = env["host"]
    version = assume["qemu_version"]
    arch = assume["host_arch"]
    return Host(
        qemu=Version.parse(version) if version else Version(11, 0),
        arch=arch,
        kvm=True,
        cpu_vendor=assume["host_cpu_vendor"],
        flavour=YARDSTICK,
        vhost_net=world["vhost_net"],
        io_uring=True,
        spice=True,
        phys_bits=world["phys_address_bits"],
        firmware=_firmware(world["firmware_vars_size_bytes"]),
        bridge_mtu=world["bridge_mtu"],
        cpu_models={name: Cpu.parse(_cpu_text(model)) for name, model in env["cpu_models"].items()},
        pci_devices=frozenset(world["pci_devices"]),
        sev=_sev(assume["hw_capabilities"].get("amd-sev")),
    )


def _cpu_text(model: Mapping[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in model.items())


def _sev(facts: Mapping[str, Any] | None) -> Sev | None:
    if not facts or not facts["sev-support"]:
        return None
    return Sev(
        cbitpos=facts["cbitpos"],
        reduced_phys_bits=facts["reduced-phys-bits"],
        es=facts["sev-support-es"],
        snp=facts["sev-support-snp"],
    )


def _firmware(sizes: Mapping[str, int]) -> dict[str, Firmware]:
    def one(code: str, store: str, size: int) -> Firmware:
        return Firmware(code=f"{FIRMWARE}/{code}", vars=f"{FIRMWARE}/{store}", vars_size=size)

    small, large = sizes["OVMF*VARS"], sizes["OVMF*VARS_4M"]
    return {
        "2m": one("OVMF_CODE.fd", "OVMF_VARS.fd", small),
        "4m": one("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd", large),
        "4m-keys": one("OVMF_CODE_4M.fd", "OVMF_VARS_4M.ms.fd", large),
        "4m-secboot": one("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd", large),
        "4m-secboot-keys": one("OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd", large),
        "sev": one("OVMF_SEV_CODE_4M.fd", "OVMF_SEV_VARS_4M.fd", large),
        "snp": one("OVMF_CVM_4M.fd", "OVMF_SEV_VARS_4M.fd", large),
        "tdx": one("OVMF_TDX_4M.fd", "OVMF_SEV_VARS_4M.fd", large),
        "aarch64": one("AAVMF_CODE.fd", "AAVMF_VARS.fd", sizes["AAVMF_VARS"]),
    }


def locate(env: Mapping[str, Any], volid: str) -> Located | None:
    """Where a volume of the cases' storages is; None on a storage that must not hold it."""
    name, _, volname = volid.partition(":")
    storage = env["storages"].get(name)
    if storage is None or ("iso" if volname.startswith("iso/") else "images") not in storage["content"]:
        return None
    match storage["type"]:
        case "lvm" | "lvmthin":
            found = Located.at(f"/dev/{storage['vgname']}/{volname}", block=True)
            return Located(**{**_fields(found), "io_uring": "never" if storage["type"] == "lvm" else "always"})
        case "rbd":
            return _rbd(storage, volname)
        case "zfs":
            node = {"driver": "iscsi", "portal": storage["portal"], "target": storage["target"], "lun": 0}
            return Located(node={**node, "transport": "tcp"})
        case kind:
            form = volname.rpartition(".")[2] if not volname.startswith("iso/") else "raw"
            folder = "template" if volname.startswith("iso/") else "images"
            if kind == "btrfs" and form == "raw":
                # Raw images are subvolumes there, so that they can have snapshots.
                volname = f"{volname.removesuffix('.raw')}/disk.raw"
            found = Located.at(f"{storage['path']}/{folder}/{volname}", form)
            known: dict[str, dict[str, Any]] = {"cifs": {"io_uring": "never"}, "btrfs": {"direct": False}}
            changes = known.get(kind, {})
            return Located(**{**_fields(found), **changes})


def _fields(located: Located) -> dict[str, Any]:
    return {key: getattr(located, key) for key in located.__struct_fields__}


def _rbd(storage: Mapping[str, Any], image: str) -> Located:
    if storage.get("krbd"):
        path = f"/dev/rbd-pve/{storage['fsid']}/{storage['pool']}/{image}"
        return Located(node={"driver": "host_device", "filename": path}, io_uring="direct")
    servers = [{"host": each, "port": "3300"} for each in storage["monhost"].split(",")]
    node = {
        "driver": "rbd",
        "pool": storage["pool"],
        "image": image,
        "server": servers,
        "auth-client-required": ["none"],
    }
    return Located(node=node)
