"""What an attempt failed of, by the error that it raised. Pure; knows how aiohttp wraps the errors of the system."""

import os
import socket
import ssl

import aiohttp

from piperoll.addresses import BlockedAddressError
from piperoll.webhooks.attempts import Attempted, Ending

FAILURES = (TimeoutError, OSError, aiohttp.ClientError, ValueError)
"""What looking up a name and posting raise. A ValueError is a URL or a header that no request can be made of."""

_UNCONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, BlockedAddressError, socket.gaierror)


def failed(error: Exception, duration_ms: int) -> Attempted:
    """The attempt that ended with one of FAILURES."""
    inner = _inner(error)
    connected = not isinstance(error, (*_UNCONNECTED, ValueError))
    return Attempted(_ending_of(error, inner), duration_ms, connected=connected, said=_said(inner))


def _inner(error: Exception) -> Exception:
    """The operating system's or OpenSSL's own error, which aiohttp keeps inside its own."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return error.certificate_error
    return getattr(error, "os_error", None) or error


def _ending_of(error: Exception, inner: Exception) -> Ending:
    if isinstance(inner, BlockedAddressError):
        return Ending.BLOCKED_ADDRESS
    if isinstance(error, TimeoutError):
        return Ending.TIMEOUT
    if isinstance(inner, socket.gaierror | UnicodeError):
        return Ending.NAME_NOT_FOUND
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return Ending.TLS
    if isinstance(error, ValueError):
        return Ending.UNREADABLE
    return Ending.CONNECTION


def _said(inner: Exception) -> str:
    """A few words of the system's. Texts of errors are not passed on as they are: some quote addresses or headers."""
    if isinstance(inner, ssl.SSLCertVerificationError):
        return inner.verify_message
    if isinstance(inner, ssl.SSLError):
        return (inner.reason or "").replace("_", " ").lower()
    if isinstance(inner, socket.gaierror):
        return inner.strerror or ""
    return os.strerror(inner.errno) if isinstance(inner, OSError) and inner.errno else ""
