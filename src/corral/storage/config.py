"""`storage.cfg`: which storages there are. Pure: texts in, values out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from corral.core.errors import AlreadyExists, Conflict, Error, NotFound, ParamError
from corral.schema.fields import show
from corral.schema.section import Section, parse_sections, print_sections, section_fields
from corral.storage.base import Storage, StorageConfig
from corral.storage.plugins.dir import DirConfig

KEY = "storage.cfg"
LOCAL_CONTENT = ("iso", "vztmpl", "backup", "import", "images", "rootdir", "snippets")

Plugin = type[Storage[Any]]


@dataclass(frozen=True)
class Configuration:
    """The storages of one version of `storage.cfg`, and how to change them. Changes answer a new configuration."""

    text: str
    sections: Mapping[str, Section[StorageConfig]]
    plugins: Mapping[str, Plugin]

    @property
    def digest(self) -> str:
        """SHA-1 of the text, in hex: what the API calls the digest."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def section(self, storage: str) -> Section[StorageConfig]:
        """One storage's section; `NotFound` if there is none."""
        try:
            return self.sections[storage]
        except KeyError:
            raise NotFound(f"storage '{storage}' does not exist") from None

    def known(self, storage: str) -> tuple[Plugin, StorageConfig]:
        """Plugin and configuration; `Error` if this version can't use that type or section."""
        section = self.section(storage)
        plugin = self.plugins.get(section.type)
        if plugin is None:
            raise Error(f"storage '{storage}' has type '{section.type}', which is not supported here yet")
        if section.config is None:
            raise Error(f"storage '{storage}' is not completely configured: a required option is missing")
        return plugin, section.config

    def check_digest(self, digest: str | None) -> None:
        """`Conflict` if the caller has read another text."""
        if digest is not None and digest != self.digest:
            raise Conflict("detected modified configuration - file changed by other user? Try again.")

    def added(self, storage: str, plugin: Plugin, config: StorageConfig) -> Configuration:
        """With one storage more."""
        if storage in self.sections:
            raise AlreadyExists(f"storage ID '{storage}' already defined")
        _refuse_problems(plugin, config)
        section: Section[StorageConfig] = Section(type=plugin.kind, id=storage, config=config)
        return self._with({**self.sections, storage: section})

    def changed(self, storage: str, given: Mapping[str, Any], delete: Sequence[str]) -> Configuration:
        """With some options set (attribute → value) and others (wire names) removed."""
        plugin, config = self.known(storage)
        section = self.sections[storage]
        fields = section_fields(type(config))
        attrs = {field.attr: wire for wire, field in fields.items()}
        kept = tuple(pair for pair in section.kept if pair[0] not in delete)
        errors = {}
        for wire in delete:
            if wire not in fields and wire not in {key for key, _ in section.kept}:
                errors["delete"] = f"unknown option '{wire}'"
            elif wire in fields and not fields[wire].optional:
                errors["delete"] = f"unable to delete required option '{wire}'"
            elif wire in plugin.fixed:
                errors["delete"] = f"unable to delete fixed option '{wire}'"
            if any(attrs.get(attr) == wire for attr in given):
                errors[wire] = f"unable to set and delete '{wire}' at the same time"
        for attr, value in given.items():
            if attrs.get(attr) in plugin.fixed and value != getattr(config, attr):
                errors[attrs[attr]] = f"can't change value of fixed parameter '{attrs[attr]}'"
        if errors:
            raise ParamError(errors)
        removed = {fields[wire].attr: fields[wire].default for wire in delete if wire in fields}
        config = msgspec.structs.replace(config, **removed, **given)
        _refuse_problems(plugin, config)
        changed = msgspec.structs.replace(section, config=config, kept=kept)
        return self._with({**self.sections, storage: changed})

    def removed(self, storage: str) -> Configuration:
        """Without that storage."""
        self.section(storage)
        return self._with({key: section for key, section in self.sections.items() if key != storage})

    def _with(self, sections: Mapping[str, Section[StorageConfig]]) -> Configuration:
        return replace(self, sections=sections, text=print_sections(sections.values()))


def _refuse_problems(plugin: Plugin, config: StorageConfig) -> None:
    if errors := plugin.problems(config):
        raise ParamError(errors)


def parse(text: str, plugins: Mapping[str, Plugin], local_path: str) -> Configuration:
    """Read `storage.cfg`. The storage `local` is always there, in its default place unless the text has it."""
    types = {kind: plugin.config_type for kind, plugin in plugins.items()}
    sections: dict[str, Section[StorageConfig]] = dict(parse_sections(text, types))
    if "local" not in sections:
        local = DirConfig(path=local_path, content=LOCAL_CONTENT)
        sections = {"local": Section(type="dir", id="local", config=local), **sections}
    return Configuration(text, sections, plugins)


def options(section: Section[StorageConfig]) -> dict[str, Any]:
    """A section's options as the API shows them: booleans and numbers as such, all else as its text."""
    shown: dict[str, Any] = dict(section.kept)
    if section.config is not None:
        for wire, field in section_fields(type(section.config)).items():
            value = getattr(section.config, field.attr)
            if value is not None and value != ():
                shown[wire] = value if isinstance(value, int) else show(field, value)
    return shown
