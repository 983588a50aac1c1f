"""Results as text for people, or as JSON and YAML for programs. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

MiB = 1024 * 1024
GiB = 1024 * MiB


def render(value: Any, fmt: str, layout: str = "", *, header: bool = True) -> str:
    """The text to print; empty for nothing. `layout` names one of `LAYOUTS`, used for `text`.

    KeyError for a format that there is not.
    """
    if fmt == "json":
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    if fmt == "json-pretty":
        return json.dumps(value, indent=3, ensure_ascii=False, sort_keys=True)
    if fmt == "yaml":
        return yaml(value)
    if fmt != "text":
        raise KeyError(fmt)
    if layout:
        return LAYOUTS[layout](value, header)
    return plain(value, header=header)


def plain(value: Any, *, header: bool = True) -> str:
    """Rows as a table, an object as `key: value` lines, all else as it is."""
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        keys = sorted({key for row in value for key in row})
        return table([[_cell(row.get(key)) for key in keys] for row in value], keys if header else None)
    if isinstance(value, list):
        return "\n".join(_cell(item) for item in value)
    if isinstance(value, dict):
        return "\n".join(f"{key}: {_cell(item)}" for key, item in sorted(value.items()))
    return str(value)


def table(rows: Sequence[Sequence[str]], header: Sequence[str] | None) -> str:
    """Columns, as wide as what stands in them; numbers to the right."""
    lines = [list(header)] if header else []
    lines += [list(row) for row in rows]
    if not lines:
        return ""
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    right = [bool(rows) and all(_is_number(row[index]) for row in rows) for index in range(len(widths))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?%?|N/A|", text) is not None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return str(value).replace("\n", "\\n")


def yaml(value: Any, indent: int = 0) -> str:
    """YAML of JSON values; texts are quoted as JSON does, which is YAML too."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "\n".join(f"{pad}{_key(key)}:{_below(item, indent)}" for key, item in sorted(value.items()))
    if isinstance(value, list) and value:
        return "\n".join(f"{pad}-{_below(item, indent)}" for item in value)
    return pad + json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    """A key without quotes where every reader of YAML takes it for a text: `no` is a boolean to some."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) and key.lower() not in _YAML_WORDS
    return key if plain else json.dumps(key, ensure_ascii=False)


_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def _below(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return "\n" + yaml(value, indent + 1)
    return " " + json.dumps(value, ensure_ascii=False)


def plan(data: Mapping[str, Any]) -> str:
    """A plan, and how to have it done."""
    said, lines = data["plan"], []
    for write in said["writes"]:
        lines.append(f"{write['action']} {write['key']}")
        lines += [f"    {line}" for line in (write.get("diff") or "").splitlines()[2:]]
    for volume in said["volumes"]:
        size = f" ({volume['size']} bytes)" if volume.get("size") else ""
        lines.append(f"{volume['verb']} volume {volume['volid']}{size}")
    lines += [*said["effects"], *(f"WARNING: {warning}" for warning in said["warnings"])]
    lines = lines or ["nothing would change"]
    return "\n".join([*lines, "", f"To do exactly this within an hour: the same command with --apply {data['token']}"])


# --- layouts that users know -----------------------------------------------------------------------------------------


def _columns(*columns: tuple[str, Callable[[Mapping[str, Any]], Any]]) -> Callable[[Any, bool], str]:
    def draw(rows: Any, header: bool) -> str:
        cells = [[_cell(read(row)) for _, read in columns] for row in rows]
        return table(cells, [title for title, _ in columns] if header else None)

    return draw


def _percent(row: Mapping[str, Any]) -> str:
    total = row.get("total") or 0
    return f"{100 * (row.get('used') or 0) / total:.2f}%" if total else "N/A"


def _storage_status(row: Mapping[str, Any]) -> str:
    if not row.get("enabled"):
        return "disabled"
    return "active" if row.get("active") else "inactive"


def _status(value: Any, _: bool) -> str:
    return f"status: {value.get('status')}" + (f"\nlock: {value['lock']}" if value.get("lock") else "")


def _config(value: Any, _: bool) -> str:
    rows = {key: item for key, item in value.items() if key != "digest"}
    return "\n".join(f"{key}: {_cell(item)}" for key, item in sorted(rows.items()))


def _pending(rows: Any, _: bool) -> str:
    lines = []
    for row in rows:
        if "pending" in row or "delete" in row:
            if "value" in row:
                lines.append(f"cur {row['key']}: {_cell(row['value'])}")
            word = "del" if row.get("delete") else "new"
            lines.append(f"{word} {row['key']}: {_cell(row.get('pending', ''))}".rstrip(": "))
        else:
            lines.append(f"cur {row['key']}: {_cell(row.get('value'))}")
    return "\n".join(lines)


def _permissions(value: Any, header: bool) -> str:
    rows = [[path, ", ".join(sorted(privs))] for path, privs in sorted(value.items())]
    return table(rows, ["ACL path", "Permissions"] if header else None)


def _path(value: Any, _: bool) -> str:
    return str(value["path"])


def _ticket(value: Any, _: bool) -> str:
    return str(value["ticket"])


def _command(words: Any, _: bool) -> str:
    return shlex.join(words)


def _command_pretty(words: Any, _: bool) -> str:
    """One option a line, ready to paste."""
    quoted = [shlex.quote(word) for word in words]
    return "".join(
        f" \\\n  {word}" if word.startswith("-") else f" {word}" if index else word for index, word in enumerate(quoted)
    )


def pretty(layout: str, said: Mapping[str, str]) -> str:
    """The layout's name, or that of its pretty variant where one is asked for."""
    name = f"{layout}-pretty"
    return name if said.get("pretty") == "1" and name in LAYOUTS else layout


