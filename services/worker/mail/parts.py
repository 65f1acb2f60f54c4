"""A message as its parts (RFC 5322, RFC 2045): headers in plain words, contents as bytes. Pure.

The lenient policy `compat32` is used: that of current messages raises errors for headers that break the grammar, and
takes time that grows with the square of their length.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.errors import HeaderParseError, InvalidBase64PaddingDefect, MessageError
from email.header import decode_header
from email.message import Message
from typing import Final, NamedTuple

from services.worker.characters.reading import read

MAX_DEPTH: Final = 20
"""Messages and parts within one another; deeper ones are named."""
MAX_HEADER: Final = 10_000
"""Characters of a header that are decoded."""
ENCODED_WORD: Final = r"=\?[^?]*+\?[qQbB]\?[^?]*+\?="
ENCODED: Final = re.compile(rf"({ENCODED_WORD}(?: ?{ENCODED_WORD})*+)")
"""Encoded words beside one another, between which blanks do not count (RFC 2047, 6.2)."""
SHOWN: Final = ("From", "To", "Cc", "Bcc", "Reply-To", "Date", "Subject")


class CarriedFile(NamedTuple):
    """A file that a message carries; its size in bytes."""

    name: str
    media_type: str
    size: int


def parsed(content: bytes) -> Message:
    """Return a message; anything is one. Raises RecursionError for one with thousands of parts within one another."""
    return message_from_bytes(content.removeprefix(b"\xef\xbb\xbf").lstrip())


def header(message: Message, name: str) -> str:
    """Return a header as it is shown, empty without it; several of one name separated by commas."""
    found = (raw for key, raw in message.raw_items() if key.lower() == name.lower())
    return ", ".join(filter(None, (shown(str(raw)) for raw in found)))


def shown(raw: str) -> str:
    """Return the value of a header with its encoded words decoded (RFC 2047), on one line."""
    folded = " ".join(raw[:MAX_HEADER].split())
    pieces = enumerate(ENCODED.split(folded))
    words = "".join(_decoded(piece) if number % 2 else _piece(piece, None) for number, piece in pieces)
    return " ".join(words.split())


def _decoded(words: str) -> str:
    """Return encoded words decoded. They stand alone: beside them `decode_header` would escape letters beyond ASCII."""
    try:
        pieces = decode_header(words)
    except (HeaderParseError, ValueError):
        pieces = [(words, None)]
    return "".join(_piece(*piece) for piece in pieces)


def _piece(words: bytes | str, charset: str | None) -> str:
    if isinstance(words, str):
        words = words.encode("utf-8", "surrogateescape")
    return read(words, [charset]).text


def children(message: Message) -> list[Message]:
    """Return the parts of a multipart, or the message that a part carries; none of another part."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def content_of(part: Message) -> tuple[bytes, bool]:
    """Return a part's decoded bytes, and whether they are whole; without the padding of base64 they are."""
    try:
        payload = part.get_payload(decode=True)
    except (MessageError, ValueError, LookupError):
        return b"", False
    damaged = any(not isinstance(defect, InvalidBase64PaddingDefect) for defect in part.defects)
    return (payload, not damaged) if isinstance(payload, bytes) else (b"", True)


def file_name(part: Message) -> str:
    """Return the name of an attachment, empty without one."""
    try:
        return shown(str(part.get_filename() or ""))
    except (MessageError, ValueError, LookupError):
        return ""


def is_attached(part: Message) -> bool:
    """Whether a part is a file beside the words of the message."""
    return part.get_content_disposition() == "attachment" or bool(file_name(part))


def carried_files(part: Message) -> Iterator[Message]:
    """Yield the files within a part, without the pictures of its pages."""
    for one in part.walk():
        is_picture = one.get_content_maintype() == "image" and one.get("Content-ID") is not None
        is_text = one.get_content_maintype() == "text" and not is_attached(one)
        if not (one.is_multipart() or is_picture or is_text):
            yield one


def text_parts(message: Message, subtype: str) -> Iterator[Message]:
    """Yield the parts of a type such as `text/html`, in their order."""
    return (part for part in message.walk() if part.get_content_type() == subtype)
