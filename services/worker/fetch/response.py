"""The headers of a download's answer: redirects, file name, content encoding. Pure."""

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.parse import unquote, urljoin

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError

REDIRECTS = (301, 302, 303, 307, 308)
NAME_BYTES = 200  # file systems allow 255; leaves room for an extension
PIECE_BYTES = 256 * 1024  # maximum output of one step of decompression
WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's numbers for the containers

Unpack = Callable[[bytes], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and headers, names in lower case; the last of repeated headers is used."""

    status: int
    headers: Mapping[str, str]

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[bytes, bytes]]) -> "Reply":
        """Build from raw headers (RFC 9110 5.5: Latin-1)."""
        return cls(status, {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers})

    def header(self, name: str) -> str | None:
        """Return a header's value."""
        return self.headers.get(name)

    @property
    def length(self) -> int | None:
        """The announced size of the body in bytes."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset parameter of the media type."""
        return _parsed("content-type", self.headers.get("content-type", "")).get_content_charset()

    def name(self, path: str) -> str:
        """Return the file's name by Content-Disposition (RFC 6266), else the end of the URL's path, else `download`."""
        given = _given_name(_parsed("content-disposition", self.headers.get("content-disposition", "")))
        return bare_name(given) or bare_name(unquote(path)) or "download"


def redirect_target(reply: Reply, url: str) -> str | None:
    """Return the target of a redirect, which may be invalid; None for other answers."""
    location = reply.headers.get("location", "").strip()
    if reply.status not in REDIRECTS or not location:
        return None
    try:
        return urljoin(url, location)
    except ValueError:  # an invalid target is rejected by the next request
        return location


def bare_name(text: str) -> str:
    """Return a name without folders, control characters and surrounding blanks; may be empty."""
    base = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    clean = "".join(char for char in base if unicodedata.category(char)[0] != "C").strip(" .")
    _, dot, suffix = clean.rpartition(".")
    ending = f".{suffix}" if dot and len(suffix.encode()) <= 16 else ""
    kept = clean.removesuffix(ending).encode()[: NAME_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore") + ending


def decoder(reply: Reply) -> Unpack:
    """Return a function that decodes the body's chunks into pieces of bounded size.

    Raises ProcessingError HTTP_ERROR for an unknown content encoding; the function raises it for an invalid body.
    """
    coding = reply.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return lambda chunk: iter((chunk,))
    if coding not in WBITS:
        raise ProcessingError(
            ErrorCode.HTTP_ERROR, f"The server at the url sent an unsupported content encoding ({coding})."
        )
    return _inflating(WBITS[coding])


def _inflating(wbits: int) -> Unpack:
    inflater = zlib.decompressobj(wbits)

    def unpack(chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk:
                yield inflater.decompress(chunk, PIECE_BYTES)
                chunk = inflater.unconsumed_tail
        except zlib.error as error:
            raise ProcessingError(
                ErrorCode.HTTP_ERROR, "The server at the url sent an answer that cannot be decompressed."
            ) from error

    return unpack


def _given_name(disposition: Message) -> str:
    """Return the name in a Content-Disposition: `filename*` before `filename` (RFC 6266, 4.3), empty without both."""
    given = disposition.get_params(failobj=[], header="content-disposition")
    names = [value for key, value in given if key.lower() == "filename"]
    extended = (collapse_rfc2231_value(value) for value in names if isinstance(value, tuple))
    return next(extended, "") or disposition.get_filename() or ""


def _parsed(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.replace("\r", " ").replace("\n", " ")
    return message
