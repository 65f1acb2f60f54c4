"""The words of an Office file by category, straight from the XML of its parts. It knows elements by their local names.

A part counts if a relationship of the file names it. Equal texts of a category count once, as headers repeat.
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
BREAKS: Final = frozenset({"p", "tab", "br", "cr", "tc", "si", "is", "comment", "threadedComment", "pt", "cm", "oMath"})
SKIPPED: Final = frozenset({"Fallback", "moveFrom", "del", "rt", "rPh", "numCache", "numLit", "delText"})
"""The second form of what has two, deleted text, readings beside a text, and numbers, which the product formats."""
SHAPE: Final = "txbxContent"
EQUATION: Final = "oMath"
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
            if category == "charts":
                text = "\n".join(dict.fromkeys(text.split("\n")))  # each series repeats the categories
            if category == "body" or text not in found:
                found.append(text)
    return {category: "\n".join(found) for category, found in texts.items()}


def _related(book: ZipFile) -> set[str]:
    """Return the names of members that a relationship of a member names."""
    found = set()
    members = {name.lower(): name for name in book.namelist()}
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
    return next((category for pattern, category in CATEGORIES if pattern.fullmatch(name.lower())), None)


def _xml(book: ZipFile, name: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    return etree.fromstring(book.read(name), parser)


def _shared(root: Any) -> list[str]:
    return ["".join(_pieces(one)) for one in root.iterfind("{*}si")]


def _cells(sheet: Any, shared: list[str]) -> Iterator[str]:
    """Yield the texts of cells; numbers and dates are shown in formats, and do not count."""
    for cell in sheet.iter("{*}c"):
        value = cell.findtext("{*}v")
        match cell.get("t"):
            case "s" if value and value.strip().isdigit() and int(value) < len(shared):
                yield shared[int(value)]
            case "str" if value:
                yield value
            case "inlineStr":
                yield "".join(_pieces(cell))


def _texts(root: Any, category: str) -> Iterator[tuple[str, str]]:
    """Yield the text of a part, and apart from it that of shapes and equations in a body."""
    yield category, "".join(_pieces(root, apart=frozenset({SHAPE, EQUATION})))
    for inner, place in ((SHAPE, "shapes"), (EQUATION, "equations")):
        for element in root.iter(f"{{*}}{inner}"):
            above = {_name(one) for one in element.iterancestors()}
            if not above & (SKIPPED | {SHAPE, EQUATION}):
                yield place, "".join(_pieces(element))


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
        if name not in unseen and element.get("type") != SLIDE_NUMBER:
            waiting.extend(reversed(element))


def _name(element: Any) -> str:
    tag = element.tag
    return etree.QName(tag).localname if isinstance(tag, str) else ""
