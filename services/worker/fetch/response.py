"""What the head of an answer says about a download: where it leads, what it is called, how it is packed. Pure."""

import re
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote, urljoin

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError

REDIRECTS = (301, 302, 303, 307, 308)
NAME_BYTES = 200  # file systems take 255; whoever stores it may add something
PIECE_BYTES = 256 * 1024  # what one step of inflating may give at most
WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # zlib's numbers for the containers

Unpack = Callable[[bytes], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Reply:
    """Status and headers, names in lower case; of a repeated header the last one counts."""

    status: int
    headers: Mapping[str, str]

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[bytes, bytes]]) -> "Reply":
        """From raw headers (RFC 9110 5.5: Latin-1 where it is not ASCII)."""
        return cls(status, {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers})

    def header(self, name: str) -> str | None:
        """A header's value."""
        return self.headers.get(name)

    @property
    def length(self) -> int | None:
        """The announced size of the body in bytes."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() else None

    @property
    def media_type(self) -> str:
        """The type without parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The charset parameter of the type."""
        return _parsed("content-type", self.headers.get("content-type", "")).get_content_charset()

    def name(self, path: str) -> str:
        """The file's name: what the server calls it (RFC 6266), else the end of the URL's path, else `download`."""
        given = _parsed("content-disposition", self.headers.get("content-disposition", "")).get_filename()
        return bare_name(given or "") or bare_name(unquote(path)) or "download"


def redirect_target(reply: Reply, url: str) -> str | None:
    """The address that a redirect leads to, which may be no address at all, or None for an answer that is none."""
    location = reply.headers.get("location", "").strip()
    if reply.status not in REDIRECTS or not location:
        return None
    try:
        return urljoin(url, location)
    except ValueError:  # what cannot be joined is refused by whoever goes there
        return location


def bare_name(text: str) -> str:
    """A name without folders, control characters and blanks around it; empty when nothing is left."""
    base = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    clean = "".join(char for char in base if unicodedata.category(char)[0] != "C").strip(" .")
    _, dot, suffix = clean.rpartition(".")
    ending = f".{suffix}" if dot and len(suffix.encode()) <= 16 else ""
    kept = clean.removesuffix(ending).encode()[: NAME_BYTES - len(ending.encode())]
    return kept.decode(errors="ignore") + ending


def decoder(reply: Reply) -> Unpack:
    """What turns the chunks of the body into its bytes, in pieces of bounded size, however much a chunk inflates to.

    Raises ProcessingError HTTP_ERROR for a packing that was not asked for and is not known; what it gives does so for
    a body that is not packed as it says.
    """
    coding = reply.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return lambda chunk: iter((chunk,))
    if coding not in WBITS:
        raise ProcessingError(
            ErrorCode.HTTP_ERROR, f"The server behind the url sent its answer packed in a way ({coding}) not asked for."
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
                ErrorCode.HTTP_ERROR, "The server behind the url sent an answer that cannot be unpacked."
            ) from error

    return unpack


def _parsed(name: str, value: str) -> Message:
    message = Message()
    message[name] = value.replace("\r", " ").replace("\n", " ")
    return message
