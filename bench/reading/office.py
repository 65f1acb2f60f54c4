"""The words of an Office file by category, straight from the XML of its parts. It knows elements by their local names.

A part counts if a relationship of the file names it.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final
from zipfile import ZipFile

from lxml import etree

CATEGORIES: Final = (
    (re.compile(r"word/document\d*\.xml"), "body"),
    (re.compile(r"word/(header|footer)\d*\.xml"), "headers and footers"),
    (re.compile(r"word/(footnotes|endnotes)\d*\.xml"), "notes"),
    (re.compile(r"ppt/slides/[^/]+\.xml"), "body"),
    (re.compile(r"ppt/notesslides/[^/]+\.xml"), "notes"),
    (re.compile(r"xl/(worksheets|sheets)/[^/]+\.xml"), "cells"),
    (re.compile(r"xl/drawings/drawing\d*\.xml"), "shapes"),
    (re.compile(r"(word|ppt|xl)/(threaded)?comments/[^/]+\.xml"), "comments"),
    (re.compile(r"(word|xl)/comments\d*\.xml"), "comments"),
    (re.compile(r"(word|ppt|xl)/charts/chart\d*\.xml"), "charts"),
    (re.compile(r"(word|ppt|xl)/diagrams/data\d*\.xml"), "SmartArt"),
)
TEXTS: Final = frozenset({"t", "text"})
BREAKS: Final = frozenset(
    {"p", "tab", "br", "cr", "ptab", "tc", "si", "is", "comment", "threadedComment", "pt", "cm", "oMath"}
)
SKIPPED: Final = frozenset({"Fallback", "moveFrom", "del", "rt", "rPh", "numCache", "numLit", "delText"})
"""The second form of what has two, deleted text, readings beside a text, and numbers, which the product formats."""
REPEATED: Final = frozenset({"headers and footers", "charts", "shapes"})
"""Headers repeat, and each series of a chart repeats the categories: equal lines count once, numbers of pages never."""
CODED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""A character in the text of a cell (ECMA-376 part 1, 22.9.2.19)."""
SHAPE: Final = "txbxContent"
EQUATION: Final = "oMath"
FURNITURE: Final = frozenset({"dt", "ftr", "hdr", "sldNum"})
"""Placeholders that slides and their notes repeat."""
SLIDE_NUMBER: Final = "slidenum"


def office_words(book: ZipFile) -> dict[str, str]:
    """Return the text of each category. Raises etree.XMLSyntaxError and the errors of a ZIP."""
    texts: dict[str, list[str]] = {}
    names = sorted(_related(book))
    shared = next((_shared(_xml(book, name)) for name in names if name.lower().endswith("sharedstrings.xml")), [])
    threads = any("threadedcomments/" in name.lower() for name in names)
    for name in names:
        category = _category(name)
        if category is None or (category == "comments" and threads and "threaded" not in name.lower()):
            continue  # the comments of old programs repeat the threads
        root = _xml(book, name)
        if category == "cells":
            texts.setdefault(category, []).append(" ".join(_cells(root, shared)))
            continue
        for place, text in _texts(root, category):
            found = texts.setdefault(place, [])
            found += text.split("\n")
    for category in REPEATED & texts.keys():
        texts[category] = [line for line in dict.fromkeys(texts[category]) if not line.strip().isdigit()]
    return {category: "\n".join(found) for category, found in texts.items()}


def _related(book: ZipFile) -> set[str]:
    """Return the names of members that a relationship of a member names."""
    found = set()
    members = {name.lower().replace("\\", "/"): name for name in book.namelist()}
    for lower, name in members.items():
        if not lower.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(lower))
        for relation in _xml(book, name).iter("{*}Relationship"):
            target = relation.get("Target", "").lower().replace("\\", "/")
            path = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            if relation.get("TargetMode") != "External" and path in members:
                found.add(members[path])
    return found


def _category(name: str) -> str | None:
    path = name.lower().replace("\\", "/")
    return next((category for pattern, category in CATEGORIES if pattern.fullmatch(path)), None)


def _xml(book: ZipFile, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(book.read(name), parser)


def _shared(root: Any) -> list[str]:
    return [_plain("".join(_pieces(one))) for one in root.iterfind("{*}si")]


def _cells(sheet: Any, shared: list[str]) -> Iterator[str]:
    """Yield the texts of cells; numbers and dates are shown in formats, and do not count."""
    for cell in sheet.iter("{*}c"):
        value = cell.findtext("{*}v")
        match cell.get("t"):
            case "s" if value and value.strip().isdigit() and int(value) < len(shared):
                yield shared[int(value)]
            case "str" if value:
                yield _plain(value)
            case "inlineStr":
                yield _plain("".join(_pieces(cell)))


def _plain(text: str) -> str:
    return CODED.sub(lambda found: chr(int(found[1], 16)), text)


def _texts(root: Any, category: str) -> Iterator[tuple[str, str]]:
    """Yield the text of a part, and apart from it that of shapes and equations in a body."""
    yield category, "".join(_pieces(root, apart=frozenset({SHAPE, EQUATION})))
    for shape in filter(_is_furniture, root.iter("{*}sp")):
        yield "headers and footers", "".join(text for body in shape.iter("{*}txBody") for text in _pieces(body))
    for inner, place, joint in ((SHAPE, "shapes", ""), (EQUATION, "equations", " ")):
        for element in root.iter(f"{{*}}{inner}"):
            above = {_name(one) for one in element.iterancestors()}
            if not above & (SKIPPED | {SHAPE, EQUATION}):
                yield place, joint.join(_pieces(element))


def _pieces(root: Any, apart: Iterable[str] = ()) -> Iterator[str]:
    """Yield the texts below an element in order, and a line end for each paragraph and break."""
    unseen = SKIPPED.union(apart)
    waiting = [root]
    while waiting:
        element = waiting.pop()
        name = _name(element)
        if name in BREAKS:
            yield "\n"
        if name in TEXTS or (name == "v" and _name(element.getparent()) == "pt"):
            yield element.text or ""
        left_out = name in unseen or element.get("type") == SLIDE_NUMBER or (name == "sp" and _is_furniture(element))
        if not left_out and not _is_line(element, name):
            waiting.extend(reversed(element))


def _is_furniture(element: Any) -> bool:
    """Whether an element is a shape with the date, header, footer or number of a slide."""
    place = element.find("{*}nvSpPr/{*}nvPr/{*}ph")
    return place is not None and place.get("type") in FURNITURE


def _is_line(element: Any, name: str) -> bool:
    """Whether an element is what Word draws between the text and the notes."""
    return name in ("footnote", "endnote") and element.get(element.tag.replace(name, "type"), "normal") != "normal"


def _name(element: Any) -> str:
    tag = element.tag
    return etree.QName(tag).localname if isinstance(tag, str) else ""
