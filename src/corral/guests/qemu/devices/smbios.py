"""What the guest reads about the machine's maker and serial numbers."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from corral.guests.qemu.args import Item, Option
from corral.schema.fields import doc, pattern
from corral.schema.propstring import PropertyString

if TYPE_CHECKING:  # a setup holds options, and options are declared here
    from corral.guests.qemu.setup import Setup

_TEXT = r"[A-Za-z0-9+\/]+={0,2}"
_UUID = r"[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}"


class Smbios(PropertyString, frozen=True, kw_only=True):
    """Fields of SMBIOS type 1: `uuid=…,base64=1,manufacturer=QWNtZQ==`."""

    format_name: ClassVar[str] = "pve-qm-smbios1"

    base64: Annotated[bool, doc("The texts are base64-encoded.")] | None = None
    family: Annotated[str, pattern(_TEXT), doc("Family.")] | None = None
    manufacturer: Annotated[str, pattern(_TEXT), doc("Manufacturer.")] | None = None
    product: Annotated[str, pattern(_TEXT), doc("Product.")] | None = None
    serial: Annotated[str, pattern(_TEXT), doc("Serial number.")] | None = None
    sku: Annotated[str, pattern(_TEXT), doc("SKU.")] | None = None
    uuid: Annotated[str, pattern(_UUID), doc("The machine's UUID.")] | None = None
    version: Annotated[str, pattern(_TEXT), doc("Version.")] | None = None


# --- rendering -------------------------------------------------------------------------------------------------------


def render_smbios(setup: Setup) -> Iterator[Item]:
    """`-smbios` with the texts decoded."""
    fields = setup.options.smbios1
    if fields is None:
        return
    props: dict[str, Any] = {"uuid": fields.uuid}
    for key in ("manufacturer", "product", "version", "serial", "sku", "family"):
        text = getattr(fields, key)
        if text is not None:
            props[key] = b64decode(text + "==").decode("utf-8", "replace") if fields.base64 else text
    yield Option("smbios", "type=1", props)
