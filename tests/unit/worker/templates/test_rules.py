"""The local rules that fill fields without a model: what they find, by value."""

from typing import Any

import pytest

from services.worker.templates.outline import sentences
from services.worker.templates.rules import extract

MINUTES = """# Weekly sync

Date: 2024-05-03
Participants: Ada Lovelace, Grace Hopper (chair, host) and Alan Turing.

We agreed to ship the importer on Friday. Dr. Hopper showed the new
dashboard on 3. May. Alan reported two open bugs. A fourth sentence follows.

**Action items:**

- Ada: write the release notes
- [ ] Alan: fix both bugs

TODO: Grace books the room
"""

PROTOKOLL = """Protokoll der Sitzung

Anwesend: Müller; Schäfer und Weiß
Ort: Raum 3

Wir haben z. B. den Haushalt besprochen. Die Übergabe erfolgt bald.

## Beschlüsse
1. Der Haushalt wird angenommen.
2. Neue Räume werden gemietet.

Nächste Schritte:
* Müller schreibt den Bericht
* Schäfer ruft an
"""


def found(text: str, *names: str) -> dict[str, Any]:
    return extract(names, text)


def test_minutes_in_english() -> None:
    assert found(MINUTES, "title", "date", "summary", "participants", "action_items", "decisions", "location") == {
        "title": "Weekly sync",
        "date": "2024-05-03",
        "summary": "We agreed to ship the importer on Friday. Dr. Hopper showed the new dashboard on 3. May. "
        "Alan reported two open bugs.",
        "participants": ["Ada Lovelace", "Grace Hopper (chair, host)", "Alan Turing"],
        "action_items": ["Ada: write the release notes", "Alan: fix both bugs", "Grace books the room"],
        "decisions": [],
        "location": "",
    }


def test_minutes_in_german_by_german_and_english_names() -> None:
    wanted = {
        "teilnehmer": ["Müller", "Schäfer", "Weiß"],
        "ort": "Raum 3",
        "beschluesse": ["Der Haushalt wird angenommen.", "Neue Räume werden gemietet."],
        "aufgaben": ["Müller schreibt den Bericht", "Schäfer ruft an"],
        "zusammenfassung": "Wir haben z. B. den Haushalt besprochen. Die Übergabe erfolgt bald.",
    }
    assert found(PROTOKOLL, *wanted) == wanted
    names = {"participants": "teilnehmer", "location": "ort", "decisions": "beschluesse", "actionItems": "aufgaben"}
    assert found(PROTOKOLL, *names) == {name: wanted[german] for name, german in names.items()}


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("Summary: All is well.\n\nOther words.", "summary", "All is well."),
        ("**Summary:** All is well.", "summary", "All is well."),
        ("## Summary\n\nAll is\nwell.\n\nIndeed.\n\n## Next\n\nNo.", "summary", "All is well. Indeed."),
        ("Attendees:\n- Ada\n- Bob\n\nThen they left.", "participants", ["Ada", "Bob"]),
        ("Attendees:\n\n* Ada\n\n* Bob", "participants", ["Ada", "Bob"]),
        ("- **Participants:** Ada & Bob", "participants", ["Ada", "Bob"]),
        ("Present: Ada\nPresent: Ada, Bob", "participants", ["Ada", "Bob"]),
        ("TODO: one; two\nAction: three", "action_items", ["one", "two", "three"]),
        ("- [x] done\n- [ ] open", "action_items", ["open"]),
        ("Next steps:\nAda: writes\nBob: reads", "action_items", ["Ada: writes", "Bob: reads"]),
        ("Tags: a, b; c", "tags", ["a", "b", "c"]),
        ("Is it late? It is. Why?", "questions", ["Is it late?", "Why?"]),
        ("See https://example.com/a, or (http://b.example).", "links", ["https://example.com/a", "http://b.example"]),
        ("Project number: 12-B", "project_number", "12-B"),
        ("Project number: 12-B", "projectNumber", "12-B"),
        ("Features:\n- small\n- light", "features", ["small", "light"]),
        (
            "--- Seite 1 ---\nFirst page. It goes\non here.\n--- Seite 2 ---\nMore.",
            "summary",
            "First page. It goes on here. More.",
        ),
        ("Subject: Bill\n\n# Head", "title", "Bill"),
        ("Meeting at 10:30 http://participants.example", "participants", []),
        ("The participants were many.", "participants", []),
        ("no sentence at all", "summary", "no sentence at all"),
        ("", "summary", ""),
        ("\n \n", "action_items", []),
    ],
)
def test_marks_that_writers_set_are_understood(text: str, name: str, value: Any) -> None:
    assert found(text, name) == {name: value}


@pytest.mark.parametrize(
    ("paragraph", "parts"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("Dr. A. Meier kam am 3. Mai. Er blieb.", ["Dr. A. Meier kam am 3. Mai.", "Er blieb."]),
        ("Version 1.5 is out. e.g. this.", ["Version 1.5 is out. e.g. this."]),
        ("Und so weiter usw. Dann kam ich.", ["Und so weiter usw. Dann kam ich."]),
    ],
)
def test_sentences_end_where_they_end(paragraph: str, parts: list[str]) -> None:
    assert sentences(paragraph) == parts
