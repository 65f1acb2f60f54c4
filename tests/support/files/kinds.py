"""A small file of every kind that can be read."""

from collections.abc import Callable
from pathlib import Path

from tests.support.files import office, voice
from tests.support.files.opendocument import open_document

Make = Callable[[Path], Path]


def written(content: str | bytes) -> Make:
    def make(path: Path) -> Path:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


PAGE = (
    "<html><head><title>Roof</title></head><body><article><h1>Roof</h1>"
    "<p>The solar panels on the roof make electricity for the washing machine.</p></article></body></html>"
)
FILES: dict[str, tuple[Make, str, str]] = {
    "garden.docx": (
        lambda path: office.word(path, heading="Garden", paragraphs=["Tomatoes want much water and a sunny wall."]),
        "How do I grow vegetables?",
        "Tomatoes want much water",
    ),
    "whales.pptx": (
        lambda path: office.slides(path, [("Whales", "Blue whales are the largest animals of the ocean.", "")]),
        "biggest creature in the sea",
        "Blue whales",
    ),
    "prices.xlsx": (
        lambda path: office.sheets(path, {"Prices": [["Instrument", "Price"], ["Violin", 900], ["Piano", 4000]]}),
        "What does a musical instrument cost?",
        "Violin",
    ),
    "roof.html": (written(PAGE), "photovoltaic energy from sunlight", "solar panels"),
    "novel.epub": (
        lambda path: office.epub(
            path, "A novel", ["<h1>One</h1><p>The detective found the murderer in the library.</p>"]
        ),
        "crime investigation",
        "detective",
    ),
    "sign.png": (
        lambda path: office.image(path, "The museum opens at nine", "PNG"),
        "opening hours of the exhibition",
        "museum",
    ),
    "talk.wav": (written(voice.recording_of(voice.SENTENCE)), "yearly business figures of the firm", "annual report"),
    "cats.md": (written("# Cats\n\nA kitten sleeps twenty hours a day."), "sleeping pets", "kitten"),
    "tax.txt": (written("The tax return must be handed in before the end of July."), "fiscal deadline", "tax return"),
}
"""By the name of a file: how it is made, what to ask for, and what the chunk that is found must contain."""

FURTHER: dict[str, Make] = {
    "a.odt": lambda path: open_document(path, "text", "<text:h>Plan</text:h><text:p>words</text:p>"),
    "a.rtf": written(r"{\rtf1\ansi Gr\'fc\'dfe {\b bold}\par\trowd\intbl a\cell b\cell\row}"),
    "a.eml": written("From: a@example.com\nMIME-Version: 1.0\nContent-Type: text/html\n\n<h1>Title</h1><p>words"),
    "a.svg": written('<svg xmlns="http://www.w3.org/2000/svg"><title>Plan</title><text>words</text></svg>'),
}
"""Files of further kinds: how each is made."""
