"""Fills fields without a model: by labels, headings, list items and leading sentences, in English and German. Pure.

Deterministic, and never inventive: every value stands in the text, and a field of which the text has no mark is empty.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from services.worker.templates.outline import OutlineLine, after_label, content, outline, paragraphs, section, sentences

SUMMARY_SENTENCES = 3
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})  # casefold has made ss of ß
_URL = re.compile(r"https?://[^\s<>()\[\]\"']+[^\s<>()\[\]\"'.,;:!?]")


@dataclass(frozen=True, slots=True)
class Concept:
    """What fields of some names mean: the labels that a text gives it, whether it is a list, split at commas too."""

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


def extract(names: Iterable[str], text: str) -> dict[str, Any]:
    """A value for each field name: words, a list of words, or an empty string."""
    lines = outline(text)
    known = {label for concept in CONCEPTS for label in concept.labels}
    wanted = {name: _concept(name) for name in names}
    known.update(label for concept in wanted.values() for label in concept.labels)
    return {name: _value(concept, lines, lambda label: fold(label) in known) for name, concept in wanted.items()}


def fold(label: str) -> str:
    """A label or a field's name in the form in which they are compared: `actionItems` and `Action-Items` are one."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", label)
    return " ".join(words.casefold().translate(UMLAUTS).split())


def _concept(name: str) -> Concept:
    """What a field's name means; a name of no known meaning is its own label."""
    folded = fold(name)
    return next((concept for concept in CONCEPTS if folded in concept.labels), Concept((folded,)))


def _value(concept: Concept, lines: list[OutlineLine], is_known: Callable[[str], bool]) -> Any:
    marked = list(_marked(concept, lines, is_known))
    if concept.many:
        return _as_list(concept, lines, marked)
    if marked:
        return _as_text(marked[0])
    return _leading(concept, lines)


def _marked(concept: Concept, lines: list[OutlineLine], is_known: Callable[[str], bool]) -> Iterable[list[OutlineLine]]:
    """The lines behind each label or heading of the concept, and open tasks where tasks are wanted, in order."""
    for index, line in enumerate(lines):
        labelled = fold(line.label) in concept.labels
        if labelled and line.kind == "item" and after_label(line):
            yield [OutlineLine("prose", after_label(line))]
        elif labelled and line.kind == "label" and line.text:
            yield [OutlineLine("prose", line.text)]
        elif labelled and line.kind in ("label", "heading"):
            yield section(lines, index, is_known)
        elif line.open_task and ACTION_ITEMS in concept.labels:
            yield [line]


def _as_text(lines: list[OutlineLine]) -> Any:
    """One value: the items of a list, else the words of the lines."""
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
    """The entries of a line: one for an item, else those between semicolons, and commas where names are listed."""
    text = content(line)
    if line.kind == "item":
        return [text]
    marks = r"[;,](?![^()]*\))|\s(?:and|und|&)\s" if concept.commas else r";"
    parts = (part.strip() for part in re.split(marks, text))
    return [part.removesuffix(".") if concept.commas else part for part in parts]


def _leading(concept: Concept, lines: list[OutlineLine]) -> str:
    """What stands for a summary or a title that is not marked as one: leading sentences, the first heading."""
    if TITLE in concept.labels:
        return next((line.label for line in lines if line.kind == "heading"), "")
    if SUMMARY not in concept.labels:
        return ""
    prose = list(paragraphs(lines))
    ended = [paragraph for paragraph in prose if paragraph.rstrip("\"”»'\u2019)").endswith((".", "!", "?", "…"))]
    said = [sentence for paragraph in ended or prose[:1] for sentence in sentences(paragraph)]
    return " ".join(said[:SUMMARY_SENTENCES])
