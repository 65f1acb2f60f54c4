"""A certificate authority, for stores and clients that know each other by certificates."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from piperoll.clock import utc_now

PEM = serialization.Encoding.PEM
PKCS8 = serialization.PrivateFormat.PKCS8


@dataclass(frozen=True)
class Issued:
    """The files of a certificate, of its key, and of both."""

    certificate: Path
    key: Path
    both: Path


class Authority:
    """An authority whose files are in a folder; `ca` is its certificate."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("An authority of tests")
        self.ca = folder / "ca.pem"
        certificate = self._begun(self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.ca.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(PEM))

    def issue(self, name: str, password: str = "") -> Issued:
        """A certificate for `name`, and as a server for 127.0.0.1; its key is encrypted if there is a password."""
        key = ec.generate_private_key(ec.SECP256R1())
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        certificate = self._begun(_named(name), key.public_key()).add_extension(here, critical=False)
        encryption = (
            serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        )
        issued = Issued(*(self._folder / f"{name}.{ending}" for ending in ("crt", "key", "pem")))
        issued.certificate.write_bytes(certificate.sign(self._key, hashes.SHA256()).public_bytes(PEM))
        issued.key.write_bytes(key.private_bytes(PEM, PKCS8, encryption))
        issued.both.write_bytes(issued.key.read_bytes() + issued.certificate.read_bytes())
        return issued

    def _begun(self, name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(utc_now() - timedelta(hours=1))
            .not_valid_after(utc_now() + timedelta(days=1))
        )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
