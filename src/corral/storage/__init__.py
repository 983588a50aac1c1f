"""Storages: where volumes lie. Plugins (one file each), volume ids, and the service that others use."""

from __future__ import annotations

from typing import Any

from corral.storage.base import Storage
from corral.storage.plugins.dir import Dir

PLUGINS: tuple[type[Storage[Any]], ...] = (Dir,)
"""Every storage type there is."""
