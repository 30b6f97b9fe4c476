"""Certificates for servers of the tests: good ones, and ones that are wrong in one way.

Promises: made anew each time, signed by themselves or by an authority of the test's own; a file
holds certificate and key, readable by its owner. Called by whoever serves TLS on loopback.
"""

import hashlib
import ipaddress
import ssl
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["ENDS", "LOOPBACK", "Authority", "fingerprint_of", "own_certificate", "serving"]

LOOPBACK = "127.0.0.1"
STARTS = datetime(2020, 1, 1, tzinfo=UTC)
ENDS = datetime(2120, 1, 1, tzinfo=UTC)


class Authority:
    """Issues certificates; its own is in a file that a client can trust."""

    def __init__(self, folder: Path) -> None:
        self.path = own_certificate(folder / "authority.pem", host="authority.example")
        read = self.path.read_bytes()
        self._certificate = x509.load_pem_x509_certificate(read)
        self._key = serialization.load_pem_private_key(read, None)

    def issue(
        self,
        path: Path,
        *,
        host: str = LOOPBACK,
        starts: datetime = STARTS,
        ends: datetime = ENDS,
    ) -> Path:
        """One for a host, in a file with its key."""
        assert isinstance(self._key, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        made = _drawn_up(key, host, starts, ends).issuer_name(self._certificate.subject)
        return _written(path, made.sign(self._key, hashes.SHA256()), key)

    def trusted(self) -> ssl.SSLContext:
        """What a client goes by that trusts it, and nobody else."""
        return ssl.create_default_context(cafile=str(self.path))


def own_certificate(
    path: Path, *, host: str = LOOPBACK, starts: datetime = STARTS, ends: datetime = ENDS
) -> Path:
    """One that is signed by itself, in a file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = _drawn_up(key, host, starts, ends).issuer_name(_named(host))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return _written(path, made.sign(key, hashes.SHA256()), key)


def fingerprint_of(path: Path) -> str:
    """SHA-256 of a certificate, as hexadecimal digits."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def serving(path: Path) -> ssl.SSLContext:
    """What a server shows it by."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    return tls


def _drawn_up(
    key: ec.EllipticCurvePrivateKey, host: str, starts: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(host))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
    )


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _named(host: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])


def _written(path: Path, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    path.chmod(0o600)
    return path
