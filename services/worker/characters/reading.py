"""The text of bytes, with warnings about what is doubtful. Pure.

The order is that of browsers (WHATWG Encoding Standard, 6; HTML, 13.2.3): byte order mark, the server's charset, the
text's declaration. Beyond it, valid UTF-8 is recognised where another encoding is declared, and a text that declares
none is guessed.
"""

import codecs
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from services.worker.characters.detection import FALLBACK, guess, marked_within
from services.worker.characters.labels import codec_of

BOMS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, with whose mark it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
NAMES: Final = {"cp1252": "Windows-1252", "cp932": "Shift_JIS", "cp949": "EUC-KR", "big5hkscs": "Big5"}
BAD: Final = "\ufffd"
MANY: Final = 8
"""Letters in valid UTF-8 from which on another encoding does not look like it by chance."""
ASCII: Final = bytes(range(128))
HALVES: Final = re.compile("[\ud800-\udfff]")
"""Halves of letters, which UTF-7 may hold alone and no other encoding can write."""
WINDOWS: Final = re.compile(r"cp125\d")


class Characters(NamedTuple):
    """A text, the codec it was read with, and warnings."""

    text: str
    codec: str
    notes: tuple[str, ...] = ()


def read(content: bytes, labels: Iterable[str | None] = ()) -> Characters:
    """Return the text of bytes. `labels` are the declared encodings, most reliable first; unknown ones do not count."""
    for bom, codec in BOMS:
        if content.startswith(bom) and (codec[:6] != "utf-32" or len(content) % 4 == 0):
            return _replaced(content[len(bom) :], codec)
    declared = next((codec for codec in (codec_of(label) for label in labels if label) if codec), None)
    letters = _utf_8_letters(content)
    if declared is None:
        return _undeclared(content, letters)
    if letters.bad == 0 and _is_utf_8(content, declared, letters.good):
        notes = (_mistake_note(declared, "utf-8"),) if declared != "utf-8" else ()
        return Characters(content.decode(), "utf-8", notes)
    if declared == "utf-8" and letters.good == 0:
        return _guessed(content, declared)
    return _replaced(content, declared)


class _Letters(NamedTuple):
    """Characters beyond ASCII if the text is UTF-8, and bytes that are none then."""

    good: int
    bad: int


def _utf_8_letters(content: bytes) -> _Letters:
    if content.isascii():
        return _Letters(0, 0)
    text = content.decode("utf-8", "replace")
    beyond = len(text) - (len(content) - len(content.translate(None, ASCII)))
    bad = text.count(BAD) - content.count(BAD.encode())
    return _Letters(beyond - bad, bad)


def _is_utf_8(content: bytes, declared: str, good: int) -> bool:
    """Whether a text that is valid UTF-8 is so although another encoding is declared.

    In Windows-1252, which is declared by default, such letters would be signs that no text has side by side. Encodings
    in seven bits are valid UTF-8 always.
    """
    if declared == "utf-8" or (good and declared == FALLBACK):
        return True
    if not good:
        return False
    return good >= MANY and not declared.startswith(("utf-16", "utf-32"))


def _undeclared(content: bytes, letters: _Letters) -> Characters:
    if codec := marked_within(content):
        return _replaced(content, codec, _guess_note(codec))
    if letters.bad == 0:
        return Characters(content.decode(), "utf-8")
    if letters.good > letters.bad:
        return _replaced(content, "utf-8")
    return _guessed(content)


def _guessed(content: bytes, declared: str = "") -> Characters:
    codec = guess(content)
    return _replaced(content, codec, _mistake_note(declared, codec) if declared else _guess_note(codec))


def _replaced(content: bytes, codec: str, *notes: str) -> Characters:
    """Decode, with the replacement character for each part that is not in the encoding."""
    text = content.decode(codec, "replace")
    if codec == "utf-7":
        text = HALVES.sub(BAD, text)
    bad = text.count(BAD) - (content.count(BAD.encode()) if codec == "utf-8" else 0)
    if bad <= 0:
        return Characters(text, codec, notes)
    what = "place of the text is" if bad == 1 else "places of the text are"
    return Characters(text, codec, (*notes, f"{bad} {what} not valid {_named(codec)}; each was replaced by {BAD}."))


def _guess_note(codec: str) -> str:
    return f"The file does not declare its encoding; it was read as {_named(codec)}, so letters may be wrong."


def _mistake_note(declared: str, codec: str) -> str:
    return f"The file declares {_named(declared)} but is not; it was read as {_named(codec)}, so letters may be wrong."


def _named(codec: str) -> str:
    """Return the usual name of a codec."""
    if codec in NAMES:
        return NAMES[codec]
    return f"Windows-{codec[2:]}" if WINDOWS.fullmatch(codec) else codec.upper().replace("_", "-")
