"""`datacenter.cfg`: options of the whole cluster."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec

from corral.cluster.optionfile import OptionFile, parse_options
from corral.schema import PropertyString, between, doc, formats, length, name, pattern, requires
from corral.schema.fields import show
from corral.schema.propstring import fields_by_wire
from corral.store.base import Doc, Tree

KEY = "datacenter.cfg"

_TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_\-+.]*"
_COLOR = rf"{_TAG}:[0-9a-fA-F]{{6}}(?::[0-9a-fA-F]{{6}})?"
_KIBS = "in KiB/s; 0 is unlimited."

Percent = Annotated[float, between(0, 100)]


class BandwidthLimits(PropertyString, frozen=True, kw_only=True):
    """Limits on the speed of long work: `default=102400,restore=51200`."""

    clone: Annotated[float, between(0), doc(f"Cloning disks, {_KIBS}")] | None = None
    default: Annotated[float, between(0), doc(f"What has no limit of its own, {_KIBS}")] | None = None
    migration: Annotated[float, between(0), doc(f"Migrating guests, {_KIBS}")] | None = None
    move: Annotated[float, between(0), doc(f"Moving disks, {_KIBS}")] | None = None
    restore: Annotated[float, between(0), doc(f"Restoring backups, {_KIBS}")] | None = None


class Scheduling(PropertyString, frozen=True, kw_only=True):
    """How the cluster chooses nodes: `ha=static,ha-rebalance-on-start=1`."""

    ha: Annotated[Literal["basic", "static", "dynamic"], doc("What nodes are weighed by.", default="basic")] | None = (
        None
    )
    auto: Annotated[bool, name("ha-auto-rebalance"), doc("Move guests when load is uneven.", default=False)] | None = (
        None
    )
    hold: Annotated[
        float, between(0), name("ha-auto-rebalance-hold-duration"), requires("ha-auto-rebalance"),
        doc("Rounds that an imbalance must last before guests are moved.", default=3),
    ] | None = None  # fmt: skip
    margin: Annotated[
        Percent, name("ha-auto-rebalance-margin"), requires("ha-auto-rebalance"),
        doc("Least improvement, in percent, that a move must bring.", default=10),
    ] | None = None  # fmt: skip
    method: Annotated[
        Literal["bruteforce", "topsis"], name("ha-auto-rebalance-method"), requires("ha-auto-rebalance"),
        doc("How candidates are ranked.", default="bruteforce"),
    ] | None = None  # fmt: skip
    threshold: Annotated[
        Percent, name("ha-auto-rebalance-threshold"), requires("ha-auto-rebalance"),
        doc("Imbalance, in percent, from which guests are moved.", default=30),
    ] | None = None  # fmt: skip
    on_start: (
        Annotated[bool, name("ha-rebalance-on-start"), doc("Choose a node when a guest starts.", default=False)] | None
    ) = None


class HighAvailability(PropertyString, frozen=True, kw_only=True):
    """Cluster-wide settings of high availability."""

    shutdown_policy: Annotated[
        Literal["freeze", "failover", "conditional", "migrate"],
        doc("What happens to guests of a node that shuts down.", default="conditional"),
    ]


class Migration(PropertyString, frozen=True, kw_only=True):
    """How guests and volumes travel between nodes: `secure,network=10.0.0.0/24`."""

    default_key: ClassVar[str] = "type"
    network: Annotated[str, formats.CIDR, doc("The network that is used.")] | None = None
    type: Annotated[Literal["secure", "insecure"], doc("Whether traffic is encrypted.", default="secure")] | None = None


class NextId(PropertyString, frozen=True, kw_only=True):
    """The range that free VMIDs are taken from."""

    lower: Annotated[int, doc("The lowest.", default=100)] | None = None
    upper: Annotated[int, doc("The one above the highest.", default=1000000)] | None = None


class Notify(PropertyString, frozen=True, kw_only=True):
    """Which events send a notification (the old way, kept for compatibility)."""

    fencing: Annotated[Literal["always", "never"], doc("Fenced nodes.")] | None = None
    updates: (
        Annotated[
            Literal["auto", "always", "never"], name("package-updates"), doc("New package updates.", default="auto")
        ]
        | None
    ) = None
    replication: Annotated[Literal["always", "never"], doc("Failed replication.")] | None = None
    target_fencing: Annotated[str, name("target-fencing"), doc("Target for fenced nodes.")] | None = None
    target_updates: Annotated[str, name("target-package-updates"), doc("Target for package updates.")] | None = None
    target_replication: Annotated[str, name("target-replication"), doc("Target for replication.")] | None = None


class TagStyle(PropertyString, frozen=True, kw_only=True):
    """How tags look in user interfaces."""

    case_sensitive: (
        Annotated[bool, name("case-sensitive"), doc("Whether case matters when tags are compared.", default=False)]
        | None
    ) = None
    colors: (
        Annotated[str, name("color-map"), pattern(rf"(?:{_COLOR})(?:;(?:{_COLOR}))*"), doc("Colors: `tag:RRGGBB;…`.")]
        | None
    ) = None
    ordering: (
        Annotated[Literal["config", "alphabetical"], doc("Order in which tags are shown.", default="alphabetical")]
        | None
    ) = None
    shape: (
        Annotated[Literal["full", "circle", "dense", "none"], doc("How much of a tag is shown.", default="circle")]
        | None
    ) = None


class U2f(PropertyString, frozen=True, kw_only=True):
    """U2F (superseded by WebAuthn)."""

    appid: Annotated[str, doc("The application's ID.")] | None = None
    origin: Annotated[str, doc("The origin.")] | None = None


class UserTags(PropertyString, frozen=True, kw_only=True):
    """Which tags users may set without `Sys.Modify`."""

    allow: (
        Annotated[
            Literal["none", "list", "existing", "free"], name("user-allow"), doc("Which tags at all.", default="free")
        ]
        | None
    ) = None
    listed: (
        Annotated[str, name("user-allow-list"), pattern(rf"{_TAG}(?:;{_TAG})*"), doc("The tags allowed by `list`.")]
        | None
    ) = None


class WebAuthn(PropertyString, frozen=True, kw_only=True):
    """WebAuthn's relying party."""

    subdomains: (
        Annotated[bool, name("allow-subdomains"), doc("Allow the origin to be a subdomain.", default=True)] | None
    ) = None
    id: Annotated[str, doc("The relying party's ID: a domain.")] | None = None
    origin: Annotated[str, doc("The site's origin.")] | None = None
    rp: Annotated[str, doc("The relying party's name.")] | None = None


