"""`domains.cfg`: the realms. `pam` and `pve` are there without being written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from corral.access.realms.base import Realm, RealmConfig, config_types
from corral.schema.section import Section, parse_sections, print_sections

DOMAINS: Final = "domains.cfg"
"""Key of the record."""


class Domains(msgspec.Struct, frozen=True, kw_only=True):
    """All realms by name, the built-in ones first."""

    realms: dict[str, Section[Any]]

    @classmethod
    def parse(cls, text: str, plugins: tuple[type[Realm], ...]) -> Domains:
        """Read a text. A section that calls a built-in realm another type does not count."""
        written: Mapping[str, Section[Any]] = parse_sections(text, config_types(plugins))
        realms: dict[str, Section[Any]] = {}
        for plugin in plugins:
            found = written.get(plugin.builtin)
            if found is None or found.type != plugin.kind:
                found = Section(type=plugin.kind, id=plugin.builtin, config=plugin.config())
            realms[plugin.builtin] = found
        return cls(realms={**realms, **{key: each for key, each in written.items() if key not in realms}})

    def __str__(self) -> str:
        return print_sections(self.realms.values())

    def with_realm(self, name: str, config: RealmConfig, **kept: Any) -> Domains:
        """With these settings of a realm that is there; a new default takes the mark from the others."""
        realms = dict(self.realms)
        if config.default:
            for key, each in realms.items():
                if each.config is not None and each.config.default:
                    realms[key] = msgspec.structs.replace(
                        each, config=msgspec.structs.replace(each.config, default=None)
                    )
        realms[name] = msgspec.structs.replace(self.realms[name], config=config)
        return Domains(realms=realms)
