"""USB devices: the host's, mapped ones, and SPICE redirection."""

from __future__ import annotations

from typing import Annotated, ClassVar

from corral.schema import formats
from corral.schema.fields import doc, pattern
from corral.schema.propstring import PropertyString

_HOST = r"(0x)?[0-9A-Fa-f]{4}:(0x)?[0-9A-Fa-f]{4}|\d+-\d+(\.\d+)*|[Ss][Pp][Ii][Cc][Ee]"


class Usb(PropertyString, frozen=True, kw_only=True):
    """A USB device: `host=1234:abcd`, `host=1-14`, `spice`, `mapping=key`."""

    default_key: ClassVar[str] = "host"

    host: (
        Annotated[str, pattern(_HOST), doc("The host's device as `VENDOR:PRODUCT` or `BUS-PORT`, or `spice`.")] | None
    ) = None
    mapping: (
        Annotated[str, formats.CONFIG_ID, doc("Name of a mapping that stands for a device on each node.")] | None
    ) = None
    usb3: Annotated[bool, doc("Attach it to a USB 3 bus (older machine versions only).", default=False)] | None = None

    @property
    def spice(self) -> bool:
        """Whether a SPICE client redirects its own devices here."""
        return (self.host or "").lower() == "spice"