class Location(PropertyString, frozen=True, kw_only=True):
    """A place on Earth: `latitude=48.2,longitude=16.4,name=Vienna`."""

    latitude: Annotated[float, between(-90, 90), doc("Degrees north.")]
    longitude: Annotated[float, between(-180, 180), doc("Degrees east.")]
    name: Annotated[str, length(0, 128), doc("What the place is called.")] | None = None


KEYBOARDS = Literal["de", "de-ch", "da", "en-gb", "en-us", "es", "fi", "fr", "fr-be", "fr-ca", "fr-ch", "hu", "is",
                    "it", "ja", "lt", "mk", "nl", "no", "pl", "pt", "pt-br", "sv", "sl", "tr"]  # fmt: skip
LANGUAGES = Literal["ar", "ca", "da", "de", "en", "es", "eu", "fa", "fr", "hr", "he", "it", "ja", "ka", "kr", "nb",
                    "nl", "nn", "pl", "pt_BR", "ru", "sl", "sv", "tr", "ukr", "zh_CN", "zh_TW"]  # fmt: skip


class Datacenter(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the whole cluster; None is unset."""

    bwlimit: Annotated[BandwidthLimits, doc("Limits on the speed of long work.")] | None = None
    consent_text: (
        Annotated[str, name("consent-text"), length(0, 65536), doc("Text that users agree to when they log in.")] | None
    ) = None
    console: Annotated[Literal["applet", "vv", "html5", "xtermjs"], doc("The usual kind of console.")] | None = None
    crs: Annotated[Scheduling, doc("How the cluster chooses nodes.")] | None = None
    description: Annotated[str, length(0, 65536), doc("Notes on the cluster.")] | None = None
    email_from: Annotated[str, formats.EMAIL, doc("Sender of mails.")] | None = None
    fencing: (
        Annotated[Literal["watchdog", "hardware", "both"], doc("How to fence nodes.", default="watchdog")] | None
    ) = None
    ha: Annotated[HighAvailability, doc("Cluster-wide settings of high availability.")] | None = None
    http_proxy: Annotated[str, pattern("http://.*"), doc("Proxy for downloads.")] | None = None
    keyboard: Annotated[KEYBOARDS, doc("Keyboard layout of VNC consoles.")] | None = None
    language: Annotated[LANGUAGES, doc("Language of the user interface.")] | None = None
    location: Annotated[Location, doc("Where the cluster stands.")] | None = None
    mac_prefix: Annotated[str, formats.MAC_PREFIX, doc("Start of drawn MAC addresses.", default="BC:24:11")] | None = (
        None
    )
    max_workers: Annotated[int, between(1), doc("How many guests of a bulk action are worked on at once.")] | None = (
        None
    )
    migration: Annotated[Migration, doc("How guests travel.")] | None = None
    migration_unsecure: Annotated[bool, doc("Old name of an insecure migration.")] | None = None
    next_id: Annotated[NextId, name("next-id"), doc("The range that free VMIDs are taken from.")] | None = None
    notify: Annotated[Notify, doc("Which events send a notification.")] | None = None
    registered_tags: (
        Annotated[str, name("registered-tags"), pattern(rf"(?:{_TAG};)*{_TAG}"), doc("Tags that need `Sys.Modify`.")]
        | None
    ) = None
    replication: Annotated[Migration, doc("How replicated volumes travel between nodes.")] | None = None
    tag_style: Annotated[TagStyle, name("tag-style"), doc("How tags look.")] | None = None
    u2f: Annotated[U2f, doc("U2F settings.")] | None = None
    user_tag_access: Annotated[UserTags, name("user-tag-access"), doc("Which tags users may set.")] | None = None
    webauthn: Annotated[WebAuthn, doc("WebAuthn settings.")] | None = None

    @property
    def vmid_range(self) -> range:
        """The numbers that `nextid` chooses from."""
        limits = self.next_id or NextId()
        return range(max(100, limits.lower or 100), min(1_000_000_000, limits.upper or 1_000_000))


_SHOWN_APART = (
    "crs",
    "ha",
    "migration",
    "next-id",
    "notify",
    "replication",
    "tag-style",
    "u2f",
    "user-tag-access",
    "webauthn",
)


def read(doc: Doc | None) -> OptionFile[Datacenter]:
    """The file of a record; an absent one has no option set."""
    return parse(doc.text if doc else "")


def parse(text: str) -> OptionFile[Datacenter]:
    """The file of a text."""
    return parse_options(text, Datacenter)


def datacenter(tree: Tree) -> Datacenter:
    """The cluster's options now."""
    return read(tree.get(KEY)).options


def wire(file: OptionFile[Datacenter]) -> dict[str, Any]:
    """As `GET /cluster/options` shows it: some property strings as objects, registered tags as a list."""
    out: dict[str, Any] = dict(file.texts())
    options = file.options
    if options.max_workers is not None:
        out["max_workers"] = options.max_workers
    for key in _SHOWN_APART:
        value = getattr(options, key.replace("-", "_"))
        if value is not None:
            cls: Any = type(value)
            fields = fields_by_wire(cls)
            found = {sub: getattr(value, field.attr) for sub, field in fields.items()}
            out[key] = {sub: _scalar(fields[sub], item) for sub, item in found.items() if item is not None}
    if options.registered_tags is not None:
        out["registered-tags"] = options.registered_tags.split(";")
    return out


def _scalar(field: Any, value: Any) -> Any:
    return value if isinstance(value, int) and not isinstance(value, bool) else show(field, value)
