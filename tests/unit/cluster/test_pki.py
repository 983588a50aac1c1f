"""The cluster's authority and the node's certificate."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from corral.cluster import pki
from corral.core.layout import Layout
from corral.system.fakes import FakeClock

DAY = 86400.0


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_node_gets_a_certificate_of_the_clusters_authority(layout: Layout, clock: FakeClock) -> None:
    made = pki.ensure(layout, clock, node="n1", names=["192.0.2.1", "n1.example.com", "2001:db8::1"])
    certificate, authority = load(made.certificate), load(made.authority)
    certificate.verify_directly_issued_by(authority)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "n1", "n1.example.com"]
    addresses = [str(each) for each in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1", "192.0.2.1", "2001:db8::1"]
    assert (
        made.fingerprint
        == certificate.fingerprint(hashes.SHA256()).hex()
        == pki.fingerprint(made.certificate.read_bytes())
    )
    assert made.colons.replace(":", "").lower() == made.fingerprint


def test_keys_are_for_root_alone(layout: Layout, clock: FakeClock) -> None:
    made = pki.ensure(layout, clock, node="n1")
    for path in (made.key, layout.pki / "ca.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(layout.pki.stat().st_mode) == 0o700


def test_tls_accepts_the_pair(layout: Layout, clock: FakeClock) -> None:
    made = pki.ensure(layout, clock, node="n1")
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.certificate, made.key)
    ssl.create_default_context(cafile=str(made.authority))


def test_it_stays_until_a_month_before_its_end(layout: Layout, clock: FakeClock) -> None:
    first = pki.ensure(layout, clock, node="n1")
    clock.advance((pki.NODE_DAYS - pki.RENEW_DAYS) * DAY - 1)
    assert pki.ensure(layout, clock, node="n1") == first
    clock.advance(2)
    second = pki.ensure(layout, clock, node="n1")
    assert second.fingerprint != first.fingerprint
    load(second.certificate).verify_directly_issued_by(load(second.authority))


def test_new_names_make_a_new_one_and_keep_the_authority(layout: Layout, clock: FakeClock) -> None:
    first = pki.ensure(layout, clock, node="n1", names=["a", "b"])
    authority = first.authority.read_bytes()
    assert pki.ensure(layout, clock, node="n1", names=["b", "a"]) == first
    assert pki.ensure(layout, clock, node="n2", names=["a", "b"]).fingerprint != first.fingerprint
    assert first.authority.read_bytes() == authority


@pytest.mark.parametrize("name", ["node.pem", "node.key", "ca.pem", "ca.key"])
def test_a_broken_or_foreign_file_is_replaced(layout: Layout, clock: FakeClock, name: str, tmp_path: Path) -> None:
    pki.ensure(layout, clock, node="n1")
    other = Layout(tmp_path / "other")
    pki.ensure(other, clock, node="n1")
    for content in (b"broken", (other.pki / name).read_bytes()):
        (layout.pki / name).write_bytes(content)
        made = pki.ensure(layout, clock, node="n1")
        load(made.certificate).verify_directly_issued_by(load(made.authority))
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.certificate, made.key)
    (layout.pki / name).unlink()
    assert pki.ensure(layout, clock, node="n1").certificate.exists()


def test_an_ended_authority_is_made_again(layout: Layout, clock: FakeClock) -> None:
    first = pki.ensure(layout, clock, node="n1").authority.read_bytes()
    clock.advance((pki.CA_DAYS + 1) * DAY)
    made = pki.ensure(layout, clock, node="n1")
    assert made.authority.read_bytes() != first
    load(made.certificate).verify_directly_issued_by(load(made.authority))
