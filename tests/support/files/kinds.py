"""A small file of every kind that can be read."""

from collections.abc import Callable
from pathlib import Path

from tests.support.files import office, voice

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