LAYOUTS: Mapping[str, Callable[[Any, bool], str]] = {
    "command": _command,
    "command-pretty": _command_pretty,
    "config": _config,
    "path": _path,
    "ticket": _ticket,
    "pending": _pending,
    "status": _status,
    "permissions": _permissions,
    "guests": _columns(
        ("VMID", lambda row: row["vmid"]),
        ("NAME", lambda row: row.get("name", "-")),
        ("STATUS", lambda row: row.get("status", "-")),
        ("MEM(MB)", lambda row: f"{(row.get('maxmem') or 0) / MiB:.0f}"),
        ("BOOTDISK(GB)", lambda row: f"{(row.get('maxdisk') or 0) / GiB:.2f}"),
        ("PID", lambda row: row.get("pid") or 0),
    ),
    "storages": _columns(
        ("Name", lambda row: row["storage"]),
        ("Type", lambda row: row.get("type", "")),
        ("Status", _storage_status),
        ("Total (KiB)", lambda row: (row.get("total") or 0) // 1024),
        ("Used (KiB)", lambda row: (row.get("used") or 0) // 1024),
        ("Available (KiB)", lambda row: (row.get("avail") or 0) // 1024),
        ("%", _percent),
    ),
    "volumes": _columns(
        ("Volid", lambda row: row["volid"]),
        ("Format", lambda row: row.get("format", "")),
        ("Type", lambda row: row.get("content", "")),
        ("Size", lambda row: row.get("size", "")),
        ("VMID", lambda row: row.get("vmid", "")),
    ),
    "prune": _columns(
        ("Backup", lambda row: row["volid"]),
        ("Backup-ID", lambda row: f"{row.get('type', '')}/{row.get('vmid', '')}"),
        ("Prune-Mark", lambda row: row.get("mark", "")),
    ),
    "acl": _columns(
        ("path", lambda row: row["path"]),
        ("type", lambda row: row["type"]),
        ("ugid", lambda row: row["ugid"]),
        ("roleid", lambda row: row["roleid"]),
        ("propagate", lambda row: row.get("propagate", 1)),
    ),
}
