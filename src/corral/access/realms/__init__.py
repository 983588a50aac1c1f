"""Realms: where users' passwords are kept. One module per type; `PLUGINS` lists them."""

from corral.access.realms.base import Realm, RealmConfig
from corral.access.realms.pam import Pam, PamConfig
from corral.access.realms.pve import Pve, PveConfig

PLUGINS: tuple[type[Realm], ...] = (Pam, Pve)

__all__ = ["PLUGINS", "Pam", "PamConfig", "Pve", "PveConfig", "Realm", "RealmConfig"]
