"""Fill fields without a model: by labels, headings, list items and leading sentences, in English and German. Pure.

Deterministic: every value is copied from the text; a field without a match is empty.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from services.worker.templates.outline import OutlineLine, after_label, content, outline, paragraphs, section, sentences

SUMMARY_SENTENCES = 3
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})  # casefold converts ß to ss
_BETWEEN = re.compile(r"[;,()]|\s(?:and|und|&)\s")
_URL = re.compile(r"https?://[^\s<>()\[\]\"']+[^\s<>()\[\]\"'.,;:!?]")


@dataclass(frozen=True, slots=True)
class Concept:
    """A kind of field: its labels in a text, whether it is a list, and whether the list is split at commas."""

    labels: tuple[str, ...]
    many: bool = False
    commas: bool = False


CONCEPTS: tuple[Concept, ...] = (
    Concept(("summary", "abstract", "tl;dr", "overview", "zusammenfassung", "kurzfassung", "ueberblick")),
    Concept(("title", "subject", "headline", "titel", "betreff", "ueberschrift")),
    Concept(("date", "day", "datum", "tag")),
    Concept(("time", "uhrzeit", "zeit")),
    Concept(("location", "place", "venue", "room", "where", "ort", "raum")),
    Concept(("author", "from", "sender", "written by", "autor", "autorin", "verfasser", "absender", "von")),
    Concept(("recipient", "to", "addressee", "empfaenger", "an")),
    Concept(
        (
            *("participants", "attendees", "present", "attending", "guests"),
            *("teilnehmer", "teilnehmende", "teilnehmerinnen", "anwesend", "anwesende"),
        ),
        many=True,
        commas=True,
    ),
    Concept(("speakers", "speaker", "referenten", "referent", "referentin", "vortragende"), many=True, commas=True),
    Concept(("tags", "keywords", "schlagworte", "schlagwoerter", "stichworte"), many=True, commas=True),
    Concept(("topics", "agenda", "themen", "tagesordnung"), many=True),
    Concept(("decisions", "decision", "decided", "beschluesse", "beschluss", "entscheidungen"), many=True),
    Concept(
        (
            *("action items", "action item", "actions", "action", "tasks", "task", "todo", "todos", "to do", "to dos"),
            *("next steps", "aufgaben", "aufgabe", "massnahmen", "massnahme", "naechste schritte", "zu erledigen"),
        ),
        many=True,
    ),
    Concept(("questions", "open questions", "fragen", "offene fragen"), many=True),
    Concept(("links", "references", "quellen"), many=True),
)

ACTION_ITEMS, QUESTIONS, LINKS, SUMMARY, TITLE = "action items", "questions", "links", "summary", "title"


@dataclass(frozen=True, slots=True)
class _Page:
    """The lines of a text, with their numbers by label and of open tasks, so that each field looks at its own alone."""

    lines: list[OutlineLine]
    by_label: dict[str, list[int]]
    open_tasks: list[int]
    is_known: Callable[[str], bool]


def extract(names: Iterable[str], text: str) -> dict[str, Any]:
    """Return a value for each field name: a string, which may be empty, or a list of strings."""
    concepts = {name: _concept(name) for name in names}
    page = _page(text, concepts.values())
    values = {concept: _value(concept, page) for concept in dict.fromkeys(concepts.values())}
    return {name: values[concept] for name, concept in concepts.items()}


def _page(text: str, concepts: Iterable[Concept]) -> _Page:
    lines = outline(text)
    labels = {label for concept in (*CONCEPTS, *concepts) for label in concept.labels}
    by_label: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        if line.label:
            by_label.setdefault(fold(line.label), []).append(number)
    tasks = [number for number, line in enumerate(lines) if line.open_task]
    return _Page(lines, by_label, tasks, lambda label: fold(label) in labels)


def fold(label: str) -> str:
    """Normalise a label or a field's name for comparison: `actionItems` and `Action-Items` are equal."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", label)
    return " ".join(words.casefold().translate(UMLAUTS).split())


