"""Write the reference pages, `docs/reference/`, from the declarations: calls, commands, configuration, record formats.

Nothing here knows a call or an option: what is declared appears. `./dev docs` runs it before every build.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

import corral
import corral.api
from corral.cli.commands import TOOLS
from corral.guests.qemu.options import VmOptions
from corral.rest.endpoint import Endpoint
from corral.schema.fields import Field, struct_fields
from corral.schema.propstring import PropertyString
from corral.storage.base import StorageConfig

REFERENCE = Path(__file__).parent / "reference"
CHANGES = Path(__file__).parent.parent / "changes"


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """The package and all modules below it."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        yield importlib.import_module(found.name)


def endpoints() -> list[Endpoint]:
    """Every call there is, in the order of the tree."""
    return sorted(corral.api.endpoints(), key=lambda each: (each.path, each.method))


# -------------------------------------------------------------------------------------------------------------- pieces


def cell(text: object) -> str:
    """Text for a table: one line, no bars."""
    return " ".join(str(text).split()).replace("|", "\\|")


def type_of(field: Field, homes: Homes) -> str:
    """What a value may be, in a few words."""
    if field.enum:
        words = ", ".join(f"`{word}`" for word in field.enum[:12]) + (", …" if len(field.enum) > 12 else "")
    elif field.prop is not None:
        name = getattr(field.prop, "__name__", "")
        words = f"[{name}]({homes[name]}.md#{name.lower()})" if name in homes else "properties"
    elif field.format is not None:
        words = f"{field.kind} ({field.format.name})"
    else:
        words = field.kind
    bounds = [
        f"{name} {number:g}" for name, number in (("≥", field.minimum), ("≤", field.maximum)) if number is not None
    ]
    if field.max_length is not None:
        bounds.append(f"at most {field.max_length} characters")
    return ("list of " if field.listed or field.items else "") + words + (f", {', '.join(bounds)}" if bounds else "")


# Which page has the section of a property string, by its name.
Homes = dict[str, str]


def props_in(fields: Iterable[Field]) -> dict[str, Any]:
    """The property strings among the fields, and those within, by name."""
    seen: dict[str, Any] = {}
    waiting = list(fields)
    while waiting:
        prop = waiting.pop().prop
        if isinstance(prop, type) and issubclass(prop, PropertyString) and prop.__name__ not in seen:
            seen[prop.__name__] = prop
            waiting += struct_fields(prop)
    return dict(sorted(seen.items()))


def name_of(field: Field) -> str:
    """`net[n]` for families."""
    return f"{field.wire}[n]" if field.indexes else field.wire


def rows(fields: Iterable[Field], head: str, homes: Homes) -> list[str]:
    """A table of fields."""
    lines = [f"| {head} | value | default | |", "| --- | --- | --- | --- |"]
    for field in fields:
        if not field.optional:
            default = "*required*"
        else:
            shown = int(field.shown_default) if isinstance(field.shown_default, bool) else field.shown_default
            default = "" if shown is None else f"`{cell(shown)}`"
        text = cell(field.text)
        if field.indexes:
            text += f" (n: 0–{field.indexes - 1})"
        if field.root_only:
            text += " *(root@pam only)*"
        lines.append(f"| `{name_of(field)}` | {cell(type_of(field, homes))} | {default} | {text} |")
    return lines


def text_of(doc: str | None) -> list[str]:
    """A docstring as paragraphs."""
    lines = (doc or "").strip().splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return [lines[0], *(line[indent:] for line in lines[1:])] if lines else []


def write(name: str, lines: Sequence[str]) -> None:
    """One page."""
    (REFERENCE / f"{name}.md").write_text("\n".join(lines) + "\n")


# --------------------------------------------------------------------------------------------------------------- pages


def permission(dump: Any) -> str:
    """Who may call it, in words; `dump` is the expression as the schema dump has it."""
    match dump:
        case None:
            return "only root@pam"
        case {"check": check}:
            return permission(check)
        case {"user": "world"}:
            return "everybody, without log-in"
        case {"user": "all", "description": why}:
            return f"any user ({why})"
        case ["userid-param", "self"]:
            return "the user itself"
        case ["userid-group", privileges, *_]:
            return " and ".join(f"`{name}`" for name in privileges) + " on one of the user's groups"
        case ["perm", path, privileges, *more]:
            joined = (" or " if "any" in more else " and ").join(f"`{name}`" for name in privileges)
            only = f", if `{more[more.index('require_param') + 1]}` is given" if "require_param" in more else ""
            return f"{joined} on `{path}`{only}"
        case ["and" | "or" as word, *parts]:
            return f" {word} ".join(f"({permission(part)})" for part in parts)
        case _:
            return f"`{json.dumps(dump)}`"


def call_lines(endpoint: Endpoint, homes: Homes) -> list[str]:
    """The section of one call."""
    lines = [
        f"## `{endpoint.pair}`",
        "",
        *text_of(endpoint.handler.__doc__),
        "",
        f"Permission: {permission(endpoint.allow.dump)}.",
    ]
    if endpoint.plan is not None:
        lines += ["", f"Cannot be planned: {endpoint.plan.why}."]
    if endpoint.flat:
        lines += ["", *rows(endpoint.flat.values(), "parameter", homes)]
    return [*lines, ""]


