"""The extracted text of a document of any kind: its parts, their methods, its title. Pure."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.run.memory import raise_if_memory

MAX_CHARACTERS: Final = 20_000_000
"""The limit of one document's text, about 7,000 printed pages: it is in memory, and twice in the result."""

Unit = Literal["page", "slide", "sheet", "chapter", "image"]
OnPart = Callable[[int, int], None]
"""Called with the number of the part that is read, from 1, and the number of parts."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """The text of a page, slide, sheet or chapter, and its method; `score` is the confidence of OCR, 0 to 1."""

    content: str
    method: str = "native"
    score: float | None = None


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """A document's text. `unit` is the kind of its parts; None for a document without pages.

    `failed` are the parts that could not be read, `skipped` those of them that crashed, hung or ran out of
    memory. `notes` list what is
    missing or uncertain; `markdown` is whether the text is Markdown. `metadata` is what the reader of its kind adds.
    """

    parts: tuple[TextPart, ...]
    method: str
    unit: Unit | None = None
    title: str = ""
    markdown: bool = False
    notes: tuple[str, ...] = ()
    failed: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The parts, separated by empty lines."""
        return "\n\n".join(part.content for part in self.parts if part.content)


class TextLimit:
    """Limits the length of a document's text. Raises ProcessingError FILE_TOO_LARGE beyond MAX_CHARACTERS."""

    def __init__(self) -> None:
        self._characters = 0

    def add(self, text: str) -> str:
        """Count a text and return it, made `storable`."""
        self._characters += len(text)
        if self._characters > MAX_CHARACTERS:
            raise ProcessingError(
                ErrorCode.FILE_TOO_LARGE, f"The document contains more than {MAX_CHARACTERS:,} characters of text."
            )
        return storable(text)


def storable(text: str) -> str:
    """Replace what stores do not accept: NUL and lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def checked_count(count: int, limit: int, unit: Unit) -> int:
    """Return the count of pages, slides or the like. Raises ProcessingError TOO_MANY_PAGES above the limit."""
    if count > limit:
        raise ProcessingError(
            ErrorCode.TOO_MANY_PAGES, f"The document has {count:,} {unit}s; at most {limit:,} are allowed."
        )
    return count


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Convert all errors of a library to ProcessingError INVALID_DOCUMENT, except MemoryError.

    Libraries raise KeyError, AttributeError, RecursionError and more for damaged files; their texts may quote the file.
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
