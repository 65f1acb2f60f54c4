"""What a Word document has beside its text, and what the reading of a text collects."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas.blocks import Block
from services.worker.office.names import child, children, number, value
from services.worker.office.notes import NoteList
from services.worker.office.numerals import numeral
from services.worker.office.package import DamagedPartError, Package, Part
from services.worker.office.word.numbering import Numbering
from services.worker.office.word.styles import Styles

ReadDocument = Callable[[Package], tuple[Block, ...]]


@dataclass(frozen=True, slots=True)
class Footnote:
    """A footnote or endnote that the text refers to: its label, its element, and the part that it is in."""

    label: str
    element: Any
    part: Part


@dataclass(slots=True)
class Beside:
    """Styles, lists, footnotes and comments of a document, and which of them have been met."""

    document: Part
    notes: NoteList
    styles: Styles
    numbering: Numbering
    footnotes: dict[str, tuple[Any, Part]]
    endnotes: dict[str, tuple[Any, Part]]
    comments: dict[str, tuple[Any, Part]]
    embedded: ReadDocument | None
    """Reads a document that this one holds; None where there are too many within each other."""
    met: list[Footnote] = field(default_factory=list)
    rubies: int = 0

    def footnote(self, reference: Any, *, endnote: bool) -> str:
        """Remember a note that the text refers to; return its label such as `[1]`, empty where the text has a sign."""
        known = (self.endnotes if endnote else self.footnotes).pop(value(reference, attribute="id") or "", None)
        if known is None:
            return ""
        if value(reference, attribute="customMarkFollows") in ("1", "true", "on"):
            label = ""
        else:
            count = sum(met.element.tag == known[0].tag and bool(met.label) for met in self.met) + 1
            label = f"[{numeral(count, 'lowerRoman' if endnote else 'decimal')}]"
        self.met.append(Footnote(label, *known))
        return label


def beside(document: Part, embedded: ReadDocument | None) -> Beside:
    """Return what stands beside a document's text. A part of it that is damaged is left out, with a note."""
    return Beside(
        document,
        document.package.notes,
        Styles(_root(document, "styles")),
        Numbering(_root(document, "numbering")),
        _entries(document, "footnotes", "w:footnote"),
        _entries(document, "endnotes", "w:endnote"),
        _entries(document, "comments", "w:comment"),
        embedded,
    )


def _root(document: Part, kind: str) -> Any:
    for part in document.parts(kind):
        try:
            return part.root
        except DamagedPartError:
            document.package.notes.add(f"The {kind} of the document could not be read.")
    return None


def _entries(document: Part, kind: str, name: str) -> dict[str, tuple[Any, Part]]:
    """Return notes or comments by id; separators between text and notes are none."""
    found = {}
    for part in document.parts(kind):
        root = _root(document, kind)
        for element in children(root, name):
            if value(element, attribute="type") in (None, "normal"):
                found[value(element, attribute="id") or ""] = (element, part)
    return found


def checked(box: Any) -> str:
    """Return a check box of a form as a sign."""
    state = child(box, "w:checked")
    state = child(box, "w:default") if state is None else state
    return "☐" if state is None or value(state) in ("0", "false", "off") else "☒"


def selected(listing: Any) -> str:
    """Return the entry that a drop-down list of a form shows."""
    entries = [value(entry) or "" for entry in children(listing, "w:listEntry")]
    place = number(value(listing, "w:result") or value(listing, "w:default"))
    return entries[place] if 0 <= place < len(entries) else ""
