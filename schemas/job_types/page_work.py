"""How a job reads the pages of its file, as its parameters determine it: for estimates of its duration. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWork:
    """The methods of a job's pages, by the names that `JobCompleted.method` has for a document of such pages alone.

    `draws`: whether it makes a file of each page; None where that does not change the work. `first` and `last` are
    the numbers of the selected pages, from 1; None: to an end of the document. `is_pdf`: another kind of file fails.
    `ends_at` is the percent at which the work on the pages ends, where it differs from the declaration's.
    """

    with_text: str
    without_text: str
    draws: bool | None = None
    first: int | None = None
    last: int | None = None
    is_pdf: bool = False
    ends_at: int | None = None

    @property
    def method(self) -> str | None:
        """The method of every page; None if it depends on whether a page has text."""
        return self.with_text if self.with_text == self.without_text else None


def no_page_work(parameters: Mapping[str, Any]) -> PageWork | None:
    """None: jobs of the type read no pages, or none that can be counted before."""
    return None
