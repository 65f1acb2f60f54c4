"""An estimate as clients see it (docs/contract/additions.md#estimates). Pure."""

from dataclasses import dataclass
from typing import Any, Final

from schemas.job_types.page_work import PageWork
from services.api.estimates.inspecting import Inspected
from services.api.outlook.durations import Basis, expected_of_pages
from services.api.outlook.queue import Before
from services.api.outlook.views import Outlook

NOT_FETCHED: Final = "The file behind the address is fetched when the job runs, so its pages are not known."
NOT_IN_TIME: Final = "No worker had time to open the file, so its pages are not known: try again later."
NO_PAGES: Final = "The pages of such a file are not counted before it is read."
FEW: Final = "Too few jobs of this type have completed here to expect a time."
SIMILAR: Final = "The time is that of jobs of this type, but not of this method or kind of page."
NO_QUEUE: Final = "Jobs of a type that was not measured yet wait before this one."


@dataclass(frozen=True, slots=True)
class Question:
    """What is estimated: a job of a type and an owner, how it reads pages, and what is known of these.

    `inspected` is None if no worker has answered in time, or was not asked: for a file at an address (`fetched`).
    """

    job_type: str
    owner: str
    work: PageWork | None
    fetched: bool = False
    inspected: Inspected | None = None


def estimate_view(question: Question, outlook: Outlook) -> dict[str, Any]:
    """Return the estimate; what is not known is null, and a sentence in `notes` names the reason."""
    inspected = question.inspected or Inspected()
    pages, with_text = inspected.pages, inspected.with_text
    samples = outlook.samples.get(question.job_type, ())
    found = expected_of_pages(samples, question.work, pages, with_text)
    before = outlook.before(question.owner)
    wait_s = outlook.wait_s(before)
    return {
        "job_type": question.job_type,
        "pages": pages,
        "pages_with_text": with_text,
        "pages_without_text": None if pages is None or with_text is None else pages - with_text,
        "pages_looked_at": inspected.looked_at,
        "seconds": {"p50": _rounded(found.p50), "p90": _rounded(found.p90)} if found.seconds else None,
        "basis": found.basis.value,
        "measured_jobs": found.jobs,
        "queue": {"jobs_before": round(sum(before.values())), "wait_s": _rounded(wait_s)},
        "problem": inspected.problem,
        "notes": _notes(question, found.basis, before, wait_s),
    }


def _notes(question: Question, basis: Basis, before: Before, wait_s: float | None) -> list[str]:
    notes = {
        NOT_FETCHED: question.work is not None and question.fetched,
        NOT_IN_TIME: question.work is not None and not question.fetched and question.inspected is None,
        NO_PAGES: question.inspected == Inspected(),
        FEW: basis is Basis.NONE,
        SIMILAR: basis is Basis.SIMILAR,
        NO_QUEUE: bool(before) and wait_s is None,
    }
    return [sentence for sentence, holds in notes.items() if holds]


def _rounded(seconds: float | None) -> float | None:
    """Return seconds to a thousandth: jobs of milliseconds are usual."""
    return None if seconds is None else round(seconds, 3)
