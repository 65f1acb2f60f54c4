"""The parts of each `pdf` method, and the pages to read (docs/contract/secretary.md#pdf-parameters). Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from schemas.errors import ErrorCode
from schemas.job_types.inspection import InspectionParameters
from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError

TextMethod = Literal["native", "ocr", "llm", "mistral_ocr"]
"""The method of a page's text: text layer, local OCR, vision model, Mistral's OCR."""

NAMED_PAGES: Final = 20  # maximum number of page numbers in a message


@dataclass(frozen=True, slots=True)
class MethodPlan:
    """The parts of a method. All `texts` are kept; a page's `extracted_text` is the first that is not empty."""

    texts: tuple[TextMethod, ...] = ()
    previews: bool = False
    archive: bool = False

    @property
    def takes_template(self) -> bool:
        """Whether a template is filled from the text (docs/contract/secretary.md#pdf-parameters)."""
        return bool(self.texts) and not self.archive


PLANS: Final = {
    "native": MethodPlan(("native",)),
    "tesseract_ocr": MethodPlan(("ocr",)),
    "both": MethodPlan(("native", "ocr")),
    "preview": MethodPlan(previews=True),
    "preview_and_native": MethodPlan(("native",), previews=True),
    "preview_and_mistral_ocr": MethodPlan(("mistral_ocr",), previews=True),
    "llm": MethodPlan(("llm",)),
    "llm_and_native": MethodPlan(("llm", "native")),
    "llm_and_ocr": MethodPlan(("llm", "ocr")),
    "mistral_ocr": MethodPlan(("mistral_ocr",)),
    "mistral_ocr_with_pages": MethodPlan(("mistral_ocr",), archive=True),
}
"""By the method's name; aliases are in `schemas.job_types.pdf.ALIASES`."""


def plan_of(params: PdfParameters) -> MethodPlan:
    """Return the plan of a job's method."""
    return PLANS[params.method]


def pages_of(params: PdfParameters | InspectionParameters, count: int, limit: int) -> range:
    """Return the page numbers to read, from 1. The limit applies to all pages of the document.
    See docs/contract/secretary.md#pdf-parameters.

    Raises ProcessingError: TOO_MANY_PAGES, PAGE_RANGE_INVALID.
    """
    if count > limit:
        raise ProcessingError(
            ErrorCode.TOO_MANY_PAGES, f"The document has {count:,} pages; at most {limit:,} are allowed."
        )
    first = params.page_start or 1
    if first > count:
        raise ProcessingError(
            ErrorCode.PAGE_RANGE_INVALID, f"page_start is {first}, but the document ends with page {count}."
        )
    return range(first, min(params.page_end or count, count) + 1)


def shares(low: int, high: int, weights: Sequence[int]) -> list[tuple[int, int]]:
    """Divide a range of percent among passes by weight."""
    total, done, spans = sum(weights), 0, []
    for weight in weights:
        spans.append((low + (high - low) * done // total, low + (high - low) * (done + weight) // total))
        done += weight
    return spans


def named(numbers: Collection[int]) -> str:
    """Return `page 3`, `pages 3, 4` or `pages 1, … and 7 more`."""
    shown = ", ".join(str(number) for number in sorted(numbers)[:NAMED_PAGES])
    more = len(numbers) - NAMED_PAGES
    return f"page{'s' if len(numbers) > 1 else ''} {shown}{f' and {more} more' if more > 0 else ''}"
