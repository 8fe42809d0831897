"""An authority of our own and a server certificate by it, both renewed before they end. Pure.

Renewal happens when two thirds of a life are over. After a change of the authority both old
and new are trusted until the old one ends, and no certificate of the new one is served before
API servers know it (:mod:`spiderpool.controller.webhook.keeper`): no connection is refused.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=365)
_SKEW = timedelta(hours=1)
"""Certificates hold this long before they are made, for clocks that are behind."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """All that a server needs; ``trusted`` is what clients verify by, one or two authorities."""

    authority: KeyPair
    server: KeyPair
    trusted: bytes


def renewed(bundle: Bundle | None, names: tuple[str, ...], now: datetime) -> Bundle:
    """A bundle that serves ``names`` (DNS names or IPs); the same one when nothing is due."""
    if bundle is None or _is_due(bundle.authority.certificate, now):
        authority = issue_authority(now)
        old = _still_valid(bundle.trusted, now) if bundle is not None else b""
        return Bundle(authority, issue_server(authority, names, now), authority.certificate + old)
    if _is_due(bundle.server.certificate, now) or _names_of(bundle.server.certificate) != set(
        names
    ):
        return Bundle(bundle.authority, issue_server(bundle.authority, names, now), bundle.trusted)
    return bundle


def is_sound(bundle: Bundle) -> bool:
    """Whether keys belong to their certificates, and the trusted ones verify the server's."""
    try:
        trusted = x509.load_pem_x509_certificates(bundle.trusted)
        server = x509.load_pem_x509_certificate(bundle.server.certificate)
        authority = x509.load_pem_x509_certificate(bundle.authority.certificate)
        server.verify_directly_issued_by(authority)
        return (
            authority in trusted
            and _owns_its_key(bundle.authority)
            and _owns_its_key(bundle.server)
        )
    except (ValueError, TypeError, InvalidSignature):
        return False


def _owns_its_key(pair: KeyPair) -> bool:
    certificate = x509.load_pem_x509_certificate(pair.certificate)
    key = serialization.load_pem_private_key(pair.key, password=None)
    return certificate.public_key() == key.public_key()


def doubt(certificate: bytes, names: tuple[str, ...], now: datetime) -> str:
    """Why clients that look for one of ``names`` would refuse it; empty: they would not."""
    loaded = x509.load_pem_x509_certificate(certificate)
    if now > loaded.not_valid_after_utc:
        return f"ended {loaded.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    if now < loaded.not_valid_before_utc:
        return f"holds from {loaded.not_valid_before_utc:%Y-%m-%d %H:%M} UTC only"
    wildcards = {f"*.{name.partition('.')[2]}" for name in names}
    if not {*names, *wildcards} & _names_of(certificate):
        return f"is not for {names[0]}"
    return ""


def issue_authority(now: datetime) -> KeyPair:
    """A new authority, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("spiderpool-webhook-ca")
    builder = _builder(name, key.public_key(), now, AUTHORITY_LIFE).issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs=True), critical=True)
    return _pair(builder.sign(key, hashes.SHA256()), key)


def issue_server(authority: KeyPair, names: tuple[str, ...], now: datetime) -> KeyPair:
    """A certificate of a TLS server that has these names."""
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.key, password=None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name("spiderpool-webhook"), key.public_key(), now, SERVER_LIFE)
    builder = builder.issuer_name(issuer.subject)
    builder = builder.add_extension(x509.SubjectAlternativeName(_general(names)), critical=False)
    builder = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
    )
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_key_usage(signs=False), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
    return _pair(builder.sign(issuer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _names_of(certificate: bytes) -> set[str]:
    extensions = x509.load_pem_x509_certificate(certificate).extensions
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {
        *names.get_values_for_type(x509.DNSName),
        *map(str, names.get_values_for_type(x509.IPAddress)),
    }


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> KeyPair:
    return KeyPair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def _due(certificate: bytes) -> datetime:
    loaded = x509.load_pem_x509_certificate(certificate)
    begin, end = loaded.not_valid_before_utc, loaded.not_valid_after_utc
    return begin + (end - begin) * 2 / 3


def _is_due(certificate: bytes, now: datetime) -> bool:
    """Also one from the future: made by a clock that was far ahead, nobody takes it till then."""
    begin = x509.load_pem_x509_certificate(certificate).not_valid_before_utc
    return not begin <= now < _due(certificate)


def _still_valid(trusted: bytes, now: datetime) -> bytes:
    """Authorities of a PEM list that have not ended."""
    return b"".join(
        certificate.public_bytes(serialization.Encoding.PEM)
        for certificate in x509.load_pem_x509_certificates(trusted)
        if certificate.not_valid_after_utc > now
    )
