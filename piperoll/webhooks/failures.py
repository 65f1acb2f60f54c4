"""Convert the errors of aiohttp and the operating system into failed attempts. Pure."""

import os
import socket
import ssl

import aiohttp

from piperoll.addresses import BlockedAddressError
from piperoll.webhooks.attempts import Attempted, Ending

FAILURES = (TimeoutError, OSError, aiohttp.ClientError, ValueError)
"""Errors of a name lookup or a POST. A ValueError means that the URL or a header is invalid."""

_UNCONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, BlockedAddressError, socket.gaierror)


def failed(error: Exception, duration_ms: int) -> Attempted:
    """Return the attempt that ended with one of FAILURES."""
    inner = _inner(error)
    connected = not isinstance(error, (*_UNCONNECTED, ValueError))
    return Attempted(_ending_of(error, inner), duration_ms, connected=connected, reason=_reason(inner))


def _inner(error: Exception) -> Exception:
    """Return the error of the operating system or OpenSSL that aiohttp wraps."""
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


def _reason(inner: Exception) -> str:
    """Return a short system text. Full error texts are not used: some quote addresses or headers."""
    if isinstance(inner, ssl.SSLCertVerificationError):
        return inner.verify_message
    if isinstance(inner, ssl.SSLError):
        return (inner.reason or "").replace("_", " ").lower()
    if isinstance(inner, socket.gaierror):
        return inner.strerror or ""
    return os.strerror(inner.errno) if isinstance(inner, OSError) and inner.errno else ""
