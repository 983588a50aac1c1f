"""The cluster's own certificate authority and this node's certificate, as files below `etc/corral/pki`.

    ca.pem ca.key        the authority: ten years
    node.pem node.key    the node's certificate for TLS: two years, made again 30 days before its end, or when the
                         node's names or addresses have changed

Keys are P-256, mode 0600. `ensure` is idempotent; a crash in between leaves pairs that match or none.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from corral.core.clock import Clock
from corral.core.errors import NotFound
from corral.core.layout import Layout
from corral.system.files import atomic_write, ensure_dir, read_bytes

CA_DAYS: Final = 3650
NODE_DAYS: Final = 730
RENEW_DAYS: Final = 30

_PEM: Final = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class NodeCertificate:
    """Where a node's certificate is. `fingerprint` is the SHA-256 of its DER form, in lower-case hex."""

    certificate: Path
    key: Path
    authority: Path
    fingerprint: str

    @property
    def colons(self) -> str:
        """The fingerprint as clients of the API write it: `AA:BB:…`."""
        return ":".join(self.fingerprint[index : index + 2] for index in range(0, 64, 2)).upper()


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure(layout: Layout, clock: Clock, *, node: str, names: Sequence[str] = ()) -> NodeCertificate:
    """Make what is missing or about to end, and say where it is.

    `node` is the node's name; `names` are further DNS names and addresses by which clients reach it. localhost and
    the loopback addresses are always in. The cluster's authority is never made again while its files are whole.
    """
    ensure_dir(layout.pki, mode=0o700)
    now = datetime.fromtimestamp(clock.now(), UTC)
    authority = _load(layout.pki, "ca")
    if authority is None or authority.certificate.not_valid_after_utc <= now:
        authority = _make_authority(now)
        _save(layout.pki, "ca", authority)
    wanted = _alternatives(node, names)
    current = _load(layout.pki, "node")
    if current is None or not _still_good(current.certificate, authority.certificate, wanted, now):
        current = _make_node(node, wanted, authority, now)
        _save(layout.pki, "node", current)
    return NodeCertificate(
        certificate=layout.pki / "node.pem",
        key=layout.pki / "node.key",
        authority=layout.pki / "ca.pem",
        fingerprint=current.certificate.fingerprint(hashes.SHA256()).hex(),
    )


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a PEM certificate's DER form, in lower-case hex."""
    return x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex()


def _load(directory: Path, name: str) -> _Pair | None:
    """A certificate with its key; None if either is missing, broken, or the two don't belong together."""
    try:
        certificate = x509.load_pem_x509_certificate(read_bytes(directory / f"{name}.pem"))
        key = serialization.load_pem_private_key(read_bytes(directory / f"{name}.key"), password=None)
    except (NotFound, ValueError, TypeError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return _Pair(certificate, key)


def _save(directory: Path, name: str, pair: _Pair) -> None:
    private = pair.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    atomic_write(directory / f"{name}.key", private, mode=0o600)
    atomic_write(directory / f"{name}.pem", pair.certificate.public_bytes(_PEM), mode=0o644)


def _make_authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corral cluster"),
            # A serial keeps authorities of two clusters apart in a browser's store.
            x509.NameAttribute(NameOID.COMMON_NAME, f"Corral CA {x509.random_serial_number():040x}"[:64]),
        ]
    )
    public = key.public_key()
    certificate = (
        _builder(name, name, public, now, CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _make_node(node: str, wanted: Sequence[x509.GeneralName], authority: _Pair, now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corral node"),
            x509.NameAttribute(NameOID.COMMON_NAME, node[:64]),
        ]
    )
    public = key.public_key()
    issuer = authority.certificate
    certificate = (
        _builder(subject, issuer.subject, public, now, NODE_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(wanted), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _Pair(certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # A day back: clients' clocks may be behind.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternatives(node: str, names: Sequence[str]) -> list[x509.GeneralName]:
    """The names in one order, each once; what is neither address nor ASCII name is left out."""
    texts = dict.fromkeys(["127.0.0.1", "::1", "localhost", node, *sorted(names)])
    found: list[x509.GeneralName] = []
    for text in texts:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            if text and text.isascii():
                found.append(x509.DNSName(text))
    return found


def _still_good(
    certificate: x509.Certificate, authority: x509.Certificate, wanted: Sequence[x509.GeneralName], now: datetime
) -> bool:
    if certificate.not_valid_after_utc - now < timedelta(days=RENEW_DAYS) or certificate.not_valid_before_utc > now:
        return False
    try:
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(names) == set(wanted)