def area(path: str) -> str:
    """The page a call stands on."""
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    return "-".join(parts[:2] if parts[0] in ("nodes", "cluster") else parts[:1])


def api_pages(homes: Homes) -> list[str]:
    """One page per part of the tree; their names. Small parts share a page."""
    pages: dict[str, list[Endpoint]] = defaultdict(list)
    for endpoint in endpoints():
        pages[area(endpoint.path)].append(endpoint)
    for name in [name for name, found in pages.items() if "-" in name and len(found) < 5]:
        pages[name.partition("-")[0]] += pages.pop(name)
    for name, found in sorted(pages.items()):
        lines = [f"# /{name.replace('-', '/…/' if name.startswith('nodes') else '/')}", "", f"{len(found)} calls.", ""]
        for endpoint in sorted(found, key=lambda each: (each.path, each.method)):
            lines += call_lines(endpoint, homes)
        write(f"api-{name}", lines)
    return [f"api-{name}" for name in sorted(pages)]


def structs(package: str) -> list[type[msgspec.Struct]]:
    """The option types declared in a package, by name, without the base classes of `corral.schema`."""
    found: dict[str, type[msgspec.Struct]] = {}
    for module in modules(importlib.import_module(package)):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__:
                found[value.__name__] = value
    return [found[name] for name in sorted(found)]


def sections(props: dict[str, Any], page: str, homes: Homes) -> list[str]:
    """A section for each property string whose home is this page."""
    lines: list[str] = []
    for name, cls in props.items():
        if homes[name] == page:
            lines += option_lines(cls, "key", homes)
    return lines


def option_lines(cls: Any, head: str, homes: Homes) -> list[str]:
    """The section of one type: what it is for, its options."""
    return [f"## {cls.__name__}", "", *text_of(cls.__doc__), "", *rows(struct_fields(cls), head, homes), ""]


def storage_types() -> list[Any]:
    """The section types of storage.cfg."""
    found = [cls for cls in structs("corral.storage.plugins") if issubclass(cls, StorageConfig)]
    return [cls for cls in found if isinstance(cls.__struct_config__.tag, str)]


def config_pages() -> tuple[list[str], Homes]:
    """Pages of what stands in configurations; their names, and where each property string is explained."""
    guest = struct_fields(VmOptions)
    storage = [field for cls in storage_types() for field in struct_fields(cls)]
    calls = [field for endpoint in endpoints() for field in endpoint.flat.values()]
    pages = {"config-qemu": props_in(guest), "config-storage": props_in(storage), "properties": props_in(calls)}
    homes: Homes = {}
    for page, props in pages.items():
        for name in props:
            homes.setdefault(name, page)
    lines = ["# Virtual machines", "", "The options of `/etc/pve/qemu-server/<vmid>.conf` and of `qm set`.", ""]
    lines += [*rows(guest, "option", homes), ""]
    write("config-qemu", [*lines, *sections(pages["config-qemu"], "config-qemu", homes)])
    lines = ["# Storage", "", "The section types of `/etc/pve/storage.cfg` and of `pvesm add`.", ""]
    for cls in storage_types():
        lines += option_lines(cls, "option", homes)
    write("config-storage", [*lines, *sections(pages["config-storage"], "config-storage", homes)])
    lines = ["# Properties in parameters", "", "Parameters of calls that are made of keys and values.", ""]
    write("properties", [*lines, *sections(pages["properties"], "properties", homes)])
    return list(pages), homes


def cli_page() -> list[str]:
    """Commands of the tools, as their tables say."""
    summaries = {endpoint.pair: endpoint.summary for endpoint in endpoints()}
    lines = ["# Commands", "", "Every tool is a view on the API: `TOOL help COMMAND` prints all options.", ""]
    for tool, commands in sorted(TOOLS.items()):
        lines += [f"## {tool}", "", "| command | does | call |", "| --- | --- | --- |"]
        for name, command in sorted(commands.items()):
            usage = " ".join([tool, name, *(f"<{word}>" for word in command.args)])
            call = f"`{command.call}`" if command.call else ""
            lines.append(f"| `{cell(usage)}` | {cell(command.help or summaries.get(command.call, ''))} | {call} |")
        lines.append("")
    write("cli", lines)
    return ["cli"]


def unreleased() -> None:
    """What users will see in the next release, from the pieces in `changes/`."""
    pieces = sorted(path for path in CHANGES.glob("*.md") if path.name != "README.md")
    lines = [line for path in pieces for line in path.read_text().splitlines() if line.strip()]
    write(
        "unreleased", ["## Next release", "", *(line if line.startswith(("-", "*")) else f"- {line}" for line in lines)]
    )


def main() -> int:
    """Write all pages and their index."""
    shutil.rmtree(REFERENCE, ignore_errors=True)
    REFERENCE.mkdir()
    names, homes = config_pages()
    names = [*api_pages(homes), *cli_page(), *names]
    unreleased()
    index = ["# Reference", "", f"Generated from the declarations of Corral {corral.__version__}.", ""]
    write("index", [*index, "```{toctree}", ":maxdepth: 1", "", *names, "```"])
    print(f"docs: {len(names)} reference pages, {len(endpoints())} calls")
    return 0


if __name__ == "__main__":
    sys.exit(main())