def _concept(name: str) -> Concept:
    """Return the concept of a field's name; an unknown name is a label itself."""
    folded = fold(name)
    return next((concept for concept in CONCEPTS if folded in concept.labels), Concept((folded,)))


def _value(concept: Concept, page: _Page) -> Any:
    marked = list(_marked(concept, page))
    if concept.many:
        return _as_list(concept, page.lines, marked)
    if marked:
        return _as_text(marked[0])
    return _leading(concept, page.lines)


def _marked(concept: Concept, page: _Page) -> Iterable[list[OutlineLine]]:
    """Yield the lines after each label or heading of the concept, for action items also open tasks, in order."""
    labelled = {number for label in concept.labels for number in page.by_label.get(label, ())}
    tasks = page.open_tasks if ACTION_ITEMS in concept.labels else ()
    for number in sorted(labelled.union(tasks)):
        line = page.lines[number]
        if number in labelled and line.kind == "item" and after_label(line):
            yield [OutlineLine("prose", after_label(line))]
        elif number in labelled and line.kind == "label" and line.text:
            yield [OutlineLine("prose", line.text)]
        elif number in labelled and line.kind in ("label", "heading"):
            yield section(page.lines, number, page.is_known)
        elif line.open_task and ACTION_ITEMS in concept.labels:
            yield [line]


def _as_text(lines: list[OutlineLine]) -> Any:
    """Return the items of a list, else the text of the lines."""
    items = [content(line) for line in lines if line.kind == "item"]
    return items if len(items) > 1 else " ".join(content(line) for line in lines)


def _as_list(concept: Concept, lines: list[OutlineLine], marked: list[list[OutlineLine]]) -> list[str]:
    found = [item for block in marked for line in block for item in _items(concept, line)]
    if not found and QUESTIONS in concept.labels:
        found = [one for paragraph in paragraphs(lines) for one in sentences(paragraph) if one.endswith("?")]
    if not found and LINKS in concept.labels:
        found = [url for line in lines for url in _URL.findall(content(line))]
    return list(dict.fromkeys(item for item in found if item))


def _items(concept: Concept, line: OutlineLine) -> list[str]:
    """Return the entries of a line: one for an item, else the parts between semicolons, for names also commas."""
    text = content(line)
    if line.kind == "item":
        return [text]
    parts = (part.strip() for part in (_names(text) if concept.commas else text.split(";")))
    return [part.removesuffix(".") if concept.commas else part for part in parts]


def _names(text: str) -> list[str]:
    """Split at commas, semicolons and the word `and`, but not at a comma or semicolon before a closing parenthesis."""
    cuts: list[tuple[int, int]] = []
    undecided: list[tuple[int, int]] = []
    for mark in _BETWEEN.finditer(text):
        match mark[0]:
            case "," | ";":
                undecided.append(mark.span())
            case "(":
                cuts += undecided
                undecided = []
            case ")":
                undecided = []
            case _:
                cuts.append(mark.span())
    cuts = sorted([*cuts, *undecided])
    begins, ends = [0, *(end for _, end in cuts)], [*(begin for begin, _ in cuts), len(text)]
    return [text[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _leading(concept: Concept, lines: list[OutlineLine]) -> str:
    """Return a default for an unlabelled summary (leading sentences) or title (first heading)."""
    if TITLE in concept.labels:
        return next((line.label for line in lines if line.kind == "heading"), "")
    if SUMMARY not in concept.labels:
        return ""
    prose = list(paragraphs(lines))
    ended = [paragraph for paragraph in prose if paragraph.rstrip("\"”»'\u2019)").endswith((".", "!", "?", "…"))]
    leading = [sentence for paragraph in ended or prose[:1] for sentence in sentences(paragraph)]
    return " ".join(leading[:SUMMARY_SENTENCES])
