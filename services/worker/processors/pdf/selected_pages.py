"""An open PDF with the pages that a job asked for, and the telling of how far a pass over them is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.worker.files.sources import Source
from services.worker.run.workspace import ReportProgress


@dataclass(frozen=True, slots=True)
class Paper:
    """The source, the document that was opened of it, and the numbers of the pages to read, from 1."""

    source: Source
    document: Any
    pages: range


@dataclass(frozen=True, slots=True)
class Pass:
    """One going through the pages: the step that it reports, and the percents that it moves through."""

    report: ReportProgress
    step: str
    low: int
    high: int
    message: str

    def through(self, pages: range) -> Iterator[int]:
        """The page numbers, each reported as it begins."""
        for index, number in enumerate(pages):
            self.tell(index / len(pages), index + 1, len(pages))
            yield number

    def tell(self, done: float, page: int | None = None, pages: int | None = None) -> None:
        """Reports how much of the pass is done, from 0 to 1."""
        self.report(self.step, self.low + int((self.high - self.low) * done), self.message, page, pages)
