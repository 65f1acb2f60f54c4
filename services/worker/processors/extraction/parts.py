"""What was read of a document, whatever kind it is: its parts in order, how each was read, its own title. Pure."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.run.memory import raise_if_memory

MAX_CHARACTERS: Final = 20_000_000
"""Of all text of one document, some 7,000 printed pages: it is held in memory, and stands twice in the result."""

Unit = Literal["page", "slide", "sheet", "chapter", "image"]
Tell = Callable[[int, int], None]
"""Told that part N of so many is being read, from 1."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """The text of a page, slide, sheet or chapter, and how it was got; `score` is how certain an OCR is, 0 to 1."""

    content: str
    method: str = "native"
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """A document's text. `unit` is what its parts are; None for a document that does not know its pages.

    `notes` say what is missing or uncertain; `markdown` whether the text is Markdown.
    """

    parts: tuple[TextPart, ...]
    method: str
    unit: Unit | None = None
    title: str = ""
    markdown: bool = False
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The parts with an empty line between them."""
        return "\n\n".join(part.content for part in self.parts if part.content)


class Volume:
    """How much text has been read so far. Raises ProcessingError FILE_TOO_LARGE beyond the limit."""

    def __init__(self) -> None:
        self._characters = 0

    def add(self, text: str) -> str:
        """Counts a text and answers it, `storable`."""
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise ProcessingError(
                ErrorCode.FILE_TOO_LARGE, f"The document holds more than {MAX_CHARACTERS:,} characters of text."
            )
        return storable(text)


def storable(text: str) -> str:
    """A text without what no store takes: NUL and halves of characters."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def checked_count(count: int, limit: int, unit: Unit) -> int:
    """The count of pages, slides or the like. Raises ProcessingError TOO_MANY_PAGES."""
    if count > limit:
        raise ProcessingError(
            ErrorCode.TOO_MANY_PAGES, f"The document has {count:,} {unit}s; at most {limit:,} are allowed."
        )
    return count


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Whatever a library raises over a document is that document's damage, unless memory ran out.

    Such libraries raise KeyError, AttributeError, RecursionError and more, and their texts may quote the document.
    """
    try:
        yield
    except ProcessingError:
        raise
    except Exception as error:
        raise_if_memory(error)
        raise ProcessingError(
            ErrorCode.INVALID_DOCUMENT,
            f"The file is damaged: it cannot be read as {what}.",
            error_type=type(error).__name__,
        ) from error
