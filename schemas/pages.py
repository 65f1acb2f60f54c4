"""The finished pages of a job, as clients read them, and where they are while the job runs. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

MOST_RECORDS = 100_000
"""The largest number of records of a run: one a second of the longest run."""

RECORD_BYTES: Final = 4 * 1024 * 1024
"""The largest record that is written, and that is read: an API process parses it between the requests of others."""


@dataclass(frozen=True, slots=True)
class MethodText:
    """The text of a page by one method; `score` is the confidence of OCR, 0 to 1."""

    text: str
    method: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class FinishedPage:
    """A page: its text by the first method that found one, and `texts` of all methods if there are several.

    `failed`: a part of it could not be read or drawn. A dataclass, which costs a fifth of a model: a run makes one for
    each page, whose text layer takes less than a millisecond.
    """

    page: Annotated[int, Field(ge=1)]
    text: str = ""
    method: str | None = None
    score: float | None = None
    failed: bool = False
    texts: tuple[MethodText, ...] = ()

    @classmethod
    def of(cls, page: int, texts: Sequence[MethodText], failed: bool = False) -> "FinishedPage":
        """Build the page from its texts by each method, in their order."""
        if not texts:
            return cls(page, failed=failed)
        if len(texts) == 1:
            (only,) = texts
            return cls(page, only.text, only.method, only.score, failed)
        shown = next((one for one in texts if one.text.strip()), texts[-1])
        return cls(page, shown.text, shown.method, shown.score, failed, tuple(texts))

    def shown(self) -> dict[str, Any]:
        """Return the page as JSON, without what it lacks."""
        return {"text": self.text, **_PAGE.dump_python(self, mode="json", exclude_defaults=True)}


_PAGE: Final = TypeAdapter(FinishedPage)


@dataclass(frozen=True, slots=True)
class PagePicture:
    """A kind of output with the picture of a page: its `name` for the page's number, its longer `side` in pixels."""

    name: str
    side: int

    def of(self, page: int) -> str:
        """Return the name of the output."""
        return self.name.format(page)


IMAGE_OUTPUT: Final = PagePicture("images/page_{:03d}.jpg", side=1280)
"""Of jobs with `include_images`."""
WORDS_OUTPUT: Final = "words/page_{:03d}.json"
"""Beside the picture of a page that has a text layer: its words, as WORDS has them."""


class PageWord(NamedTuple):
    """A word of a text layer and its box, in parts of the page's width and height from the top left corner.

    Boxes are those of the page as its picture shows it. Words of one line have the same `line`.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    line: int


WORDS: Final = TypeAdapter(list[PageWord])


def by_size(pictures: Iterable[PagePicture], width: int) -> list[PagePicture]:
    """Return kinds of pictures, the best for a width first: the smallest that is as large, else the largest."""
    return sorted(pictures, key=lambda one: (one.side < width, abs(one.side - width)))


class PageRecord(BaseModel):
    """The content of one record: some finished pages, in order."""

    model_config = ConfigDict(frozen=True)

    pages: tuple[FinishedPage, ...] = Field(min_length=1)


class PageRecords(BaseModel):
    """Where finished pages of a run are: `count` records in the folder `key` of the job's pages.

    `last` is the last page in them; all pages of the run before it are there too.
    """

    model_config = ConfigDict(frozen=True)

    run: str = Field(max_length=100)
    key: str = Field(max_length=64)
    count: int = Field(ge=1, le=MOST_RECORDS)
    last: int = Field(ge=1, le=2**31 - 1)


class _Content(BaseModel):
    """An entry of `text_contents` (docs/contract/secretary.md#results)."""

    page: int = Field(ge=1)
    text: str = ""
    method: str = "native"
    score: float | None = None


_CONTENTS: Final = TypeAdapter(list[_Content])


def pages_of_texts(result: Mapping[str, Any]) -> list[FinishedPage]:
    """Return the pages of a result that lists their texts in `metadata`; none for another one."""
    metadata = (result.get("structured_data") or {}).get("metadata") or {}
    try:
        contents = _CONTENTS.validate_python(metadata.get("text_contents") or [])
    except ValidationError:
        return []
    texts: dict[int, list[MethodText]] = {number: [] for number in _numbers(metadata)}
    for one in contents:
        texts.setdefault(one.page, []).append(MethodText(text=one.text, method=one.method, score=one.score))
    failed = frozenset(_whole(metadata.get("failed_pages") or ()))
    return [FinishedPage.of(page, texts[page], page in failed) for page in sorted(texts)]


def _numbers(metadata: Mapping[str, Any]) -> range:
    """Return the selected pages of a PDF, which may have no texts."""
    first, last = metadata.get("page_start"), metadata.get("page_end")
    return range(first, last + 1) if isinstance(first, int) and isinstance(last, int) and first > 0 else range(0)


def _whole(values: Iterable[Any]) -> Iterable[int]:
    return (one for one in values if isinstance(one, int))
