"""The number formats of a workbook's cells, and its shared texts."""

import re
from collections.abc import Callable
from typing import Any, Final

from services.worker.office.names import child, children, name_of, number
from services.worker.office.numbers.formats import code_of
from services.worker.office.package import DamagedPartError, Part

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""A character as `_x000D_` (ST_Xstring, ISO/IEC 29500-1, 22.9.2.19)."""


def formats_of(book: Part) -> list[str]:
    """Return the code of the number format of each cell style; none where the styles cannot be read."""
    for part in book.parts("styles"):
        try:
            root = part.root
        except DamagedPartError:
            book.package.notes.add("The styles of the workbook could not be read: numbers are shown without formats.")
            return []
        own = {
            number(entry.get("numFmtId"), -1): entry.get("formatCode", "")
            for entry in children(child(root, "s:numFmts"), "s:numFmt")
        }
        return [code_of(number(entry.get("numFmtId")), own) for entry in children(child(root, "s:cellXfs"), "s:xf")]
    return []


def shared_texts(book: Part) -> list[str]:
    """Return the texts that cells share, in their order."""
    for part in book.parts("sharedStrings"):
        try:
            texts = [text_of(entry) for entry in children(part.root, "s:si")]
        except DamagedPartError:
            book.package.notes.add("The shared texts of the workbook could not be read: cells with text are missing.")
            return []
        part.forget()
        return texts
    return []


def text_of(entry: Any) -> str:
    """Return a text of runs, without the readings that Japanese texts may have above them."""
    return unescaped("".join(_pieces(entry)))


def _pieces(entry: Any) -> list[str]:
    found: list[str] = []
    for inner in entry:
        match name_of(inner):
            case "s:t":
                found.append(inner.text or "")
            case "s:r":
                found.extend(element.text or "" for element in children(inner, "s:t"))
    return found


def unescaped(text: str) -> str:
    """Return a text with its escaped characters; carriage returns and other controls are left out."""
    return ESCAPED.sub(_character, text) if "_x" in text else text


def _character(match: re.Match[str]) -> str:
    place = int(match[1], 16)
    readable = place >= ord(" ") and not 0xD800 <= place < 0xE000
    return chr(place) if readable or chr(place) in "\t\n" else ""


Budget = Callable[[int, int], None]
"""Takes a number of cells and of their characters; raises when there are too many."""
