"""The extracted text of a document of any kind: its parts, their methods, its title. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from schemas.blocks import Block, Origin
from schemas.errors import ErrorCode
from services.worker.blocks.markdown import markdown
from services.worker.blocks.outputs import paragraphs
from services.worker.errors import ProcessingError
from services.worker.markup.from_markdown import blocks_from
from services.worker.run.memory import raise_if_memory

MAX_CHARACTERS: Final = 20_000_000
"""The limit of one document's text, about 7,000 printed pages: it is in memory, and twice in the result."""

Unit = Literal["page", "slide", "sheet", "chapter", "image"]
OnPart = Callable[[int, int], None]
"""Called with the number of the part that is read, from 1, and the number of parts."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """The text of a page, slide, sheet or chapter, and its method; `score` is the confidence of OCR, 0 to 1.

    `blocks` are what the text is written from, empty where a reader makes none.
    """

    content: str
    method: str = "native"
    score: float | None = None
    blocks: tuple[Block, ...] = ()

    @classmethod
    def of(cls, blocks: Iterable[Block], method: str = "native", score: float | None = None) -> "TextPart":
        """Build a part from its blocks. Its text is Markdown in which the characters of the source stay as they are."""
        kept = tuple(blocks)
        return cls(markdown(kept, escaped=False), method, score, kept)


@dataclass(frozen=True, slots=True)
class ExtractedText:
    """A document's text. `unit` is the kind of its parts; None for a document without pages.

    `failed` are the parts that could not be read or drawn, `skipped` those of them that crashed, hung or ran out of
    memory. `images` are the locations of the drawn pages. `notes` list what is missing or uncertain; `markdown` is
    whether the text is Markdown. `furniture`: its headers and footers are content, each of them once, and stand in
    the text. `metadata` is what the reader of its kind adds.
    """

    parts: tuple[TextPart, ...]
    method: str
    unit: Unit | None = None
    title: str = ""
    markdown: bool = False
    notes: tuple[str, ...] = ()
    failed: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    images: tuple[str, ...] = ()
    furniture: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The parts, separated by empty lines."""
        return "\n\n".join(part.content for part in self.parts if part.content)

    @property
    def blocks(self) -> list[tuple[Block, ...]]:
        """The blocks of each part, with its number as their page if the document has a unit.

        A part whose reader made none gives what its text means: Markdown if the document is, else paragraphs.
        """
        return [self._blocks_of(number, part) for number, part in enumerate(self.parts, 1)]

    def _blocks_of(self, number: int, part: TextPart) -> tuple[Block, ...]:
        blocks = part.blocks
        if not blocks:
            origin = Origin.NATIVE if part.method == "native" else Origin.OCR
            read = blocks_from(part.content) if self.markdown else paragraphs(part.content)
            blocks = tuple(replace(block, origin=origin, confidence=part.score) for block in read)
        if self.unit is None:
            return blocks
        return tuple(block if block.page == number else replace(block, page=number) for block in blocks)


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

    def part(self, part: TextPart) -> TextPart:
        """Count a part and return it with a `storable` text."""
        return replace(part, content=self.add(part.content))


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
