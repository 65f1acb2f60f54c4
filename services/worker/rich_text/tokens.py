"""The marks and letters of a Rich Text document, one after the other. Pure."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

TOKEN: Final = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})?[ ]?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.DOTALL
)


class RichToken(NamedTuple):
    """A control word with its number, or letters: bytes in the code page of their font."""

    word: str = ""
    number: int | None = None
    letters: bytes = b""


SYMBOLS: Final = {
    b"~": RichToken("nbsp"),
    b"_": RichToken("nbhyphen"),
    b"-": RichToken("optional_hyphen"),
    b"*": RichToken("*"),
    b"\r": RichToken("par"),
    b"\n": RichToken("par"),
}


def tokens(content: bytes) -> Iterator[RichToken]:
    """Yield the tokens; bytes of pictures behind `bin` are left out. Linear in time."""
    place = 0
    while place < len(content):
        found = TOKEN.match(content, place)
        if found is None:  # a single backslash at the end
            place += 1
            continue
        place = found.end()
        word, number, code, symbol, brace, letters = found.groups()
        if word is not None:
            value = int(number) if number is not None else None
            if word == b"bin":
                place += max(value or 0, 0)
            yield RichToken(word.decode("ascii"), value)
        elif code is not None:
            yield RichToken(letters=bytes([int(code, 16)]))
        elif symbol is not None:
            yield SYMBOLS.get(symbol, RichToken(letters=symbol))
        elif brace is not None:
            yield RichToken(brace.decode("ascii"))
        elif letters is not None:
            yield RichToken(letters=letters)
