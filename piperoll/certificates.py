"""The TLS context of all Kafka clients, from the files that the settings name."""

import ssl
from functools import lru_cache

from piperoll.settings import Settings


class CertificateError(RuntimeError):
    """A file of PIPEROLL_KAFKA_CA, PIPEROLL_KAFKA_CERTIFICATE or PIPEROLL_KAFKA_KEY cannot be used."""


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return a context that checks the broker's certificate and name, with the client's certificate if there is one.

    The files are read once for a process. Raises CertificateError.
    """
    password = settings.kafka_key_password.get_secret_value()
    return _context(settings.kafka_ca, settings.kafka_certificate, settings.kafka_key, password)


@lru_cache(maxsize=8)
def _context(ca: str, certificate: str, key: str, password: str) -> ssl.SSLContext:
    """The same; to read the authorities of the system takes tens of milliseconds, and some clients live shortly."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        raise CertificateError(
            f"PIPEROLL_KAFKA_CA, {ca}, holds no certificates of authorities in PEM: {error}"
        ) from error
    if certificate:
        try:
            # A password is always given: OpenSSL would else ask for it on the terminal.
            context.load_cert_chain(certificate, key or None, password)
        except OSError as error:
            raise CertificateError(
                f"{certificate} and its key cannot be loaded as a pair in PEM; an encrypted key needs "
                f"PIPEROLL_KAFKA_KEY_PASSWORD: {error}"
            ) from error
    return context
