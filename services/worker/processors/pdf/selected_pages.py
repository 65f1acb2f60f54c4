"""An open PDF with the selected pages, and the progress of a pass over them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.worker.files.sources import Source
from services.worker.run.workspace import ReportProgress


@dataclass(frozen=True, slots=True)
class SelectedPages:
    """The source, its open PDF document, and the numbers of the selected pages, from 1."""

    source: Source
    document: Any
    pages: range


@dataclass(frozen=True, slots=True)
class PassProgress:
    """The progress of one pass over the pages: its step and its range of percent."""

    report: ReportProgress
    step: str
    low: int
    high: int
    message: str

    def track(self, pages: range) -> Iterator[int]:
        """Yield the page numbers and report each before it is processed."""
        for index, number in enumerate(pages):
            self.update(index / len(pages), index + 1, len(pages))
            yield number

    def update(self, done: float, page: int | None = None, pages: int | None = None) -> None:
        """Report the share of the pass that is done, from 0 to 1."""
        self.report(self.step, self.low + int((self.high - self.low) * done), self.message, page, pages)
